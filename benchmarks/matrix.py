"""Matrix operations side by side with NumPy's and, if it is installed, bocpy's.

For every operation and size the libraries take turns, round after round, in one process; the
medians are compared::

    pip install numpy "bocpy==0.14.*"
    python benchmarks/matrix.py [--sizes 2,16] [--only add,exp] [--json FILE] [--plot FILE]

A ratio above 1 says that bocmat is faster. Times on a busy or virtual machine are noise: the ratios
are what counts. What is measured stands in `operations/`.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import statistics
import sys
import time
import timeit
from pathlib import Path
from typing import Any

from operations import FAMILIES, Entry
from operations.entry import SIZES

ROUND_SECONDS = 0.004  # of one library in one round
ENOUGH_SECONDS = 0.25  # of a library in all rounds; slow operations get fewer of them
ROUNDS, FEWEST_ROUNDS = 9, 3
QUICK_SIZES = [2, 16]

# OpenBLAS chooses its kernels by these when it is loaded; both libraries are to choose themselves.
OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

Names = dict[str, Any]


def restart_without_overrides() -> None:
    """Start again in a clean environment, before any library reads it."""
    if any(name in os.environ for name in OVERRIDES):
        clean = {name: value for name, value in os.environ.items() if name not in OVERRIDES}
        os.execve(sys.executable, [sys.executable, *sys.argv], clean)


class Library:
    """One of the libraries, and the operands it has made for one size."""

    def __init__(self, name: str, module: Any, linalg: Any, make: Any, version: str) -> None:
        self.name, self.module, self.linalg, self.make = name, module, linalg, make
        self.version = version
        self.size = 0
        self.made: Names = {}

    def names(self, entry: Entry, n: int) -> Names:
        """Give what the entry's statement speaks of."""
        from operations.operands import MASKS, arrays, plain

        if n != self.size:
            self.size, self.made = n, {}
        names: Names = {"m": self.module, "linalg": self.linalg}
        matrices, others = arrays(n), plain(n, self.name)
        for word in sorted(entry.words(self.name)):
            if word in self.made:
                names[word] = self.made[word]
            elif word in matrices:
                array = matrices[word]()
                if self.name == "numpy" and word in MASKS:
                    array = array.astype(bool)
                names[word] = self.made[word] = self.make(array)
            elif word in others:
                names[word] = others[word]()
        return names


def libraries() -> list[Library]:
    import numpy

    import bocmat
    from bocmat import Matrix

    linalg = getattr(bocmat, "linalg", None)
    found = [
        Library("bocmat", Matrix, linalg, Matrix, version_of("bocmat")),
        Library("numpy", numpy, numpy.linalg, numpy.array, numpy.__version__),
    ]
    try:
        from bocpy import Matrix as Other
    except ImportError:
        return found

    def make(array: Any) -> Any:
        return Other(*array.shape, array.ravel().tolist())

    return [*found, Library("bocpy", Other, None, make, version_of("bocpy"))]


def version_of(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def timer_of(entry: Entry, library: Library, n: int) -> tuple[timeit.Timer, float] | None:
    """Give a timer and a first guess of the seconds a call; None where there is no such thing."""
    if library.name == "bocpy" and n > entry.bocpy_largest:
        return None
    try:
        names = library.names(entry, n)
        timer = timeit.Timer(entry.statement(library.name), globals=names)
        timer.timeit(1)
        return timer, max(timer.timeit(1), 1e-7)
    except Exception:
        if library.name == "numpy":
            raise
        return None


def measure(entry: Entry, n: int, found: list[Library], rounds: int) -> dict[str, float]:
    """Give the median seconds a call for each library that has the operation."""
    timers = {}
    for library in found:
        timer = timer_of(entry, library, n)
        if timer is None and library.name == "bocmat":
            return {}
        if timer is not None:
            timers[library.name] = (timer[0], max(1, int(ROUND_SECONDS / timer[1])))
    taken: dict[str, list[float]] = {name: [] for name in timers}
    limit = time.perf_counter() + ENOUGH_SECONDS * len(timers)
    for done in range(rounds):
        if done >= FEWEST_ROUNDS and time.perf_counter() > limit:
            break
        for name, (timer, number) in timers.items():
            taken[name].append(timer.timeit(number) / number)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def run(sizes: list[int], chosen: list[str], rounds: int) -> dict[str, Any]:
    """Measure and print, one line an operation and size."""
    found = libraries()
    others = [library.name for library in found[1:]]
    results: list[dict[str, Any]] = []
    print(f"{'operation':24} {'size':>5} {'bocmat us':>11}", *(f"{o + ' /':>9}" for o in others))
    for n in sizes:
        for family, entries in FAMILIES.items():
            for entry in entries:
                if n > entry.largest or entry.name not in chosen:
                    continue
                seconds = measure(entry, n, found, rounds)
                if not seconds:
                    print(f"{entry.name:24} {n:5} {'-':>11}", flush=True)
                    continue
                own = seconds["bocmat"]
                ratios = {other: seconds[other] / own for other in others if other in seconds}
                results.append(
                    {
                        "operation": entry.name,
                        "family": family,
                        "size": n,
                        "seconds": seconds,
                        "ratios": ratios,
                    }
                )
                shown = [f"{ratios[o]:9.2f}" if o in ratios else f"{'-':>9}" for o in others]
                print(f"{entry.name:24} {n:5} {own * 1e6:11.3f}", *shown, flush=True)
        gc.collect()
    versions = {library.name: library.version for library in found}
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        **versions,
    }
    return {"machine": machine, "results": results}


def mean_of(results: list[dict[str, Any]], size: int, other: str) -> float | None:
    logs = [
        math.log(result["ratios"][other])
        for result in results
        if result["size"] == size and other in result["ratios"]
    ]
    return math.exp(statistics.fmean(logs)) if logs else None


def summarize(results: list[dict[str, Any]]) -> None:
    """Print the geometric means, and what is slower than NumPy."""
    others = sorted({other for result in results for other in result["ratios"]}, reverse=True)
    print()
    for size in sorted({result["size"] for result in results}):
        means = ((other, mean_of(results, size, other)) for other in others)
        shown = ", ".join(f"{mean:.2f} {other}" for other, mean in means if mean is not None)
        print(f"geometric mean at {size:5}: {shown}")
    below = [result for result in results if result["ratios"].get("numpy", 1.0) < 1.0]
    print(f"below NumPy: {len(below)} of {len(results)}")
    for result in sorted(below, key=lambda result: float(result["ratios"]["numpy"])):
        print(f"  {result['ratios']['numpy']:5.2f}  {result['operation']} at {result['size']}")


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", help="comma-separated, instead of " + str(SIZES))
    parser.add_argument("--only", help="names of operations or families, comma-separated")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plot", type=Path, help="draw the ratios into this file; matplotlib")
    parser.add_argument("--quick", action="store_true", help="show that it runs: rough figures")
    options = parser.parse_args(arguments)
    options.sizes = [int(size) for size in options.sizes.split(",")] if options.sizes else SIZES
    if options.quick:
        options.sizes, options.rounds = QUICK_SIZES, 1
    names = [entry.name for entries in FAMILIES.values() for entry in entries]
    asked = options.only.split(",") if options.only else list(FAMILIES)
    unknown = [name for name in asked if name not in names and name not in FAMILIES]
    if unknown:
        parser.error(f"no such operation: {', '.join(unknown)}; there are {', '.join(names)}")
    options.only = [
        entry.name
        for family, entries in FAMILIES.items()
        for entry in entries
        if entry.name in asked or family in asked
    ]
    return options


def main() -> None:
    restart_without_overrides()
    options = options_of()
    if options.plot:
        from report import plot  # before the minutes of measuring: without matplotlib it fails
    report = run(options.sizes, options.only, options.rounds)
    summarize(report["results"])
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        plot.draw(report, options.plot)


if __name__ == "__main__":
    main()
