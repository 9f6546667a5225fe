"""Results past the size from which stores go around the caches (4 Mi doubles): the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from bocmat import Matrix

SHAPE = (2049, 2051)  # odd, so that rows start at every alignment
SPECIAL = [0.0, -0.0, np.inf, 5e-324, 1e150]


def some(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    array = rng.random(shape) - 0.25
    array.ravel()[::10_007] = rng.choice(SPECIAL, array.ravel()[::10_007].size)
    return array


Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Give two large arrays, a row and a column."""
    return some(1), some(2), some(3, (1, SHAPE[1])), some(4, (SHAPE[0], 1))


def same(matrix: Matrix, expected: np.ndarray) -> bool:
    wanted = np.ascontiguousarray(expected, dtype=np.float64)
    found = np.asarray(matrix)
    return found.shape == wanted.shape and found.tobytes() == wanted.tobytes()


BOTH = {
    "add": lambda m, n, r, c: m + n,
    "negate": lambda m, n, r, c: -m,
    "copy": lambda m, n, r, c: m.copy(),
    "transposed copy": lambda m, n, r, c: m.T.copy(),
    "transposed operands": lambda m, n, r, c: m.T + n.T,
    "one transposed operand": lambda m, n, r, c: m[:2049, :2049] + n[:2049, :2049].T,
    "comparison": lambda m, n, r, c: m < n,
    "row": lambda m, n, r, c: m * r,
    "column": lambda m, n, r, c: c - m,
    "row and column": lambda m, n, r, c: r + c,
    "number": lambda m, n, r, c: 1.5 - m,
}


@pytest.mark.parametrize("name", BOTH)
def test_a_large_result_has_numpys_bits(arrays, name):
    assert same(BOTH[name](*map(Matrix, arrays)), BOTH[name](*arrays))


def test_large_functions(arrays):
    a, b, _, _ = arrays
    m, n = Matrix(a), Matrix(b)
    assert same(m.square(), np.square(a))
    assert same(Matrix.where(m, n, 2.0), np.where(a != 0, b, 2.0))
    assert same(m.view[::-1, ::-1].copy(), a[::-1, ::-1])
    assert same(Matrix.full(SHAPE, 2.5), np.full(SHAPE, 2.5))


def test_large_ones_in_place(arrays):
    a, b, row, _ = arrays
    matrix, expected = Matrix(a), a.copy()
    matrix += Matrix(b)
    expected += b
    assert same(matrix, expected)
    matrix *= Matrix(row)
    expected *= row
    assert same(matrix, expected)
    matrix.negate(in_place=True)
    assert same(matrix, -expected)


@pytest.mark.parametrize("start", [0, 1, 3])
def test_into_memory_of_any_alignment(arrays, start):
    a, b, _, _ = arrays
    around = np.full(a.size + 16, 7.0)
    inside = around[start : start + a.size].reshape(SHAPE)
    Matrix(a).add(Matrix(b), out=Matrix.from_buffer(inside))
    assert (inside == a + b).all()
    assert (around[:start] == 7).all()
    assert (around[start + a.size :] == 7).all()


def test_into_a_window(arrays):
    around = Matrix.full((SHAPE[0] + 2, SHAPE[1] + 2), 7.0)
    Matrix(arrays[0]).add(1.0, out=around.view[1:-1, 1:-1])
    expected = np.full(around.shape, 7.0)
    expected[1:-1, 1:-1] = arrays[0] + 1.0
    assert same(around, expected)


def test_into_part_of_an_operand(arrays):
    around = np.concatenate([arrays[0], arrays[1][:3]])
    matrix = Matrix(around)
    matrix.view[:-3].add(1.0, out=matrix.view[3:])
    assert same(matrix, np.concatenate([around[:3], around[:-3] + 1.0]))
