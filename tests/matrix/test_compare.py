"""Comparisons, masks and the questions that have one answer."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import ELEMENTS, arrays, assert_same, operands, pairs

COMPARISONS = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}


@pytest.mark.parametrize("name", COMPARISONS)
@given(data=st.data(), values=pairs(st.sampled_from([0.0, -0.0, 1.0, 2.0, np.nan, np.inf])))
def test_comparisons_agree_with_numpy(name, data, values):
    left, right = (data.draw(operands(value)) for value in values)
    expected = COMPARISONS[name](*values).astype(np.float64)
    assert_same(COMPARISONS[name](left, right), expected)
    assert_same(getattr(left, name)(right), expected)
    out = Matrix.empty(expected.shape)
    assert getattr(left, name)(right, out=out) is out
    assert_same(out, expected)


@pytest.mark.parametrize("name", COMPARISONS)
@given(array=arrays(), number=ELEMENTS)
def test_scalars_on_either_side(name, array, number):
    function = COMPARISONS[name]
    assert_same(function(Matrix(array), number), function(array, number))
    assert_same(function(number, Matrix(array)), function(number, array))


def test_foreign_types_and_shapes():
    matrix = Matrix(2, 2)
    assert (matrix == "text") is False
    assert (matrix != None) is True  # noqa: E711
    with pytest.raises(TypeError):
        matrix < "text"  # noqa: B015
    with pytest.raises(TypeError, match="str"):
        matrix.less("text")
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(3, 2\)"):
        matrix == Matrix(3, 2)  # noqa: B015


@pytest.mark.parametrize("shape", [(0, 0), (1, 2), (2, 1), (3, 4)])
def test_truth_of_several_elements_is_ambiguous(shape):
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Matrix.ones(shape))


def test_truth_of_one_element():
    assert bool(Matrix(1, 1, 2.0))
    assert not Matrix(1, 1, -0.0)
    assert bool(Matrix(1, 1, float("nan")))


@given(data=st.data(), values=pairs(), number=ELEMENTS)
def test_where_agrees_with_numpy(data, values, number):
    left, right = (data.draw(operands(value)) for value in values)
    with np.errstate(invalid="ignore"):
        mask = values[0] < values[1]
    assert_same(Matrix.where(left < right, left, right), np.where(mask, *values))
    assert_same(Matrix.where(left < right, number, right), np.where(mask, number, values[1]))
    out = left < right
    assert Matrix.where(out, left, number, out=out) is out
    assert_same(out, np.where(mask, values[0], number))


def test_where_takes_nan_for_true_and_names_shapes():
    assert Matrix.where([float("nan"), 0, -0.0, 2], 1, 0).tolist() == [[1, 0, 0, 1]]
    with pytest.raises(ValueError, match=r"\(1, 2\), \(1, 3\) and \(1, 1\)"):
        Matrix.where([1, 0], [1, 2, 3], 0)
    with pytest.raises(TypeError, match="str"):
        Matrix.where([1, 0], "a", 0)


@given(values=pairs(st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-9, 1.1, np.nan, np.inf, -np.inf])))
@pytest.mark.parametrize("equal_nan", [False, True])
def test_one_answer_for_all_agrees_with_numpy(equal_nan, values):
    left, right = (Matrix(value) for value in values)
    assert Matrix.allclose(left, right, equal_nan=equal_nan) == np.allclose(
        *values, equal_nan=equal_nan
    )
    assert Matrix.array_equal(left, right, equal_nan=equal_nan) == np.array_equal(
        *values, equal_nan=equal_nan
    )
    assert Matrix.array_equal(left, left.copy(), equal_nan=True)


def test_tolerances():
    assert not Matrix.allclose([1.0], [1.1])
    assert Matrix.allclose([1.0], [1.1], rtol=0.2)
    assert Matrix.allclose([1.0], [1.1], 0, 0.2)
    assert not Matrix.array_equal(Matrix(1, 2), Matrix(2, 1))


def test_a_matrix_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Matrix(1, 1))
