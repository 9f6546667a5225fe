"""A large temporary is written in place by the next operator; what can still be seen never is."""

from __future__ import annotations

import ctypes
import functools
import operator
import sys

import numpy as np
import pytest

from bocmat import Matrix
from support.programs import output_of

SHAPE = (160, 160)  # above the size from which temporaries are taken over
A, B, C = (np.random.default_rng(seed).uniform(1, 2, SHAPE) for seed in range(3))

reused = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="the interpreter says from 3.14 on what is a temporary"
)


def address(matrix: Matrix) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(matrix))


@pytest.fixture
def three() -> tuple[Matrix, Matrix, Matrix]:
    return Matrix(A), Matrix(B), Matrix(C)


@pytest.fixture(autouse=True)
def operands_stay(three):
    yield
    for matrix, array in zip(three, (A, B, C)):
        assert np.array_equal(np.asarray(matrix), array)


def same(matrix: Matrix, array: np.ndarray) -> bool:
    return np.array_equal(np.asarray(matrix), array)


def test_chains_give_what_numpy_gives(three):
    a, b, c = three
    assert same(a + b * c - a, A + B * C - A)
    assert same(-(a * b) / c + 1.0, -(A * B) / C + 1.0)
    assert same(2.0 - (a + b), 2.0 - (A + B))
    assert same((a + b) // (b - c) % c, (A + B) // (B - C) % C)
    assert same((a + b) * (a + b), (A + B) * (A + B))
    assert same((a * b) ** 2 + (a - b), (A * B) ** 2 + (A - B))
    assert same((a + b).T - (b * c), (A + B).T - B * C)
    assert same((a + b) + [1.0] * SHAPE[1], A + B + 1.0)
    assert same((a[0:1] + b[0:1]) + c, A[0:1] + B[0:1] + C)


class Spy:
    """An operand that sees what it is added to."""

    def __init__(self):
        self.seen = None

    def __radd__(self, other):
        self.seen = other
        return NotImplemented


@reused
def test_the_result_is_written_into_the_temporary(three):
    a, b, c = three
    places = []

    def passing(matrix):
        places.append(address(matrix))
        return matrix

    total = passing(a + b) + c
    assert address(total) == places.pop()
    assert same(total, A + B + C)
    total = c - passing(a * b)
    assert address(total) == places.pop()
    assert same(total, C - A * B)
    total = -passing(a + b)
    assert address(total) == places.pop()
    assert same(total, -(A + B))


PEAK = """
import sys
from bocmat import Matrix

def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024

shape = (2048, 2048)
a, b, c, d = (Matrix.full(shape, number) for number in (1.0, 2.0, 3.0, 4.0))
before = peak()
total = a + b * c - d
print((peak() - before) / a.nbytes)
assert total.min() == total.max() == 3.0
"""


@reused
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_chain_needs_the_memory_of_its_result_only():
    (buffers,) = output_of(PEAK)
    assert float(buffers) < 1.25


def test_what_a_name_holds_is_not_written(three):
    a, b, c = three
    kept = a + b
    total = kept + c
    assert same(kept, A + B)
    assert same(total, A + B + C)
    again = (named := a * b) - c
    assert same(named, A * B)
    assert same(again, A * B - C)


def test_what_a_callee_keeps_is_not_written(three):
    a, b, c = three
    seen = []

    def keep(matrix):
        seen.append(matrix)
        return matrix

    total = keep(a + b) + c
    assert same(seen[0], A + B)
    assert same(total, A + B + C)

    def local(matrix):
        first = matrix + 1.0
        second = matrix + 2.0
        return first, second, matrix

    first, second, matrix = local(a * b)
    assert same(first, A * B + 1.0)
    assert same(second, A * B + 2.0)
    assert same(matrix, A * B)


def test_arguments_of_c_functions_are_not_written(three):
    a, b, c = three
    assert same(operator.add(a + b, c), A + B + C)
    assert same(operator.neg(a + b), -(A + B))
    assert same(sum([a, b, c], a + b), A + B + A + B + C)
    assert same(functools.reduce(operator.mul, [a + b, c, c]), (A + B) * C * C)
    assert same(functools.partial(operator.sub, a + b)(c), A + B - C)
    found = list(map(operator.add, [a + b] * 3, [c] * 3))
    assert all(same(matrix, A + B + C) for matrix in found)
    double = operator.methodcaller("__add__", a + b)
    assert same(double(c), C + (A + B))
    assert same(double(c), C + (A + B))
    assert same(divmod(a + b, c)[1], (A + B) % C)
    assert same((a + b).__add__(c), A + B + C)
    assert same((a + b).add(c), A + B + C)


def test_containers_and_closures_are_not_written(three):
    a, b, c = three
    pieces = [a + b, b + c]
    sums = [piece + c for piece in pieces]
    assert same(pieces[0], A + B)
    assert same(sums[1], B + C + C)
    assert same([a + b][0] + c, A + B + C)
    made = lambda: a + b  # noqa: E731
    assert same(made() + made(), (A + B) + (A + B))

    def numbers():
        kept = a + b
        yield kept
        yield kept

    assert same(functools.reduce(operator.add, numbers()), (A + B) * 2)
    first, second = (x + c for x in numbers())
    assert same(first, A + B + C)
    assert same(second, A + B + C)


def test_views_exports_and_shares_keep_the_values(three):
    a, b, c = three
    total = (window := (a + b).view[0:2]) + 1.0
    assert same(window.copy(), (A + B)[0:2])
    assert same(total, (A + B)[0:2] + 1.0)
    seen = np.asarray(a + b)
    assert np.array_equal(seen + 1.0, A + B + 1.0)
    flipped = (a + b).T
    assert same(flipped + c, (A + B).T + C)
    assert same(flipped, (A + B).T)


def test_a_failing_operator_changes_nothing(three):
    a, b, _ = three
    spy = Spy()
    with pytest.raises(TypeError):
        (a + b) + spy
    assert same(spy.seen, A + B)
    with pytest.raises(ValueError, match="do not fit"):
        (a + b) + [1.0, 2.0]
