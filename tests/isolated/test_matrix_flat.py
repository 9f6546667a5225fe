"""References and memory are as many after thousands of calls of an operation as before.

Every row of the catalogue, its forms with `out=`, `in_place=` and `where=`, and calls of it that
fail. THOROUGH=1 makes a million calls of each, in twenty parts that can run anywhere: -k "[7-" is
one of them, of both sizes.
"""

from __future__ import annotations

import os
import sys

import pytest

from support.programs import REPOSITORY, output_of

THOROUGH = os.environ.get("THOROUGH") == "1"
# By the side of the operands: two, whose values their headers hold, and five, with buffers.
CALLS = dict.fromkeys((2, 5), 1_000_000 if THOROUGH else 1_000)
PARTS = 20 if THOROUGH else 1  # the catalogue in so many processes
DETECTOR = """
import ctypes, gc, sys, sysconfig
sys.path.insert(0, "tests")
from bocmat import Matrix
from support.catalogue import OPS

CONSTANTS = [None, True, False, 0, 1, -1, 0.0, 1.0, (), "", Matrix, float, int, list, tuple]

class Statistics(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

libc = ctypes.CDLL(None)
if hasattr(libc, "mallinfo2"):
    libc.mallinfo2.restype = Statistics

def allocated():
    if not hasattr(libc, "mallinfo2"):
        return 0
    found = libc.mallinfo2()
    return found.uordblks + found.hblkhd

def forms(op, operands, options):
    yield "plain", lambda: op.call(*operands, **options)
    if raises(lambda: op.call(*operands, **options)):
        return
    if "out" in op.forms:
        out = op.call(*operands, **options).copy()
        yield "out", lambda: op.call(*operands, out=out, **options)
        yield "wrong out", lambda: op.call(*operands, out=Matrix(1, 7), **options)
        yield "no out", lambda: op.call(*operands, out=1.5, **options)
    if "in_place" in op.forms:
        yield "in_place", lambda: op.call(*operands, in_place=True, **options)
    yield "no such option", lambda: op.call(*operands, no_such_option=1, **options)
    for index in range(1, len(operands)):
        for wrong in ("text", [1.0, "text"], [[1], [2, 3]], Matrix(7, 5)):
            changed = [*operands[:index], wrong, *operands[index + 1:]]
            yield f"wrong operand {wrong!r}", lambda changed=changed: op.call(*changed, **options)
    if op.has_axis:
        for axis in (0, 1, 7, "a"):
            given = {**options, "axis": axis}
            yield f"axis {axis}", lambda given=given: op.call(*operands, **given)
    if op.where:
        mask = Matrix.ones(operands[0].shape)
        yield "where", lambda: op.call(*operands, where=mask, **options)
    if op.where and op.name != "Matrix.topk":
        out = Matrix(1, operands[0].columns)
        given = {**options, "axis": 0, "where": mask}
        yield "out along an axis", lambda: op.call(*operands, out=out, **given)
    for wrong in (Matrix(7, 5), "text") if op.where else ():
        yield "wrong where", lambda wrong=wrong: op.call(*operands, where=wrong, **options)

def repeat(call, count):
    for _ in range(count):
        try:
            call()
        except Exception:
            pass

def raises(call):
    try:
        call()
    except (ValueError, IndexError):
        return True
    return False

# What moves by less than this share of the calls is no leak; without a GIL much is freed later.
SHARE = 3 if sysconfig.get_config_var("Py_GIL_DISABLED") else 10

def state(watched, collected):
    if collected:
        gc.collect()
    return [sys.getallocatedblocks(), allocated() // 64, *map(sys.getrefcount, watched)]

def check(name, call, watched, calls):
    repeat(call, 50)
    # What grows once is a cache, a leak goes on. Collections take long and are rarely needed.
    for collected in (False, True, True, True):
        before = state(watched, collected)
        repeat(call, calls)
        after = state(watched, collected)
        moved = [b - a for a, b in zip(before, after)]
        if all(abs(by) <= calls // SHARE for by in moved):
            return
    print(name, "blocks, bytes / 64 and references moved by", moved)
"""
EVERY_OPERATION = """
part, parts, calls, size = map(int, sys.argv[1:])
gc.freeze()  # a collection looks at what is new only
gc.disable()  # and is made where it counts
for op in OPS[part::parts]:
    operands = [Matrix(array) for array in op.fill(op.shapes.at(size), 1)]
    options = dict(op.sample)
    watched = [*CONSTANTS, *operands, *options.values()]
    for name, call in forms(op, operands, options):
        check(f"{op.name}, {name}:", call, watched, calls)
print("done")
"""
PLANTED = """
gc.freeze()
gc.disable()
libc.malloc.restype = ctypes.c_void_p
kept, matrix = [None] * 100_000, Matrix(2, 2)
places = iter(range(100_000))

def keep(value):
    kept[next(places)] = value

check("a reference", lambda: keep(matrix), [matrix], 1000)
check("an object", lambda: keep(object()), [], 1000)
check("a matrix", lambda: keep(matrix + 1), [matrix], 1000)
check("memory", lambda: libc.malloc(200), [], 1000)
check("an error", lambda: keep(float("text")), [], 1000)
check("nothing", lambda: matrix + 1, [matrix], 1000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="reads the C library's statistics")
@pytest.mark.parametrize("size", CALLS)
@pytest.mark.parametrize("part", range(PARTS))
def test_an_operation_leaves_nothing_behind(part, size):
    lines = output_of(
        DETECTOR + EVERY_OPERATION,
        str(part),
        str(PARTS),
        str(CALLS[size]),
        str(size),
        cwd=REPOSITORY,
        timeout=10_000 if THOROUGH else 300,
    )
    assert lines == ["done"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads glibc's statistics")
def test_what_is_left_behind_is_found():
    lines = output_of(DETECTOR + PLANTED, cwd=REPOSITORY)
    assert [line.partition(" blocks")[0] for line in lines] == [
        "a reference",
        "an object",
        "a matrix",
        "memory",
    ]
