"""How far the behaviors are, on standard error: a bar, or lines now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from . import _core

__all__: list[str] = []

_BETWEEN_LOOKS = 0.1
_FIRST_LINE, _BETWEEN_LINES = 1.0, 60.0  # a line after 1 second, 2, 4 ... and then once a minute


class _Lines:
    """Without tqdm, or where a bar could not be drawn over: in a file, a pipe, a notebook."""

    def __init__(self) -> None:
        self.pause = _FIRST_LINE
        self.next = time.monotonic() + self.pause

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self.next:
            self.pause = min(2 * self.pause, _BETWEEN_LINES)
            self.next = now + self.pause
            self.write(done, total)

    def close(self, done: int, total: int) -> None:
        self.write(done, total)

    def write(self, done: int, total: int) -> None:
        # A program goes on if nobody listens any more.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            print(f"bocmat: {done} of {total} behaviors done", file=sys.stderr, flush=True)


class _Bar:
    """With tqdm, on a terminal."""

    def __init__(self, tqdm: Any, done: int, total: int) -> None:
        # What was done before is no work of the time that the bar measures.
        self.bar = tqdm.tqdm(
            desc="bocmat", unit=" behaviors", initial=done, total=total, file=sys.stderr
        )

    def show(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.n = done
        self.bar.refresh()

    def close(self, done: int, total: int) -> None:
        self.show(done, total)
        self.bar.close()


def _display(done: int, total: int) -> _Bar | _Lines:
    try:
        terminal = sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        terminal = False
    if terminal:
        try:
            import tqdm
        except ImportError:
            pass
        else:
            return _Bar(tqdm, done, total)
    return _Lines()


class Progress:
    """What one wait() shows; nothing at all where nothing was scheduled."""

    def __init__(self) -> None:
        self.display: _Bar | _Lines | None = None
        self.counts = (0, 0)

    def look(self) -> None:
        """Count, and show it."""
        done = _core._completed()
        total = done + _core._in_flight()
        if total == 0:
            return
        self.counts = done, total
        if self.display is None:
            self.display = _display(done, total)
        self.display.show(done, total)

    def watch(self, seconds: float) -> bool:
        """Wait as `_core._quiesce` does, and show how far things are meanwhile."""
        end = time.monotonic() + seconds
        while True:
            self.look()
            left = end - time.monotonic() if seconds >= 0 else _BETWEEN_LOOKS
            if _core._quiesce(max(0.0, min(left, _BETWEEN_LOOKS))):
                self.look()
                return True
            if left <= 0:
                return False

    def close(self) -> None:
        """Leave the last state on a line of its own."""
        if self.display is not None:
            self.display.close(*self.counts)
            self.display = None
