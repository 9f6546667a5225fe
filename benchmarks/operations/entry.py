"""One operation of the benchmark, and the names that its statements may use."""

from __future__ import annotations

import re
from dataclasses import dataclass

SIZES = [2, 16, 64, 256, 1024, 4096]


@dataclass(frozen=True)
class Entry:
    """What bocmat and NumPy run, n x n; bocpy runs bocmat's statement unless it has its own.

    The statements know `m`, the type `Matrix` or the module NumPy, `linalg`, `n`, and the operands
    that `operands.py` makes. `covers` lists the public names that the entry stands for; `largest`
    is the last size that makes sense, `bocpy_largest` the last that bocpy ends in seconds.
    """

    name: str
    ours: str
    numpy: str
    covers: tuple[str, ...] = ()
    largest: int = 4096
    bocpy: str | None = None
    bocpy_largest: int = 4096

    def words(self, library: str) -> set[str]:
        return set(re.findall(r"[A-Za-z_]\w*", self.statement(library)))

    def statement(self, library: str) -> str:
        if library == "bocpy" and self.bocpy is not None:
            return self.bocpy
        return self.numpy if library == "numpy" else self.ours


def methods(*names: str) -> tuple[str, ...]:
    return tuple(f"Matrix.{name}" for name in names)
