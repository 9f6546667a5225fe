"""Compress a photograph: the largest singular values of a matrix in tiles, by a random sketch.

    python -m bocmat.examples.compress --ranks 4 16 64 --out compress.png

A matrix times a few random columns gives columns that span nearly all that matters of it (Halko,
Martinsson and Tropp, 2011). The picture is in tiles, and so are all products and factors, from the
first sketch to the basis that is left in the end, with nothing to wait for in between.
"""

from __future__ import annotations

import argparse
import gzip
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bocmat import Cown, Matrix, TiledMatrix, linalg, start, wait, when
from bocmat.examples.arguments import add_workers, file_to_write, whole_number
from bocmat.examples.picture import Canvas

PHOTO = Path(__file__).parent / "data" / "chelsea.pgm.gz"
HEADER = re.compile(rb"P5" + 3 * rb"(?:\s|#[^\n]*\n)+(\d+)" + rb"\s")

MORE = 10
"""Random columns beyond the rank that is asked for."""
ROUNDS = 2
"""Of multiplying by the picture and its transpose, which brings out the large singular values."""

MARGIN, CAPTION = 24, 44
PAPER, INK = (247, 248, 250), (28, 33, 44)


class Factors(NamedTuple):
    """Singular values (a row), and the vectors that go with them: columns left, rows right."""

    left: Matrix
    values: Matrix
    right: Matrix

    def picture(self, rank: int) -> Matrix:
        """Multiply what belongs to the largest singular values."""
        close: Matrix = (self.left[:, :rank] * self.values[:, :rank]) @ self.right[:rank, :]
        return close


# ---- the computation ----


def decompose(photo: Matrix, rank: int, tile: int, seed: int) -> Factors:
    """Find the largest singular values and their vectors. The runtime has to run."""
    Matrix.seed(seed)
    width = min(rank + MORE, *photo.shape)
    sketch = Matrix.normal(0, 1, (photo.columns, width))
    tiles = TiledMatrix(photo, tile)
    across = tiles.T
    basis, _ = (tiles @ TiledMatrix(sketch, (tiles.tile[1], width))).qr()
    for _ in range(ROUNDS):
        back, _ = (across @ basis).qr()
        basis, _ = (tiles @ back).qr()
    # The basis holds what matters of every column of the picture: a small matrix is left.
    small = (basis.T @ tiles).to_matrix()
    left, values, right = linalg.svd(small)
    left = (basis @ TiledMatrix(left, width)).to_matrix()
    tiles.to_matrix()  # the photograph can be used again
    return Factors(left[:, :rank], values.ravel()[:, :rank], right[:rank, :])


def schedule(photo: Matrix, factors: Factors, ranks: Sequence[int]) -> list[Cown[Matrix]]:
    """Multiply the factors again, up to each rank, at the same time."""
    results = []
    for rank in ranks:

        @when()
        def close(rank: int = rank) -> Matrix:
            return factors.picture(rank)

        results.append(close)
    return results


def error_of(photo: Matrix, close: Matrix) -> float:
    """Say how much of the photograph is missing, by the root of the sum of squares."""
    return (photo - close).magnitude() / (photo.magnitude() or 1.0)


def least_errors(photo: Matrix, ranks: Sequence[int]) -> list[float]:
    """Say how little can be missing (Eckart and Young), from all singular values.

    The runtime has to run.
    """
    tiles = TiledMatrix(photo)
    values = list(tiles.svdvals().get().values())
    tiles.to_matrix()
    whole_length = math.hypot(*values) or 1.0
    return [math.hypot(*values[rank:]) / whole_length for rank in ranks]


def share_kept(photo: Matrix, rank: int) -> float:
    """Say how many numbers there are in the factors, measured by those in the photograph."""
    return rank * (photo.rows + photo.columns + 1) / photo.size


# ---- pictures ----


def read_picture(path: Path) -> Matrix:
    """Read a binary PGM file of grey values, compressed by gzip or not."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    header = HEADER.match(data)
    if header is None:
        raise ValueError(f"{path} is not a binary PGM file (P5)")
    columns, rows, white = map(int, header.groups())
    grey = memoryview(data)[header.end() :]
    if white > 255 or len(grey) < rows * columns or rows * columns == 0:
        raise ValueError(f"{path} is not {columns} x {rows} grey values of one byte")
    return Matrix(grey[: rows * columns].cast("B", (rows, columns))) * (255 / white)


def draw(pictures: Sequence[Matrix], captions: Sequence[str]) -> Canvas:
    """Put pictures of one size side by side, two in a row, each with what there is to say."""
    rows, columns = pictures[0].shape
    step_x, step_y = columns + MARGIN, rows + CAPTION + MARGIN
    across, down = min(len(pictures), 2), -(-len(pictures) // 2)
    canvas = Canvas(MARGIN + across * step_x, MARGIN + down * step_y, PAPER)
    for number, (picture, caption) in enumerate(zip(pictures, captions)):
        x, y = MARGIN + number % 2 * step_x, MARGIN + number // 2 * step_y
        grey = picture.clip(0, 255).round()
        canvas.paste(x, y, [bytes(int(v) for v in row for _ in "rgb") for row in grey.tolist()])
        canvas.text(x, y + rows + 28, caption, 13, INK)
    return canvas


# ---- the program ----


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Matrix]:
    """Read the command line, and the photograph that it names."""
    parser = argparse.ArgumentParser(description="Compress a photograph by its singular values.")
    whole = whole_number(1)
    parser.add_argument("--photo", type=Path, default=PHOTO, help="binary PGM (a cat)")
    parser.add_argument(
        "--ranks", type=whole, nargs="+", default=[4, 16, 64], help="singular values (4 16 64)"
    )
    parser.add_argument(
        "--compare", action="store_true", help="with the least error; slow if the photo is large"
    )
    parser.add_argument("--tile", type=whole, default=128, help="rows and columns (128)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the random sketch (1)")
    parser.add_argument(
        "--out", type=file_to_write, default=Path("compress.png"), help="(compress.png)"
    )
    add_workers(parser)
    options = parser.parse_args(arguments)
    try:
        photo = read_picture(options.photo)
    except (OSError, ValueError) as error:
        parser.error(f"--photo: {error}")
    if max(options.ranks) > min(photo.shape):
        parser.error(f"--ranks: this photograph has {min(photo.shape)} singular values")
    return options, photo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    options, photo = parse(arguments)
    ranks = options.ranks
    start(options.workers, options.backend)
    factors = decompose(photo, max(ranks), options.tile, options.seed)
    pictures = [close.get() for close in schedule(photo, factors, ranks)]
    least = least_errors(photo, ranks) if options.compare else None
    wait()
    errors = [error_of(photo, picture) for picture in pictures]

    print(f"{photo.columns} x {photo.rows} grey values in tiles of {options.tile}")
    print(f"{'rank':>4}  {'kept':>7}  {'error':>8}" + ("  least possible" if least else ""))
    captions = ["original"]
    for number, (rank, error) in enumerate(zip(ranks, errors)):
        kept = 100 * share_kept(photo, rank)
        line = f"{rank:4}  {kept:5.1f} %  {100 * error:6.3f} %"
        print(line + (f"  {100 * least[number]:12.3f} %" if least else ""))
        captions.append(f"rank {rank}: {kept:.1f} % kept, error {100 * error:.1f} %")
    draw([photo, *pictures], captions).save(options.out)
    print(f"picture {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
