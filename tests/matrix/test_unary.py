"""Every row of unary.def, and clip, against NumPy."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import ELEMENTS, arrays, as_array, assert_same, assert_ulps, operands

EXACT = {"negate": np.negative, "abs": np.abs, "sqrt": np.sqrt}
CLOSE = {"exp": np.exp, "log": np.log}


def expect(function, *values):
    with np.errstate(all="ignore"):
        return function(*values)


@pytest.mark.parametrize("name", EXACT)
@given(data=st.data(), array=arrays())
def test_exact_ones_agree_bit_for_bit(name, data, array):
    assert_same(getattr(data.draw(operands(array)), name)(), expect(EXACT[name], array))


@pytest.mark.parametrize("name", CLOSE)
@given(data=st.data(), array=arrays())
def test_transcendental_ones_agree_within_4_ulp(name, data, array):
    # NumPy's own error is below 1 ULP; long double leaves none to speak of.
    expected = expect(lambda x: CLOSE[name](x.astype(np.longdouble)).astype(np.float64), array)
    assert_ulps(getattr(data.draw(operands(array)), name)(), expected, 4)


@given(array=arrays())
def test_operators(array):
    matrix = Matrix(array)
    assert_same(-matrix, -array)
    assert_same(abs(matrix), abs(array))
    positive = +matrix
    assert_same(positive, array)
    assert positive is not matrix
    assert_same(operator.neg(matrix.view[...]), -array)


@pytest.mark.parametrize("name", [*EXACT, *CLOSE])
@given(data=st.data(), array=arrays())
def test_in_place_and_out_give_what_the_plain_call_gives(name, data, array):
    matrix = data.draw(operands(array))
    expected = as_array(getattr(matrix, name)())
    out = Matrix.empty(array.shape)
    assert getattr(matrix, name)(out=out) is out
    assert_same(out, expected)
    assert_same(matrix, array)
    assert getattr(matrix, name)(in_place=True) is matrix
    assert_same(matrix, expected)


def test_in_place_excludes_out_and_shapes_must_fit():
    matrix = Matrix(2, 2, [1, 4, 9, 16])
    with pytest.raises(ValueError, match="not both"):
        matrix.sqrt(in_place=True, out=matrix)
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(1, 4\)"):
        matrix.sqrt(out=Matrix(1, 4))
    with pytest.raises(TypeError, match="positional"):
        matrix.sqrt(True)
    with pytest.raises(TypeError, match="wrong"):
        matrix.sqrt(wrong=1)
    assert matrix.tolist() == [[1, 4], [9, 16]]


@given(data=st.data(), array=arrays(), low=ELEMENTS, high=ELEMENTS)
def test_clip_agrees_with_numpy(data, array, low, high):
    matrix = data.draw(operands(array))
    if high < low:
        with pytest.raises(ValueError, match="max is below min"):
            matrix.clip(low, high)
    else:
        found = as_array(matrix.clip(low, high))
        assert np.array_equal(found, expect(np.clip, array, low, high), equal_nan=True)
    assert np.array_equal(
        as_array(matrix.clip(min=low)), expect(np.maximum, array, low), equal_nan=True
    )
    assert np.array_equal(
        as_array(matrix.clip(max=high)), expect(np.minimum, array, high), equal_nan=True
    )


def test_clip_bounds():
    matrix = Matrix(2, 3, [1, 2, 3, 4, 5, 6])
    assert matrix.clip([2, 3, 4], None).tolist() == [[2, 3, 4], [4, 5, 6]]
    assert matrix.clip(Matrix(2, 1, [3, 5]), 5).tolist() == [[3, 3, 3], [5, 5, 5]]
    assert matrix.clip(2, 5, in_place=True) is matrix
    assert matrix.tolist() == [[2, 2, 3], [4, 5, 5]]
    with pytest.raises(ValueError, match="min, max or both"):
        matrix.clip()
    with pytest.raises(ValueError, match="do not fit"):
        matrix.clip([1, 2], None)
    with pytest.raises(ValueError, match="do not fit"):
        Matrix(1, 3).clip(Matrix(2, 3), None)
    with pytest.raises(TypeError, match="str"):
        matrix.clip("a")
