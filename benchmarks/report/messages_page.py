"""Writes docs/benchmarks-messages.md from one run each of messaging.py and noticeboard.py.

python benchmarks/messaging.py --json messaging.json
python benchmarks/noticeboard.py --json noticeboard.json
python benchmarks/report/messages_page.py messaging.json noticeboard.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from behaviors_page import number
from page import shown, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-messages.md"
HEAD = """# Benchmarks of messages and the noticeboard

What messages and the noticeboard cost here and elsewhere, and how many times as fast bocmat is:
2.0 is twice as fast. Python {python} and {cpus} CPUs, bocpy {bocpy}; each program in processes of
its own, all ways taking turns; medians, in microseconds. On a machine that others use, a tenth
above or below 1 is noise.

"""
MESSAGES = """## Messages

`benchmarks/messaging.py`: a message, or one there and back. After the time of each other way, how
many times that of bocmat it is. The other side is a behavior in a worker's interpreter with bocmat
and bocpy, and what the head of the column says elsewhere.

"""
AFTER_MESSAGES = """
A `SimpleQueue` passes references between threads of one interpreter, which take turns. A queue of
`concurrent.interpreters` looks for messages every ten milliseconds.
"""
FUTEX = """Waking a thread through a futex and being woken in turn, in C and with nothing else to
do, takes {futex} microseconds.
"""
NOTICEBOARD = """
## Noticeboard

`benchmarks/noticeboard.py`: an operation, done when a behavior sees what came of the last one.

"""
WAYS = {
    "bocpy": "bocpy",
    "SimpleQueue": "thread, `SimpleQueue`",
    "interpreters": "interpreter, queue of `concurrent.interpreters`",
    "multiprocessing": "process, `multiprocessing.Queue`",
}


def time_of(row: dict[str, Any], way: str) -> str:
    seconds = row["medians"].get(way)
    return "" if seconds is None else number(seconds * 1e6)


def cell(row: dict[str, Any], way: str) -> str:
    ratio = row["ratios"].get(way)
    return f"{time_of(row, way)} ({shown(ratio)})" if ratio else time_of(row, way)


def messages(figures: dict[str, Any]) -> str:
    ways = [way for way in WAYS if any(way in row["medians"] for row in figures.values())]
    lines = [
        [row["what"], time_of(row, "bocmat"), *(cell(row, way) for way in ways)]
        for row in figures.values()
    ]
    parts = [MESSAGES, table(["", "bocmat", *(WAYS[way] for way in ways)], lines), AFTER_MESSAGES]
    futex = next(
        (time_of(row, "futex") for row in figures.values() if "futex" in row["medians"]), ""
    )
    if futex:
        parts.append(FUTEX.format(futex=futex))
    return "".join(parts)


def noticeboard(figures: dict[str, Any]) -> str:
    lines = []
    for row in figures.values():
        ratio = row["ratios"].get("bocpy")
        times = [time_of(row, "bocmat"), time_of(row, "bocpy")]
        lines.append([row["what"], *times, shown(ratio) if ratio else ""])
    return NOTICEBOARD + table(["", "bocmat", "bocpy", "ratio"], lines)


def page(messaging: dict[str, Any], board: dict[str, Any]) -> str:
    head = HEAD.format(**messaging["machine"])
    return head + messages(messaging["figures"]) + noticeboard(board["figures"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("messaging", type=Path)
    parser.add_argument("noticeboard", type=Path)
    parser.add_argument("--page", type=Path, default=PAGE, help="write it there instead")
    options = parser.parse_args()
    reports = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (options.messaging, options.noticeboard)
    ]
    options.page.write_text(page(*reports), encoding="utf-8")


if __name__ == "__main__":
    main()
