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
    assert_ulps,
    fewer,
    operands,
    pairs,
)

METHODS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "copysign": np.copysign,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
OPERATORS = {
    operator.add: operator.iadd,
    operator.sub: operator.isub,
    operator.mul: operator.imul,
    operator.truediv: operator.itruediv,
    operator.floordiv: operator.ifloordiv,
    operator.mod: operator.imod,
}
CLOSE = {"power": np.power, "hypot": np.hypot, "arctan2": np.arctan2}
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
@fewer(3)
@given(data=st.data(), values=pairs())
def test_method_agrees_with_numpy(name, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    assert_agrees(name, getattr(left, name)(right), expect(METHODS[name], *values))


@pytest.mark.parametrize("function", OPERATORS)
@fewer(3)
@given(data=st.data(), values=pairs())
def test_operator_agrees_with_numpy(function, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    assert_same(function(left, right), expect(function, *values))


@pytest.mark.parametrize("function", OPERATORS)
@fewer(3)
@given(array=arrays(), number=st.one_of(ELEMENTS, st.integers(-(10**9), 10**9), st.booleans()))
def test_scalars_on_either_side(function, array, number):
    matrix = Matrix(array)
    assert_same(function(matrix, number), expect(function, array, float(number)))
    assert_same(function(number, matrix), expect(function, float(number), array))
    assert_same(function(np.float64(number), matrix), expect(function, float(number), array))


@pytest.mark.parametrize("function", OPERATORS)
@fewer(3)
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
@fewer(3)
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
@fewer(4)
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
        with pytest.raises(ValueError, match="the result has the shape"):
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


MAGNITUDES = st.one_of(
    ELEMENTS,
    st.floats(-30, 30),
    st.integers(-40, 40).map(float),
    st.floats(-1e-300, 1e-300),
    st.sampled_from([0.5, -0.5, 1e160, -1e160, 1e-170]),
)


def close(name, *values):
    """Give NumPy's answer for long doubles, whose own error counts for nothing."""
    wide = (value.astype(np.longdouble) for value in values)
    with np.errstate(all="ignore"):
        return CLOSE[name](*wide).astype(np.float64)


@pytest.mark.parametrize("name", CLOSE)
@given(data=st.data(), values=pairs(MAGNITUDES))
def test_mathematical_ones_agree_within_4_ulp(name, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    expected = close(name, *values)
    found = getattr(left, name)(right)
    assert_ulps(found, expected, 4)
    out = Matrix.empty(expected.shape)
    assert getattr(left, name)(right, out=out) is out
    assert_same(out, as_array(found))


POWERS = st.one_of(MAGNITUDES, st.sampled_from([2.0, -1.0, 0.5, 0.0, 1.0, 3.0]))


@given(data=st.data(), values=pairs(MAGNITUDES), exponent=POWERS)
def test_power_operator(data, values, exponent):
    left, right = (data.draw(operands(value)) for value in values)
    assert_same(left**right, as_array(left.power(right)))
    number = np.full((1, 1), exponent)
    assert_ulps(left**exponent, close("power", values[0], number), 4)
    assert_ulps(exponent**left, close("power", number, values[0]), 4)
    assert_same(left**exponent, as_array(left.power(exponent)))
    expected = as_array(left**exponent)
    same = left
    same **= exponent
    assert same is left
    assert_same(left, expected)


def test_power_takes_no_third_argument():
    matrix = Matrix(2, 2, 3.0)
    assert pow(matrix, 2).tolist() == [[9, 9], [9, 9]]
    for arguments in ((matrix, 2, 5), (2, matrix, 5), (2, 3, matrix)):
        with pytest.raises(TypeError, match="pow"):
            pow(*arguments)
    with pytest.raises(TypeError):
        matrix ** "a"


@given(data=st.data(), values=pairs())
def test_divmod_gives_quotient_and_remainder(data, values):
    left, right = (data.draw(operands(value)) for value in values)
    quotient, rest = divmod(left, right)
    expected = expect(np.divmod, *values)
    assert_same(quotient, expected[0])
    assert_same(rest, expected[1])


def test_divmod_of_what_does_not_fit():
    matrix = Matrix([[7, -7]])
    assert [part.tolist() for part in divmod(matrix, 2)] == [[[3, -4]], [[1, 1]]]
    assert [part.tolist() for part in divmod(20, matrix)] == [[[2, -3]], [[6, -1]]]
    with pytest.raises(TypeError, match="divmod"):
        divmod(matrix, "a")
    with pytest.raises(ValueError, match="do not fit"):
        divmod(matrix, [1, 2, 3])


@given(values=pairs(st.one_of(st.integers(-50, 50).map(float), st.floats(-1e18, 1e18), ELEMENTS)))
def test_floor_division_of_everyday_numbers(values):
    left, right = (Matrix(value) for value in values)
    assert_same(left // right, expect(np.floor_divide, *values))
    assert_same(left % right, expect(np.remainder, *values))
    tenths = values[0] * 0.1
    assert_same(Matrix(tenths) // 0.1, expect(np.floor_divide, tenths, 0.1))
    assert_same(Matrix(tenths) % 0.1, expect(np.remainder, tenths, 0.1))


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
