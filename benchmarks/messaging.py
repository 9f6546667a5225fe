"""The cost of messages, side by side with bocpy and with the queues of the standard library.

Every figure is one program that is written once; how a message is put and taken, and who the other
side is, is filled in for each way of sending::

    bocmat, bocpy    the other side is a behavior in a worker's interpreter
    SimpleQueue      a thread, with queue.SimpleQueue
    interpreters     an interpreter in a thread, with a queue of concurrent.interpreters (3.14)
    multiprocessing  a process, with multiprocessing.Queue

Each run is a process of its own; the ways take turns, round after round, and medians are compared.
Two short runs of each way say how many messages take a third of a second; no run has more, for the
slowest way takes a hundred thousand times as long as the fastest. bocpy is left out where it is not
installed. With a C compiler at hand the cost of waking a thread through a futex and being woken in
turn is measured too: nothing that sleeps can be faster.

    python benchmarks/messaging.py [--rounds 5] [--only ping] [--scale 0.2] [--json figures.json]

A ratio above 1 says that bocmat is faster. Times on a busy or virtual machine are noise: the
ratios are what counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from programs.run import machine

WAYS = ("bocmat", "bocpy", "SimpleQueue", "interpreters", "multiprocessing")

LONGEST = 0.3  # seconds a run, more or less
TRIALS = (20, 400)  # messages


@dataclass(frozen=True)
class Figure:
    """What both sides do. ``PUT(queue, value)`` and ``TAKE(queue)`` are filled in."""

    name: str
    what: str
    count: int
    here: str
    other: str = ""
    others: int = 1
    matrix: bool = False


READY = """
PUT(down, "ready")
TAKE(up)
"""

STREAM = """
for number in range(count):
    PUT(down, number)
"""

STREAM_TUPLES = """
for number in range(count):
    PUT(down, ("+", number))
"""

TAKE_ALL = """
for _ in range(count * others):
    TAKE(down)
"""

ECHO = """
for _ in range(count):
    value = TAKE(up)
    PUT(down, value)
"""

PING = """
for number in range(count):
    PUT(up, number)
    TAKE(down)
"""

PING_MATRIX = """
for number in range(count):
    PUT(up, matrix)
    matrix = TAKE(down)
"""

FIGURES = [
    Figure(
        "alone",
        "put and take, one thread",
        200_000,
        "for number in range(count):\n    PUT(down, number)\n    TAKE(down)\n",
        others=0,
    ),
    Figure("stream", "numbers from the other side", 100_000, TAKE_ALL, STREAM),
    Figure("tuples", 'tuples ("+", number) from the other side', 100_000, TAKE_ALL, STREAM_TUPLES),
    Figure("many", "numbers, from four others", 25_000, TAKE_ALL, STREAM, others=4),
    Figure("ping", "to the other side and back", 10_000, PING, ECHO),
    *(
        Figure(
            f"matrix-{size}",
            f"a {size} x {size} matrix, to the other side and back",
            4000 if size < 500 else 400,
            f"matrix = Matrix.ones(({size}, {size}))\nTIMED\n" + PING_MATRIX,
            ECHO,
            matrix=True,
        )
        for size in (10, 100, 1000)
    ),
]

BEHAVIORS = """
import json, time
from {library} import Cown, Matrix, receive, send, start, wait, when

if __name__ == "__main__":
    count, others = {count}, {others}
    start(max(others, 1))
    for _ in range(others):
        @when(Cown(0))
        def _(cown, count=count):
{other12}
{here4}
    wait()
"""

THREADS = """
import json, time
from queue import SimpleQueue
from threading import Thread

count, others = {count}, {others}
up, down = SimpleQueue(), SimpleQueue()

def other():
    pass
{other4}

threads = [Thread(target=other) for _ in range(others)]
for thread in threads:
    thread.start()
{here0}
for thread in threads:
    thread.join()
"""

PROCESSES = """
import json, multiprocessing, time
{matrix}

def other(count, up, down):
    pass
{other4}

if __name__ == "__main__":
    count, others = {count}, {others}
    up, down = multiprocessing.Queue(), multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=other, args=(count, up, down)) for _ in range(others)
    ]
    for process in processes:
        process.start()
{here4}
    for process in processes:
        process.join()
"""

INTERPRETERS = """
import json, time
from concurrent import interpreters
from threading import Thread
{matrix}

count, others = {count}, {others}
up, down = interpreters.create_queue(), interpreters.create_queue()

def other():
    interpreter = interpreters.create()
    interpreter.prepare_main(up=up, down=down, count=count)
    interpreter.exec({other!r})

threads = [Thread(target=other) for _ in range(others)]
for thread in threads:
    thread.start()
{here0}
for thread in threads:
    thread.join()
"""

FUTEX = r"""
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic(unsigned) words[2];
static int count;

static void wait_for(int which, unsigned value)
{
    unsigned seen;
    while ((seen = words[which]) != value)
        syscall(SYS_futex, &words[which], FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void set(int which, unsigned value)
{
    words[which] = value;
    syscall(SYS_futex, &words[which], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *unused)
{
    for (int i = 1; i <= count; ++i) {
        wait_for(0, i);
        set(1, i);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    struct timespec begin, end;
    count = atoi(argv[argc - 1]);
    pthread_create(&thread, NULL, answer, NULL);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 1; i <= count; ++i) {
        set(0, i);
        wait_for(1, i);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    pthread_join(thread, NULL);
    double elapsed = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) * 1e-9;
    printf("FIGURE %.9f\n", elapsed / count);
}
"""


def filled(text: str, way: str) -> str:
    """Write out PUT and TAKE."""
    if way in ("bocmat", "bocpy"):
        text = re.sub(r"PUT\((\w+), (.*)\)$", r'send("\1", \2)', text, flags=re.MULTILINE)
        return re.sub(r"TAKE\((\w+)\)", r'receive("\1")[1]', text)
    text = re.sub(r"PUT\((\w+), (.*)\)$", r"\1.put(\2)", text, flags=re.MULTILINE)
    return re.sub(r"TAKE\((\w+)\)", r"\1.get()", text)


def indented(text: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line if line else "" for line in text.splitlines())


def program(figure: Figure, way: str, count: int) -> str:
    """Give the text of one figure with so many messages, for one way of sending."""
    started = "for _ in range(others):\n    TAKE(down)\n" if figure.others else ""
    started += 'for _ in range(others):\n    PUT(up, "go")\nbegin = time.perf_counter()\n'
    setup, _, here = figure.here.rpartition("TIMED\n")
    here = setup + started + here
    here += "elapsed = time.perf_counter() - begin\n"
    here += 'print("FIGURE", json.dumps(elapsed / count / max(others, 1)))\n'
    other = filled(READY + figure.other, way) if figure.others else "pass"
    here = filled(here, way)
    skeleton = {
        "SimpleQueue": THREADS,
        "interpreters": INTERPRETERS,
        "multiprocessing": PROCESSES,
    }.get(way, BEHAVIORS)
    return skeleton.format(
        library=way,
        count=count,
        others=figure.others,
        matrix="from bocmat import Matrix" if figure.matrix else "",
        other=other,
        other4=indented(other, 4),
        other12=indented(other, 12),
        here0=here,
        here4=indented(here, 4),
    )


def figure_of(command: list[str], folder: str) -> float | None:
    """Run a program and read what it measured; None if it failed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None
    found = re.search(r"^FIGURE (\S+)$", done.stdout, re.MULTILINE)
    if not found:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        return None
    return float(found[1])


def command_of(figure: Figure, way: str, count: int, folder: str) -> list[str]:
    """Write the program; what runs it."""
    path = pathlib.Path(folder, f"{figure.name.replace('-', '_')}_{way}.py")
    path.write_text(program(figure, way, count), encoding="utf-8")
    return [sys.executable, str(path)]


def count_of(figure: Figure, way: str, scale: float, folder: str) -> int:
    """Give how many messages a run sends: as many as fit into its time."""
    count = max(int(figure.count * scale), 10)
    for trial in TRIALS:
        if trial >= count:
            break
        seconds = figure_of(command_of(figure, way, trial, folder), folder)
        if seconds is None:
            break
        fit = int(LONGEST * scale / seconds / max(figure.others, 1))
        if fit < TRIALS[-1]:
            return max(min(fit, count), 10)
        if trial == TRIALS[-1]:
            count = min(fit, count)
    return count


def ways_of(figure: Figure) -> list[str]:
    """Give the ways of sending that can be measured here."""
    ways = [way for way in WAYS if way != "bocpy" or importlib.util.find_spec("bocpy")]
    if sys.version_info < (3, 14):
        ways.remove("interpreters")
    if figure.matrix:
        ways.remove("SimpleQueue")  # hands over a reference, and nobody else has it
    return ways


def futex(folder: str, scale: float) -> list[str] | None:
    """Compile the C program, where that can be done; the command that runs it."""
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        return None
    source = pathlib.Path(folder, "futex.c")
    source.write_text(FUTEX, encoding="ascii")
    command = [compiler, "-O2", "-pthread", str(source), "-o", str(source.with_suffix(""))]
    if subprocess.run(command, capture_output=True).returncode != 0:
        return None
    return [str(source.with_suffix("")), str(max(int(10_000 * scale), 10))]


def measured(figure: Figure, rounds: int, scale: float, folder: str) -> dict[str, float]:
    """Run one figure in every way, in turns; the medians in seconds."""
    commands = {
        way: command_of(figure, way, count_of(figure, way, scale, folder), folder)
        for way in ways_of(figure)
    }
    if figure.name == "ping" and (command := futex(folder, scale)):
        commands["futex"] = command
    figures: dict[str, list[float]] = {way: [] for way in commands}
    for _ in range(rounds):
        for way, command in commands.items():
            seconds = figure_of(command, folder)
            if seconds is not None:
                figures[way].append(seconds)
    return {way: statistics.median(values) for way, values in figures.items() if values}


def row_of(figure: Figure, medians: dict[str, float]) -> dict[str, Any]:
    """Print a figure; what the report says of it."""
    own = medians.get("bocmat")
    ratios = {way: seconds / own for way, seconds in medians.items()} if own else {}
    for way, seconds in medians.items():
        ratio = f"{ratios[way]:9.2f} x" if ratios else ""
        print(f"    {way:<16}{seconds * 1e6:10.2f}{ratio}", flush=True)
    return {"what": figure.what, "medians": medians, "ratios": ratios}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The cost of messages.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of messages")
    parser.add_argument("--quick", action="store_true", help="one round of a twentieth")
    parser.add_argument("--only", default="", help="figures whose name contains this")
    parser.add_argument("--json", type=pathlib.Path, help="write the medians there, in seconds")
    options = parser.parse_args()
    rounds, scale = (1, 0.05) if options.quick else (options.rounds, options.scale)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for figure in FIGURES:
            if options.only not in figure.name:
                continue
            print(f"{figure.name}: {figure.what}, microseconds a message", flush=True)
            rows[figure.name] = row_of(figure, measured(figure, rounds, scale, folder))
    if options.json:
        report = {"machine": machine(), "figures": rows}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
