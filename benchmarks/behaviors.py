"""The cost of behaviors, side by side with bocpy.

Every figure is one small program that differs between the two libraries in its import line only.
Each run of it is a process of its own; the two libraries take turns, round after round, and the
medians are compared. Both have to be installed for the interpreter that runs this file::

    pip install "bocpy==0.14.*"
    python benchmarks/behaviors.py [--rounds 5] [--only chain] [--scale 0.2] [--json figures.json]

A ratio above 1 says that bocmat is faster. Times on a busy or virtual machine are noise: the
ratios are what counts.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

LIBRARIES = ("bocmat", "bocpy")

# What every program begins with. bocpy refuses closures: what a behavior needs is a default here.
PREAMBLE = """
import json, os, sys, time
from {library} import Cown, Matrix, quiesce, start, wait, when

SCALE = float(sys.argv[1])


def times(count):
    return max(int(count * SCALE), 10)


def report(value):
    print("FIGURE", json.dumps(value))
"""


@dataclass(frozen=True)
class Figure:
    """One program and what its number means; `higher` is better where it is not a time."""

    name: str
    unit: str
    what: str
    program: str
    higher: bool = False


SCHEDULE = """
if __name__ == "__main__":
    start(1)
    cown = Cown(0)
    source, sink = os.pipe()

    @when(cown)
    def _(cown, source=source):
        import os
        os.read(source, 1)

    count = times(20000)
    begin = time.perf_counter()
    for _ in range(count):
        @when(cown)
        def _(cown):
            pass
    report((time.perf_counter() - begin) / count * 1e6)
    os.write(sink, b"x")
    wait()
"""

SATURATED = """
if __name__ == "__main__":
    start({workers})
    cown = Cown(0)
    for count in (times(2000), times(40000)):
        begin = time.perf_counter()
        for _ in range(count):
            @when(cown)
            def _(cown):
                cown.value += 1
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count * 1e6)
    wait()
"""

DEFAULTS = """
if __name__ == "__main__":
    start(1)
    cown = Cown(0)
    for count in (times(2000), times(20000)):
        begin = time.perf_counter()
        for index in range(count):
            @when(cown)
            def _(cown, index=index, scale=0.5, name="some text", pair=(1, 2)):
                cown.value += index * scale
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count * 1e6)
    wait()
"""

CHAIN = """
def chain(cown, left):
    @when(cown)
    def _(cown, left=left):
        cown.value += 1
        if left > 1:
            chain(cown, left - 1)


if __name__ == "__main__":
    start({workers})
    cown = Cown(0)
    for count in (times(2000), times(20000)):
        begin = time.perf_counter()
        chain(cown, count)
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count * 1e6)
    wait()
"""

CHAINS = """
def chain(cown, left):
    @when(cown)
    def _(cown, left=left):
        cown.value += 1
        if left > 1:
            chain(cown, left - 1)


if __name__ == "__main__":
    start(2)
    cowns = [Cown(0) for _ in range(8)]
    for count in (times(500), times(5000)):
        begin = time.perf_counter()
        for cown in cowns:
            chain(cown, count)
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count / len(cowns) * 1e6)
    wait()
"""

TRANSFERS = """
import random

if __name__ == "__main__":
    start(2)
    accounts = [Cown(100) for _ in range(64)]
    chooser = random.Random(1)
    count = times(20000)
    pairs = [chooser.sample(accounts, 2) for _ in range(count)]
    begin = time.perf_counter()
    for left, right in pairs:
        @when(left, right)
        def _(left, right):
            left.value -= 1
            right.value += 1
    quiesce()
    report((time.perf_counter() - begin) / count * 1e6)
    wait()
"""

RESULTS = """
if __name__ == "__main__":
    start(2)
    for count in (times(500), times(5000)):
        begin = time.perf_counter()
        for _ in range(count):
            @when()
            def one():
                return 1

            @when(one)
            def two(one):
                return one.value + 1

            @when(one, two)
            def three(one, two):
                return one.value + two.value
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count / 3 * 1e6)
    wait()
"""

FIBONACCI = """
def fibonacci(number):
    if number < 2:
        @when()
        def leaf(number=number):
            return number
        return leaf

    @when(fibonacci(number - 1), fibonacci(number - 2))
    def total(left, right):
        return left.value + right.value
    return total


if __name__ == "__main__":
    start(2)
    number = 17 if SCALE >= 1 else 10
    warm = fibonacci(5)
    quiesce()
    begin = time.perf_counter()
    result = fibonacci(number)
    quiesce()
    elapsed = time.perf_counter() - begin
    report(elapsed * 1e3)
    wait()
"""

LATENCY = """
if __name__ == "__main__":
    start(2)
    cown = Cown(0)
    figures = []
    for _ in range(times(400)):
        begin = time.perf_counter()

        @when(cown)
        def _(cown):
            cown.value += 1

        quiesce()
        figures.append(time.perf_counter() - begin)
        time.sleep({pause})
    figures.sort()
    report(figures[len(figures) // 2] * 1e6)
    wait()
"""

FIRST_CYCLE = """
if __name__ == "__main__":
    begin = time.perf_counter()
    start(2)
    cown = Cown(0)

    @when(cown)
    def _(cown):
        cown.value += 1

    wait()
    report((time.perf_counter() - begin) * 1e3)
"""

LATER_CYCLES = """
if __name__ == "__main__":
    cown = Cown(0)
    figures = []
    for _ in range(times(12)):
        begin = time.perf_counter()
        start(2)

        @when(cown)
        def _(cown):
            cown.value += 1

        wait()
        figures.append(time.perf_counter() - begin)
    figures = sorted(figures[1:])
    report(figures[len(figures) // 2] * 1e3)
"""

# Plain Python work, so much of it that one behavior takes the time named on the machine at hand.
PAYLOAD = """
def work(rounds):
    total = 0
    for number in range(rounds):
        total += number * number
    return total


def rounds_for(seconds):
    best = 1.0
    for _ in range(15):
        begin = time.perf_counter()
        work(2000)
        best = min(best, time.perf_counter() - begin)
    return max(int(2000 * seconds / best), 1)


def run(count, rounds):
    cowns = [Cown(0) for _ in range(16)]
    begin = time.perf_counter()
    for index in range(count):
        @when(cowns[index % 16])
        def _(cown, rounds=rounds):
            cown.value = work(rounds)
    wait()
    return time.perf_counter() - begin


if __name__ == "__main__":
    rounds = rounds_for({seconds})
    count = times(6000)
    elapsed = {{}}
    for workers in (1, {workers}) * 2:
        start(workers)
        run(200, rounds)
        start(workers)
        now = run(count, rounds)
        elapsed[workers] = min(elapsed.get(workers, now), now)
    report(elapsed[1] / elapsed[{workers}])
"""

MATRIX = """
if __name__ == "__main__":
    start(2)
    cowns = [Cown(Matrix.ones(({size}, {size}))) for _ in range(4)]
    for count in (times(1000), times(12000)):
        begin = time.perf_counter()
        for index in range(count):
            @when(cowns[index % 4])
            def _(cown):
                cown.value[0, 0] = 2.0
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count * 1e6)
    wait()
"""

MATRIX_PAIR = """
if __name__ == "__main__":
    start(2)
    left, right = Cown(Matrix.ones((50, 2))), Cown(Matrix.ones((50, 2)))
    for count in (times(1000), times(12000)):
        begin = time.perf_counter()
        for index in range(count):
            @when(left, right)
            def _(left, right):
                left.value += right.value
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count * 1e6)
    wait()
"""

OBJECT = """
class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance
        self.history = []


if __name__ == "__main__":
    start(1)
    cown = Cown(Account("Alice", 100))
    for count in (times(500), times(5000)):
        begin = time.perf_counter()
        for index in range(count):
            @when(cown)
            def _(cown):
                cown.value.balance += 1
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / count * 1e6)
    wait()
"""


def figures(workers: int) -> list[Figure]:
    """Return every figure, with `workers` as the larger number of workers."""

    def filled(program: str, **values: object) -> str:
        for name, value in values.items():
            program = program.replace("{" + name + "}", str(value))
        return program.replace("{{", "{").replace("}}", "}")

    return [
        Figure("schedule", "us", "@when(c) and def, from the main thread", SCHEDULE),
        Figure(
            "saturated-1", "us", "one behavior end to end, 1 worker", filled(SATURATED, workers=1)
        ),
        Figure(
            "saturated-2", "us", "one behavior end to end, 2 workers", filled(SATURATED, workers=2)
        ),
        Figure("defaults", "us", "the same with four defaults", DEFAULTS),
        Figure(
            "chain-1",
            "us",
            "a link of a self-rescheduling chain, 1 worker",
            filled(CHAIN, workers=1),
        ),
        Figure("chain-2", "us", "the same, 2 workers", filled(CHAIN, workers=2)),
        Figure("chains-2", "us", "a link of 8 chains side by side, 2 workers", CHAINS),
        Figure("transfers", "us", "two random cowns of 64, 2 workers", TRANSFERS),
        Figure("results", "us", "a behavior on the results of others", RESULTS),
        Figure("fibonacci", "ms", "fibonacci(17), one behavior a call", FIBONACCI),
        Figure("object", "us", "a behavior on an object of the program's own class", OBJECT),
        Figure(
            "latency", "us", "one behavior and quiesce(), back to back", filled(LATENCY, pause=0)
        ),
        Figure(
            "latency-idle", "us", "the same after 5 ms of idleness", filled(LATENCY, pause=0.005)
        ),
        Figure("first-cycle", "ms", "first start(2), one behavior, wait()", FIRST_CYCLE),
        Figure("later-cycle", "ms", "the same again", LATER_CYCLES),
        Figure("matrix-256", "us", "a behavior on a 256x256 matrix", filled(MATRIX, size=256)),
        Figure("matrix-2", "us", "a behavior on a 2x2 matrix", filled(MATRIX, size=2)),
        Figure("matrix-pair", "us", "left += right, 50x2", MATRIX_PAIR),
        Figure(
            "speedup-50",
            "x",
            f"{workers} workers against 1, 50 us a behavior",
            filled(PAYLOAD, seconds=50e-6, workers=workers),
            higher=True,
        ),
        Figure(
            "speedup-100",
            "x",
            f"{workers} workers against 1, 100 us a behavior",
            filled(PAYLOAD, seconds=100e-6, workers=workers),
            higher=True,
        ),
    ]


def measure(program: pathlib.Path, scale: float) -> float | None:
    """Run a program once in a process of its own; None where it fails."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS_", "OMP_", "BOCMAT_", "BOCPY_"))
    }
    try:
        done = subprocess.run(
            [sys.executable, str(program), str(scale)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{program.stem}: no end after 120 s", file=sys.stderr)
        return None
    for line in done.stdout.splitlines():
        if line.startswith("FIGURE ") and done.returncode == 0:
            return float(json.loads(line.removeprefix("FIGURE ")))
    print(f"{program.stem}: exit status {done.returncode}\n{done.stderr}", file=sys.stderr)
    return None


def version_of(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of every program (default 5)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the repetitions (default 1)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="workers for the speedups (default 2)"
    )
    parser.add_argument("--only", action="append", help="only figures whose name starts so")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=LIBRARIES)
    parser.add_argument("--json", type=pathlib.Path, help="write everything measured there")
    parser.add_argument("--quick", action="store_true", help="show that it runs: rough figures")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.scale = 1, min(options.scale, 0.02)
    chosen = [
        figure
        for figure in figures(options.workers)
        if not options.only or any(figure.name.startswith(start) for start in options.only)
    ]
    samples: dict[str, dict[str, list[float]]] = {
        figure.name: {library: [] for library in options.libraries} for figure in chosen
    }
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for round_ in range(options.rounds):
            turn = options.libraries if round_ % 2 == 0 else options.libraries[::-1]
            for figure in chosen:
                for library in turn:
                    program = pathlib.Path(
                        directory, f"{figure.name}_{library}.py".replace("-", "_")
                    )
                    program.write_text(PREAMBLE.replace("{library}", library) + figure.program)
                    value = measure(program, options.scale)
                    if value is None:
                        failed = True
                    else:
                        samples[figure.name][library].append(value)
    report = summarize(chosen, samples, options.libraries)
    if options.json:
        report["python"] = sys.version
        report["versions"] = {library: version_of(library) for library in options.libraries}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if failed else 0


def summarize(
    chosen: list[Figure], samples: dict[str, dict[str, list[float]]], libraries: list[str]
) -> dict[str, object]:
    """Print the table; return what it shows."""
    rows: dict[str, object] = {}
    ratios: list[float] = []
    heading = "".join(f"{library:>11}" for library in libraries)
    print(f"{'figure':<14}{'unit':<5}{heading}{'ratio':>8}  what")
    for figure in chosen:
        medians = {
            library: statistics.median(values)
            for library, values in samples[figure.name].items()
            if values
        }
        ratio = None
        if len(medians) == len(LIBRARIES):
            ratio = medians["bocpy"] / medians["bocmat"]
            if figure.higher:
                ratio = 1 / ratio
            else:
                ratios.append(ratio)
        shown = "".join(
            f"{medians[library]:>11.3f}" if library in medians else f"{'-':>11}"
            for library in libraries
        )
        print(
            f"{figure.name:<14}{figure.unit:<5}{shown}"
            f"{'' if ratio is None else format(ratio, '.2f'):>8}  {figure.what}"
        )
        rows[figure.name] = {
            "unit": figure.unit,
            "what": figure.what,
            "medians": medians,
            "samples": samples[figure.name],
            "ratio": ratio,
        }
    report: dict[str, object] = {"figures": rows}
    if ratios:
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(
            f"\ngeometric mean of bocpy / bocmat over {len(ratios)} times: {mean:.2f}, "
            f"least {min(ratios):.2f}"
        )
        if len(ratios) > 2:
            rest = math.exp(statistics.fmean(map(math.log, sorted(ratios)[:-1])))
            print(f"without the largest of them: {rest:.2f}")
            report["geometric_mean_without_largest"] = rest
        report["geometric_mean"] = mean
        report["least"] = min(ratios)
    return report


if __name__ == "__main__":
    sys.exit(main())
