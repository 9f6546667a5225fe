"""Matrices in tiles on all workers, beside NumPy, SciPy and dask.array on all cores.

Products, Cholesky factors, a stencil, map and map-reduce. Each library is in a process of its own;
they take turns, round after round, and the medians are compared. NumPy and SciPy use OpenBLAS on
all cores, dask its threaded scheduler; a library that is not installed is left out::

    pip install numpy scipy "dask[array]"
    python benchmarks/tiles.py [--sizes 512,1024] [--only product,map] [--json FILE] [--quick]

Besides: product and Cholesky over and over for ten seconds, and map and stencil on two workers
against one. A ratio above 1 says that bocmat is faster. The time is from scheduling the operation
to having its result as one matrix. Times on a busy or virtual machine are noise: the ratios are
what counts. What is measured stands in `tiled/`, and `report/tiles_page.py` makes a page of it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from tiled import OPERATIONS, Side

LIBRARIES = ("bocmat", "numpy", "dask")
SIZES = "512,1024,2048,4096,8192"
SUSTAINED = ("product", "cholesky")
SCALED = ("stencil", "map")
ENOUGH_SECONDS = 20.0  # for one operation of one size in one library
FEWEST_ROUNDS = 3
# After a product OpenBLAS's own threads go on spinning for a while, on the cores of the next one.
PAUSE = 0.1


def prepare(sides: list[Side], operation: str, size: int, options: argparse.Namespace) -> None:
    """Have every library ready; their results have to agree."""
    sums = {
        side.library: side.ask(
            operation=operation, size=size, tile=options.tile, workers=options.workers
        )
        for side in sides
    }
    first = sums[sides[0].library]
    for library, total in sums.items():
        if not math.isclose(total, first, rel_tol=1e-6, abs_tol=1e-6 * size):
            raise SystemExit(f"{operation} of size {size}: {sums}; {library} differs")


def ratios_of(seconds: dict[str, float]) -> dict[str, float]:
    own = seconds["bocmat"]
    return {name: taken / own for name, taken in seconds.items() if name != "bocmat"}


def compare(
    sides: list[Side], operation: str, size: int, options: argparse.Namespace
) -> dict[str, Any]:
    prepare(sides, operation, size, options)
    taken: dict[str, list[float]] = {side.library: [] for side in sides}
    limit = time.perf_counter() + ENOUGH_SECONDS * len(sides)
    for done in range(options.rounds):
        if done >= FEWEST_ROUNDS and time.perf_counter() > limit:
            break
        for side in sides[done % 2 :] + sides[: done % 2]:
            time.sleep(PAUSE)
            taken[side.library] += side.ask(repeat=1)
    seconds = {library: statistics.median(all_) for library, all_ in taken.items()}
    return {
        "operation": operation,
        "size": size,
        "seconds": seconds,
        "ratios": ratios_of(seconds),
    }


def sustain(
    sides: list[Side], operation: str, size: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Over and over for a while: the seconds each in the mean, what is slow now and then too."""
    prepare(sides, operation, size, options)
    seconds, calls = {}, {}
    for side in sides:
        time.sleep(PAUSE)
        taken = side.ask(seconds=options.duration)
        seconds[side.library] = statistics.fmean(taken)
        calls[side.library] = len(taken)
    return {
        "operation": operation,
        "size": size,
        "duration": options.duration,
        "calls": calls,
        "seconds": seconds,
        "ratios": ratios_of(seconds),
    }


def scale(
    sides: tuple[Side, Side], operation: str, size: int, options: argparse.Namespace
) -> dict[str, Any]:
    """One worker and two, in turns, with the same tiles."""
    tile = options.tile or max(64, size // 8)
    taken: tuple[list[float], list[float]] = ([], [])
    for workers, side in enumerate(sides, 1):
        side.ask(operation=operation, size=size, tile=tile, workers=workers)
    for _ in range(options.rounds):
        for side, times in zip(sides, taken):
            times += side.ask(repeat=3)
    one, two = (statistics.median(times) for times in taken)
    return {
        "operation": operation,
        "size": size,
        "tile": tile,
        "seconds": [one, two],
        "speedup": one / two,
    }


def show(kind: str, figure: dict[str, Any]) -> None:
    if kind == "scaling":
        one, two = figure["seconds"]
        rest = f"{1e3 * one:10.2f} {1e3 * two:10.2f}  {figure['speedup']:.2f} times"
    else:
        times = " ".join(f"{1e3 * taken:10.2f}" for taken in figure["seconds"].values())
        rest = times + "  " + " ".join(f"{ratio:6.2f}" for ratio in figure["ratios"].values())
    print(f"{kind:<10} {figure['operation']:<11} {figure['size']:>6} {rest}", flush=True)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    sides = [side for side in map(Side, LIBRARIES) if side.versions]
    second = Side("bocmat")
    versions = {name: version for side in sides for name, version in side.versions.items()}
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        **versions,
    }
    report: dict[str, Any] = {"machine": machine, "figures": [], "sustained": [], "scaling": []}
    names = [side.library for side in sides]
    print("milliseconds:", ", ".join(names), "; ratios to", ", ".join(names[1:]))

    def note(kind: str, figure: dict[str, Any]) -> None:
        report[kind].append(figure)
        show(kind, figure)

    for size in options.sizes:
        for operation in options.only:
            note("figures", compare(sides, operation, size, options))
    for operation in [name for name in SUSTAINED if name in options.only]:
        note("sustained", sustain(sides, operation, options.sustained_size, options))
    for operation in [name for name in SCALED if name in options.only]:
        note("scaling", scale((sides[0], second), operation, options.scaled_size, options))
    for side in [*sides, second]:
        side.end()
    return report


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", default=SIZES, help="comma-separated, instead of " + SIZES)
    parser.add_argument("--only", default=",".join(OPERATIONS), help="operations, comma-separated")
    parser.add_argument("--tile", type=int, help="rows and columns of a tile, of a chunk")
    parser.add_argument("--workers", type=int, help="instead of one for each core")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--duration", type=float, default=10.0, help="seconds of sustained work")
    parser.add_argument("--sustained-size", type=int, default=2048)
    parser.add_argument("--scaled-size", type=int, default=2048)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--quick", action="store_true", help="show that it runs: rough figures")
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes, options.rounds, options.duration = "256", 1, 0.1
        options.sustained_size = options.scaled_size = 256
    options.sizes = [int(size) for size in options.sizes.split(",")]
    options.only = options.only.split(",")
    unknown = sorted(set(options.only) - set(OPERATIONS))
    if unknown:
        known = ", ".join(OPERATIONS)
        parser.error(f"no such operation: {', '.join(unknown)}; there are {known}")
    return options


def main() -> None:
    options = options_of()
    report = measure(options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
