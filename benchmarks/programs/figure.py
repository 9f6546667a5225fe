"""One program that both libraries run, differing in its import line only."""

from __future__ import annotations

from dataclasses import dataclass, field

# What every program begins with. bocpy refuses closures: what a behavior needs is a default.
PREAMBLE = """
import json, os, sys, time
from {library} import Cown, Matrix, quiesce, start, wait, when

LIBRARY = "{library}"
SCALE = float(sys.argv[1])


def times(count):
    return max(int(count * SCALE), 10)


def report(value):
    print("FIGURE", json.dumps(value))


def saturated(count, schedule):
    for times_ in (times(count // 10), times(count)):
        begin = time.perf_counter()
        schedule(times_)
        quiesce()
        elapsed = time.perf_counter() - begin
    report(elapsed / times_ * 1e6)
    wait()

"""


@dataclass(frozen=True)
class Figure:
    """One program and what its number means; `higher` is better where it is not a cost.

    What is in `constants` stands as global names before the program.
    """

    name: str
    group: str
    unit: str
    what: str
    program: str
    higher: bool = False
    constants: dict[str, object] = field(default_factory=dict)
    target: float | None = None

    def text(self, library: str) -> str:
        lines = [f"{name} = {value!r}" for name, value in self.constants.items()]
        return PREAMBLE.replace("{library}", library) + "\n".join(lines) + self.program
