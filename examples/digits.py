"""Classify handwritten digits by their nearest neighbours, tile by tile on all workers.

    python -m bocmat.examples.digits

1,797 images of 8 x 8 grey values are read from `data/`. 500 are held out; the rest, each also
shifted by one pixel in all eight directions, are the references. A held out digit is what the
majority of its k nearest references are. All squared distances come from one tiled product; each of
its tiles is then searched for the nearest references by a behavior of its own, and a behavior for
each row of tiles counts the votes.
"""

from __future__ import annotations

import argparse
import gzip
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from bocmat import WORKER_COUNT, Matrix, TiledMatrix, read, start, wait, when
from bocmat.examples.arguments import file_to_write
from bocmat.examples.digits_page import draw_page

DATA = Path(__file__).parent / "data" / "digits.csv.gz"
SIDE = 8
WHITEST = 16
HELD_OUT = 500
SHIFTS = [(0, 0), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
DEFAULT_TILE = (64, 2048)
SHORTEST_TURN = 0.1  # seconds

Image = tuple[int, ...]
Neighbour = tuple[float, int]


@dataclass
class Digits:
    """What is to be classified, and what it is compared with."""

    images: list[Image]
    labels: list[int]
    references: list[Image]
    reference_labels: bytes


# ---- the data ----


def load() -> tuple[list[Image], list[int]]:
    """Read all images and the digits that they show."""
    images, labels = [], []
    with gzip.open(DATA, "rt", encoding="ascii") as lines:
        for line in lines:
            *pixels, label = map(int, line.split(","))
            images.append(tuple(pixels))
            labels.append(label)
    return images, labels


def shifted(image: Image, down: int, right: int) -> Image:
    """Move an image; what leaves it is lost and what enters is blank."""
    return tuple(
        image[SIDE * (row - down) + column - right]
        if 0 <= row - down < SIDE and 0 <= column - right < SIDE
        else 0
        for row in range(SIDE)
        for column in range(SIDE)
    )


def prepare(seed: int) -> Digits:
    """Hold out some of the digits, and enlarge the rest by shifting."""
    images, labels = load()
    order = list(range(len(images)))
    random.Random(seed).shuffle(order)
    held_out, kept = order[:HELD_OUT], order[HELD_OUT:]
    return Digits(
        images=[images[index] for index in held_out],
        labels=[labels[index] for index in held_out],
        references=[shifted(images[index], *shift) for shift in SHIFTS for index in kept],
        reference_labels=bytes(labels[index] for _ in SHIFTS for index in kept),
    )


# ---- the classification ----


def nearest_in_tile(distances: Matrix, k: int, first: int) -> list[list[Neighbour]]:
    """List the k nearest references of each row, the nearest first; of equals the first one.

    `first` is the number of the reference in the leftmost column. The distances are used up.
    """
    found: list[list[Neighbour]] = [[] for _ in range(distances.rows)]
    for _ in range(min(k, distances.columns)):
        for row, column in enumerate(distances.argmin(axis=1)):
            found[row].append((distances[row, column], first + column))
            distances[row, column] = math.inf
    return found


def majority(labels: Sequence[int]) -> int:
    """Give the label that most neighbours have; of equally many that of the nearest of them."""
    votes = Counter(labels)
    most = max(votes.values())
    return next(label for label in labels if votes[label] == most)


def vote(parts: list[list[list[Neighbour]]], labels: bytes, k: int) -> list[int]:
    """Classify one row of tiles, from the nearest references in each of its tiles."""
    return [
        majority([labels[index] for _, index in sorted(chain.from_iterable(candidates))[:k]])
        for candidates in zip(*parts)
    ]


def schedule(images: TiledMatrix, references: TiledMatrix, labels: bytes, k: int) -> list[Any]:
    """Schedule all of it; a cown of the results for each row of tiles.

    `images` has an image in every row, `references` one in every column.
    """
    products = (images * -2.0) @ references
    rows, columns = products.grid
    results = []
    for i in range(rows):
        found = []
        for j in range(columns):
            first = j * products.tile[1]

            @when(products.tiles[i, j], read(images.tiles[i, 0]), read(references.tiles[0, j]))
            def nearest(product: Any, image: Any, reference: Any) -> list[list[Neighbour]]:
                # |x - y|^2 = |x|^2 + |y|^2 - 2 x.y, exact: all of these are small whole numbers.
                distances = product.value
                distances += (image.value * image.value).sum(axis=1)
                distances += (reference.value * reference.value).sum(axis=0)
                # `first` is captured as it is now, when the behavior is scheduled.
                return nearest_in_tile(distances, k, first)  # noqa: B023

            found.append(nearest)

        @when([read(part) for part in found])
        def result(parts: Any) -> list[int]:
            return vote([part.value for part in parts], labels, k)

        results.append(result)
    return results


def classify(digits: Digits, k: int, tile: tuple[int, int]) -> list[int]:
    """Say which digit each of the images shows. The runtime has to run."""
    images = Matrix(digits.images)
    references = Matrix(digits.references).T.copy()
    return _classify(images, references, digits.reference_labels, k, tile)


def _classify(
    images: Matrix, references: Matrix, labels: bytes, k: int, tile: tuple[int, int]
) -> list[int]:
    tiled_images = TiledMatrix(images, tile=(tile[0], images.columns))
    tiled_references = TiledMatrix(references, tile=(references.rows, tile[1]))
    results = schedule(tiled_images, tiled_references, labels, k)
    predictions = list(chain.from_iterable(result.get() for result in results))
    tiled_images.to_matrix()
    tiled_references.to_matrix()
    return predictions


# ---- the measurement ----


class Bar(Protocol):
    """What a progress bar can do."""

    def update(self, amount: int) -> Any:
        """Count some more as done."""


class Lines:
    """A progress bar without tqdm: a line for every tenth."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.shown = total, 0, 0

    def update(self, amount: int) -> None:
        """Count some more as done."""
        self.done += amount
        tenth = 10 * self.done // self.total
        if tenth > self.shown:
            self.shown = tenth
            print(f"classified {self.done:,} of {self.total:,}", file=sys.stderr, flush=True)


@contextmanager
def progress(total: int) -> Iterator[Bar]:
    """Show on standard error how far it is: with a bar on a terminal, if tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    if tqdm is None or not sys.stderr.isatty():
        yield Lines(total)
        return
    with tqdm(total=total, unit=" digits", unit_scale=True, desc="classifying") as bar:
        yield bar


def measure(
    digits: Digits, k: int, tile: tuple[int, int], counts: list[int], repeat: int, backend: str
) -> tuple[list[int], dict[int, float]]:
    """Classify on each number of workers, in turns, and take the best time of each.

    The time is that of one classification, from splitting the matrices to having all answers. A
    turn repeats it often enough to be measured. Starting the workers is not in it, nor the first
    turn of each, in which the workers get to know the functions.
    """
    images = Matrix(digits.images)
    references = Matrix(digits.references).T.copy()
    predictions: list[int] = []

    def turn(workers: int, times: int) -> float:
        nonlocal predictions
        best = math.inf
        start(workers, backend=backend)
        for _ in range(times):
            began = time.perf_counter()
            predictions = _classify(images, references, digits.reference_labels, k, tile)
            best = min(best, time.perf_counter() - began)
        wait()
        return best

    for workers in counts:
        turn(workers, 1)
    times = math.ceil(SHORTEST_TURN / turn(counts[0], 1))
    best = dict.fromkeys(counts, math.inf)
    with progress(len(digits.images) * times * repeat * len(counts)) as bar:
        for _ in range(repeat):
            for workers in counts:
                best[workers] = min(best[workers], turn(workers, times))
                bar.update(len(digits.images) * times)
    return predictions, best


# ---- the program ----


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _tile(text: str) -> tuple[int, int]:
    parts = [_count(part) for part in text.replace("x", ",").split(",")]
    if len(parts) > 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, or two as in 64x2048")
    return parts[0], parts[-1]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Classify handwritten digits by their nearest neighbours, on all cores.",
    )
    parser.add_argument("-k", type=_count, default=3, help="neighbours that vote (3)")
    parser.add_argument(
        "--tile",
        type=_tile,
        default=DEFAULT_TILE,
        metavar="ROWSxCOLUMNS",
        help="digits and references in a tile ({}x{})".format(*DEFAULT_TILE),
    )
    parser.add_argument(
        "--workers",
        type=_count,
        default=WORKER_COUNT,
        help=f"workers to compare with one ({WORKER_COUNT})",
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses what is held out (1)")
    parser.add_argument(
        "--out", type=file_to_write, default=Path("digits.png"), help="picture (digits.png)"
    )
    parser.add_argument("--repeat", type=_count, default=7, help="turns of each (7)")
    parser.add_argument(
        "--backend", default="auto", choices=("auto", "interpreters", "threads"), help="(auto)"
    )
    options = parser.parse_args(arguments)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse(arguments)
    digits = prepare(options.seed)
    tile = options.tile
    print(
        f"{len(digits.images)} digits held out (seed {options.seed}), "
        f"{len(digits.references):,} references, k = {options.k}, tiles of {tile[0]} x {tile[1]}"
    )
    counts = sorted({1, options.workers})
    predictions, best = measure(digits, options.k, tile, counts, options.repeat, options.backend)
    right = sum(map(int.__eq__, predictions, digits.labels))
    print(f"accuracy    {100 * right / len(predictions):.1f} %, {right} of {len(predictions)}")
    for workers in counts:
        name = "1 worker" if workers == 1 else f"{workers} workers"
        print(f"{name:<11} {1000 * best[workers]:.1f} ms")
    print(f"speedup     {best[1] / best[counts[-1]]:.2f} x")
    facts = (
        f"{options.k} nearest neighbours",
        f"{len(predictions)} held out",
        f"{len(digits.references):,} references",
    )
    images = [
        [[value / WHITEST for value in image[row * SIDE : (row + 1) * SIDE]] for row in range(SIDE)]
        for image in digits.images
    ]
    draw_page(images, digits.labels, predictions, facts).save(options.out)
    print(f"picture     {options.out}")


if __name__ == "__main__":
    main()
