"""Heat that spreads over a plate: a stencil over tiles, many steps at once.

    python -m bocmat.examples.heat --steps 100 1000 --out heat.png

The plate is a matrix of temperatures. Its upper edge is hot and the other three are cold, two pipes
run through it, and in each step every other cell moves toward the mean of its four neighbours. A
step of a tile waits for that tile and for those beside it, so one corner of the plate may be some
steps ahead of the other.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bocmat import Matrix, TiledMatrix, start, wait
from bocmat.examples.arguments import add_workers, file_to_write, whole_number
from bocmat.examples.picture import Canvas, Color, blend

HOT, COLD = 100.0, 0.0
PIPES = ((0.40, 0.30, 0.09, COLD), (0.66, 0.68, 0.11, HOT))
"""Each a row and a column, as shares of the plate, a radius and a temperature."""

RATE = 0.2
"""How much of the difference from each neighbour a step makes good; above 1/4 nothing is stable."""
AHEAD = 50
"""Steps that are scheduled at once, so that there is an end to what is waiting."""

MARGIN, CAPTION, PANEL, LEGEND = 24, 40, 384, 60
PAPER, INK = (247, 248, 250), (28, 33, 44)
COLORS = ((18, 22, 78), (96, 36, 138), (208, 58, 92), (249, 146, 46), (255, 242, 170))
ISOTHERMS = 10.0  # degrees from one to the next


# ---- the computation ----


def held_cells(side: int, pipes: Sequence[tuple[float, float, float, float]] = PIPES) -> Matrix:
    """Give the temperature of the cells that are held at one, and NaN for all others."""
    held = Matrix.full((side, side), math.nan)
    for row, column, radius, temperature in pipes:
        for i in range(side):
            for j in range(side):
                if math.hypot(i / (side - 1) - row, j / (side - 1) - column) <= radius:
                    held[i, j] = temperature
    held[-1, :] = COLD
    held[:, 0] = held[:, -1] = COLD
    held[0, :] = HOT
    return held


def spread(around: Matrix) -> Matrix:
    """Let heat flow for one step, from a tile with its neighbours' nearest cells around it."""
    cells = around.view
    beside = cells[:-2, 1:-1] + cells[2:, 1:-1] + cells[1:-1, :-2] + cells[1:-1, 2:]
    after: Matrix = cells[1:-1, 1:-1] * (1 - 4 * RATE) + beside * RATE
    return after


def hold(cells: Matrix, held: Matrix) -> Matrix:
    """Put the cells back that are held at a temperature."""
    return Matrix.where(held.isnan(), cells, held)


def advance(plate: Matrix, held: TiledMatrix, steps: int) -> Matrix:
    """Go on by so many steps. The runtime has to run."""
    for first in range(0, steps, AHEAD):
        tiles = TiledMatrix(plate, held.tile)
        for _ in range(first, min(first + AHEAD, steps)):
            tiles = tiles.stencil(spread, halo=1).map(hold, held)
        plate = tiles.to_matrix()
    return plate


def stages(held: Matrix, steps: Sequence[int], tile: int) -> Iterator[Matrix]:
    """Give the plate after each number of steps, ascending; it is cold in the beginning."""
    plate = hold(Matrix.full(held.shape, COLD), held)
    tiles = TiledMatrix(held, tile)
    for before, after in zip([0, *steps], steps):
        plate = advance(plate, tiles, after - before)
        yield plate.copy()


# ---- the picture ----


def enlarged(plate: Matrix, size: int) -> Matrix:
    """Interpolate between the cells: a product with the weights on either side."""
    last = plate.rows - 1
    weights = Matrix.zeros((size, plate.rows))
    for pixel in range(size):
        at = pixel * last / (size - 1)
        cell = min(int(at), last - 1)
        weights[pixel, cell], weights[pixel, cell + 1] = cell + 1 - at, at - cell
    return weights @ plate @ weights.T


def color_of(temperature: float) -> Color:
    """Give a color from cold to hot."""
    share = (temperature - COLD) / (HOT - COLD) * (len(COLORS) - 1)
    number = min(max(int(share), 0), len(COLORS) - 2)
    return blend(COLORS[number], COLORS[number + 1], min(max(share - number, 0.0), 1.0))


def pixels(plate: Matrix) -> list[bytes]:
    """Color the plate, with a line wherever an isotherm passes."""
    fine = enlarged(plate, PANEL)
    palette = [color_of(COLD + (HOT - COLD) * level / 255) for level in range(256)]
    lined = [blend(color, INK, 0.55) for color in palette]
    levels = ((fine - COLD) * (255 / (HOT - COLD))).clip(0, 255).round()
    bands = ((fine - COLD) / ISOTHERMS).floor().minimum((HOT - COLD) // ISOTHERMS - 1)
    edges = (bands != bands.roll(1, axis=1)) + (bands != bands.roll(1, axis=0))
    edges[0, :] = edges[:, 0] = 0.0
    return [
        b"".join(bytes((lined if line else palette)[int(level)]) for level, line in zip(*row))
        for row in zip(levels.tolist(), edges.tolist())
    ]


def draw(plates: Sequence[Matrix], steps: Sequence[int]) -> Canvas:
    """Put the plates side by side, two in a row, above a scale of the colors."""
    across, down = min(len(plates), 2), -(-len(plates) // 2)
    step_x, step_y = PANEL + MARGIN, PANEL + CAPTION + MARGIN
    canvas = Canvas(MARGIN + across * step_x, MARGIN + down * step_y + LEGEND, PAPER)
    for number, (plate, count) in enumerate(zip(plates, steps)):
        x, y = MARGIN + number % 2 * step_x, MARGIN + number // 2 * step_y
        canvas.paste(x, y, pixels(plate))
        canvas.text(x, y + PANEL + 26, f"after {count:,} steps", 13, INK)
    width, top = canvas.width - 2 * MARGIN, canvas.height - LEGEND - 6
    for x in range(width):
        color = color_of(COLD + (HOT - COLD) * x / (width - 1))
        canvas.rectangle(MARGIN + x, top, 1, 18, color)
    for share in (0.0, 0.5, 1.0):
        label = f"{COLD + share * (HOT - COLD):.0f}"
        canvas.text(MARGIN + share * width, top + 40, label, 13, INK, align=share)
    return canvas


# ---- the program ----


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Heat that spreads over a plate, in tiles.")
    whole = whole_number(1)
    usual = [100, 1000, 4000, 16000]
    parser.add_argument(
        "--steps", type=whole, nargs="+", default=usual, help="to draw after (100 1000 4000 16000)"
    )
    parser.add_argument(
        "--side", type=whole_number(3), default=128, help="of the plate, in cells (128)"
    )
    parser.add_argument("--tile", type=whole, default=64, help="side of a tile (64)")
    parser.add_argument(
        "--out", type=file_to_write, default=Path("heat.png"), help="picture (heat.png)"
    )
    add_workers(parser)
    options = parser.parse_args(arguments)
    options.steps = sorted(set(options.steps))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    options = parse(arguments)
    held = held_cells(options.side)
    start(options.workers, options.backend)
    print(f"{options.side} x {options.side} cells in tiles of {options.tile}")
    print(f"{'steps':>7}  {'mean':>7}  {'center':>7}")
    plates = []
    for count, plate in zip(options.steps, stages(held, options.steps, options.tile)):
        center = plate[options.side // 2, options.side // 2]
        print(f"{count:7}  {plate.mean():7.3f}  {center:7.3f}", flush=True)
        plates.append(plate)
    wait()
    draw(plates, options.steps).save(options.out)
    print(f"picture {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
