"""Every row of binary.def against NumPy: bit for bit, whatever the operands look like."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import (
    ELEMENTS,
    FINITE,
    arrays,
    as_array,
    assert_same,
    operands,
    pairs,
)

METHODS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
OPERATORS = {
    operator.add: operator.iadd,
    operator.sub: operator.isub,
    operator.mul: operator.imul,
    operator.truediv: operator.itruediv,
}
EITHER_ZERO = {"minimum", "maximum"}  # of -0.0 and 0.0 either is right


def expect(function, *values):
    with np.errstate(all="ignore"):
        return function(*values)


def assert_agrees(name, actual, expected):
    if name in EITHER_ZERO:
        assert np.array_equal(as_array(actual), expected, equal_nan=True)
    else:
        assert_same(actual, expected)


@pytest.mark.parametrize("name", METHODS)
@given(data=st.data(), values=pairs())
def test_method_agrees_with_numpy(name, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    assert_agrees(name, getattr(left, name)(right), expect(METHODS[name], *values))


@pytest.mark.parametrize("function", OPERATORS)
@given(data=st.data(), values=pairs())
def test_operator_agrees_with_numpy(function, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    assert_same(function(left, right), expect(function, *values))


@pytest.mark.parametrize("function", OPERATORS)
@given(array=arrays(), number=st.one_of(ELEMENTS, st.integers(-(10**9), 10**9), st.booleans()))
def test_scalars_on_either_side(function, array, number):
    matrix = Matrix(array)
    assert_same(function(matrix, number), expect(function, array, float(number)))
    assert_same(function(number, matrix), expect(function, float(number), array))
    assert_same(function(np.float64(number), matrix), expect(function, float(number), array))


@pytest.mark.parametrize("function", OPERATORS)
@given(data=st.data(), array=arrays())
def test_sequences_are_rows(function, data, array):
    row = data.draw(st.lists(ELEMENTS, min_size=array.shape[1], max_size=array.shape[1]))
    matrix = Matrix(array)
    expected = expect(function, array, np.array([row]).reshape(1, -1))
    for form in (row, tuple(row), np.array(row, dtype=np.float64)):
        assert_same(function(matrix, form), expected)
    reflected = expect(function, np.array([row]).reshape(1, -1), array)
    for form in (row, tuple(row), np.array(row, dtype=np.float64)):
        assert_same(function(form, matrix), reflected)


@pytest.mark.parametrize("function", OPERATORS)
@given(data=st.data(), values=pairs())
def test_in_place_writes_the_left_operand(function, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    before, expected = as_array(left), expect(function, *values)
    same = left
    if expected.shape == left.shape:
        same = OPERATORS[function](same, right)
        assert same is left
        assert_same(left, expected)
    else:
        with pytest.raises(ValueError, match=r"\(\d+, \d+\)"):
            OPERATORS[function](same, right)
        assert_same(left, before)


@pytest.mark.parametrize("name", METHODS)
@given(data=st.data(), values=pairs())
def test_out_takes_the_result_and_may_be_an_operand(name, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    expected = expect(METHODS[name], *values)
    out = data.draw(st.sampled_from([left, right, Matrix.empty(expected.shape)]))
    if out.shape == expected.shape:
        assert getattr(left, name)(right, out=out) is out
        assert_agrees(name, out, expected)
    else:
        before = as_array(out)
        with pytest.raises(ValueError, match=r"add|sub|mul|div|imum"):
            getattr(left, name)(right, out=out)
        assert_same(out, before)


@given(array=arrays(elements=FINITE), shift=st.integers(-3, 3))
def test_overlapping_windows_are_read_first(array, shift):
    rows, columns = array.shape
    to = slice(max(shift, 0), max(rows + min(shift, 0), 0))
    source = slice(max(-shift, 0), max(rows + min(-shift, 0), 0))
    matrix, expected = Matrix(array), array.copy()
    expected[to] += array[source]
    part = matrix.view[to]
    part += matrix.view[source]
    assert_same(matrix, expected)

    side = min(rows, columns)
    square = Matrix(array[:side, :side])
    square.view[...].add(square.view[...].T, out=square)
    assert_same(square, array[:side, :side] + array[:side, :side].T)


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ("text", TypeError),
        (b"12", TypeError),
        (1j, TypeError),
        (None, TypeError),
        ({1: 2}, TypeError),
        ([1, "a", 3], TypeError),
        ([1, 2j, 3], TypeError),
        (np.array([1j, 2, 3]), TypeError),
        (np.zeros((1, 2, 3)), ValueError),
        ([[1, 2, 3], [4, 5]], ValueError),
        ([1, 2], ValueError),
        (10**400, OverflowError),
    ],
    ids=repr,
)
@pytest.mark.parametrize("function", OPERATORS)
def test_what_does_not_fit_raises_and_changes_nothing(function, other, error):
    matrix = Matrix([[1, 2, 3], [4, 5, 6]])
    kept = matrix
    for call in (function, OPERATORS[function]):
        with pytest.raises(error):
            call(matrix, other)
    with pytest.raises(error):
        matrix.add(other)
    assert kept.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        Matrix(2, 3) + Matrix(3, 2)
    with pytest.raises(TypeError, match="out must be a Matrix"):
        Matrix(2, 2).add(1, out=[[1, 2], [3, 4]])


def test_an_operand_that_changes_the_other_while_it_is_converted():
    matrix = Matrix(5, 5, 1.0)

    class Number:
        def __float__(self):
            matrix.transpose(in_place=True)
            matrix[0] = 3.0
            return 2.0

    assert_same(matrix * Number(), np.array([[6.0] * 5] + [[2.0] * 5] * 4))
