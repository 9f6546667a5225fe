"""What waiting gives."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["WaitResult"]


class WaitResult(NamedTuple):
    """What `wait` and `quiesce` give where both were asked for."""

    stats: list[dict[str, int]]
    """One dict a worker: ``worker``, ``executed``, ``stolen``, ``parked``."""
    noticeboard: dict[str, Any]
    """The contents of the noticeboard."""
