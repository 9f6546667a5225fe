"""Writes docs/benchmarks-behaviors.md from one run of benchmarks/behaviors.py and one sweep.

python benchmarks/behaviors.py --json figures.json --plot docs/benchmarks-behaviors.png
python benchmarks/behaviors.py --sweep-axis workers --sweep-values 1,2,4,8 \\
    --output scaling.json --plot docs/benchmarks-scaling.png
python benchmarks/report/behaviors_page.py figures.json scaling.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from page import shown, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-behaviors.md"
HEAD = """# Benchmarks of behaviors

What behaviors cost here and in bocpy {bocpy}, and how many times as good that is: 2.0 is twice as
fast, or half as many bytes. One run of `benchmarks/behaviors.py` on Python {python} and {cpus}
CPUs, each program in processes of its own, the two libraries taking turns; medians. On a machine
that others use, a tenth above or below 1 is noise.

![The ratios as bars](benchmarks-behaviors.png)

"""
MEANS = """In the geometric mean over all times bocmat is {geometric_mean:.1f} times as fast, \
{geometric_mean_without_largest:.1f} without
the largest ratio; the least is {least:.1f}.

"""
TITLES = {
    "scheduling": "Scheduling",
    "values": "Values and captures",
    "life": "Latency, start and stop",
    "memory": "Memory",
}
SCALING = """## Scaling

Chains run around rings of cowns, {rings} at a time; each behavior holds two neighbouring cowns with
a {matrix}x{matrix} matrix each, computes {payload:g} us in Python, and schedules its successor.
Throughput is counted for {duration:g} s, and compared with that of {axis} = {first:g}.

![Throughput relative to the first point](benchmarks-scaling.png)

"""


def number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def group_table(rows: dict[str, Any]) -> str:
    lines = []
    for row in rows.values():
        medians = row["medians"]
        unit = "times" if row["unit"] == "x" else row["unit"]
        lines.append(
            [
                f"{row['what']}, {unit}",
                number(medians.get("bocmat")),
                number(medians.get("bocpy")),
                shown(row["ratio"]) if row["ratio"] else "",
            ]
        )
    return table(["", "bocmat", "bocpy", "ratio"], lines)


def scaling(report: dict[str, Any]) -> str:
    results = report["results"]
    points = {
        library: {point["value"]: point for point in found} for library, found in results.items()
    }
    values = list(points["bocmat"])
    lines = [
        [
            f"{value:g}",
            *(
                f"{found[value]['speedup']:.2f} ({found[value]['throughput']:.0f}/s)"
                for found in points.values()
                if value in found
            ),
        ]
        for value in values
    ]
    head = SCALING.format(**report["constants"], axis=report["axis"], first=values[0])
    return head + table([report["axis"], *points], lines)


def page(report: dict[str, Any], sweep: dict[str, Any] | None) -> str:
    parts = [HEAD.format(**report["machine"])]
    if "geometric_mean" in report:
        parts.append(MEANS.format(**report))
    for group, title in TITLES.items():
        rows = {name: row for name, row in report["figures"].items() if row["group"] == group}
        if rows:
            parts.append(f"## {title}\n\n{group_table(rows)}\n")
    if sweep:
        parts.append(scaling(sweep))
    return "".join(parts).rstrip("\n") + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("sweep", type=Path, nargs="?")
    parser.add_argument("--page", type=Path, default=PAGE, help="write it there instead")
    options = parser.parse_args()
    report = json.loads(options.figures.read_text(encoding="utf-8"))
    sweep = json.loads(options.sweep.read_text(encoding="utf-8")) if options.sweep else None
    options.page.write_text(page(report, sweep), encoding="utf-8")


if __name__ == "__main__":
    main()
