"""Dense matrices, and behaviors that run over them in parallel without locks."""

from __future__ import annotations

from ._core import (
    REMOVED,
    TIMEOUT,
    Cown,
    Matrix,
    MatrixView,
    PinnedCown,
    drain,
    notice_delete,
    notice_read,
    notice_seed,
    notice_update,
    notice_write,
    noticeboard,
    read,
    receive,
    send,
    set_tags,
    when,
    whencall,
)
from .lifecycle import WORKER_COUNT, quiesce, start, wait

# As in typing, which is not imported: it takes as long as all of this, in every worker.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import linalg
    from .pinned import PumpResult, pump, set_pump_watchdog, set_wait_pump_poll
    from .results import WaitResult
    from .tiles import TiledMatrix

__all__ = [
    "REMOVED",
    "TIMEOUT",
    "WORKER_COUNT",
    "Cown",
    "Matrix",
    "MatrixView",
    "PinnedCown",
    "PumpResult",
    "TiledMatrix",
    "WaitResult",
    "drain",
    "linalg",
    "notice_delete",
    "notice_read",
    "notice_seed",
    "notice_update",
    "notice_write",
    "noticeboard",
    "pump",
    "quiesce",
    "read",
    "receive",
    "send",
    "set_pump_watchdog",
    "set_tags",
    "set_wait_pump_poll",
    "start",
    "wait",
    "when",
    "whencall",
]


def __getattr__(name: str) -> Any:
    # Loaded when first used: a program that only wants matrices starts faster without.
    if name == "TiledMatrix":
        from .tiles import TiledMatrix

        return TiledMatrix
    if name == "WaitResult":
        from .results import WaitResult

        return WaitResult
    if name == "linalg":
        from importlib import import_module

        return import_module(".linalg", __name__)
    if name in ("PumpResult", "pump", "set_pump_watchdog", "set_wait_pump_poll"):
        from . import pinned

        return getattr(pinned, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
