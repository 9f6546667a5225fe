"""Reductions against NumPy and, for sums, against the exact result."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, FINITE, arrays, as_array, assert_same, operands


def expect(function, array, axis):
    with np.errstate(all="ignore"):
        return function(array, axis=axis, keepdims=axis is not None)


@given(data=st.data(), array=arrays(elements=FINITE), axis=AXES)
def test_sum_and_mean_are_as_near_as_pairwise_sums(data, array, axis):
    matrix = data.draw(operands(array))
    count = array.size if axis is None else array.shape[axis]
    groups = {None: [array.ravel()], 0: array.T, 1: array}[axis if axis is None else axis % 2]
    exact = np.array([math.fsum(group) for group in groups])
    # Pairwise: an error of eps for each of log2(n) levels, and a few for the loop at the leaves.
    bound = np.array([math.fsum(abs(group)) for group in groups])
    bound *= (math.log2(count + 1) + 4) * np.finfo(float).eps
    found = matrix.sum(axis)
    found = np.array([found]) if axis is None else as_array(found).ravel()
    assert found.shape == exact.shape
    assert (np.abs(found - exact) <= bound).all()
    if array.size:
        mean = matrix.mean(axis)
        mean = np.array([mean]) if axis is None else as_array(mean).ravel()
        assert (np.abs(mean - exact / count) <= bound / count + 1e-300).all()


@pytest.mark.parametrize("name", ["sum", "mean"])
@given(array=arrays(elements=st.sampled_from([1.0, -2.0, np.nan, np.inf, -np.inf])), axis=AXES)
def test_sum_and_mean_of_what_is_not_finite(name, array, axis):
    if not array.size:
        return
    expected = expect(getattr(np, name), array, axis)
    found = getattr(Matrix(array), name)(axis)
    found = np.float64(found) if axis is None else as_array(found)
    assert np.allclose(found, expected, equal_nan=True)


@pytest.mark.parametrize("name", ["min", "max", "argmin", "argmax"])
@given(data=st.data(), array=arrays(), axis=AXES)
def test_extremes_agree_with_numpy(name, data, array, axis):
    matrix = data.draw(operands(array))
    if not array.size:
        with pytest.raises(ValueError, match="empty"):
            getattr(matrix, name)(axis)
        return
    found, expected = getattr(matrix, name)(axis), expect(getattr(np, name), array, axis)
    if axis is None:
        assert np.array_equal(found, expected, equal_nan=True)
        assert type(found) is (int if name.startswith("arg") else float)
    elif name.startswith("arg"):
        assert found == expected.ravel().tolist()
        assert_same(getattr(matrix, name)(axis, as_matrix=True), expected)
    else:
        assert np.array_equal(as_array(found), expected, equal_nan=True)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_has_a_sum_and_no_mean(shape):
    matrix = Matrix(*shape)
    assert matrix.sum() == 0.0
    assert_same(matrix.sum(0), np.zeros((1, shape[1])))
    assert_same(matrix.sum(1), np.zeros((shape[0], 1)))
    for axis in (None, 0, 1):
        with pytest.raises(ValueError, match=rf"{shape[0]}, {shape[1]}"):
            matrix.mean(axis)


@pytest.mark.parametrize("name", ["sum", "mean", "min", "max", "argmin", "argmax"])
@pytest.mark.parametrize("axis", [2, -3, True, "a", 0.0])
def test_other_axes_raise(name, axis):
    with pytest.raises((ValueError, TypeError), match="axis"):
        getattr(Matrix(2, 2), name)(axis)


def test_large_ones_run_without_the_lock_and_agree():
    array = np.arange(400.0 * 300).reshape(400, 300) % 977
    matrix = Matrix(array)
    for name in ("sum", "min", "max"):
        assert getattr(matrix, name)() == getattr(np, name)(array)
        assert_same(getattr(matrix, name)(0), getattr(np, name)(array, axis=0, keepdims=True))
        assert_same(getattr(matrix.T, name)(0), getattr(np, name)(array.T, axis=0, keepdims=True))
    assert matrix.argmax() == array.argmax()
    assert matrix.argmin(1) == array.argmin(1).tolist()
