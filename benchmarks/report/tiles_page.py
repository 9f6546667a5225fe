"""Writes docs/benchmarks-tiles.md from the figures of one run of benchmarks/tiles.py.

python benchmarks/tiles.py --json figures.json
python benchmarks/report/tiles_page.py figures.json
"""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from page import shown, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-tiles.md"
HEAD = """
How many times as fast an operation over tiles is, n x n, from scheduling it to having its result as
one matrix: 2.0 is twice as fast, below 1 is slower. First against {numpy} with OpenBLAS on all
cores{dask}. One run of `benchmarks/tiles.py` on Python {python} and {cpus} CPUs, each library in a
process of its own, taking turns; medians. On a machine that others use, a tenth above or below 1 is
noise.
"""
WORDS = {
    "product": "`a @ b`",
    "cholesky": "`cholesky()`",
    "stencil": "10 steps of `stencil`",
    "map": "`map`: sqrt(exp(x))",
    "map-reduce": "`map` and `sum`",
}
SUSTAINED = """## Over and over

For {duration:g} seconds each, what is slow now and then too: calls, and milliseconds a call in the
mean.

"""
SCALING = """## Two workers against one

The same tiles, the same process but for its workers.

"""


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.2f}" if seconds < 0.1 else f"{1e3 * seconds:.0f}"


def comparison(figures: list[dict[str, Any]]) -> str:
    sizes = sorted({figure["size"] for figure in figures})
    cells: dict[str, dict[int, str]] = {}
    for figure in figures:
        ratios = " / ".join(shown(ratio) for ratio in figure["ratios"].values())
        cells.setdefault(figure["operation"], {})[figure["size"]] = ratios
    rows = [
        [WORDS[operation], *(found.get(size, "") for size in sizes)]
        for operation, found in cells.items()
    ]
    return table(["", *map(str, sizes)], rows)


def sustained(figures: list[dict[str, Any]]) -> str:
    libraries = list(figures[0]["seconds"])
    rows = []
    for figure in figures:
        row = [f"{WORDS[figure['operation']]}, {figure['size']}"]
        for library in libraries:
            calls, taken = figure["calls"][library], milliseconds(figure["seconds"][library])
            row.append(f"{calls} of {taken} ms")
        rows.append([*row, " / ".join(shown(ratio) for ratio in figure["ratios"].values())])
    head = SUSTAINED.format(duration=figures[0]["duration"])
    return head + table(["", *libraries, "ratio"], rows)


def scaling(figures: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{WORDS[figure['operation']]}, {figure['size']} in tiles of {figure['tile']}",
            *(f"{milliseconds(taken)} ms" for taken in figure["seconds"]),
            shown(figure["speedup"]),
        ]
        for figure in figures
    ]
    return SCALING + table(["", "one", "two", "times"], rows)


def page(report: dict[str, Any]) -> str:
    machine = report["machine"]
    head = HEAD.format(
        numpy=f"NumPy {machine['numpy']}"
        + (f" (Cholesky: SciPy {machine['scipy']})" if "scipy" in machine else ""),
        dask=f", then dask.array {machine['dask']} on its threads" if "dask" in machine else "",
        python=machine["python"],
        cpus=machine["cpus"],
    )
    parts = [
        "# Benchmarks of tiles\n\n",
        textwrap.fill(head.strip(), 100),
        "\n\n",
        comparison(report["figures"]),
    ]
    if report["sustained"]:
        parts.append("\n" + sustained(report["sustained"]))
    if report["scaling"]:
        parts.append("\n" + scaling(report["scaling"]))
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("--page", type=Path, default=PAGE, help="write it there instead")
    options = parser.parse_args()
    report = json.loads(options.figures.read_text(encoding="utf-8"))
    options.page.write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
