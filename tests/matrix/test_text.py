"""Text files: digits that read back exactly, and errors that name their line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import arrays, as_array, assert_same, operands

DELIMITERS = st.sampled_from([" ", ",", "\t", ";", ", ", " | "])


@given(data=st.data(), array=arrays(), delimiter=DELIMITERS)
def test_what_is_written_reads_back_exactly(data, array, delimiter):
    matrix = data.draw(operands(array))
    text, binary = io.StringIO(), io.BytesIO()
    matrix.savetxt(text, delimiter)
    matrix.savetxt(binary, delimiter=delimiter)
    assert text.getvalue().encode() == binary.getvalue()
    assert text.getvalue().count("\n") == array.shape[0]
    if array.size:
        assert_same(Matrix.loadtxt(io.StringIO(text.getvalue()), delimiter), array)
        assert_same(Matrix.loadtxt(io.BytesIO(binary.getvalue()), delimiter), array)
        if len(delimiter) == 1:
            file = io.StringIO(text.getvalue())
            assert_same(Matrix(np.loadtxt(file, delimiter=delimiter, ndmin=2)), array)


@given(values=st.lists(st.floats(), min_size=1, max_size=30), spec=st.sampled_from("rge"))
def test_numbers_are_read_as_float_reads_them(values, spec):
    texts = [repr(v) if spec == "r" else f"{v:.{n % 25}{spec}}" for n, v in enumerate(values)]
    found = Matrix.loadtxt(io.StringIO(" ".join(texts)))
    assert_same(found, [[float(text) for text in texts]])


@given(
    whole=st.text("0123456789", max_size=25),
    part=st.text("0123456789", max_size=25),
    exponent=st.none() | st.integers(-400, 400),
    sign=st.sampled_from(["", "-", "+"]),
)
def test_digits_of_any_number(whole, part, exponent, sign):
    text = f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
    if not (whole or part):
        text += "0"
    if exponent is not None:
        text += f"e{exponent}"
    assert_same(Matrix.loadtxt(io.StringIO(text)), [[float(text)]])


# Halfway between two doubles, just above and just below: the last rounding decides.
@pytest.mark.parametrize(
    "text",
    [
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740993.0000000000001",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.0000000000000001110223",
        "1.0000000000000001110224",
        "18446744073709551615",
        "9999999999999999999",
        "1152921504606847231e5",
        "2.2250738585072011e-308",
        "2.4703282292062328e-324",
        "1.7976931348623159e308",
        "123456789012345678e-27",
        "5e-324",
        "1e400",
        "-1e-400",
    ],
)
def test_hard_roundings(text):
    assert as_array(Matrix.loadtxt(io.StringIO(text))).tolist() == [[float(text)]]


@given(mantissa=st.integers(0, 2**64 - 1), exponent=st.integers(-30, 30))
def test_every_short_number_is_rounded_once(mantissa, exponent):
    text = f"{mantissa}e{exponent}"
    assert Matrix.loadtxt(io.StringIO(text)).item() == float(text)


def test_special_values():
    found = Matrix.loadtxt(io.StringIO("nan -nan inf -inf Infinity NaN -0 -0.0 +5 .5 5. 1E3 1e+3"))
    assert [str(value) for value in found.values()] == [
        *["nan", "nan", "inf", "-inf", "inf", "nan", "-0.0", "-0.0", "5.0", "0.5", "5.0"],
        *["1000.0", "1000.0"],
    ]


TEXT = "head line\n# x y\n\n1 2 # one\r\n  3\t4  \r   \n5 6"


def test_comments_blank_lines_and_line_ends():
    expected = [[1, 2], [3, 4], [5, 6]]
    for text in (TEXT, TEXT + "\n", TEXT + "\n\n# end"):
        assert Matrix.loadtxt(io.BytesIO(text.encode()), skiprows=1).tolist() == expected
    assert Matrix.loadtxt(io.StringIO(TEXT), skiprows=4).tolist() == expected[1:]
    assert Matrix.loadtxt(io.StringIO(TEXT), skiprows=99).shape == (0, 0)
    assert Matrix.loadtxt(io.StringIO("")).shape == (0, 0)
    assert Matrix.loadtxt(io.StringIO("# only\n\n")).shape == (0, 0)
    assert Matrix.loadtxt(io.BytesIO(b"\xef\xbb\xbf1 2")).tolist() == [[1, 2]]
    assert Matrix.loadtxt(io.BytesIO("1 2 # größe".encode("latin1"))).tolist() == [[1, 2]]
    assert Matrix.loadtxt(io.StringIO("1 , 2,\t3 "), ",").tolist() == [[1, 2, 3]]
    assert Matrix.loadtxt(io.StringIO("1\n2\n3")).shape == (3, 1)
    assert Matrix.loadtxt(io.StringIO("1\t2\n3\t4"), "\t").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "options", "number", "quoted"),
    [
        ("1 2\n3 x\n", {}, 2, "3 x"),
        ("1 2\n\n# c\n3 4 5\n", {}, 4, "3 4 5"),
        ("head\n1 2\n3\n", {"skiprows": 1}, 3, "3"),
        ("1,2\n", {}, 1, "1,2"),
        ("1,2\n3,,4", {"delimiter": ","}, 2, "3,,4"),
        ("1,2\n3,", {"delimiter": ","}, 2, "3,"),
        ("1,2,\n3,4", {"delimiter": ","}, 1, "1,2,"),
        ("1\t\t2", {"delimiter": "\t"}, 1, "\\t\\t"),
        ("1 1_000", {}, 1, "1_000"),
        ("1 0x10", {}, 1, "0x10"),
        ("1 2j", {}, 1, "2j"),
        ("1 1e", {}, 1, "1e"),
        ("1 e5", {}, 1, "e5"),
        ("1 .", {}, 1, "."),
        ("1 -", {}, 1, "-"),
        ("1 --2", {}, 1, "--2"),
        ("1 2\r3 4\r5", {}, 3, "5"),
        ("1 2\n3 größe", {}, 2, "größe"),
        ("1 " + "9" * 300 + "x", {}, 1, "9..."),
    ],
)
def test_an_error_names_the_line(text, options, number, quoted):
    with pytest.raises(ValueError, match=rf"line {number}\b") as caught:
        Matrix.loadtxt(io.StringIO(text), **options)
    assert quoted in str(caught.value).replace("'...", "...")


@given(text=st.text("0123456789.,-+eE#\n\r \tnaif_x", max_size=60))
def test_any_text_is_read_as_numpy_would_or_refused(text):
    lines = [line.split("#")[0].split() for line in text.replace("\r", "\n").split("\n")]
    words = [line for line in lines if line]
    try:
        if any("_" in word for line in words for word in line):
            raise ValueError("float() takes underscores")
        expected = [[float(word) for word in line] for line in words]
        array = np.array(expected).reshape(len(expected), -1) if expected else np.zeros((0, 0))
    except ValueError:
        with pytest.raises(ValueError, match="line "):
            Matrix.loadtxt(io.StringIO(text))
    else:
        assert_same(Matrix.loadtxt(io.StringIO(text)), array)


def test_paths_and_compression(tmp_path):
    matrix = Matrix(3, 2, [0.1, 2, -3, 4e100, 5, math.inf])
    openers = {"a.txt": open, "b.gz": gzip.open, "c.bz2": bz2.open, "d.xz": lzma.open}
    for name, opener in openers.items():
        for make in (str, os.fsencode, lambda path: path):
            path = make(tmp_path / name)
            matrix.savetxt(path, ",")
            with opener(path, "rt") as file:
                assert file.read() == "0.1,2\n-3,4e+100\n5,inf\n"
            assert_same(Matrix.loadtxt(path, delimiter=","), np.asarray(matrix))
            assert_same(matrix, np.loadtxt(tmp_path / name, delimiter=","))
    with pytest.raises(FileNotFoundError):
        Matrix.loadtxt(tmp_path / "nothing")
    with open(tmp_path / "a.txt") as file:
        assert_same(Matrix.loadtxt(file, ","), np.asarray(matrix))
        assert not file.closed


def test_many_rows_are_written_in_pieces():
    for shape in ((50_000, 3), (3, 70_000), (2, 0), (0, 2)):
        matrix, file = Matrix.integers(-9, 9, shape), io.BytesIO()
        matrix.savetxt(file)
        assert file.getvalue().count(b"\n") == shape[0]
        if matrix.size:
            assert_same(Matrix.loadtxt(io.BytesIO(file.getvalue())), np.asarray(matrix))


def test_misuse_is_refused():
    for delimiter in ("", "\n", "#", "a\rb"):
        with pytest.raises(ValueError, match="between"):
            Matrix.loadtxt(io.StringIO("1"), delimiter)
    for delimiter in (1, b","):
        with pytest.raises(TypeError, match="delimiter"):
            Matrix.loadtxt(io.StringIO("1"), delimiter)
        with pytest.raises(TypeError, match="delimiter"):
            Matrix.eye(2).savetxt(io.StringIO(), delimiter)
    with pytest.raises(ValueError, match="skip"):
        Matrix.loadtxt(io.StringIO("1"), skiprows=-1)
    for wrong in (True, 1.5, "1"):
        with pytest.raises(TypeError, match="skiprows"):
            Matrix.loadtxt(io.StringIO("1"), skiprows=wrong)
    for wrong in (3, None):
        with pytest.raises(TypeError):
            Matrix.loadtxt(wrong)
        with pytest.raises(TypeError):
            Matrix.eye(2).savetxt(wrong)
