"""What a key selects, reading and writing, against NumPy."""

from __future__ import annotations

from operator import length_hint

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import ELEMENTS, FINITE, arrays, as_array, assert_same

SIZES = st.sampled_from([1, 2, 3, 5, 17])


def parts(length: int) -> st.SearchStrategy:
    return st.one_of(st.integers(-length, length - 1), st.slices(length), st.just(...))


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, int]):
    """Draw a key, and the pair of slices that selects the same elements."""
    row, column = draw(parts(shape[0])), draw(parts(shape[1]))
    written = draw(st.sampled_from([row, (row,), (row, column)]))
    both = (row, column if isinstance(written, tuple) and len(written) == 2 else ...)
    return written, tuple(as_slice(part, length) for part, length in zip(both, shape))


def as_slice(part, length):
    if part is ...:
        return slice(None)
    return part if isinstance(part, slice) else slice(part % length, part % length + 1)


def is_element(key, shape):
    if isinstance(key, tuple):
        return len(key) == 2 and all(isinstance(part, int) for part in key)
    return isinstance(key, int) and shape[1] == 1


@given(data=st.data(), array=arrays(SIZES, SIZES))
def test_reading_agrees_with_numpy_and_copies(data, array):
    matrix = Matrix(array)
    for source, values in ((matrix, array), (Matrix(array.T).T, array), (matrix.T, array.T)):
        key, slices = data.draw(keys(values.shape))
        found, expected = source[key], values[slices]
        if is_element(key, values.shape):
            assert np.array_equal(found, expected.item(), equal_nan=True)
        else:
            assert_same(found, expected)
            found += 1.0
            assert_same(source, values)


@given(data=st.data(), array=arrays(SIZES, SIZES), number=ELEMENTS)
def test_writing_agrees_with_numpy(data, array, number):
    matrix, expected = Matrix(array), array.copy()
    key, slices = data.draw(keys(array.shape))
    matrix[key] = number
    expected[slices] = number
    assert_same(matrix, expected)
    rows, columns = expected[slices].shape
    shape = (data.draw(st.sampled_from([1, rows])), data.draw(st.sampled_from([1, columns])))
    if rows and columns:
        values = data.draw(arrays(st.just(shape[0]), st.just(shape[1])))
        matrix[key] = Matrix(values)
        expected[slices] = values
        assert_same(matrix, expected)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_augmented_assignment_through_a_key(data, array):
    matrix, expected = Matrix(array), array.copy()
    key, slices = data.draw(keys(array.shape))
    matrix[key] += 2.0
    expected[slices] += 2.0
    assert_same(matrix, expected)
    matrix.view[key] *= 3.0
    expected[slices] *= 3.0
    assert_same(matrix, expected)


def test_a_flat_sequence_fills_a_column():
    matrix = Matrix(3, 2)
    matrix[:, 1] = [1, 2, 3]
    matrix[1:, 0] = np.array([7, 8])
    matrix[0] = (5, 6)
    assert matrix.tolist() == [[5, 6], [7, 2], [8, 3]]
    with pytest.raises(ValueError, match=r"\(1, 2\).*\(3, 1\)"):
        matrix[:, 0] = [1, 2]
    with pytest.raises(ValueError, match=r"\(1, 3\).*\(3, 1\)"):
        matrix[:, 0] = Matrix(1, 3)


@given(array=arrays(SIZES, SIZES))
def test_a_source_that_overlaps_is_read_first(array):
    matrix, expected = Matrix(array), array.copy()
    matrix[...] = matrix.view[::-1, ::-1]
    expected[...] = array[::-1, ::-1].copy()
    assert_same(matrix, expected)
    matrix = Matrix(array)
    matrix[1:] = matrix.view[:-1]
    assert_same(matrix, np.vstack([array[:1], array[:-1]]))


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (2, IndexError),
        (-3, IndexError),
        ((0, 3), IndexError),
        ((0, 0, 0), IndexError),
        (10**30, IndexError),
        (1.0, TypeError),
        ("a", TypeError),
        (True, TypeError),
        (None, TypeError),
        (slice(None, None, 0), ValueError),
        (slice("a", None), TypeError),
    ],
    ids=repr,
)
def test_keys_that_select_nothing_raise(key, error):
    matrix = Matrix(2, 3, [1, 2, 3, 4, 5, 6])
    with pytest.raises(error):
        matrix[key]
    with pytest.raises(error):
        matrix[key] = 1.0
    assert matrix.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("value", ["a", None, 1j, [1, "a", 2], [[1, 2, 3], [4]]], ids=repr)
def test_values_that_are_no_numbers_raise(value):
    matrix = Matrix(2, 3, [1, 2, 3, 4, 5, 6])
    with pytest.raises((TypeError, ValueError)):
        matrix[0] = value
    with pytest.raises(TypeError, match="lose"):
        del matrix[0]
    assert matrix.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_iteration_and_length():
    assert [float(x) for x in Matrix(3, 1, [1, 2, 3])] == [1, 2, 3]
    assert [row.tolist() for row in Matrix(2, 2, [1, 2, 3, 4])] == [[[1, 2]], [[3, 4]]]
    assert list(Matrix(0, 3)) == []
    assert len(Matrix(4, 2)) == 4
    assert list(Matrix(2, 2, [1, 2, 3, 4]).T.values()) == [1, 3, 2, 4]


def test_letters():
    matrix = Matrix(2, 2, [1, 2, 3, 4]).T
    assert (matrix.x, matrix.y, matrix.z, matrix.w) == (1, 3, 2, 4)
    matrix.y = 9
    assert matrix.tolist() == [[1, 9], [2, 4]]
    with pytest.raises(IndexError, match=r"\(1, 2\) has no z"):
        _ = Matrix(1, 2).z
    with pytest.raises(IndexError, match="no x"):
        Matrix(0, 2).x = 1
    with pytest.raises(TypeError, match="str"):
        matrix.x = "a"
    with pytest.raises(TypeError, match="lose"):
        del matrix.x


@given(data=st.data(), array=arrays(SIZES, SIZES), axis=st.sampled_from([0, 1, -1, -2]))
def test_take_agrees_with_numpy(data, array, axis):
    length = array.shape[axis]
    indices = data.draw(st.lists(st.integers(-length, length - 1), max_size=6))
    expected = np.take(array, np.array(indices, dtype=int), axis=axis)
    matrix = Matrix(array)
    assert_same(matrix.take(indices, axis), expected)
    assert_same(matrix.T.take(tuple(indices), 1 if axis in (0, -2) else 0), expected.T)
    order = list(range(length))[::-1]
    assert matrix.take(order, axis, out=matrix) is matrix
    assert_same(matrix, np.take(array, order, axis=axis))


def test_take_checks_first():
    matrix, out = Matrix(2, 3, [1, 2, 3, 4, 5, 6]), Matrix(2, 3, 7.0)
    for indices, error in (
        ([0, 2], IndexError),
        ([0.5, 1], TypeError),
        (3, IndexError),
        ([True, False], TypeError),
    ):
        with pytest.raises(error):
            matrix.take(indices, out=out)
    with pytest.raises(ValueError, match=r"\(1, 3\).*\(2, 3\)"):
        matrix.take([0], out=out)
    assert as_array(out).tolist() == [[7.0] * 3] * 2


def test_a_key_that_reshapes_the_matrix():
    matrix = Matrix(4, 5, range(20))

    class Index:
        def __index__(self):
            matrix.transpose(in_place=True)
            return 3

    with pytest.raises(RuntimeError, match="reshaped"):
        matrix[Index()]
    matrix.transpose(in_place=True)
    with pytest.raises((RuntimeError, IndexError)):
        matrix[Index(), 4] = [1, 2]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 1), (3, 2)])
def test_iterators_say_how_many_are_to_come(shape):
    rows, columns = shape
    matrix = Matrix(rows, columns)
    hints = [matrix, matrix.values(), matrix.T.row_views(), matrix.column_views()]
    assert [length_hint(iter(hint)) for hint in hints] == [rows, rows * columns, columns, columns]
    values = matrix.values()
    for left in range(rows * columns, 0, -1):
        assert length_hint(values) == left
        next(values)
    assert next(values, None) is None
    assert length_hint(values) == 0
