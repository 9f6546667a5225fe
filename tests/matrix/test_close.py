"""array_equal and allclose: every layout and length, and each place where two may differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import SPECIAL, arrays, dressed, operands

KINDS = ["own", "transposed", "view", "stepped", "reversed"]
SHAPES = [(2, 2), (1, 33), (3, 5), (40, 1), (7, 9), (3, 600), (600, 3)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_one_element_decides(kind, shape):
    array = np.random.default_rng(0).random(shape) + 1.0
    flat = Matrix(array)
    for place in {0, 1, array.size // 2, array.size - 2, array.size - 1}:
        other = array.copy()
        other.flat[place] *= 1.0 + 1e-7
        near = dressed(other, kind)
        assert not Matrix.array_equal(flat, near)
        assert not Matrix.array_equal(near, flat, equal_nan=True)
        assert Matrix.allclose(flat, near)
        assert not Matrix.allclose(near, flat, rtol=1e-9, atol=0.0)
        other.flat[place] = np.nan
        nan = dressed(other, kind)
        assert not Matrix.array_equal(nan, nan)
        assert not Matrix.allclose(nan, nan)
        assert Matrix.array_equal(nan, Matrix(other), equal_nan=True)
        assert Matrix.allclose(nan, Matrix(other), equal_nan=True)
        assert not Matrix.allclose(nan, flat, equal_nan=True)
    assert Matrix.array_equal(flat, dressed(array, kind))


@given(
    data=st.data(),
    array=arrays(elements=st.sampled_from([*SPECIAL, 1.0, 1.0 + 1e-9])),
    nan=st.booleans(),
)
def test_agree_with_numpy(data, array, nan):
    other = array.copy()
    if array.size:
        place = data.draw(st.integers(0, array.size - 1))
        other.flat[place] = data.draw(st.sampled_from([*SPECIAL, other.flat[place]]))
    left, right = data.draw(operands(array)), data.draw(operands(other))
    assert Matrix.array_equal(left, right, equal_nan=nan) == np.array_equal(
        array, other, equal_nan=nan
    )
    with np.errstate(all="ignore"):
        expected = np.allclose(array, other, 1e-6, 1e-9, equal_nan=nan)
    assert Matrix.allclose(left, right, 1e-6, 1e-9, equal_nan=nan) == expected


@given(array=arrays(elements=st.sampled_from([0.0, 1.0, 2.0])), row=st.sampled_from([0.0, 1.0]))
def test_close_spreads_rows_and_columns(array, row):
    for other in (np.full((1, array.shape[1]), row), np.full((array.shape[0], 1), row), row):
        assert Matrix.allclose(array, other) == np.allclose(array, other)
