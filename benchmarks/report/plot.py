"""The ratios of `matrix.py` as a picture: a table of colours, a panel a family.

python benchmarks/report/plot.py FIGURES.json PICTURE.png [--against numpy]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap, Normalize
from PIL import Image

SLOWER, EQUAL, FASTER = "#b2182b", "#f7f7f2", "#1a6fae"
RANGE = 4.0  # powers of two on either side of equal that have colours of their own
COLUMNS = 4
COLOURS = 256  # of a picture in pixels: a third of the size, and nothing lost that one could see
ROW_INCHES, CELL_INCHES, LABEL_INCHES = 0.17, 0.46, 1.75


def panels(results: list[dict[str, Any]], against: str) -> list[tuple[str, list[str], Any]]:
    """Give each family's operations in order, and the ratios by operation and size."""
    found: dict[str, list[str]] = {}
    ratios: dict[tuple[str, int], float] = {}
    for result in results:
        if against in result["ratios"]:
            names = found.setdefault(result["family"], [])
            if result["operation"] not in names:
                names.append(result["operation"])
            ratios[result["operation"], result["size"]] = result["ratios"][against]
    return [(family, names, ratios) for family, names in found.items()]


def columns_of(parts: list[tuple[str, list[str], Any]]) -> list[list[tuple[str, list[str], Any]]]:
    """Spread the rows over columns of about one height, families in order, long ones cut."""
    height = math.ceil(sum(len(names) + 2 for _, names, _ in parts) / COLUMNS)
    while len(spread := columns_of_height(parts, height)) > COLUMNS:
        height += 1
    return spread


def columns_of_height(
    parts: list[tuple[str, list[str], Any]], height: int
) -> list[list[tuple[str, list[str], Any]]]:
    spread: list[list[tuple[str, list[str], Any]]] = [[]]
    used = 0
    for family, names, ratios in parts:
        rest, title = names, family
        while rest:
            room = height - used - 2
            if room < min(4, len(rest)):
                spread.append([])
                used = 0
                continue
            spread[-1].append((title, rest[:room], ratios))
            used += len(rest[:room]) + 2
            rest, title = rest[room:], f"{family}, continued"
    return spread


def shown(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 1.095 else f"{ratio:.2f}"


def draw(report: dict[str, Any], path: Path, against: str = "numpy") -> None:
    results = report["results"]
    sizes = sorted({result["size"] for result in results})
    spread = columns_of(panels(results, against))
    tallest = max(sum(len(names) + 2 for _, names, _ in column) for column in spread)
    colours = LinearSegmentedColormap.from_list("ratio", [SLOWER, EQUAL, FASTER])
    norm = Normalize(-RANGE, RANGE)
    width = LABEL_INCHES + CELL_INCHES * len(sizes)
    figure = plt.figure(figsize=(width * len(spread) + 0.3, ROW_INCHES * tallest + 1.0))
    figure.patch.set_facecolor("white")
    height = figure.get_figheight()
    for index, column in enumerate(spread):
        top = height - 0.85
        for family, names, ratios in column:
            rows = len(names)
            left = index * width + LABEL_INCHES
            box = (
                left / figure.get_figwidth(),
                (top - ROW_INCHES * (rows + 1)) / height,
                CELL_INCHES * len(sizes) / figure.get_figwidth(),
                ROW_INCHES * rows / height,
            )
            axes = figure.add_axes(box)
            panel(axes, family, names, ratios, sizes, colours, norm)
            top -= ROW_INCHES * (rows + 2)
    machine = report["machine"]
    peer = {"numpy": "NumPy"}.get(against, against)
    figure.text(
        0.15 / figure.get_figwidth(),
        1 - 0.22 / height,
        f"How many times as fast as {peer} {machine.get(against, '')}",
        fontsize=13,
        fontweight="bold",
        va="top",
    )
    figure.text(
        0.15 / figure.get_figwidth(),
        1 - 0.46 / height,
        "n x n for n = " + ", ".join(map(str, sizes)) + ". Blue: bocmat is faster. Red: slower. "
        f"Python {machine['python']}, {machine['cpus']} CPUs.",
        fontsize=8.5,
        color="#444444",
        va="top",
    )
    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    if path.suffix == ".png":
        with Image.open(path) as picture:
            few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        few.save(path, optimize=True)


def panel(
    axes: Any,
    family: str,
    names: list[str],
    ratios: dict[tuple[str, int], float],
    sizes: list[int],
    colours: Any,
    norm: Any,
) -> None:
    """Draw one family: a row an operation, a column a size."""
    axes.set_xlim(0, len(sizes))
    axes.set_ylim(len(names), 0)
    for row, name in enumerate(names):
        for column, size in enumerate(sizes):
            ratio = ratios.get((name, size))
            if ratio is None:
                continue
            power = math.log2(ratio)
            face = colours(norm(power))
            axes.add_patch(
                plt.Rectangle((column, row), 1, 1, facecolor=face, edgecolor="white", lw=1)
            )
            ink = "white" if abs(power) > 0.62 * RANGE else "#222222"
            axes.text(
                column + 0.5,
                row + 0.53,
                shown(ratio),
                ha="center",
                va="center",
                fontsize=6.5,
                color=ink,
            )
    axes.set_xticks(
        [k + 0.5 for k in range(len(sizes))], [str(size) for size in sizes], fontsize=6.5
    )
    axes.set_yticks([k + 0.5 for k in range(len(names))], names, fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(family, fontsize=8, fontweight="bold", loc="right", pad=12, x=-0.03, y=1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--against", default="numpy")
    options = parser.parse_args()
    draw(json.loads(options.figures.read_text(encoding="utf-8")), options.picture, options.against)


if __name__ == "__main__":
    main()
