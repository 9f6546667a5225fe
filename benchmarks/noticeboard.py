"""The cost of the noticeboard, side by side with bocpy.

Every figure is one program that runs unchanged with both, each run in a process of its own; the two
take turns, round after round, and medians are compared. Writes and updates count as done when a
behavior sees the last one. bocpy is left out where it is not installed.

    python benchmarks/noticeboard.py [--rounds 5] [--only read] [--scale 0.2] [--json figures.json]

A ratio above 1 says that bocmat is faster. Times on a busy or virtual machine are noise: the
ratios are what counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from programs.run import machine


@dataclass(frozen=True)
class Figure:
    """What is measured: the time from `begin` to the end of the text, per one of `count`."""

    name: str
    what: str
    count: int
    text: str


SKELETON = """
import json, operator, time
from functools import partial
from {library} import (
    WORKER_COUNT, Cown, Matrix, notice_read, notice_seed, notice_update, notice_write, noticeboard,
    quiesce, receive, send, start, wait, when
)

count = {count}
workers = WORKER_COUNT


def settle(last):
    while True:
        @when(Cown(None))
        def _(_cown):
            send("seen", notice_read("key"))
        if receive("seen")[1] == last:
            break


if __name__ == "__main__":
    start()
    settle(None)
{text}
    elapsed = time.perf_counter() - begin
    print("FIGURE", json.dumps(elapsed / count))
    wait()
"""

SIXTY_KEYS = """
for number in range(60):
    notice_seed(f"other {number}", number)
"""


def reading(readers: str) -> str:
    """Give a text in which so many behaviors read.

    They have begun when the clock starts, and read for so long that it does not matter if the
    operating system puts them on one core at first.
    """
    return f"""
notice_seed("key", 7)
for cown in [Cown(None) for _ in range({readers})]:
    @when(cown)
    def _(_cown, count=count):
        send("here", None)
        receive("go")
        for _ in range(count):
            notice_read("key")
        send("read", None)
for _ in range({readers}):
    receive("here")
begin = time.perf_counter()
for _ in range({readers}):
    send("go", None)
for _ in range({readers}):
    receive("read")
"""


FIGURES = [
    Figure(
        "write-main",
        "write from the main program",
        20_000,
        """
begin = time.perf_counter()
for number in range(count):
    notice_write("key", number)
settle(count - 1)
""",
    ),
    Figure(
        "write-60-keys",
        "the same with 60 other keys",
        20_000,
        f"""{SIXTY_KEYS}
begin = time.perf_counter()
for number in range(count):
    notice_write("key", number)
settle(count - 1)
""",
    ),
    Figure(
        "write-behavior",
        "write from a behavior",
        20_000,
        """
begin = time.perf_counter()
@when(Cown(None))
def _(_cown, count=count):
    for number in range(count):
        notice_write("key", number)
settle(count - 1)
""",
    ),
    Figure(
        "update-main",
        "update from the main program",
        10_000,
        """
notice_seed("key", 0)
add = partial(operator.add, 1)
begin = time.perf_counter()
for number in range(count):
    notice_update("key", add, 0)
settle(count)
""",
    ),
    Figure(
        "update-behaviors",
        "update from a behavior a worker",
        10_000,
        """
notice_seed("key", 0)
each = count // workers
begin = time.perf_counter()
for cown in [Cown(None) for _ in range(workers)]:
    @when(cown)
    def _(_cown, each=each):
        add = partial(operator.add, 1)
        for number in range(each):
            notice_update("key", add, 0)
settle(each * workers)
""",
    ),
    Figure("read-1", "read a number over and over, 1 worker", 4_000_000, reading("1")),
    Figure("read-all", "the same on all workers at once", 4_000_000, reading("workers")),
    Figure(
        "read-behavior",
        "a behavior that reads one number",
        20_000,
        """
notice_seed("key", 7)
begin = time.perf_counter()
for cown in [Cown(None) for _ in range(count)]:
    @when(cown)
    def _(_cown):
        notice_read("key")
quiesce()
""",
    ),
    Figure(
        "snapshot",
        "a behavior that takes all of 60 keys",
        10_000,
        f"""{SIXTY_KEYS}
begin = time.perf_counter()
for cown in [Cown(None) for _ in range(count)]:
    @when(cown)
    def _(_cown):
        len(noticeboard())
quiesce()
""",
    ),
    Figure(
        "snapshot-changed",
        "the same, with a write before each",
        5_000,
        f"""{SIXTY_KEYS}
begin = time.perf_counter()
for cown in [Cown(None) for _ in range(count)]:
    notice_write("key", 1)
    @when(cown)
    def _(_cown):
        len(noticeboard())
quiesce()
""",
    ),
    Figure(
        "matrix",
        "seed a 200 x 200 matrix",
        300,
        """
matrices = [Matrix.ones((200, 200)) for _ in range(count)]
begin = time.perf_counter()
for number in range(count):
    notice_seed("matrix", matrices[number])
""",
    ),
]


def program(figure: Figure, library: str, scale: float) -> str:
    """Give the text of one figure for one library."""
    text = "\n".join("    " + line if line else "" for line in figure.text.splitlines())
    count = max(int(figure.count * scale), 16)
    return SKELETON.format(library=library, count=count, text=text)


def figure_of(path: pathlib.Path) -> float | None:
    """Run a program and read what it measured; None if it failed."""
    command = [sys.executable, str(path)]
    try:
        done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return None
    found = re.search(r"^FIGURE (\S+)$", done.stdout, re.MULTILINE)
    if not found:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        return None
    return float(found[1])


def measured(figure: Figure, rounds: int, scale: float, folder: str) -> dict[str, float]:
    """Run one figure with every library, in turns; the medians in seconds."""
    libraries = ["bocmat", *(["bocpy"] if importlib.util.find_spec("bocpy") else [])]
    paths = {}
    for library in libraries:
        path = pathlib.Path(folder, f"{figure.name.replace('-', '_')}_{library}.py")
        path.write_text(program(figure, library, scale), encoding="utf-8")
        paths[library] = path
    times: dict[str, list[float]] = {library: [] for library in libraries}
    for _ in range(rounds):
        for library in libraries:
            seconds = figure_of(paths[library])
            if seconds is not None:
                times[library].append(seconds)
    return {library: statistics.median(values) for library, values in times.items() if values}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="the noticeboard, beside bocpy's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="figures whose names contain this")
    parser.add_argument("--scale", type=float, default=1.0, help="of the counts")
    parser.add_argument("--quick", action="store_true", help="one round of a twentieth")
    parser.add_argument("--json", type=pathlib.Path, help="write the medians there, in seconds")
    options = parser.parse_args()
    rounds, scale = (1, 0.05) if options.quick else (options.rounds, options.scale)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for figure in FIGURES:
            if options.only not in figure.name:
                continue
            medians = measured(figure, rounds, scale, folder)
            own = medians.get("bocmat")
            ratios = {name: seconds / own for name, seconds in medians.items()} if own else {}
            rows[figure.name] = {"what": figure.what, "medians": medians, "ratios": ratios}
            cells = [f"{name} {seconds * 1e6:7.2f} us" for name, seconds in medians.items()]
            if "bocpy" in ratios:
                cells.append(f"{ratios['bocpy']:6.1f}x")
            print(f"{figure.what:48} {' '.join(cells)}", flush=True)
    if options.json:
        report = {"machine": machine(), "figures": rows}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
