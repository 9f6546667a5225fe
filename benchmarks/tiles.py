"""A tiled product on all workers, side by side with NumPy's on all cores.

For every size the two libraries take turns, round after round; the best time of each is compared::

    pip install numpy
    python benchmarks/tiles.py [--sizes 512,1024] [--tile 256] [--rounds 9] [--quick] [--json FILE]

A ratio above 1 says that bocmat is faster. The time is from scheduling the product to having it as
one matrix. Times on a busy or virtual machine are noise: the ratios are what counts.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bocmat import WORKER_COUNT, Matrix, TiledMatrix, start, wait

# After a product OpenBLAS's own threads go on spinning for a while, on the cores of the next one.
PAUSE = 0.1


def timed(function: Callable[[], object]) -> float:
    time.sleep(PAUSE)
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def compare(size: int, tile: int | None, rounds: int) -> dict[str, float]:
    """Time both products of two square matrices; they have to agree."""
    generator = np.random.default_rng(0)
    left, right = generator.normal(size=(2, size, size))
    a, b = TiledMatrix(Matrix(left), tile), TiledMatrix(Matrix(right), tile)
    best = {"numpy": math.inf, "bocmat": math.inf}
    product = (a @ b).to_matrix()
    expected = left @ right
    for _ in range(rounds):
        best["numpy"] = min(best["numpy"], timed(lambda: np.matmul(left, right)))
        best["bocmat"] = min(best["bocmat"], timed(lambda: (a @ b).to_matrix()))
    if not np.allclose(np.asarray(product), expected, rtol=1e-9, atol=1e-9):
        raise SystemExit(f"the products of size {size} differ")
    return {"size": size, "tile": a.tile[0], **best, "ratio": best["numpy"] / best["bocmat"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="512,1024,2048")
    parser.add_argument("--tile", type=int, default=None)
    parser.add_argument("--workers", type=int, default=WORKER_COUNT)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.rounds = "512", 3
    start(options.workers)
    figures = []
    print("     product   tile   numpy ms  bocmat ms  GFLOP/s  ratio")
    for size in map(int, options.sizes.split(",")):
        figure = compare(size, options.tile, options.rounds)
        figures.append(figure)
        speed = 2 * size**3 / figure["bocmat"] / 1e9
        print(
            f"{size:>12} {figure['tile']:>6.0f} {1e3 * figure['numpy']:>10.2f} "
            f"{1e3 * figure['bocmat']:>10.2f} {speed:>8.1f} {figure['ratio']:>6.2f}",
            flush=True,
        )
    wait()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
