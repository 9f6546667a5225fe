"""The figures of `behaviors.py` as a picture: a bar a figure, or a line a library for a sweep.

python benchmarks/report/behaviors_plot.py FIGURES.json PICTURE.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

OWN, OTHER, EQUAL = "#1a6fae", "#b8782f", "#444444"
BAR_INCHES = 0.2


def title_of(machine: dict[str, Any]) -> str:
    return f"Python {machine['python']}, {machine['cpus']} CPUs, bocpy {machine['bocpy']}"


def draw_figures(report: dict[str, Any], path: Path) -> None:
    """Draw how many times as good as bocpy each figure is, on a logarithmic scale."""
    rows = [(name, row["ratio"]) for name, row in report["figures"].items() if row["ratio"]]
    figure, axes = plt.subplots(figsize=(7, BAR_INCHES * len(rows) + 1))
    places = range(len(rows))
    axes.barh(places, [ratio - 1 for _, ratio in rows], left=1, color=OWN, height=0.7)
    axes.set_xscale("log")
    axes.axvline(1, color=EQUAL, lw=1)
    for place, (_, ratio) in zip(places, rows):
        axes.annotate(
            f" {ratio:.1f} ",
            (ratio, place),
            va="center",
            ha="left" if ratio >= 1 else "right",
            fontsize=7,
        )
    axes.set_yticks(places, [name for name, _ in rows], fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.01)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(
        f"How many times as good as bocpy ({title_of(report['machine'])})", fontsize=8, loc="left"
    )
    save(figure, path)


def draw_sweep(report: dict[str, Any], path: Path) -> None:
    """Draw the speedup against the first value of the axis, and the ideal where that is known."""
    figure, axes = plt.subplots(figsize=(5.5, 3.6))
    for (library, points), colour in zip(report["results"].items(), (OWN, OTHER)):
        values = [point["value"] for point in points]
        speedups = [point["speedup"] for point in points]
        axes.plot(values, speedups, marker="o", color=colour, label=library)
    if report["axis"] == "workers":
        ends = [values[0], values[-1]]
        axes.plot(ends, [end / ends[0] for end in ends], ls=":", color=EQUAL, label="ideal")
        axes.set_xticks(values)
    axes.set_xlabel(report["axis"])
    axes.set_ylabel(f"throughput, relative to {report['axis']} = {values[0]:g}", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    axes.set_title(title_of(report["machine"]), fontsize=8, loc="left")
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    figure.savefig(
        path,
        dpi=110,
        bbox_inches="tight",
        metadata={"Date": None} if path.suffix == ".svg" else None,
    )
    plt.close(figure)


def draw(report: dict[str, Any], path: Path) -> None:
    (draw_sweep if "axis" in report else draw_figures)(report, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    draw(json.loads(options.figures.read_text(encoding="utf-8")), options.picture)


if __name__ == "__main__":
    main()
