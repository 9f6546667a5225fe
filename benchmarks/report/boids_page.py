"""Writes docs/benchmarks-boids.md from one run of benchmarks/boids.py.

python benchmarks/boids.py --json figures.json
python benchmarks/report/boids_page.py figures.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from page import shown, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-boids.md"
TITLES = {"bocmat": "bocmat", "bocpy": "bocpy", "numpy": "NumPy", "bocpy_boids": "bocpy's boids"}
HEAD = """# Benchmark of boids

The flock of [bocmat-boids](examples.md) on Python {python} and {cpus} CPUs: one run of
`benchmarks/boids.py`, each flight in a process of its own, the libraries taking turns; medians of
{steps} steps. The columns "bocpy" (bocpy {bocpy}) and "NumPy" (one process) are the same flight by
the same algorithm, written with what the library has; the program makes sure that the birds are in
the same places. "bocpy's boids" is the program that bocpy brings along, which has rules and an
algorithm of its own. In brackets: how many times as fast bocmat is.

"""
SECONDS = """## Steps a second

{rows}
A window that shows 60 pictures a second needs 60.

"""
CPU = """## Milliseconds of CPU time a step

All threads together. This says more than the time on the clock where other programs use the
machine.

{rows}"""


def cells(row: dict[str, Any], what: str, libraries: list[str], text: Any) -> list[str]:
    """Write one line of a table."""
    found, ratios = row[what], row[f"{what} ratios"]
    line = [str(row["birds"]), str(row["workers"])]
    for library in libraries:
        if library not in found:
            line.append("")
        elif library == "bocmat":
            line.append(text(found[library]))
        else:
            line.append(f"{text(found[library])} ({shown(ratios[library])})")
    return line


def page(report: dict[str, Any]) -> str:
    rows = report["figures"]
    libraries = [name for name in TITLES if any(name in row["seconds"] for row in rows)]
    head = ["birds", "workers", *(TITLES[name] for name in libraries)]

    def rate(seconds: float) -> str:
        return f"{1 / seconds:.0f}" if seconds < 0.1 else f"{1 / seconds:.1f}"

    def milliseconds(seconds: float) -> str:
        return f"{1000 * seconds:.2f}"

    rates = table(head, [cells(row, "seconds", libraries, rate) for row in rows])
    times = table(head, [cells(row, "cpu", libraries, milliseconds) for row in rows])
    machine = {"bocpy": "was not there", **report["machine"]}
    text = HEAD.format(**machine, steps=report["steps"])
    text += SECONDS.format(rows=rates) + CPU.format(rows=times)
    return text.rstrip("\n") + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("--page", type=Path, default=PAGE, help="write it there instead")
    options = parser.parse_args()
    report = json.loads(options.figures.read_text(encoding="utf-8"))
    options.page.write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
