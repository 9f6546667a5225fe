"""Starting, waiting and stopping; which backend runs, and with how many workers."""

from __future__ import annotations

import _thread
import atexit
import os
import sys

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .progress import Progress

__all__ = ["WORKER_COUNT", "quiesce", "start", "usable_backends", "wait"]


def _cpu_count() -> int:
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


WORKER_COUNT: int = _cpu_count()
"""How many workers `start` makes by default: the CPUs that this process may use."""

_lock = _thread.RLock()
_published: dict[str, Any] | None = None


# ---- backends ----


def _interpreters_sound() -> bool:
    """Whether this release's own sub-interpreters can be relied on.

    Those of early 3.12 releases share strings that one of them frees, and modules that are not
    ready for two of them: the heap is corrupted sooner or later.
    """
    return sys.version_info >= (3, 12, 8)


def usable_backends() -> tuple[str, ...]:
    """Name the backends that `start` can use on this Python, the one of ``"auto"`` first."""
    built: tuple[str, ...] = _core._backends()
    return built if _interpreters_sound() else ("threads",)


def _prepare_interpreters() -> None:
    """Works around a release's fault before the first interpreter is made, or warns of it."""
    if not _interpreters_sound():
        import warnings

        release = ".".join(map(str, sys.version_info[:3]))
        warnings.warn(
            f"the sub-interpreters of CPython {release} corrupt memory, for instance when "
            "behaviors import datetime; 3.12.8 and newer do not, and neither does "
            "start(backend='threads')",
            RuntimeWarning,
            stacklevel=3,
        )
    if (3, 13) <= sys.version_info < (3, 14):
        # Its classes are shared: unless the main interpreter has them first, the first other one
        # to end frees them under the rest.
        __import__("datetime")


def _resolve_backend(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"backend is a str, not {type(name).__name__}")
    if name == "auto":
        return usable_backends()[0]
    if name not in ("interpreters", "threads"):
        raise ValueError(f"backend is 'auto', 'interpreters' or 'threads', not {name!r}")
    if name not in _core._backends():
        raise ValueError(f"the {name!r} backend needs CPython 3.12 or newer with a GIL")
    return name


def _default_backend() -> str:
    return _resolve_backend(os.environ.get("BOCMAT_BACKEND") or "auto")


def _default_worker_count() -> int:
    text = os.environ.get("BOCMAT_WORKERS")
    if not text:
        return WORKER_COUNT
    try:
        count = int(text)
    except ValueError:
        raise ValueError(f"BOCMAT_WORKERS is a number of workers, not {text!r}") from None
    return _checked_count(count)


def _checked_count(count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"worker_count is an int, not {type(count).__name__}")
    if count < 1:
        raise ValueError(f"worker_count is at least 1, not {count}")
    if count > 4096:
        raise ValueError(f"worker_count is at most 4096, not {count}")
    return count


# ---- start ----


def _changed_settings() -> tuple[list[str], dict[str, Any] | None]:
    """Return the module search path, and the workers' settings if they are news to them."""
    global _published
    from .worker import current_settings

    settings = current_settings()
    if _published == settings:
        return settings["path"], None
    _published = settings
    return settings["path"], settings


def start(worker_count: int | None = None, backend: str = "auto") -> None:
    """Start the workers, unless they run already.

    Scheduling a behavior does this by itself, with the defaults.

    Parameters
    ----------
    worker_count : int, optional
        How many workers. By default ``BOCMAT_WORKERS`` of the environment, or `WORKER_COUNT`.
    backend : {"auto", "interpreters", "threads"}
        ``"interpreters"`` gives each worker an interpreter and a GIL of its own (CPython 3.12 and
        newer), ``"threads"`` runs behaviors in threads of this interpreter. By default
        ``BOCMAT_BACKEND`` of the environment, or what this Python does best.

    Raises
    ------
    ValueError
        For a count below 1 or an unknown backend, or one that this Python does not have.
    RuntimeError
        If the runtime runs with another count or backend, or when called in a behavior.
    """
    count = None if worker_count is None else _checked_count(worker_count)
    name = None if backend == "auto" else _resolve_backend(backend)
    if _core._in_behavior():
        raise RuntimeError("start() was called in a behavior, where the runtime runs already")
    with _lock:
        running = _core._running()
        if running is not None:
            if (name or running[0]) != running[0] or (count or running[1]) != running[1]:
                raise RuntimeError(
                    f"start({worker_count}, backend={backend!r}): the runtime runs already, with "
                    f"{running[1]} workers on the {running[0]} backend; wait() for it first"
                )
            return
        chosen = name or _default_backend()
        _core._choose_backend(chosen)
        try:
            if chosen == "interpreters":
                _prepare_interpreters()
            else:
                # It takes the thread that imports it first for the main one.
                __import__("threading")
            path, settings = _changed_settings()
            _core._start(count or _default_worker_count(), path, settings)
        except BaseException:
            _core._choose_backend(_default_backend())
            raise


# ---- waiting ----


def _seconds(timeout: float | None) -> float:
    if timeout is None:
        return -1.0
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout is a number of seconds or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout is a number of seconds from 0 up, not {timeout!r}")
    return min(float(timeout), 1e9)


def _report_failures() -> None:
    """Log, once each, the exceptions of behaviors that nobody has looked at."""
    failures = _core._take_failures()
    if failures:
        import logging

        logger = logging.getLogger("bocmat")
        for failure in failures:
            logger.error("%s", failure)


def _progress(wanted: bool) -> Progress | None:
    if not wanted:
        return None
    from .progress import Progress

    return Progress()


def _quiesce(timeout: float | None, progress: Progress | None) -> None:
    seconds = _seconds(timeout)
    if _core._in_behavior():
        raise RuntimeError("wait() and quiesce() wait for behaviors and cannot be called in one")
    held = _core._held_here()
    if held is not None:
        raise RuntimeError(
            f"wait() and quiesce() would wait for this thread to release cown {held}, which it "
            "has acquired"
        )
    quiet = progress.watch(seconds) if progress else _core._quiesce(seconds)
    if not quiet:
        raise TimeoutError(
            f"{_core._in_flight()} behaviors were still to be done after {timeout} seconds"
        )


def _answer(stats: list[dict[str, int]] | None, contents: dict[str, Any] | None) -> Any:
    if stats is not None and contents is not None:
        from .results import WaitResult

        return WaitResult(stats, contents)
    return stats if contents is None else contents


def quiesce(
    timeout: float | None = None,
    *,
    stats: bool = False,
    noticeboard: bool = False,
    progress: bool = False,
) -> Any:
    """Wait for every behavior, and all that they schedule, to be done; the runtime goes on.

    Behaviors over a `PinnedCown` are run by the thread that waits. A behavior that failed and
    whose exception nobody has looked at is reported, once, by the logger ``bocmat``.

    Parameters
    ----------
    timeout : float, optional
        Seconds to wait at most; 0 only asks.
    stats : bool
        Return one dict a worker: ``worker``, ``executed``, ``stolen``, ``parked``.
    noticeboard : bool
        Return what is on the noticeboard, as a dict; with `stats` both, as a `WaitResult`.
    progress : bool
        Show on standard error how many behaviors are done: a bar on a terminal where tqdm is
        installed (``bocmat[progress]``), otherwise lines.

    Raises
    ------
    TimeoutError
        Everything goes on running.
    RuntimeError
        When called in a behavior.
    """
    shown = _progress(progress)
    try:
        _quiesce(timeout, shown)
    finally:
        if shown:
            shown.close()
    _report_failures()
    return _answer(
        _core._stats() if stats else None, dict(_core.noticeboard()) if noticeboard else None
    )


def wait(
    timeout: float | None = None,
    *,
    stats: bool = False,
    noticeboard: bool = False,
    progress: bool = False,
) -> Any:
    """Wait for every behavior, and all that they schedule, to be done, then stop the workers.

    They are kept, parked, for the next start. Behaviors over a `PinnedCown` are run by the thread
    that waits. Afterwards the main program may read the value of any cown. A behavior that failed
    and whose exception nobody has looked at is reported, once, by the logger ``bocmat``. The
    noticeboard is empty afterwards.

    Parameters
    ----------
    timeout : float, optional
        Seconds to wait at most; 0 only asks.
    stats : bool
        Return one dict a worker: ``worker``, ``executed``, ``stolen``, ``parked``.
    noticeboard : bool
        Return what was last on the noticeboard, as a dict; with `stats` both, as a `WaitResult`.
    progress : bool
        Show on standard error how many behaviors are done: a bar on a terminal where tqdm is
        installed (``bocmat[progress]``), otherwise lines.

    Raises
    ------
    TimeoutError
        Everything goes on running.
    RuntimeError
        When called in a behavior.
    """
    counts: list[dict[str, int]] = []
    contents: dict[str, Any] | None = None
    shown = _progress(progress)
    try:
        while True:
            _quiesce(timeout, shown)
            with _lock:
                counts = _core._stats()
                if _core._stop(False) >= 0:
                    _core._choose_backend(_default_backend())
                    contents = _core._board_clear(bool(noticeboard))
                    break
    finally:
        if shown:
            shown.close()
    _report_failures()
    return _answer(counts if stats else None, contents)


# ---- the end of the process, and its children ----


def _at_exit() -> None:
    dropped = _core._stop(True)
    if dropped > 0:
        import warnings

        warnings.warn(
            f"{dropped} behaviors were still queued when the program ended and were dropped; "
            "call wait() to have them run",
            RuntimeWarning,
            stacklevel=1,
        )
    _core._shut_down()


def _before_fork() -> None:
    # CPython cannot fork while there are other interpreters: the child crashes before it begins.
    # Parked ones can go; with behaviors in flight there is nothing that could be done.
    with _lock:
        if _core._running() is None:
            _core._shut_down()


def _after_fork_in_child() -> None:
    global _lock, _published
    _lock = _thread.RLock()
    _published = None
    _core._forked()
    _core._choose_backend(_default_backend())


if _core._is_main():
    _core._choose_backend(_default_backend())
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
