"""Running sums and products and differences against NumPy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, KINDS, arrays, assert_same, dressed, operands
from support.operations import agree
from support.reducing import DTYPES, NO_AXES, OTHER_DTYPES

RUNNING = ["cumsum", "cumprod"]
LINE_AXES = st.sampled_from([0, 1, -1, -2])


def running(name, array, axis):
    with np.errstate(all="ignore"):
        found = getattr(np, name)(array, axis=axis)
    return found.reshape(1, -1) if axis is None else found


@pytest.mark.parametrize("name", RUNNING)
@given(data=st.data(), array=arrays(), axis=AXES)
def test_running_has_the_bits_of_numpy(name, data, array, axis):
    matrix = data.draw(operands(array))
    expected = running(name, array, axis)
    assert_same(getattr(matrix, name)(axis), expected)
    assert_same(matrix, array)
    out = dressed(np.full(expected.shape, 2.5), data.draw(st.sampled_from(KINDS)))
    assert getattr(matrix, name)(axis=axis, out=out) is out
    assert_same(out, expected)
    if expected.shape != array.shape:
        with pytest.raises(ValueError, match=rf"\({array.shape[0]}, {array.shape[1]}\)"):
            getattr(matrix, name)(axis, in_place=True)
        assert_same(matrix, array)
        return
    twin = data.draw(operands(array))
    assert getattr(twin, name)(axis, out=twin) is twin
    assert_same(twin, expected)
    assert getattr(matrix, name)(axis, in_place=True) is matrix
    assert_same(matrix, expected)


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("down", "along"), [(0, 1), (1, 0), (1, 1), (-1, 0), (0, -1), (-1, 1)])
@pytest.mark.parametrize("shape", [(4, 5), (40, 33)])
def test_running_into_a_window_that_overlaps(name, axis, down, along, shape):
    rows, columns = shape
    around = np.random.default_rng(1).uniform(0.5, 1.5, (rows + 2, columns + 2))
    matrix = Matrix(around)
    to = matrix.view[1 + down : 1 + down + rows, 1 + along : 1 + along + columns]
    expected = running(name, around[1:-1, 1:-1], axis)
    getattr(matrix.view[1:-1, 1:-1], name)(axis, out=to)
    assert_same(to, expected)


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_running_into_the_matrix_backwards_and_turned(name, axis):
    array = np.random.default_rng(2).uniform(0.5, 1.5, (12, 12))
    for window in ((slice(None, None, -1), slice(None)), (slice(None), slice(None, None, -1))):
        matrix = Matrix(array)
        if axis is not None:
            getattr(matrix, name)(axis, out=matrix.view[window])
            assert_same(matrix.view[window], running(name, array, axis))
    row = Matrix(array[:1])
    getattr(row, name)(axis, out=row.view[:, ::-1])
    assert_same(row.view[:, ::-1], running(name, array[:1], axis))


@pytest.mark.parametrize("name", RUNNING)
def test_running_over_many(name):
    array = np.random.default_rng(3).uniform(0.99, 1.01, (400, 301))
    for axis in (None, 0, 1):
        for kind in ("own", "transposed", "stepped"):
            assert_same(getattr(dressed(array, kind), name)(axis), running(name, array, axis))


@pytest.mark.parametrize("name", RUNNING)
def test_what_running_refuses(name):
    array = np.arange(6.0).reshape(2, 3)
    matrix = Matrix(array)
    method = getattr(matrix, name)
    for axis in NO_AXES:
        with pytest.raises((TypeError, ValueError), match="axis"):
            method(axis, in_place=True)
    for shape in ((3, 2), (1, 6), (2, 2), (0, 0)):
        out = Matrix.full(shape, 2.5)
        with pytest.raises(ValueError, match=rf"\(2, 3\).*\({shape[0]}, {shape[1]}\)"):
            method(0, out=out)
        assert_same(out, np.full(shape, 2.5))
    for out in (array, [0.0], 1):
        with pytest.raises(TypeError, match="out"):
            method(0, out=out)
    with pytest.raises(ValueError, match="not both"):
        method(0, in_place=True, out=Matrix(2, 3))
    for dtype in OTHER_DTYPES:
        with pytest.raises(TypeError, match="float64"):
            method(0, dtype=dtype, in_place=True)
    for dtype in DTYPES:
        assert_same(method(0, dtype=dtype), running(name, array, 0))
    for arguments in ((0, None), (0, None, matrix)):
        with pytest.raises(TypeError, match="positional"):
            method(*arguments)
    with pytest.raises(TypeError, match="where"):
        method(where=matrix)
    shared = Matrix.from_buffer(memoryview(np.arange(6.0).reshape(2, 3)).toreadonly())
    with pytest.raises(RuntimeError, match="read-only"):
        getattr(shared, name)(0, in_place=True)
    assert_same(matrix, array)


# ---- differences ----


@given(data=st.data(), array=arrays(), axis=LINE_AXES, n=st.sampled_from([0, 1, 1, 1, 2, 3, 9]))
def test_differences_have_the_bits_of_numpy(data, array, axis, n):
    matrix = data.draw(operands(array))
    with np.errstate(all="ignore"):
        expected = np.diff(array, n, axis=axis)
    assert_same(matrix.diff(n, axis), expected)
    assert matrix.diff(n, axis) is not matrix
    assert_same(matrix, array)
    out = dressed(np.full(expected.shape, 2.5), data.draw(st.sampled_from(KINDS)))
    assert matrix.diff(n=n, axis=axis, out=out) is out
    assert_same(out, expected)
    if expected.size:
        whole = matrix.view if isinstance(matrix, Matrix) else matrix
        end = data.draw(st.booleans())
        rows, columns = expected.shape
        shift = (array.shape[0] - rows, array.shape[1] - columns) if end else (0, 0)
        out = whole[shift[0] : shift[0] + rows, shift[1] : shift[1] + columns]
        matrix.diff(n, axis, out=out)
        assert_same(out, expected)


def test_differences_go_along_rows_by_default():
    array = np.arange(12.0).reshape(3, 4) ** 2
    assert_same(Matrix(array).diff(), np.diff(array))
    assert_same(Matrix(array).diff(2), np.diff(array, 2))
    large = np.random.default_rng(4).normal(size=(401, 300))
    for axis in (0, 1):
        assert_same(Matrix(large).diff(2, axis), np.diff(large, 2, axis))
        assert_same(Matrix(large.T).T.diff(1, axis), np.diff(large, 1, axis))


@pytest.mark.parametrize("n", [-1, -(2**70), 1.0, "1", None, True, 2**70])
def test_orders_that_are_none(n):
    matrix = Matrix(2, 3, range(6))
    with pytest.raises((ValueError, TypeError, OverflowError, IndexError)):
        matrix.diff(n)
    agree(matrix, np.arange(6.0).reshape(2, 3))


def test_what_differences_refuse():
    matrix = Matrix(2, 3, range(6))
    for axis in [*NO_AXES, None]:
        with pytest.raises((TypeError, ValueError), match="axis"):
            matrix.diff(1, axis)
    for n, shape in ((1, (2, 3)), (0, (2, 2)), (2, (2, 2)), (1, (1, 3))):
        out = Matrix.full(shape, 2.5)
        with pytest.raises(ValueError, match=rf"\({shape[0]}, {shape[1]}\)"):
            matrix.diff(n, out=out)
        assert_same(out, np.full(shape, 2.5))
    for options in ({"in_place": True}, {"prepend": 0.0}, {"append": 1.0}, {"out": [0.0]}):
        with pytest.raises(TypeError):
            matrix.diff(**options)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (2, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_nothing_runs_and_differs_as_in_numpy(shape, axis):
    array = np.ones(shape)
    for n in range(5):
        assert_same(Matrix(array).diff(n, axis), np.diff(array, n, axis=axis))
    for name in RUNNING:
        assert_same(getattr(Matrix(array), name)(axis), running(name, array, axis))
        assert_same(getattr(Matrix(array), name)(), running(name, array, None))
