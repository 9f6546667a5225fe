"""Memory stays flat over matrix operations, failing ones included."""

from __future__ import annotations

import sysconfig

import pytest

from support.programs import output_of

PROGRAM = """
import gc
import pickle
import sys
from bocmat import Matrix
from bocmat._core import _join, _split

def work(size):
    a, b = Matrix.uniform(0, 1, (size, size)), Matrix.uniform(1, 2, (size, size))
    c = (a + b) * 2.0 - b / a
    c += a.T
    c @ b
    a.view[0] += 1.0
    a[1:, :1] = [1.0] * (size - 1)
    for axis in (None, 0, 1):
        c.sum(axis), c.min(axis), c.argmax(axis)
    Matrix.where(a < b, a, 0).clip(0, 1).exp().sqrt(in_place=True)
    Matrix(c.tolist()), list(c), list(c.values()), list(c.row_views()), repr(c), str(c)
    Matrix.concat([a, b, a.T], 1).take([0, 0, 1], 0)
    pickle.loads(pickle.dumps(a, 5)), pickle.loads(pickle.dumps(a, 2))
    Matrix.from_buffer(memoryview(a)), bytes(a)
    tiles = _split(c, 2, 2)
    tiles[0][0] = tiles[0][0] + 1
    _join(c, tiles)
    for wrong in (
        lambda: a + Matrix(size, size + 1),
        lambda: a + "text",
        lambda: a + [1.0, "text"],
        lambda: Matrix([[1], [2, 3]]),
        lambda: Matrix([[1, 2], [3, "a"]]),
        lambda: a.sqrt(out=Matrix(1, size + 1)),
        lambda: a[size],
        lambda: a.take([size]),
        lambda: _join(a, [[b]]),
        lambda: _join(None, [[a, b], [a]]),
        lambda: Matrix.concat([a, 1, "b"]),
        lambda: a.clip(0, "a"),
        lambda: Matrix.where(a, b, "a"),
    ):
        try:
            wrong()
        except (TypeError, ValueError, IndexError, RuntimeError):
            pass
        else:
            raise AssertionError("expected an exception")

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

size = int(sys.argv[1])
rounds = int(sys.argv[2])
for _ in range(rounds // 4):
    work(size)
gc.collect()
blocks, bytes_before = sys.getallocatedblocks(), resident()
for _ in range(rounds):
    work(size)
gc.collect()
print(sys.getallocatedblocks() - blocks, (resident() - bytes_before) / 2**20)
"""


@pytest.mark.parametrize(("size", "rounds"), [(2, 2000), (3, 2000), (20, 500), (130, 100)])
def test_operations_leave_nothing_behind(size, rounds):
    (line,) = output_of(PROGRAM, str(size), str(rounds))
    blocks, mebibytes = line.split()
    # Each round makes hundreds of objects; the interpreter's own caches move by tens in all, those
    # of a free-threaded build, which gives memory back later, by hundreds.
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert int(blocks) < 0.5 * rounds + (1000 if free_threaded else 200)
    assert float(mebibytes) < (8 if free_threaded else 4)
