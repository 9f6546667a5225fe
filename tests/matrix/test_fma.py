"""fma rounds once, scaled_add twice."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from bocmat import Matrix
from support.matrices import ELEMENTS, LENGTHS, as_array, assert_same, operands


@st.composite
def threes(draw: st.DrawFn, elements: st.SearchStrategy[float] = ELEMENTS) -> list[np.ndarray]:
    """Draw three arrays that broadcast together."""
    rows, columns = draw(LENGTHS), draw(LENGTHS)
    sizes = st.tuples(st.sampled_from([rows, rows, 1]), st.sampled_from([columns, columns, 1]))
    return [draw(nps.arrays(np.float64, draw(sizes), elements=elements)) for _ in range(3)]


def rounded_once(x: float, y: float, z: float) -> float:
    """Give x * y + z as a fraction gives it; what is not finite, as floats do."""
    if not np.isfinite([x, y, z]).all():
        finite = np.isfinite([x, y]).all()
        return z if finite else x * y + z  # an infinite sum of finite ones is no infinity
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact == 0:
        return x * y + z if x == 0 or y == 0 else 0.0
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")


def fused(arrays):
    with np.errstate(all="ignore"):
        return np.vectorize(rounded_once, otypes=[np.float64])(*arrays)


def twice(x, s, y):
    with np.errstate(all="ignore"):
        return x + s * y


METHODS = {"fma": fused, "scaled_add": lambda arrays: twice(*arrays)}


def expected_of(name, arrays):
    if any(array.size == 0 for array in arrays):
        return np.empty(np.broadcast_shapes(*(array.shape for array in arrays)))
    return METHODS[name](arrays)


@pytest.mark.parametrize("name", METHODS)
@given(data=st.data(), arrays=threes())
def test_rounding(name, data, arrays):
    first, second, third = (data.draw(operands(array)) for array in arrays)
    expected = expected_of(name, arrays)
    found = getattr(first, name)(second, third)
    assert_same(found, expected)
    out = data.draw(st.sampled_from([first, second, third, Matrix.empty(expected.shape)]))
    before = as_array(out)
    if out.shape == expected.shape:
        assert getattr(first, name)(second, third, out=out) is out
        assert_same(out, expected)
    else:
        with pytest.raises(ValueError, match=f"{name}.*the result has the shape"):
            getattr(first, name)(second, third, out=out)
        assert_same(out, before)


@pytest.mark.parametrize("name", METHODS)
@given(arrays=threes(), number=ELEMENTS)
def test_numbers_and_in_place(name, arrays, number):
    constant = np.full((1, 1), number)
    first, second = arrays[:2]
    matrix = Matrix(first)
    call = getattr(matrix, name)
    assert_same(call(number, Matrix(second)), expected_of(name, [first, constant, second]))
    assert_same(call(Matrix(second), number), expected_of(name, [first, second, constant]))
    expected = expected_of(name, [first, constant, constant])
    assert_same(call(number, number), expected)
    assert call(number, number, in_place=True) is matrix
    assert_same(matrix, expected)


@given(arrays=threes())
def test_scaled_add_gives_the_bits_of_the_operators(arrays):
    first, scale, other = (Matrix(array) for array in arrays)
    assert_same(first.scaled_add(scale, other), as_array(first + scale * other))


def test_what_does_not_fit():
    matrix = Matrix(2, 2, 1.0)
    for name in METHODS:
        call = getattr(matrix, name)
        with pytest.raises(ValueError, match=r"\(2, 2\), \(1, 3\) and \(1, 1\)"):
            call([1, 2, 3], 0)
        with pytest.raises(TypeError, match="str"):
            call("a", 0)
        with pytest.raises(TypeError, match="complex"):
            call(0, 1j)
        with pytest.raises(TypeError, match="misses"):
            call(1)
        with pytest.raises(ValueError, match="not both"):
            call(1, 2, in_place=True, out=matrix)
        with pytest.raises(ValueError, match="the result has the shape"):
            Matrix(1, 2).scaled_add(matrix, 1, in_place=True)
    assert matrix.tolist() == [[1, 1], [1, 1]]
    assert matrix.fma(b=3, c=4).tolist() == [[7, 7], [7, 7]]
    assert matrix.scaled_add(s=3, x=4).tolist() == [[13, 13], [13, 13]]
