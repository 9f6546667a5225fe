"""References and memory are as many after thousands of calls of an operation as before.

Every row of the catalogue, its forms with `out=` and `in_place=`, and calls of it that fail.
THOROUGH=1 makes a million calls of each.
"""

from __future__ import annotations

import os
import sys

import pytest

from support.programs import REPOSITORY, output_of

CALLS = 1_000_000 if os.environ.get("THOROUGH") == "1" else 400
PARTS = 2  # the catalogue in so many processes, so that a failure names few and takes less long
PROGRAM = """
import ctypes, gc, sys
sys.path.insert(0, "tests")
from bocmat import Matrix
from support.catalogue import OPS

part, parts, calls, size = map(int, sys.argv[1:])
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

def state(watched):
    gc.collect()
    return [sys.getallocatedblocks(), allocated() // 64, *map(sys.getrefcount, watched)]

def check(name, call, watched, calls):
    repeat(call, 50)
    before = state(watched)
    repeat(call, calls)
    after = state(watched)
    moved = [b - a for a, b in zip(before, after)]
    if any(abs(by) > calls // 2 for by in moved):
        print(name, "blocks, bytes / 64 and references moved by", moved)

gc.freeze()  # a collection looks at what is new only
for op in OPS[part::parts]:
    operands = [Matrix(array) for array in op.fill(op.shapes.at(size), 1)]
    options = dict(op.sample)
    watched = [*CONSTANTS, *operands, *options.values()]
    for name, call in forms(op, operands, options):
        check(f"{op.name}, {name}:", call, watched, calls)
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="reads the C library's statistics")
@pytest.mark.parametrize("size", [2, 5])
@pytest.mark.parametrize("part", range(PARTS))
def test_an_operation_leaves_nothing_behind(part, size):
    lines = output_of(
        PROGRAM,
        str(part),
        str(PARTS),
        str(CALLS),
        str(size),
        cwd=REPOSITORY,
        timeout=max(CALLS, 300),
    )
    assert lines == ["done"]
