"""Lists, masks and arrays as keys, alone and in pairs, reading and writing, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import FINITE, FREE_THREADED, arrays, as_array, assert_same, operands

SIZES = st.sampled_from([0, 1, 2, 3, 5, 9, 17])
VALUES = st.floats(-100, 100)


@st.composite
def lists(draw: st.DrawFn, length: int, wrong: bool = False):
    """Draw positions or booleans along an axis, in one of the ways to write them, and for NumPy."""
    reach = length + 1 if wrong else length
    positions = st.lists(st.integers(-reach, reach - 1), max_size=5) if reach else st.just([])
    size = length + 1 if wrong and draw(st.booleans()) else length
    truths = st.lists(st.booleans(), min_size=size, max_size=size)
    values = draw(st.one_of(positions, truths) if size else positions)
    array = np.array(values, dtype=bool if values and isinstance(values[0], bool) else int)
    ways = [values, tuple(values), array, list(array), array[::-1].copy()[::-1]]
    if array.dtype == int:
        ways += [array.astype(np.int32), array.astype(np.int8)]
    return draw(st.sampled_from(ways)), array


@st.composite
def parts(draw: st.DrawFn, length: int, wrong: bool = False):
    reach = length + 1 if wrong else length
    kinds = [lists(length, wrong), st.slices(length), st.just(...)]
    if reach:
        kinds.append(st.integers(-reach, reach - 1))
    part = draw(st.one_of(*kinds))
    return part if isinstance(part, tuple) else (part, part)


def picked(part):
    """Give how many positions a list picks, 1 for other parts."""
    if not isinstance(part, np.ndarray):
        return 1
    return int(part.sum()) if part.dtype == bool else len(part)


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, int], wrong: bool = False):
    """Draw a key for a matrix of that shape, and the same for NumPy."""
    if draw(st.integers(0, 4)) == 0:
        size = shape if not wrong else (shape[0] + 1, shape[1])
        mask = draw(arrays(st.just(size[0]), st.just(size[1]), st.sampled_from([0.0, 1.0]))) != 0
        ways = [mask, mask[::-1][::-1], (mask, ...), (..., mask)]
        if 0 not in size:
            ways.append(mask.tolist())
        if not wrong:
            ways += [Matrix(mask), Matrix(mask.T).T, Matrix(mask).view[...]]
        return draw(st.sampled_from(ways)), mask
    row = draw(parts(shape[0], wrong))
    column = draw(parts(shape[1], wrong))
    alone = draw(st.integers(0, 2))
    if alone == 0 and not isinstance(row[0], tuple):
        return row
    if alone == 1:
        return (row[0],), row[1]
    lengths = {picked(row[1]), picked(column[1])} - {1}
    if len(lengths) > 1 and not wrong:
        column = (slice(None), slice(None))
    return (row[0], column[0]), (row[1], slice(None) if column[1] is ... else column[1])


def expected_shape(key, shape):
    """Give the shape that NumPy's result has here: two dimensions."""
    if getattr(key, "ndim", 1) == 2:
        return (1, int(key.sum()))
    parts = key if isinstance(key, tuple) else (key,)
    parts = (*parts, slice(None))[:2] if len(parts) < 2 else parts
    if parts[0] is ...:
        parts = (slice(None), parts[1])
    found = np.zeros(shape)[parts].shape
    if len(found) == 2:
        return found
    if len(found) == 0:
        return (1, 1)
    many = isinstance(parts[1], (int, np.integer)) and not isinstance(parts[0], int)
    return (found[0], 1) if many else (1, found[0])


@given(data=st.data(), array=arrays(SIZES, SIZES))
def test_reading_agrees_with_numpy(data, array):
    matrix = data.draw(operands(array))
    key, same = data.draw(keys(array.shape))
    expected = array[same]
    if not isinstance(matrix, Matrix):
        matrix = matrix.copy()
    found = matrix[key]
    if isinstance(found, float):
        assert np.array_equal(found, expected.item(), equal_nan=True)
    else:
        assert_same(found, expected.reshape(expected_shape(same, array.shape)))
        found += 1.0
        assert_same(matrix, array)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE), number=VALUES)
def test_writing_agrees_with_numpy(data, array, number):
    target = data.draw(operands(array))
    key, same = data.draw(keys(array.shape))
    expected = array.copy()
    target[key] = number
    expected[same] = number
    assert_same(target, expected)
    values = data.draw(arrays(*map(st.just, expected_shape(same, array.shape)), VALUES))
    target[key] = data.draw(operands(values))
    expected[same] = values.reshape(expected[same].shape)
    assert_same(target, expected)
    if values.shape[0] == 1 or values.shape[1] == 1:
        target[key] = values.ravel()[::-1].tolist()
        expected[same] = values.ravel()[::-1].reshape(expected[same].shape)
        assert_same(target, expected)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_augmented_assignment_agrees_with_numpy(data, array):
    matrix, expected = Matrix(array), array.copy()
    key, same = data.draw(keys(array.shape))
    matrix[key] += 3.0
    expected[same] += 3.0
    assert_same(matrix, expected)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_wrong_keys_raise_as_in_numpy(data, array):
    matrix = Matrix(array)
    key, same = data.draw(keys(array.shape, wrong=True))
    try:
        expected = array[same]
    except DeprecationWarning:  # of NumPy before 2.3: a wrong position, but there are no elements
        return
    except IndexError:
        with pytest.raises(IndexError):
            matrix[key]
        with pytest.raises(IndexError):
            matrix[key] = 1.0
        assert_same(matrix, array)
    else:
        if expected.size:  # where nothing is selected, NumPy looks at no position
            assert getattr(matrix[key], "size", 1) == expected.size


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_a_value_of_the_wrong_shape_changes_nothing(data, array):
    matrix = Matrix(array)
    key, same = data.draw(keys(array.shape))
    rows, columns = expected_shape(same, array.shape)
    with pytest.raises(ValueError, match="do not fit"):
        matrix[key] = Matrix(rows + 2, columns + 3)
    assert_same(matrix, array)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_a_source_that_overlaps_is_read_first(data, array):
    matrix, expected = Matrix(array), array.copy()
    for length, axis in ((array.shape[0], 0), (array.shape[1], 1)):
        order = data.draw(st.permutations(range(length)))
        key = (order, ...) if axis == 0 else (..., order)
        same = order if axis == 0 else (slice(None), order)
        matrix[key] = matrix.view[...]
        expected[same] = expected.copy()
        assert_same(matrix, expected)
    mask = expected > 0
    count = int(mask.sum())
    matrix[mask] = matrix.view[...].T.take(range(count), axis=None)
    expected[mask] = expected.T.flatten()[:count]
    assert_same(matrix, expected)


def test_a_matrix_may_be_its_own_mask():
    matrix = Matrix([[0, 1], [1, 1]])
    matrix[matrix] = [5, 6, 7]
    assert matrix.tolist() == [[0, 5], [6, 7]]
    matrix = Matrix([[0, 1], [0, 1]])
    matrix[matrix.view[...].T] = [5, 6]
    assert matrix.tolist() == [[0, 1], [5, 6]]
    matrix = Matrix([[0, 1], [0, 1]])
    matrix[matrix.view[...].T] = 8
    assert matrix.tolist() == [[0, 1], [8, 8]]


def test_pairs_broadcast():
    array = np.arange(20.0).reshape(4, 5)
    matrix = Matrix(array)
    grid = np.ix_([0, 2, 2], [4, 1])
    assert_same(matrix[grid], array[grid])
    assert_same(matrix[[[0], [2]], [1, 3]], array[[[0], [2]], [1, 3]])
    assert_same(matrix[Matrix(2, 1, [0, 2]), Matrix(1, 2, [1, 3])], array[[[0], [2]], [1, 3]])
    assert_same(matrix[[[0, 1], [2, 3]], 1], array[[[0, 1], [2, 3]], 1])
    matrix[grid] = [[1, 2], [3, 4], [5, 6]]
    array[grid] = [[1, 2], [3, 4], [5, 6]]
    assert_same(matrix, array)
    matrix[[1, 3], [True, False, False, True, False]] = Matrix(2, 1, [8, 9])
    assert (matrix[1, 0], matrix[3, 3]) == (8, 9)
    with pytest.raises(IndexError, match=r"\(1, 2\) and \(1, 3\)"):
        matrix[[0, 1], [0, 1, 2]]


def test_the_last_write_wins():
    matrix = Matrix(2, 2)
    matrix[[0, 0]] = [[1, 2], [3, 4]]
    assert matrix.tolist() == [[3, 4], [0, 0]]
    matrix[[0, 0]] += 1
    assert matrix.tolist() == [[4, 5], [0, 0]]
    matrix[[1, 1, 1], [0, 0, 1]] = [7, 8, 9]
    assert matrix.tolist() == [[4, 5], [8, 9]]


def test_a_column_or_row_that_was_compared_is_a_mask_of_rows_or_columns():
    array = np.arange(12.0).reshape(3, 4)
    matrix = Matrix(array)
    assert_same(matrix[matrix[:, 0] > 2], array[array[:, 0] > 2])
    assert_same(matrix[:, matrix[0] > 1], array[:, array[0] > 1])
    assert_same(matrix[matrix[:, 0] > 2, 1], array[array[:, 0] > 2, 1:2])
    matrix[matrix[:, 0] > 2] = 0
    assert_same(matrix, np.where(array[:, :1] > 2, 0, array))
    assert_same(matrix[Matrix([[2, 0]])], as_array(matrix)[[2, 0]])


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (Matrix([[0, 1, 0]]), ValueError, "could be a mask or positions"),
        (Matrix([[0, 1, 0, 1]]), ValueError, "could be a mask or positions"),
        ((slice(None), Matrix([[0], [1], [0], [1]])), ValueError, "could be a mask or pos"),
        (Matrix(3, 4, 2), ValueError, r"own shape \(3, 4\) is a mask"),
        (Matrix(3, 4, float("nan")), ValueError, "is a mask"),
        (Matrix([[0], [2], [1]]), ValueError, "holds 0 and 1"),
        (Matrix([[0, 1.5]]), TypeError, "1.5"),
        (Matrix([[0, 1e300]]), IndexError, "1e.300"),
        (Matrix([[0, float("nan")]]), TypeError, "nan"),
        (Matrix([[7, 1]]), IndexError, "7 is out of range for 3"),
        (Matrix(2, 2), IndexError, r"\(2, 2\) is neither"),
        (np.zeros((2, 2), int), IndexError, r"\(2, 2\) is neither"),
        (np.zeros((2, 4), bool), IndexError, r"\(2, 4\) does not fit"),
        (np.zeros((1, 1, 1), int), ValueError, "dimensions"),
        ([True, 2], TypeError, "1 booleans among"),
        ([0, 0.0], TypeError, "float"),
        ([0, "a"], TypeError, "str"),
        ([0, None], TypeError, "NoneType"),
        ([10**30], IndexError, None),
        ([[0], [1, 2]], ValueError, None),
        ((None, [0]), TypeError, "NoneType"),
        (([0], [0], [0]), IndexError, "two axes"),
        ((..., 0, ..., [0]), IndexError, "two axes"),
        ([0, 3], IndexError, "3 is out of range for 3"),
        ((slice(None), [-5]), IndexError, "-5 is out of range for 4"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_picks_nothing(key, error, text):
    matrix = Matrix(3, 4, range(12))
    with pytest.raises(error, match=text):
        matrix[key]
    with pytest.raises(error, match=text):
        matrix[key] = 5.0
    assert_same(matrix, np.arange(12.0).reshape(3, 4))


def test_a_view_gives_no_list():
    matrix = Matrix(3, 4, range(12))
    for view in (matrix.view, matrix.view[1:], matrix.row_view(0), matrix.view[:, 0]):
        for key in ([0, 1], np.array([0]), view.copy() > 3):
            with pytest.raises(TypeError, match=r"window.*copy\(\)"):
                view[key]
    line = matrix.view[:, 1]
    line[[0, -1]] = [50, 60]
    line[[False, True, False]] = 70
    assert matrix[:, 1].tolist() == [[50], [70], [60]]
    line[line > 55] = 0
    assert matrix[:, 1].tolist() == [[50], [0], [0]]
    matrix.row_view(2)[[0, 1]] = Matrix(2, 1, [8, 9])
    assert matrix[2].tolist() == [[8, 9, 10, 11]]
    read_only = matrix.row_view(0, read_only=True)
    with pytest.raises(TypeError, match="read-only"):
        read_only[[0]] = 1


def test_ellipsis_beside_two_parts():
    matrix = Matrix(3, 4, range(12))
    assert matrix[..., 1, 2] == matrix[1, ..., 2] == matrix[1, 2, ...] == 6
    assert matrix[..., [0, 1], [1, 1]].tolist() == [[1, 5]]


def test_a_key_that_reshapes_the_matrix():
    matrix = Matrix(4, 5, range(20))

    class Index:
        def __index__(self):
            matrix.transpose(in_place=True)
            return 3

    for key in ([Index()], (slice(None), [Index()]), ([Index()], 0), (Index(), [0])):
        before = matrix.tolist()
        with pytest.raises(RuntimeError, match="reshaped"):
            matrix[key]
        with pytest.raises((RuntimeError, IndexError)):
            matrix[key] = 1
        assert matrix.tolist() == before

    class Number:
        def __float__(self):
            mask.transpose(in_place=True)
            return 3.0

    mask = matrix > 5
    if FREE_THREADED:  # a key that others might change is copied before it is read
        matrix[mask] = [Number()]
        assert matrix.max() == 5
    else:
        with pytest.raises(RuntimeError, match="reshaped"):
            matrix[mask] = [Number()]


def test_a_large_mask():
    array = np.random.default_rng(1).normal(size=(317, 401))
    matrix, mask = Matrix(array), array > 0.3
    for key in (matrix > 0.3, (matrix.T > 0.3).T, mask):
        assert_same(matrix[key], array[mask].reshape(1, -1))
        assert_same(matrix.T[key.T], array.T[mask.T].reshape(1, -1))
    matrix[mask] = np.arange(mask.sum())
    array[mask] = np.arange(mask.sum())
    assert_same(matrix, array)
    matrix.T[matrix.T > 5] = 0
    assert_same(matrix, array)
