"""Writes docs/benchmarks.md from the figures of one run of benchmarks/matrix.py.

python benchmarks/matrix.py --json figures.json --plot docs/benchmarks.png
python benchmarks/report/page.py figures.json
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

How many times as fast as NumPy {numpy} each operation of a matrix is, n x n: 2.0 is twice as
fast, below 1 is slower. After a slash the same against bocpy {bocpy}, where it has the operation.
One run of `benchmarks/matrix.py` on Python {python} and {cpus} CPUs, the libraries taking turns;
medians of up to nine rounds. On a machine that others use, a tenth above or below 1 is noise.

![The ratios against NumPy as a table of colours](benchmarks.png)

## In the geometric mean
"""


def shown(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 1.095 else f"{ratio:.2f}"


def cell(ratios: dict[str, float] | None) -> str:
    if not ratios:
        return ""
    return " / ".join(shown(ratios[other]) for other in ("numpy", "bocpy") if other in ratios)


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def mean_of(results: list[dict[str, Any]], size: int, other: str) -> str:
    found = [r["ratios"][other] for r in results if r["size"] == size and other in r["ratios"]]
    return shown(math.exp(statistics.fmean(map(math.log, found)))) if found else ""


def page(report: dict[str, Any]) -> str:
    results, machine = report["results"], {"bocpy": "", **report["machine"]}
    sizes = sorted({result["size"] for result in results})
    head = ["", *(str(size) for size in sizes)]
    parts = [HEAD.format(**machine)]
    means = [
        [name, *(mean_of(results, size, other) for size in sizes)]
        for name, other in (("against NumPy", "numpy"), ("against bocpy", "bocpy"))
    ]
    parts.append(table(head, means))
    families = dict.fromkeys(result["family"] for result in results)
    for family in families:
        ratios: dict[str, dict[int, dict[str, float]]] = {}
        for result in results:
            if result["family"] == family:
                ratios.setdefault(result["operation"], {})[result["size"]] = result["ratios"]
        rows = [
            [name.replace("*", "\\*"), *(cell(found.get(size)) for size in sizes)]
            for name, found in ratios.items()
        ]
        parts.append(f"## {family[0].upper()}{family[1:]}\n")
        parts.append(table(head, rows))
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path)
    options = parser.parse_args()
    report = json.loads(options.figures.read_text(encoding="utf-8"))
    PAGE.write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
