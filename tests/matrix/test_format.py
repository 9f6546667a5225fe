"""repr evaluates back, str is for people, format takes what floats take."""

from __future__ import annotations

import io
import locale

import numpy as np
import pytest
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


@given(
    array=arrays(SMALL, SMALL), spec=st.sampled_from([".2f", "10.3e", "+g", "", ">12", "\u00e9^9"])
)
def test_format_applies_to_every_element(array, spec):
    text = format(Matrix(array), spec)
    if not spec:
        assert text == str(Matrix(array))
        return
    words = text.replace("[", " ").replace("]", " ").split()
    assert words == [format(value, spec).strip() for value in array.ravel().tolist()]
    assert len({len(line.strip("[]")) for line in text[1:].split("\n ")}) <= 1


def test_format_aligns_columns():
    matrix = Matrix(2, 2, [1, 2.5, -3, 40])
    assert f"{matrix:.2f}" == "[[ 1.00  2.50]\n [-3.00 40.00]]"
    assert f"{matrix.view[0]:g}" == "[[  1 2.5]]"
    assert f"{Matrix(300, 300):.1f}".splitlines()[0] == "[[0.0 0.0 0.0 ... 0.0 0.0 0.0]"
    assert f"{Matrix(1, 1, 1234567):,}" == "[[1,234,567.0]]"


def test_a_wrong_format_is_refused():
    for matrix in (Matrix(1, 1), Matrix(0, 0), Matrix(300, 300)):
        with pytest.raises(ValueError, match=r"format"):
            format(matrix, "z!")
        with pytest.raises(ValueError, match=r"format"):
            format(matrix, "d")
    with pytest.raises(TypeError):
        Matrix(1, 1).__format__(3)


def test_few_columns_and_many_rows():
    assert str(Matrix(10**6, 0)) == "[[]\n []\n []\n ...\n []\n []\n []]"
    assert len(str(Matrix(0, 10**6))) < 60
    assert str(Matrix(401, 1)).splitlines()[3] == " ..."
    assert str(Matrix(3, 1, [1, 2, 3])) == "[[1]\n [2]\n [3]]"


def test_digits_do_not_depend_on_the_locale():
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
        except locale.Error:
            continue
        file = io.StringIO()
        Matrix(1, 1, 2.5).savetxt(file)
        assert (str(Matrix(1, 1, 2.5)), repr(Matrix(1, 1, 2.5))) == (
            "[[2.5]]",
            "Matrix(1, 1, [2.5])",
        )
        assert file.getvalue() == "2.5\n"
        assert Matrix.loadtxt(io.StringIO("2.5")).item() == 2.5
    locale.setlocale(locale.LC_NUMERIC, before)


def test_special_values_evaluate_back():
    array = np.array([[np.nan, np.inf, -np.inf, -0.0, 0.0, 1e16, 1e15, 123456789.0, 5e-324]])
    text = repr(Matrix(array))
    assert text.startswith(
        "Matrix(1, 9, [float('nan'), float('inf'), float('-inf'), -0.0, 0, 1e+16"
    )
    assert_same(eval(text), array)
