"""A class attribute that lets another thread go on while it is pickled, or unpickled."""

from __future__ import annotations

import threading

PATIENCE = 0.3  # the other thread may have to wait for this one


class Meeting:
    """Where two threads meet: each method is called once its counterpart has been."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.passed = threading.Event()

    def meet(self) -> None:
        """Let the thread that waits in `join` go on, for a moment at least."""
        self.begun.set()
        self.passed.wait(PATIENCE)

    def join(self) -> None:
        """Wait until another thread is in `meet`."""
        assert self.begun.wait(60)


leaving, arriving = Meeting(), Meeting()


class Leaving:
    """Meets where it is pickled."""

    def __reduce__(self):
        leaving.meet()
        return Leaving, ()


def arrive():
    """Make an `Arriving`, which meets there."""
    arriving.meet()
    return Arriving()


class Arriving:
    """Meets where it is unpickled."""

    def __reduce__(self):
        return arrive, ()
