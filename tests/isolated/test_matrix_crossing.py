"""A matrix on a queue of CPython's interpreters crosses without copying and changes owner."""

from __future__ import annotations

import sys

import pytest

from support.programs import output_of

pytestmark = pytest.mark.skipif(sys.version_info < (3, 13), reason="3.13 has the first queues")

COMMON = """
import ctypes, gc, sys
if sys.version_info >= (3, 14):
    from concurrent import interpreters
else:
    from test.support import interpreters
    import test.support.interpreters.queues
    interpreters.create_queue = lambda: interpreters.queues.create(syncobj=True)
from bocmat import Matrix

def address(matrix):
    return ctypes.addressof(ctypes.c_char.from_buffer(memoryview(matrix)))

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def refusal(function):
    try:
        function()
    except Exception as error:
        while error.__cause__ is not None or error.__context__ is not None:
            error = error.__cause__ or error.__context__
        return f"{type(error).__name__}: {error}"
    return "nothing was refused"

here, there = interpreters.create_queue(), interpreters.create_queue()
other = interpreters.create()
if sys.version_info < (3, 14):
    other.exec("import test.support.interpreters.queues")  # 3.13 wants it there beforehand
other.prepare_main(here=here, there=there)
OTHER = '''
import sys
known = "bocmat" in sys.modules
matrix = there.get()
'''
"""


def crossing(text: str) -> list[str]:
    return output_of(COMMON + text)


def test_it_crosses_without_copying_and_changes_owner():
    lines = crossing(
        """
for size in (2, 3, 4, 300):
    matrix = Matrix.full((size, size), 3.0)
    before = address(matrix)
    gc.collect()
    there.put(matrix)
    assert not matrix.acquired
    assert "held elsewhere" in refusal(lambda: matrix.sum()), refusal(lambda: matrix.sum())
    assert "held elsewhere" in refusal(lambda: there.put(matrix))
    other.exec(OTHER + '''
assert size != 2 or not known
assert matrix.shape == (size, size) and matrix.sum() == 3 * size * size
matrix += 1.0
here.put(matrix)
assert not matrix.acquired
'''.replace("size", str(size)))
    back = here.get()
    assert back.acquired and back.sum() == 4 * size * size
    assert size < 4 or address(back) == before
    assert back is not matrix and not matrix.acquired
print("done")
"""
    )
    assert lines == ["done"]


def test_it_crosses_in_a_tuple():
    lines = crossing(
        """
first, second = Matrix.ones((20, 30)).T, Matrix.ones((2, 2))
there.put((first, (second, 5, "text")))
assert not first.acquired and not second.acquired
other.exec(OTHER + '''
first, (second, five, text) = matrix
assert first.shape == (30, 20) and second.sum() == 4 and (five, text) == (5, "text")
here.put((second, first))
''')
second, first = here.get()
assert first.sum() == 600 and second.sum() == 4
print("done")
"""
    )
    assert lines == ["done"]


def test_what_is_exported_stays():
    lines = crossing(
        """
import pickle
for size in (2, 20):
    matrix, free = Matrix.ones((size, size)), Matrix.ones((size, size))
    view = memoryview(matrix)
    for parcel in (matrix, (matrix, free), (free, matrix)):
        assert refusal(lambda: there.put(parcel)).startswith("BufferError"), refusal(
            lambda: there.put(parcel))
        assert matrix.acquired and free.acquired
        assert pickle.loads(pickle.dumps(parcel)) is not None
    assert there.empty()
    del view
    there.put((free, matrix))
    assert not matrix.acquired and not free.acquired
    assert there.get()[1].sum() == size * size
print("done")
"""
    )
    assert lines == ["done"]


def test_what_is_never_received_is_freed():
    lines = crossing(
        """
def round_of(count):
    for _ in range(count):
        queue = interpreters.create_queue()
        queue.put(Matrix.ones((300, 300)))
        queue.put((Matrix.ones((300, 300)), Matrix.ones((2, 2))))
        del queue

round_of(20)
before = resident()
round_of(300)
assert resident() - before < 20e6, resident() - before
kept = Matrix.ones((20, 20))
queue = interpreters.create_queue()
queue.put(kept)
assert not kept.acquired
del queue
gc.collect()
assert kept.acquired and kept.sum() == 400
for size in (2, 300):
    there.put(Matrix.ones((size, size)))
    other.exec("here.put(there.get())")
other.close()
print("done")
"""
    )
    assert lines == ["done"]


def test_memory_is_flat():
    lines = crossing(
        """
def rounds(count):
    for _ in range(count):
        for size in (2, 100):
            there.put(Matrix.ones((size, size)))
        other.exec("for _ in range(2): here.put(there.get())")
        here.get(), here.get()

rounds(200)
before = resident()
rounds(1500)
assert resident() - before < 10e6, resident() - before
print("done")
"""
    )
    assert lines == ["done"]
