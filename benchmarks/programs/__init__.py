"""The programs that `behaviors.py` runs: what one behavior costs, and what is kept for it."""

from __future__ import annotations

from .figure import Figure
from .life import life
from .memory import memory
from .scheduling import scheduling
from .values import values

__all__ = ["Figure", "figures"]


def figures(workers: int) -> list[Figure]:
    """Return every figure, with `workers` as the larger number of workers."""
    return [*scheduling(workers), *values(), *life(), *memory()]
