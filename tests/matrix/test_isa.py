"""The kernels' instruction sets, chosen one after the other: the answers are the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix, _core
from support.matrices import ELEMENTS, arrays, as_array, assert_same, assert_ulps, fewer, pairs

SETS = ["plain", "avx2", "avx512"]
ONE = (
    "negate abs sign reciprocal square sqrt ceil floor trunc round relu isnan isinf isfinite"
    " logical_not"
)
TWO = (
    "add subtract multiply divide floor_divide remainder copysign logical_and logical_or"
    " logical_xor minimum maximum less less_equal greater greater_equal equal not_equal"
)
MATHEMATICAL = (
    "cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh"
)
NUMBERS = st.one_of(ELEMENTS, st.floats(-50, 50), st.integers(-9, 9).map(float))


@pytest.fixture(scope="module", autouse=True)
def original() -> Iterator[str]:
    kept = _core._isa()
    yield kept
    assert _core._select_isa(kept)


def on_each(call) -> list[np.ndarray]:
    """Give what a call gives on each instruction set that the machine has."""
    return [as_array(call()) for name in SETS if _core._select_isa(name)]


def assert_one_answer(call):
    first, *others = on_each(call)
    for other in others:
        assert_same(Matrix(other), first)


def test_selecting_answers_whether_it_is_to_be_had(original):
    assert original in SETS
    assert _core._select_isa("plain")
    assert _core._isa() == "plain"
    assert not _core._select_isa("none of these")
    assert _core._isa() == "plain"
    with pytest.raises(TypeError):
        _core._select_isa(1)


@pytest.mark.parametrize("name", ONE.split())
@fewer(5)
@given(array=arrays(elements=NUMBERS))
def test_one_operand(name, array):
    assert_one_answer(getattr(Matrix(array), name))


@pytest.mark.parametrize("name", TWO.split())
@fewer(5)
@given(values=pairs(NUMBERS))
def test_two_operands(name, values):
    left, right = (Matrix(value) for value in values)
    assert_one_answer(lambda: getattr(left, name)(right))


@given(values=pairs(NUMBERS), low=NUMBERS, high=NUMBERS)
def test_three_operands(values, low, high):
    left, right = (Matrix(value) for value in values)
    assert_one_answer(lambda: left.fma(right, low))
    assert_one_answer(lambda: left.scaled_add(low, right))
    assert_one_answer(lambda: Matrix.where(left, right, low))
    assert_one_answer(lambda: left.round(3))
    if low <= high:
        assert_one_answer(lambda: left.clip(low, high))


@pytest.mark.parametrize("name", MATHEMATICAL.split())
@fewer(4)
@given(array=arrays(elements=st.one_of(NUMBERS, st.floats(-750, 750), st.floats(-1, 1))))
def test_mathematical_functions_are_within_4_ulp_on_each(name, array):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array.astype(np.longdouble)).astype(np.float64)
    for found in on_each(getattr(Matrix(array), name)):
        assert_ulps(Matrix(found), expected, 4)


@pytest.mark.parametrize("name", ["power", "hypot", "arctan2"])
@fewer(2)
@given(values=pairs(NUMBERS))
def test_mathematical_functions_of_two_are_within_4_ulp_on_each(name, values):
    left, right = (Matrix(value) for value in values)
    with np.errstate(all="ignore"):
        wide = getattr(np, name)(*(value.astype(np.longdouble) for value in values))
        expected = wide.astype(np.float64)
    for found in on_each(lambda: getattr(left, name)(right)):
        assert_ulps(Matrix(found), expected, 4)


@given(array=arrays(elements=st.one_of(NUMBERS, st.floats(-750, 750))))
def test_sigmoid_is_within_4_ulp_on_each(array):
    wide = array.astype(np.longdouble)
    with np.errstate(all="ignore"):
        e = np.exp(-abs(wide))
        expected = (np.where(wide < 0, e, 1) / (1 + e)).astype(np.float64)
    for found in on_each(Matrix(array).sigmoid):
        assert_ulps(Matrix(found), expected, 4)
