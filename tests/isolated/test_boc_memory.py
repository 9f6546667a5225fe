"""Memory stays flat: over starts and waits, over behaviors, cowns, matrices and captures."""

from __future__ import annotations

import pytest

from support.programs import output_of

# Grows in MiB between two points of a program; the first rounds fill pools and caches.
MEASURE = """
import gc

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

def growth(function, warm, rounds):
    for _ in range(warm):
        function()
    before = resident()
    for _ in range(rounds):
        function()
    return resident() - before
"""

CYCLES = (
    MEASURE
    + """
from bocmat import Cown, start, wait, when

def cycle():
    start(2)
    cown = Cown([1])

    @when(cown)
    def result(cown):
        cown.value.append(2)
        return cown.value

    wait()
    assert result.value == [1, 2]

print(growth(cycle, 30, 150))
"""
)

COUNTS = (
    MEASURE
    + """
from bocmat import start, wait

def cycle():
    for count in (1, 4, 2):
        start(count)
        wait()

print(growth(cycle, 5, 50))
"""
)

BEHAVIORS = (
    MEASURE
    + """
from bocmat import Cown, quiesce, start, wait, when
start(2)
cown = Cown(0)
table = {"a": [1, 2, 3], "b": "x" * 1000}

def many():
    for index in range(2000):
        @when(cown)
        def _(cown):
            cown.value += len(table) + index
    quiesce()

print(growth(many, 5, 25))
wait()
"""
)

FAILURES = (
    MEASURE
    + """
import logging
logging.disable(logging.CRITICAL)
from bocmat import Cown, quiesce, start, wait, when
start(2)
cown = Cown("x" * 1000)

def many():
    for index in range(500):
        @when(cown)
        def result(cown):
            raise ValueError(cown.value)
        result = None
    quiesce()

print(growth(many, 5, 20))
wait()
"""
)

MATRICES = (
    MEASURE
    + """
from bocmat import Cown, Matrix, quiesce, read, start, wait, when
start(2)
constant = Matrix.ones((200, 200))

def many():
    cowns = [Cown([Matrix.ones((200, 200))]) for _ in range(50)]
    for cown in cowns:
        @when(read(cown))
        def total(cown):
            return cown.value[0] + constant
        @when(cown, total)
        def _(cown, total):
            cown.value.append(total.value)
            total.value = None
    quiesce()

print(growth(many, 5, 20))
wait()
"""
)

CLASSES = (
    MEASURE
    + """
from bocmat import Cown, quiesce, start, wait, when
start(2)

def many():
    class Local:
        def __init__(self):
            self.text = "x" * 10
    box = Cown(Local())
    @when(box)
    def result(box):
        return isinstance(box.value, Local)
    quiesce()

# A class that travels by value may stay with the interpreters that know it; nothing else does.
print(growth(many, 20, 200))
wait()
"""
)

DROPPED = (
    MEASURE
    + """
import threading
from bocmat import Cown, Matrix, start, wait, when

def refused():
    for _ in range(200):
        matrix = Matrix.ones((50, 50))
        try:
            when(Cown(matrix))(lambda: None)
        except TypeError:
            pass
        try:
            when(5)
        except TypeError:
            pass
        try:
            Cown([Matrix.ones((50, 50)), matrix])
        except RuntimeError:
            pass

start(2)
print(growth(refused, 5, 30))
wait()
"""
)

PROGRAMS = {
    "starts and waits": (CYCLES, 4),
    "other counts": (COUNTS, 4),
    "behaviors": (BEHAVIORS, 8),
    "failures": (FAILURES, 8),
    "matrices": (MATRICES, 48),
    "classes": (CLASSES, 24),
    "refusals": (DROPPED, 8),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_memory_stays_flat(backend_name, name):
    program, limit = PROGRAMS[name]
    (line,) = output_of(program, BOCMAT_BACKEND=backend_name, timeout=120)
    assert float(line) < limit, f"grew by {line} MiB"


def test_a_captured_matrix_is_shared_until_somebody_writes(backend_name):
    """One hundred behaviors that name 8 MB wait at once: copies would take 800 MB."""
    program = """
    import re
    from bocmat import Cown, Matrix, quiesce, read, start, wait, when

    def peak():
        with open("/proc/self/status") as file:
            return int(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]) / 1024

    start(2)
    constant = Matrix.ones((1000, 1000))
    cown = Cown(0.0)
    quiesce()
    before = peak()
    for _ in range(100):
        @when(cown)
        def _(cown):
            cown.value += constant[0, 0] + constant.sum()
    wait()
    assert cown.value == 100 * 1000001.0
    print(peak() - before)
    """
    (line,) = output_of(program, BOCMAT_BACKEND=backend_name, timeout=120)
    assert float(line) < 60, f"{line} MiB more"


def test_many_cowns(backend_name):
    program = (
        MEASURE
        + """
from bocmat import Cown, start, wait, when
start(2)

def many():
    cowns = [Cown(index) for index in range(100_000)]
    for cown in cowns[::100]:
        @when(cown)
        def _(cown):
            cown.value += 1
    wait()
    assert sum(cown.value for cown in cowns) == sum(range(100_000)) + 1000
    start(2)

print(growth(many, 2, 4))
wait()
"""
    )
    (line,) = output_of(program, BOCMAT_BACKEND=backend_name, timeout=120)
    assert float(line) < 16, f"grew by {line} MiB"


def test_a_long_queue_on_one_cown_is_taken_apart_without_recursion(backend_name):
    program = """
    from bocmat import Cown, Matrix, start, wait, when
    start(1)
    cown = Cown(0)
    for index in range(50_000):
        @when(cown)
        def result(cown):
            cown.value += 1
    wait()
    print(cown.value)

    # Cowns nested in cowns, dropped from the outside.
    inner = Cown(Matrix.ones((2, 2)))
    for _ in range(50_000):
        inner = Cown(inner)
    del inner
    print("dropped")
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name, timeout=120) == ["50000", "dropped"]
