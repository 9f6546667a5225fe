"""Making matrices, and what cannot be made."""

from __future__ import annotations

import array
import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, ELEMENTS, LENGTHS, arrays, assert_same, operands


@given(array=arrays())
def test_from_lists_and_arrays(array):
    assert_same(Matrix(array.shape[0], array.shape[1], array.ravel().tolist()), array)
    assert_same(Matrix(array.shape[0], array.shape[1], tuple(array.ravel())), array)
    assert_same(Matrix(array), array)
    assert_same(Matrix(array.T), array.T)
    assert_same(Matrix(np.asfortranarray(array)), array)
    if array.shape[0]:
        assert_same(Matrix(array.tolist()), array)
        assert_same(Matrix(list(array)), array)
        assert_same(Matrix([Matrix(row.reshape(1, -1)) for row in array]), array)


@pytest.mark.parametrize("kind", ["?", *"bBhHiIlLqQefdg", ">f8", "<f4", ">i4", "<u2", ">i8", ">f2"])
def test_other_real_formats_are_converted(kind):
    values = np.arange(6).reshape(2, 3).astype(kind)
    assert_same(Matrix(values), values.astype(np.float64))
    assert_same(Matrix(values[::-1, ::2]), values[::-1, ::2].astype(np.float64))
    assert_same(Matrix.from_buffer(values), values.astype(np.float64))
    assert_same(Matrix(1, 3, 1.0) + values, values.astype(np.float64) + 1)


def test_numbers_and_sequences_of_any_kind():
    class Half:
        def __float__(self):
            return 0.5

    class Index:
        def __index__(self):
            return 7

    assert Matrix([True, 2, Half(), Index(), np.int8(3)]).tolist() == [[1, 2, 0.5, 7, 3]]
    assert Matrix(range(3)).tolist() == [[0, 1, 2]]
    assert Matrix(array.array("i", [1, 2])).tolist() == [[1, 2]]
    assert Matrix(np.array([1, 2.5], dtype=object)).tolist() == [[1, 2.5]]
    assert Matrix([]).shape == (1, 0)
    assert Matrix([[], []]).shape == (2, 0)
    assert Matrix([[1, 2]], None).tolist() == [[1, 2]]
    assert Matrix(2, 2).tolist() == [[0, 0], [0, 0]]
    assert Matrix(rows=1, columns=2, values=3).tolist() == [[3, 3]]
    assert Matrix(2, 1, [[1], [2]]).tolist() == [[1], [2]]
    assert Matrix(2, 2, np.arange(4)).tolist() == [[0, 1], [2, 3]]
    assert Matrix(4, 5, range(20)).tolist() == np.arange(20.0).reshape(4, 5).tolist()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((-1, 2), ValueError, r"\(-1, 2\)"),
        ((2**40, 2**40), ValueError, "too large"),
        ((2**62, 2), ValueError, "too large"),
        ((2**70, 1), OverflowError, None),
        ((2, 2, [1, 2, 3]), ValueError, "4 values, not 3"),
        ((2, 2, [[1, 2, 3], [4, 5, 6]]), (TypeError, ValueError), None),
        ((1.5, 2), TypeError, "float"),
        ((True, 2), TypeError, "bool"),
        ((2,), TypeError, "rows and columns"),
        ((), TypeError, "rows"),
        ((1, 2, 3, 4), TypeError, "at most 3"),
        (([[1, 2], [3]],), ValueError, "row 1 has 1"),
        (([[1, 2], 3],), ValueError, "row 1 is a number"),
        (([1, [2]],), TypeError, "list"),
        (([[[1]]],), TypeError, "list"),
        ((["1"],), TypeError, "str"),
        (("12",), TypeError, "str"),
        ((b"12",), TypeError, "bytes"),
        (([1j],), TypeError, "complex"),
        ((2, 2, 1j), TypeError, "complex"),
        (({1: 2},), TypeError, "dict"),
        ((None,), TypeError, "NoneType"),
        (([10**400],), OverflowError, None),
        ((np.zeros((1, 1, 1)),), ValueError, "dimensions"),
        ((np.zeros((1, 1), complex),), TypeError, "Zd"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_matrix(arguments, error, text):
    with pytest.raises(error, match=text):
        Matrix(*arguments)


def test_named_forms():
    assert_same(Matrix.zeros((2, 3)), np.zeros((2, 3)))
    assert_same(Matrix.ones((70, 2)), np.ones((70, 2)))
    assert_same(Matrix.full((2, 2), -0.0), np.full((2, 2), -0.0))
    assert Matrix.empty((3, 4)).shape == (3, 4)
    assert_same(Matrix.eye(3), np.eye(3))
    assert_same(Matrix.eye(2, 5), np.eye(2, 5))
    assert_same(Matrix.eye(5, columns=2), np.eye(5, 2))
    assert_same(Matrix.diag([1, 2, 3, 4]), np.diag([1.0, 2, 3, 4]))
    assert Matrix.vector([1, 2]).shape == (1, 2)
    assert Matrix.vector([1, 2], as_column=True).tolist() == [[1], [2]]
    assert Matrix.vector(Matrix(20, 1, 3.0)).tolist() == [[3.0] * 20]
    for bad in ((-1, 2), (2**40, 2**40)):
        with pytest.raises(ValueError, match=str(bad[1])):
            Matrix.zeros(bad)
    for wrong in (3, (1, 2, 3), (1.5, 2), "ab", None):
        with pytest.raises(TypeError):
            Matrix.ones(wrong)
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        Matrix.vector(Matrix(2, 2))
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        Matrix.diag(Matrix(2, 2))


BOUNDS = st.one_of(st.integers(-50, 50), st.floats(-50, 50), st.sampled_from([0.0, -0.0, 1e-300]))


@given(
    start=BOUNDS,
    stop=BOUNDS,
    step=st.one_of(st.sampled_from([1, 2, 0.5, -1, -3, 0.1, 1e300]), st.floats(0.3, 20)),
)
def test_ranges_agree_with_numpy(start, stop, step):
    expected = np.arange(start, stop, step, float).reshape(1, -1)
    assert_same(Matrix.arange(start, stop, step), expected)
    assert_same(Matrix.arange(stop), np.arange(0, stop, dtype=float).reshape(1, -1))


@given(
    start=st.one_of(BOUNDS, st.floats()),
    stop=st.one_of(BOUNDS, st.floats()),
    count=st.integers(0, 70),
    endpoint=st.booleans(),
)
def test_linspace_agrees_with_numpy(start, stop, count, endpoint):
    found = Matrix.linspace(start, stop, count, endpoint=endpoint)
    with np.errstate(all="ignore"):
        expected = np.linspace(start, stop, count, endpoint=endpoint)
    assert_same(found, expected.reshape(1, -1))
    assert_same(Matrix.linspace(start, stop), Matrix.linspace(start, stop, 50))


def test_linspace_whose_step_underflows():
    assert_same(Matrix.linspace(0, 5e-324, 4), np.linspace(0, 5e-324, 4).reshape(1, -1))


@pytest.mark.parametrize(
    "arguments", [(0, 1, 0), (float("inf"),), (float("nan"),), (0, 1, 1e-300), (0, 1e300)]
)
def test_ranges_without_end(arguments):
    with pytest.raises(ValueError, match="arange"):
        Matrix.arange(*arguments)


@given(first=arrays(), second=arrays(), axis=st.sampled_from([0, 1, -1, -2]))
def test_concat_agrees_with_numpy(first, second, axis):
    if first.shape[1 - axis % 2] == second.shape[1 - axis % 2]:
        expected = np.concatenate([first, second], axis=axis)
        assert_same(Matrix.concat([Matrix(first), Matrix(second.T).T], axis), expected)
    else:
        with pytest.raises(ValueError, match="do not fit"):
            Matrix.concat([Matrix(first), Matrix(second)], axis)


@given(data=st.data(), array=arrays(LENGTHS, LENGTHS), parts=st.integers(1, 5), axis=AXES)
def test_concat_of_many(data, array, parts, axis):
    cuts = sorted(data.draw(st.lists(st.integers(0, 70), min_size=parts, max_size=parts)))
    pieces = np.split(array, cuts, axis=axis or 0)
    sources = [data.draw(operands(piece)) for piece in pieces]
    found = Matrix.concat(iter(sources)) if axis is None else Matrix.concat(sources, axis=axis)
    assert_same(found, array)


def test_from_view():
    matrix = Matrix(3, 4, range(12))
    found = Matrix.from_view(matrix.view[::2, 1:])
    found += 1.0
    assert found.tolist() == [[2, 3, 4], [10, 11, 12]]
    assert_same(matrix, np.arange(12.0).reshape(3, 4))
    for wrong in (matrix, [1], None):
        with pytest.raises(TypeError, match="MatrixView"):
            Matrix.from_view(wrong)


def test_concat_of_rows():
    assert Matrix.concat([[1, 2], Matrix(1, 2), (3, 4)]).tolist() == [[1, 2], [0, 0], [3, 4]]
    with pytest.raises(ValueError, match="no matrices"):
        Matrix.concat([])
    with pytest.raises(TypeError, match="str"):
        Matrix.concat([Matrix(1, 1), "a"])


@given(array=arrays(elements=ELEMENTS))
def test_values_come_out_as_they_went_in(array):
    for matrix in (Matrix(array), Matrix(array.T).T):
        assert np.array_equal(np.array(matrix.tolist()).reshape(array.shape), array, equal_nan=True)
        assert matrix.tobytes() == array.tobytes()
        assert_same(matrix.copy(), array)
        assert_same(matrix.transpose(), array.T)
        assert (matrix.rows, matrix.columns) == array.shape == matrix.shape
        assert (matrix.size, matrix.nbytes, matrix.ndim) == (array.size, array.nbytes, array.ndim)


def test_item():
    assert Matrix(1, 1, 3).item() == 3.0
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        Matrix(2, 1).item()


def test_the_type_is_closed():
    with pytest.raises(TypeError, match="base type"):
        type("Child", (Matrix,), {})
    with pytest.raises(TypeError):
        object.__new__(Matrix)
    with pytest.raises(TypeError, match="immutable"):
        Matrix.rows = 3
    assert Matrix.__new__(Matrix, 1, 2, values=3).tolist() == [[3, 3]]


@pytest.mark.parametrize("name", [n for n in vars(Matrix) if not n.startswith("_")])
def test_methods_have_signatures_and_docstrings(name):
    member = getattr(Matrix, name)
    assert member.__doc__
    if callable(member):
        assert inspect.signature(member)


@pytest.mark.parametrize("shape", [(0, 3), (2, 2), (3, 4), (300, 400), (600, 700)])
def test_zeros_are_zero_where_other_values_have_been(shape):
    for _ in range(3):
        Matrix.full(shape, 7.5)  # its memory may be used again
        for zeros in (Matrix.zeros(shape), Matrix(*shape), Matrix.full(shape, 0.0)):
            assert zeros.shape == shape
            assert zeros.tobytes() == bytes(zeros.nbytes)
            zeros += 1.0
            assert zeros.sum() == zeros.size
