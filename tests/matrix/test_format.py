"""repr evaluates back, str is for people."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import arrays, as_array, assert_same

SMALL = st.sampled_from([0, 1, 2, 3, 5])


@given(array=arrays(SMALL, SMALL))
def test_short_ones_evaluate_back_exactly(array):
    assert_same(eval(repr(Matrix(array))), array)
    assert_same(eval(repr(Matrix(array.T).T)), array)


def test_long_ones_are_cut():
    text = repr(Matrix.arange(1000))
    assert text == "Matrix(1, 1000, [0, 1, 2, ..., 997, 998, 999])"
    assert len(str(Matrix.arange(10_000))) < 200
    assert len(str(Matrix(300, 300)).splitlines()) == 7
    assert str(Matrix(300, 300)).count("...") == 7


def test_str():
    assert str(Matrix(2, 2, [1, 2.5, -3, 4])) == "[[  1 2.5]\n [ -3   4]]"
    assert str(Matrix(0, 0)) == "[]"
    assert f"{Matrix(1, 2, [1, 2])}" == "[[1 2]]"
    assert str(Matrix(1, 2, [1 / 3, 2]).view[0]) == "[[0.333333        2]]"


def test_views_say_so():
    matrix = Matrix(2, 2, [1, 2, 3, 4])
    assert repr(matrix.view[0]) == "MatrixView(1, 2, [1, 2])"
    assert as_array(matrix.view[0]).tolist() == [[1, 2]]
