"""For tests of pinned cowns: a value that cannot travel, and threads to wait with."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from bocmat import pump, wait

LIMIT = 120.0


class Window:
    """Something that can be neither pickled nor copied, and remembers who touched it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.drawn = []
        self.threads = set()

    def draw(self, what):
        with self.lock:
            self.drawn.append(what)
            self.threads.add(threading.get_ident())

    def __reduce__(self):
        raise TypeError("a window stays where it is")

    def __deepcopy__(self, memo):
        raise TypeError("a window stays where it is")


def open_pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe that behaviors wait at; at the end of the test none is left waiting."""
    source, sink = os.pipe()
    yield source, sink
    os.write(sink, b"x" * 100)
    wait(timeout=LIMIT)
    os.close(source)
    os.close(sink)


def in_thread(function: Callable[[], Any]) -> Any:
    """Call it on another thread: what it returns, or what it raises."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((function(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LIMIT)
    assert outcome, "the thread did not end"
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def until(condition: Callable[[], bool]) -> None:
    """Let other threads go on until something holds."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.002)
    raise AssertionError("it never came true")


def pump_until(condition: Callable[[], bool]) -> int:
    """Pump, as a program's own loop does, until something holds; how many behaviors ran."""
    executed = 0

    def turn() -> bool:
        nonlocal executed
        executed += pump().executed
        return condition()

    until(turn)
    return executed
