"""The flock of bocmat.examples.boids: steps a second, beside bocpy and NumPy.

The flight is the same to the last digits but a few, by the same algorithm in strips of the world:
here and on bocpy a behavior a strip, on NumPy one strip after the other in one process. The
programs are in flocks/. Each run is a process of its own; the libraries take turns, round after
round, and the medians are compared. bocpy is left out where it is not installed. bocpy_boids is the
program that bocpy brings along, with rules and an algorithm of its own.

    python benchmarks/boids.py [--birds 300,1000,5000] [--workers 1,2] [--json figures.json]

A ratio above 1 says that bocmat is faster. Where other programs use the machine, compare the CPU
time of a step rather than the steps a second.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import math
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from array import array
from typing import Any

FLOCKS = pathlib.Path(__file__).resolve().parent / "flocks"
LIBRARIES = ("bocmat", "bocpy", "numpy", "bocpy_boids")
SAME = 1e-6
"""That the flights may differ by, added up over all birds after a few steps."""


def write_birds(path: pathlib.Path, count: int) -> None:
    """Write birds anywhere in the world, flying anywhere: x, y and both speeds of each."""
    stream, values = random.Random(count), array("d")
    for _ in range(count):
        angle, speed = stream.uniform(-math.pi, math.pi), stream.uniform(1.5, 3.0)
        values.extend((stream.uniform(0, 1280), stream.uniform(0, 800)))
        values.extend((speed * math.cos(angle), speed * math.sin(angle)))
    path.write_bytes(values.tobytes())


def flown(
    library: str, birds: pathlib.Path, count: int, workers: int, steps: int
) -> dict[str, Any] | None:
    """Run one program, and give what it measured; None if it failed."""
    program = FLOCKS / f"{library}_flock.py"
    command = [sys.executable, str(program), str(birds), *map(str, (count, workers, steps))]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=600, cwd=birds.parent
        )
        measured: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        print(f"{library}, {count} birds, {workers} workers failed: {error}", file=sys.stderr)
        return None
    return measured


def check_same(count: int, runs: dict[str, list[dict[str, Any]]]) -> None:
    """Make sure that all have flown the same."""
    found = [
        (library, run["after"])
        for library, several in runs.items()
        for run in several
        if run["after"]
    ]
    for library, after in found:
        for ours, theirs in zip(found[0][1], after):
            if abs(ours - theirs) > SAME * count:
                raise SystemExit(f"{count} birds fly otherwise on {library}: {after}, {found[0]}")


def figure(
    birds: pathlib.Path, count: int, workers: int, steps: int, rounds: int, libraries: list[str]
) -> dict[str, Any]:
    """Measure one flock on one number of workers, in turns."""
    runs: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
    for _ in range(rounds):
        for library, several in runs.items():
            run = flown(library, birds, count, workers, steps)
            if run:
                several.append(run)
    check_same(count, runs)
    found = {library: several for library, several in runs.items() if several}
    row: dict[str, Any] = {"birds": count, "workers": workers}
    for what in ("seconds", "cpu"):
        medians = {
            library: statistics.median(run[what] for run in several)
            for library, several in found.items()
        }
        row[what] = medians
        own = medians.get("bocmat", math.nan)
        row[f"{what} ratios"] = {library: value / own for library, value in medians.items()}
    return row


def shown(row: dict[str, Any]) -> str:
    """Give one figure in words."""
    parts = [
        f"{library} {1 / seconds:8.1f}/s ({row['seconds ratios'][library]:5.2f} x), "
        f"CPU {1000 * row['cpu'][library]:7.2f} ms ({row['cpu ratios'][library]:5.2f} x)"
        for library, seconds in row["seconds"].items()
    ]
    return f"{row['birds']:6} birds, {row['workers']} workers: " + "; ".join(parts)


def machine() -> dict[str, Any]:
    """Say what this ran on."""
    versions = {}
    for library in ("bocpy", "numpy"):
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    from bocmat import WORKER_COUNT

    return {"python": platform.python_version(), "cpus": WORKER_COUNT, **versions}


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(description="Steps a second of a flock of birds.")
    parser.add_argument("--birds", type=numbers, default=[300, 1000, 2000, 5000, 10000])
    parser.add_argument("--workers", type=numbers, default=[1, 2])
    parser.add_argument("--steps", type=int, default=200, help="in one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of few steps, 300 birds")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go")
    options = parser.parse_args()
    if options.quick:
        options.birds, options.steps, options.rounds = [300], 20, 1
    libraries = [
        name for name in options.libraries if importlib.util.find_spec(name.partition("_")[0])
    ]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in options.birds:
            birds = pathlib.Path(folder, f"{count}.bin")
            write_birds(birds, count)
            for workers in options.workers:
                row = figure(birds, count, workers, options.steps, options.rounds, libraries)
                rows.append(row)
                print(shown(row), flush=True)
    if options.json:
        report = {"machine": machine(), "steps": options.steps, "figures": rows}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if any(len(row["seconds"]) < len(libraries) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
