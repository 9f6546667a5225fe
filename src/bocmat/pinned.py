"""Pinned behaviors in the program's own loop: pump(), and how wait() runs them."""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _core

__all__ = ["PumpResult", "pump", "set_pump_watchdog", "set_wait_pump_poll"]

_LONGEST = (2**63 - 1) // 10**6  # milliseconds whose nanoseconds fit into 64 bits
_DEADLINE_MOST = 10**15  # further off than any clock goes, and sums with it fit too

_on_starve: Callable[[int, str], object] | None = None


class PumpResult(NamedTuple):
    """What a call of `pump` did."""

    executed: int
    """Behaviors that it ran to their end, those that raised among them."""
    deadline_reached: bool
    """True if it stopped because of ``deadline_ms`` while more was ready."""
    raised: int
    """Behaviors that raised an ``Exception``, which is in their results."""


def _positive(what: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is a positive int, not {value!r} ({type(value).__name__})")
    if value <= 0:
        raise TypeError(f"{what} is a positive int, not {value}")
    return value


def _milliseconds(what: str, value: Any) -> int:
    if _positive(what, value) > _LONGEST:
        raise OverflowError(f"{what} is at most {_LONGEST}, not {value}")
    return int(value)


def pump(
    deadline_ms: int | None = None,
    max_behaviors: int | None = None,
    raise_on_error: bool = False,
) -> PumpResult:
    """Run the pinned behaviors that are ready, on the calling thread, and return.

    For programs with a loop of their own, as that of a window: call it once a turn. `wait` and
    `quiesce` do the same while they wait. A behavior runs to its end before the next one starts;
    those that become ready meanwhile are run too.

    Parameters
    ----------
    deadline_ms : int, optional
        No behavior is started after so many milliseconds. By default there is no limit.
    max_behaviors : int, optional
        How many to start at most. By default all that are ready.
    raise_on_error : bool
        Stop at the first behavior that raises, and raise its exception here too; what is left
        stays queued. By default exceptions are in the results only.

    Returns
    -------
    PumpResult
        How many were executed and how many of them raised, and whether the deadline stopped it.

    Raises
    ------
    TypeError
        For a bound that is no positive int.
    OverflowError
        For a deadline that does not fit into 64 bits of nanoseconds.
    RuntimeError
        Without a running runtime, in a behavior, in another interpreter than the main one, or
        while another thread runs pinned behaviors.
    BaseException
        What a behavior raises that is no ``Exception``, ``KeyboardInterrupt`` say, comes out here
        at once, besides being in its result; what is left stays queued.

    Examples
    --------
    >>> from bocmat import PinnedCown, pump, wait, when
    >>> window = PinnedCown({"title": ""})
    >>> @when(window)
    ... def _(window):
    ...     window.value["title"] = "ready"
    >>> pump()
    PumpResult(executed=1, deadline_reached=False, raised=0)
    >>> wait()
    """
    milliseconds = -1 if deadline_ms is None else _milliseconds("deadline_ms", deadline_ms)
    most = -1 if max_behaviors is None else min(_positive("max_behaviors", max_behaviors), 2**62)
    return PumpResult(*_core._pump(min(milliseconds, _DEADLINE_MOST), most, bool(raise_on_error)))


def set_pump_watchdog(
    warn_ms: int | None = 1000, on_starve: Callable[[int, str], object] | None = None
) -> None:
    """Say when pinned behaviors are left waiting. Off until this is called.

    The look is taken when `pump` is called, and when `wait` or `quiesce` is about to run pinned
    behaviors: how long has there been a ready one all the time? It is reported once, and again
    whenever as much time has passed.

    Parameters
    ----------
    warn_ms : int or None
        How many milliseconds are too long; None turns it off.
    on_starve : callable, optional
        Called with a severity (0, a warning, is the only one) and a message. By default the message
        is logged as a warning by the logger ``bocmat``. What it raises comes out of the call that
        took the look.

    Raises
    ------
    TypeError
        Unless `warn_ms` is None or a positive int, and `on_starve` None or callable.
    OverflowError
        For a time that does not fit into 64 bits of nanoseconds.
    """
    global _on_starve
    limit = 0 if warn_ms is None else _milliseconds("warn_ms", warn_ms)
    if on_starve is not None and not callable(on_starve):
        raise TypeError(f"on_starve is callable or None, not {on_starve!r}")
    _on_starve = on_starve
    _core._set_pump_watch(limit)


def set_wait_pump_poll(ms: int = 50) -> None:
    """Set how often `wait` and `quiesce` look around while they wait.

    A pinned behavior that becomes ready, and the last one done, wake them at once; only a signal
    that the operating system gave to another thread is noticed at the next look.

    Parameters
    ----------
    ms : int
        Milliseconds between two looks; 50 until this is called. It holds from the next look on.

    Raises
    ------
    TypeError
        Unless it is a positive int.
    OverflowError
        For a time that does not fit into 64 bits of nanoseconds.
    """
    _core._set_wait_poll(_milliseconds("ms", ms))


# ---- asked by the extension module ----


def on_main_thread() -> bool:
    """Tell whether the caller is the thread that the program began with."""
    threading = sys.modules.get("threading")
    if threading is None:
        return True  # there is no other that Python knows of
    return bool(threading.main_thread().ident == _thread.get_ident())


def report_starving(milliseconds: int, waiting: int) -> None:
    """Say that pinned behaviors have been waiting for too long."""
    message = (
        f"pinned behaviors have been waiting for {milliseconds} ms ({waiting} are ready): "
        "call pump() more often, or wait()"
    )
    if _on_starve is not None:
        _on_starve(0, message)
        return
    import logging

    logging.getLogger("bocmat").warning(message)
