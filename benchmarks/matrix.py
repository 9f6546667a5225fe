"""Matrix operations side by side with NumPy's and, if it is installed, bocpy's.

For every operation and size the libraries take turns, round after round, in one process; the
medians are compared::

    pip install numpy "bocpy==0.14.*"
    python benchmarks/matrix.py [--large] [--only add,exp] [--sizes 2,16] [--rounds 9] [--json FILE]

A ratio above 1 says that bocmat is faster. Times on a busy or virtual machine are noise: the ratios
are what counts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = [2, 16, 64, 256, 1024]
LARGE = 4096
ROUND_SECONDS = 0.02

# OpenBLAS chooses its kernels by these when it is loaded; both libraries are to choose themselves.
OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

# name: what bocmat and bocpy run, what NumPy runs. `m` stands for the type or for the module numpy.
OPERATIONS = {
    "add": ("a + b", "a + b"),
    "subtract": ("a - b", "a - b"),
    "multiply": ("a * b", "a * b"),
    "divide": ("a / b", "a / b"),
    "add a scalar": ("a + 1.5", "a + 1.5"),
    "add a row": ("a + row", "a + row"),
    "add a column": ("a + column", "a + column"),
    "add in place": ("a.__iadd__(zero)", "a.__iadd__(zero)"),
    "negate": ("-a", "-a"),
    "abs": ("abs(a)", "abs(a)"),
    "sqrt": ("a.sqrt()", "m.sqrt(a)"),
    "exp": ("a.exp()", "m.exp(a)"),
    "log": ("a.log()", "m.log(a)"),
    "minimum": ("a.minimum(b)", "m.minimum(a, b)"),
    "clip": ("a.clip(0.2, 0.8)", "m.clip(a, 0.2, 0.8)"),
    "less": ("a.less(b)", "a < b"),
    "where less": ("m.where(a.less(b), a, b)", "m.where(a < b, a, b)"),
    "sum": ("a.sum()", "a.sum()"),
    "sum of columns": ("a.sum(0)", "a.sum(0, keepdims=True)"),
    "mean of rows": ("a.mean(1)", "a.mean(1, keepdims=True)"),
    "min": ("a.min()", "a.min()"),
    "max of rows": ("a.max(1)", "a.max(1, keepdims=True)"),
    "argmax": ("a.argmax()", "a.argmax()"),
    "argmax of columns": ("a.argmax(0)", "a.argmax(0)"),
    "transposed copy": ("a.transpose()", "a.T.copy()"),
    "copy": ("a.copy()", "a.copy()"),
    "matmul": ("a @ b", "a @ b"),
    "matmul transposed": ("a @ b.T", "a @ b.T"),
    "element": ("a[1, 0]", "a[1, 0].item()"),
    "row": ("a[1]", "a[1].copy()"),
    "from a list": ("m(n, n, values)", "m.array(values).reshape(n, n)"),
    "uniform": ("m.uniform(0, 1, (n, n))", "random.uniform(0, 1, (n, n))"),
    "normal": ("m.normal(0, 1, (n, n))", "random.normal(0, 1, (n, n))"),
}


def restart_without_overrides() -> None:
    """Start again in a clean environment, before any library reads it."""
    if any(name in os.environ for name in OVERRIDES):
        clean = {name: value for name, value in os.environ.items() if name not in OVERRIDES}
        os.execve(sys.executable, [sys.executable, *sys.argv], clean)


def libraries() -> dict[str, tuple[Any, Callable[..., Any]]]:
    """Give each library's stand-in for `m`, and how it makes a matrix of rows, columns, values."""
    import numpy

    from bocmat import Matrix

    found: dict[str, tuple[Any, Callable[..., Any]]] = {
        "bocmat": (Matrix, Matrix),
        "numpy": (numpy, lambda rows, columns, values: numpy.array(values).reshape(rows, columns)),
    }
    try:
        from bocpy import Matrix as Other
    except ImportError:
        return found
    return {**found, "bocpy": (Other, Other)}


def names_for(library: tuple[Any, Callable[..., Any]], n: int) -> dict[str, Any]:
    """Give the names that the statements use, with the same values for every library."""
    import numpy

    module, make = library
    generator = numpy.random.default_rng(n)
    first, second = (generator.uniform(0.1, 1, n * n).tolist() for _ in range(2))
    return {
        "m": module,
        "n": n,
        "a": make(n, n, first),
        "b": make(n, n, second),
        "zero": make(n, n, [0.0] * (n * n)),
        "row": make(1, n, first[:n]),
        "column": make(n, 1, first[:n]),
        "values": first,
        "random": numpy.random.default_rng(1),
    }


def measure(name: str, names: dict[str, dict[str, Any]], rounds: int) -> dict[str, float]:
    """Give the median seconds a call for each library that has the operation."""
    timers = {}
    for library, values in names.items():
        statement = OPERATIONS[name][library == "numpy"]
        timer = timeit.Timer(statement, globals=values)
        try:
            once = timer.timeit(1)
        except Exception:  # the other library lacks this operation
            continue
        timers[library] = (timer, max(1, int(ROUND_SECONDS / max(once, 1e-7))))
    taken: dict[str, list[float]] = {library: [] for library in timers}
    for _ in range(rounds):
        for library, (timer, number) in timers.items():
            taken[library].append(timer.timeit(number) / number)
    return {library: statistics.median(seconds) for library, seconds in taken.items()}


def run(sizes: list[int], chosen: list[str], rounds: int) -> list[dict[str, Any]]:
    """Measure and print, one line an operation and size."""
    others = [library for library in libraries() if library != "bocmat"]
    results: list[dict[str, Any]] = []
    print(f"{'operation':20} {'size':>5} {'bocmat us':>11}", *(f"{o + ' /':>9}" for o in others))
    for n in sizes:
        names = {library: names_for(pair, n) for library, pair in libraries().items()}
        for name in chosen:
            seconds = measure(name, names, rounds)
            own = seconds["bocmat"]
            ratios = {other: seconds[other] / own for other in others if other in seconds}
            results.append({"operation": name, "size": n, "seconds": seconds, "ratios": ratios})
            shown = [f"{ratios[o]:9.2f}" if o in ratios else f"{'-':>9}" for o in others]
            print(f"{name:20} {n:5} {own * 1e6:11.3f}", *shown, flush=True)
    for n in sizes:
        line = [f"{'geometric mean':20} {n:5} {'':11}"]
        for other in others:
            logs = [
                math.log(result["ratios"][other])
                for result in results
                if result["size"] == n and other in result["ratios"]
            ]
            line.append(f"{math.exp(statistics.fmean(logs)):9.2f}" if logs else f"{'-':>9}")
        print(*line)
    return results


def main() -> None:
    restart_without_overrides()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", help="comma-separated, instead of " + str(SIZES))
    parser.add_argument("--large", action="store_true", help=f"{LARGE} as well")
    parser.add_argument("--only", help="names of operations, comma-separated")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--quick", action="store_true", help="show that it runs: rough figures")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")] if options.sizes else list(SIZES)
    if options.quick:
        sizes, options.rounds = sizes[:2], 1
    if options.large:
        sizes.append(LARGE)
    chosen = options.only.split(",") if options.only else list(OPERATIONS)
    unknown = [name for name in chosen if name not in OPERATIONS]
    if unknown:
        parser.error(f"no such operation: {', '.join(unknown)}; there are {', '.join(OPERATIONS)}")
    results = run(sizes, chosen, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
