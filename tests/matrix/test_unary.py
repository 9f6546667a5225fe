"""Every row of unary.def, and clip, against NumPy."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import ELEMENTS, arrays, as_array, assert_same, assert_ulps, fewer, operands

EXACT = {
    "negate": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "reciprocal": np.reciprocal,
    "square": np.square,
    "sqrt": np.sqrt,
    "ceil": np.ceil,
    "floor": np.floor,
    "trunc": np.trunc,
    "round": np.rint,
    "relu": lambda x: np.maximum(x, 0.0),
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "logical_not": np.logical_not,
}


def sigmoid(x):
    e = np.exp(-abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


CLOSE = {
    "cbrt": np.cbrt,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
}
# What the functions find difficult: results that overflow, vanish or are denormal, poles, and
# arguments far from zero. And values of the size that most of them are used with.
DIFFICULT = st.one_of(
    ELEMENTS,
    st.floats(-750, 750),
    st.floats(-1.25, 1.25),
    st.floats(-1e-300, 1e-300),
    st.floats(-1100, -700),
)


def expect(function, *values):
    with np.errstate(all="ignore"):
        return function(*values)


@pytest.mark.parametrize("name", EXACT)
@fewer(3)
@given(data=st.data(), array=arrays())
def test_exact_ones_agree_bit_for_bit(name, data, array):
    assert_same(getattr(data.draw(operands(array)), name)(), expect(EXACT[name], array))


@pytest.mark.parametrize("name", CLOSE)
@fewer(3)
@given(data=st.data(), array=arrays(elements=DIFFICULT))
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
@fewer(6)
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


def test_roots_next_to_the_middle_between_two_doubles():
    # The odd t whose squares are 1, 9, 17 ... modulo 2^57: half of t lies in the middle between
    # two doubles, and its square next to one.
    squares = []
    for rest in range(1, 801, 8):
        t = 1
        for bit in range(3, 58):
            t += (t * t - rest >> bit & 1) << (bit - 1)
        for middle in (t % 2**54, -t % 2**54, (t + 2**56) % 2**54, t % 2**54 | 2**53):
            squares += [float(middle * middle + away) for away in (-rest, 0, 2**53, -(2**54))]
    x = abs(np.array([squares]))
    x = np.concatenate([np.nextafter(x, 0), x, np.nextafter(x, np.inf)])
    for scale in (1.0, 0.5, 2.0**-900, 2.0**-990, 2.0**650, 2.0**700):
        assert_same(Matrix(x * scale).sqrt(), np.sqrt(x * scale))
    assert_same(Matrix(-x).sqrt(), expect(np.sqrt, -x))


@pytest.mark.parametrize("name", CLOSE)
def test_whole_ranges_agree_within_4_ulp(name):
    x = np.concatenate(
        [
            np.linspace(-1.5, 1.5, 3001),
            np.linspace(-760, 760, 4001),
            np.geomspace(5e-324, 1.7e308, 4001),
            -np.geomspace(5e-324, 1.7e308, 4001),
            np.nextafter([1.0, -1.0, 0.5, 709.78, -745.13, np.pi, np.pi / 2], 0),
        ]
    ).reshape(1, -1)
    expected = expect(lambda v: CLOSE[name](v.astype(np.longdouble)).astype(np.float64), x)
    assert_ulps(getattr(Matrix(x), name)(), expected, 4)


@pytest.mark.parametrize("name", CLOSE)
def test_signs_of_zero_are_kept(name):
    zeros = np.array([[0.0, -0.0]])
    assert_same(getattr(Matrix(zeros), name)(), expect(CLOSE[name], zeros))


@pytest.mark.parametrize("name", CLOSE)
@given(array=arrays(elements=DIFFICULT))
def test_a_value_does_not_depend_on_where_it_stands(name, array):
    alone = [getattr(Matrix(1, 1, x), name)().x for x in array.flat]
    assert_same(getattr(Matrix(array), name)(), np.array(alone).reshape(array.shape))
    assert_same(getattr(Matrix(array).T, name)().T, np.array(alone).reshape(array.shape))


@given(
    data=st.data(),
    array=arrays(),
    decimals=st.one_of(st.integers(-12, 25), st.sampled_from([-999, -310, 310, 400])),
)
def test_round_to_decimals_agrees_with_numpy(data, array, decimals):
    matrix = data.draw(operands(array))
    expected = expect(np.round, array, decimals)
    assert_same(matrix.round(decimals), expected)
    assert_same(matrix.round(decimals=decimals, in_place=True), expected)
    assert_same(matrix, expected)


def test_round_takes_a_whole_number_of_decimals():
    matrix = Matrix(1, 4, [0.5, 1.5, 2.5, 1234.5678])
    assert matrix.round().tolist() == [[0, 2, 2, 1235]]
    assert matrix.round(3).w == 1234.568
    with pytest.raises(OverflowError):
        matrix.round(10**30)
    for wrong in (1.5, "1", True, None):
        with pytest.raises(TypeError, match="decimals"):
            matrix.round(wrong)
    with pytest.raises(ValueError, match="not both"):
        matrix.round(2, in_place=True, out=matrix)


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
