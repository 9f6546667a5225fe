"""The cost of behaviors, side by side with bocpy.

Every figure is one small program that differs between the two libraries in its import line only.
Each run of it is a process of its own; the two libraries take turns, round after round, and the
medians are compared. Both have to be installed for the interpreter that runs this file::

    pip install "bocpy==0.14.*"
    python benchmarks/behaviors.py [--rounds 5] [--only chain] [--json FILE] [--plot FILE]

How throughput grows with the number of workers is measured by itself::

    python benchmarks/behaviors.py --sweep-axis workers --sweep-values 1,2,3,4 \\
        --duration 8 --warmup 2 --repeats 3 --output scaling.json

A ratio above 1 says that bocmat is faster. Times on a busy or virtual machine are noise: the
ratios are what counts. What is measured stands in `programs/`.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import statistics
import sys
from typing import Any

from programs import Figure, figures
from programs.ring import AXES, ring_program
from programs.run import LIBRARIES, machine, run_program

Samples = dict[str, dict[str, list[float]]]

# ---- the figures ----


def measure(chosen: list[Figure], libraries: list[str], rounds: int, scale: float) -> Samples:
    samples: Samples = {figure.name: {library: [] for library in libraries} for figure in chosen}
    for round_ in range(rounds):
        turn = libraries if round_ % 2 == 0 else libraries[::-1]
        for figure in chosen:
            for library in turn:
                name = f"{figure.name}_{library}"
                value = run_program(name, figure.text(library), scale)
                if value is not None:
                    samples[figure.name][library].append(value)
    return samples


def ratio_of(figure: Figure, medians: dict[str, float]) -> float | None:
    """How many times as good as bocpy; None where one of the two is nothing."""
    own, other = medians.get("bocmat", 0.0), medians.get("bocpy", 0.0)
    if own <= 0 or other <= 0:
        return None
    return own / other if figure.higher else other / own


def summarize(chosen: list[Figure], samples: Samples, libraries: list[str]) -> dict[str, Any]:
    """Print the table; return what it shows."""
    rows: dict[str, Any] = {}
    heading = "".join(f"{library:>11}" for library in libraries)
    print(f"{'figure':<19}{'unit':<5}{heading}{'ratio':>8}{'target':>8}  what")
    for figure in chosen:
        medians = {
            library: statistics.median(values)
            for library, values in samples[figure.name].items()
            if values
        }
        ratio = ratio_of(figure, medians)
        shown = "".join(
            f"{medians[library]:>11.3f}" if library in medians else f"{'-':>11}"
            for library in libraries
        )
        print(
            f"{figure.name:<19}{figure.unit:<5}{shown}"
            f"{'' if ratio is None else format(ratio, '.2f'):>8}"
            f"{'' if figure.target is None else format(figure.target, 'g'):>8}  {figure.what}"
        )
        rows[figure.name] = {
            "group": figure.group,
            "unit": figure.unit,
            "what": figure.what,
            "higher": figure.higher,
            "target": figure.target,
            "medians": medians,
            "samples": samples[figure.name],
            "ratio": ratio,
        }
    report: dict[str, Any] = {"machine": machine(), "figures": rows, **means_of(rows)}
    if "geometric_mean" in report:
        print(
            f"\ngeometric mean of bocpy / bocmat over all times: {report['geometric_mean']:.2f}, "
            f"least {report['least']:.2f}; without the largest: "
            f"{report['geometric_mean_without_largest']:.2f}"
        )
    return report


def means_of(rows: dict[str, Any]) -> dict[str, float]:
    """Give means over the times: neither speedups nor memory."""
    ratios = sorted(
        row["ratio"]
        for row in rows.values()
        if row["ratio"] and not row["higher"] and row["unit"] in ("us", "ms")
    )
    if len(ratios) < 2:
        return {}
    logs = [math.log(ratio) for ratio in ratios]
    return {
        "geometric_mean": math.exp(statistics.fmean(logs)),
        "geometric_mean_without_largest": math.exp(statistics.fmean(logs[:-1])),
        "least": ratios[0],
    }


# ---- scaling ----


def sweep(options: argparse.Namespace) -> dict[str, Any]:
    """Measure throughput along one axis; print and return it, relative to the first value."""
    constants = {
        "workers": options.workers,
        "payload": options.payload,
        "matrix": options.matrix,
        "rings": options.rings,
        "warmup": options.warmup,
        "duration": options.duration,
    }
    samples: dict[str, dict[float, list[float]]] = {
        library: {value: [] for value in options.sweep_values} for library in options.libraries
    }
    for repeat in range(options.repeats):
        turn = options.libraries if repeat % 2 == 0 else options.libraries[::-1]
        for value in options.sweep_values:
            for library in turn:
                text = ring_program(library, {**constants, options.sweep_axis: value})
                figure = run_program(f"ring_{library}", text)
                if figure is not None:
                    samples[library][value].append(figure)
    results: dict[str, Any] = {}
    print(f"{options.sweep_axis:<10}", *(f"{name + '/s':>12} {'x':>6}" for name in samples))
    for value in options.sweep_values:
        line = [f"{value:<10g}"]
        for library, found in samples.items():
            first = found[options.sweep_values[0]]
            if not found[value] or not first:
                line.append(f"{'-':>12} {'-':>6}")
                continue
            throughput = statistics.fmean(found[value])
            speedup = throughput / statistics.fmean(first)
            line.append(f"{throughput:>12.0f} {speedup:>6.2f}")
            results.setdefault(library, []).append(
                {
                    "value": value,
                    "throughput": throughput,
                    "speedup": speedup,
                    "samples": found[value],
                }
            )
        print(*line)
    return {
        "machine": machine(),
        "axis": options.sweep_axis,
        "constants": constants,
        "results": results,
    }


# ---- options ----


def numbers(text: str) -> list[float]:
    found = [float(part) for part in text.split(",")]
    return [int(number) if number.is_integer() else number for number in found]


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="runs of every program (default 5)")
    add("--scale", type=float, default=1.0, help="share of the repetitions (default 1)")
    add("--workers", type=int, default=2, help="the larger number of workers (default 2)")
    add("--only", action="append", help="only figures whose name starts so")
    add("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    add("--json", "--output", type=pathlib.Path, help="write everything measured there")
    add("--plot", type=pathlib.Path, help="draw it into this file; matplotlib")
    add("--quick", action="store_true", help="show that it runs: rough figures")
    ring = parser.add_argument_group("scaling")
    add = ring.add_argument
    add("--sweep-axis", choices=AXES, help="measure throughput along this axis instead")
    add("--sweep-values", type=numbers, default=[1, 2], help="comma-separated (default 1,2)")
    add("--duration", type=float, default=8.0, help="seconds that are counted (default 8)")
    add("--warmup", type=float, default=2.0, help="seconds before them (default 2)")
    add("--repeats", type=int, default=3, help="runs of each point (default 3)")
    add("--payload", type=float, default=50.0, help="microseconds a behavior (default 50)")
    add("--matrix", type=int, default=16, help="side of the matrix in each cown (default 16)")
    add("--rings", type=int, default=32, help="chains that run at a time (default 32)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.scale = 1, min(options.scale, 0.02)
        options.repeats, options.duration, options.warmup = 1, 1.0, 0.02
    return options


def main() -> int:
    options = options_of()
    if options.plot:
        from report import behaviors_plot  # before the minutes of measuring
    if options.sweep_axis:
        report = sweep(options)
        failed = len(report["results"]) < len(options.libraries)
    else:
        chosen = [
            figure
            for figure in figures(options.workers)
            if not options.only or any(figure.name.startswith(start) for start in options.only)
        ]
        samples = measure(chosen, options.libraries, options.rounds, options.scale)
        report = summarize(chosen, samples, options.libraries)
        failed = any(not found for by in samples.values() for found in by.values())
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        behaviors_plot.draw(report, options.plot)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
