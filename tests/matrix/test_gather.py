"""take, put and their kin along an axis, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, FINITE, arrays, assert_same, operands

SIZES = st.sampled_from([1, 2, 3, 5, 9, 17, 33])
EVEN = st.integers(-8, 8).map(float)  # sums of these are exact in any order


@st.composite
def positions(draw: st.DrawFn, length: int):
    """Draw positions, and one of the ways to write them."""
    values = draw(st.lists(st.integers(-length, length - 1), max_size=20))
    array = np.array(values, dtype=int)
    ways = [values, tuple(values), array, array.astype(np.int32), array.astype(float)]
    ways += [Matrix.vector(values), Matrix.vector(values, as_column=True), list(array)]
    if values and values == list(range(values[0], values[0] + len(values))):
        ways.append(range(values[0], values[0] + len(values)))
    return draw(st.sampled_from(ways)), array


def two_dimensional(array, axis, indices):
    """Give NumPy's result two dimensions: for axis None those of the indices."""
    if axis is not None:
        return array
    return array.reshape(indices.shape if isinstance(indices, Matrix) else (1, -1))


def length_of(array, axis):
    return array.size if axis is None else array.shape[axis]


@given(data=st.data(), array=arrays(SIZES, SIZES), axis=AXES)
def test_take_agrees_with_numpy(data, array, axis):
    source = data.draw(operands(array))
    indices, same = data.draw(positions(length_of(array, axis)))
    expected = two_dimensional(np.take(array, same, axis=axis), axis, indices)
    found = source.take(indices, axis)
    assert_same(found, expected)
    out = data.draw(operands(np.full(expected.shape, 3.5)))
    if not out.read_only:
        assert source.take(indices, axis=axis, out=out) is out
        assert_same(out, expected)
    assert_same(source, array)


@given(data=st.data(), array=arrays(SIZES, SIZES), axis=st.sampled_from([0, 1]))
def test_take_onto_itself(data, array, axis):
    matrix = Matrix(array)
    order = data.draw(st.permutations(range(array.shape[axis])))
    target = data.draw(st.sampled_from([matrix, matrix.view[::-1, ::-1], matrix.view]))
    assert matrix.take(order, axis, out=target) is target
    assert_same(target, np.take(array, order, axis=axis))


@given(data=st.data(), array=arrays(SIZES, SIZES, EVEN), axis=AXES)
def test_put_agrees_with_numpy(data, array, axis):
    target = data.draw(operands(array))
    indices, same = data.draw(positions(length_of(array, axis)))
    shape = two_dimensional(np.take(array, same, axis=axis), axis, indices).shape
    spread = (data.draw(st.sampled_from([1, shape[0]])), data.draw(st.sampled_from([1, shape[1]])))
    values = data.draw(arrays(*map(st.just, spread), EVEN))
    key = {0: same, 1: (slice(None), same)}[(axis or 0) % 2]
    expected = array.copy()
    place = expected.reshape(-1) if axis is None else expected
    key = same if axis is None else key
    for add in (False, True):
        full = np.broadcast_to(values, shape)
        full = full.reshape(-1) if axis is None else full
        if add:
            np.add.at(place, key, full)
        else:
            place[key] = full
        given = data.draw(operands(values))
        assert target.put(indices, given, axis, accumulate=add) is target
        assert_same(target, expected)
    target.put(indices, 2, axis)
    place[key] = 2
    assert_same(target, expected)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE), axis=st.sampled_from([0, 1, -1, -2]))
def test_along_an_axis_agrees_with_numpy(data, array, axis):
    source = data.draw(operands(array))
    across = array.shape[1 - axis % 2]
    count = data.draw(st.integers(0, 4))
    shape = (count, across) if axis % 2 == 0 else (across, count)
    elements = st.integers(-array.shape[axis], array.shape[axis] - 1).map(float)
    indices = data.draw(arrays(*map(st.just, shape), elements))
    expected = np.take_along_axis(array, indices.astype(int), axis)
    for given_indices in (data.draw(operands(indices)), indices, indices.astype(int)):
        assert_same(source.take_along_axis(given_indices, axis), expected)
    if count:
        line = indices[:1] if axis % 2 == 0 else indices[:, :1]
        one = np.take_along_axis(array, line.astype(int), axis)
        flat = [int(index) for index in line.ravel()]
        assert_same(source.take_along_axis(flat, axis), one)
        out = Matrix(*one.shape)
        assert source.take_along_axis(flat, axis, out=out) is out
        assert_same(out, one)
        source.put_along_axis(flat, one.ravel()[::-1].tolist(), axis)
        wanted = array.copy()
        np.put_along_axis(wanted, line.astype(int), one.ravel()[::-1].reshape(one.shape), axis)
        assert_same(source, wanted)
        source.put_along_axis(Matrix(indices), 3.0, axis)
        np.put_along_axis(wanted, indices.astype(int), 3.0, axis)
        assert_same(source, wanted)
        source.put_along_axis(flat, 1.0, axis, accumulate=True)
        np.put_along_axis(
            wanted, line.astype(int), np.take_along_axis(wanted, line.astype(int), axis) + 1, axis
        )
        assert_same(source, wanted)


@given(data=st.data(), array=arrays(SIZES, SIZES, EVEN), axis=st.sampled_from([0, 1]))
def test_with_the_positions_of_the_extremes(data, array, axis):
    source = data.draw(operands(array))
    expected = array.max(axis, keepdims=True)
    assert_same(source.take_along_axis(source.argmax(axis), axis), expected)
    assert_same(source.take_along_axis(source.argmax(axis, as_matrix=True), axis), expected)


def test_indices_of_all_elements():
    matrix = Matrix(2, 3, range(6))
    assert matrix.take_along_axis([5, 0], axis=None).tolist() == [[5, 0]]
    assert matrix.take(4, axis=None).tolist() == [[4]]
    assert matrix.take(1).tolist() == [[3, 4, 5]]
    assert matrix.take(-1, axis=1).tolist() == [[2], [5]]
    assert matrix.put([0, 5], [7, 8], axis=None).tolist() == [[7, 1, 2], [3, 4, 8]]
    assert matrix.take([[0, 5], [1, 4]], axis=None).tolist() == [[7, 8], [1, 4]]
    assert Matrix(0, 3).take([], axis=None).shape == (1, 0)
    with pytest.raises(IndexError, match="0 is out of range for 0"):
        Matrix(0, 3).take([0], axis=None)


MISUSE = [
    (lambda m: m.take([3]), IndexError, "3 is out of range for 3"),
    (lambda m: m.take([-5], 1), IndexError, "-5 is out of range for 4"),
    (lambda m: m.take([2**70]), IndexError, None),
    (lambda m: m.take(2**70), IndexError, None),
    (lambda m: m.take([0.5]), TypeError, "float"),
    (lambda m: m.take([True]), TypeError, "booleans"),
    (lambda m: m.take(True), TypeError, "bool"),
    (lambda m: m.take("a"), TypeError, "str"),
    (lambda m: m.take({0: 1}), TypeError, "dict"),
    (lambda m: m.take(None), TypeError, "NoneType"),
    (lambda m: m.take([[0, 1], [1, 0]]), ValueError, r"\(2, 2\)"),
    (lambda m: m.take([0], axis=2), ValueError, "axis"),
    (lambda m: m.take([0], axis=True), TypeError, "bool"),
    (lambda m: m.take(), TypeError, "indices"),
    (lambda m: m.take([0], 0, None), TypeError, "positional"),
    (lambda m: m.take([0], out=m), ValueError, r"\(1, 4\).*\(3, 4\)"),
    (lambda m: m.take([0], out=[0]), TypeError, "list"),
    (lambda m: m.put([0, 9], 5), IndexError, "9 is out of range"),
    (lambda m: m.put([0, 1], [1, 2, 3]), ValueError, r"\(1, 3\).*\(2, 4\)"),
    (lambda m: m.put([0, 1], Matrix(3, 4)), ValueError, r"\(3, 4\).*\(2, 4\)"),
    (lambda m: m.put([0], "a"), TypeError, "str"),
    (lambda m: m.put([0]), TypeError, "values"),
    (lambda m: m.put([0], 1, axis=5), ValueError, "axis"),
    (lambda m: m.take_along_axis([0, 1], 1), ValueError, r"\(2, 1\)"),
    (lambda m: m.take_along_axis([0], 1), ValueError, r"\(1, 1\)"),
    (lambda m: m.take_along_axis([0, 1, 4], 1), IndexError, "4 is out of range for 4"),
    (lambda m: m.take_along_axis(Matrix(2, 2), 1), ValueError, r"\(2, 2\)"),
    (lambda m: m.put_along_axis([0, 1, 9], 1, 1), IndexError, "9 is out of range"),
    (lambda m: m.put_along_axis([0, 1, 2], [1, 2], 1), ValueError, r"\(1, 2\).*\(3, 1\)"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSE)
def test_misuse_changes_nothing(call, error, text):
    matrix = Matrix(3, 4, range(12))
    with pytest.raises(error, match=text):
        call(matrix)
    assert_same(matrix, np.arange(12.0).reshape(3, 4))


def test_a_column_of_indices_broadcasts():
    array = np.arange(12.0).reshape(3, 4)
    indices = np.array([[2, 0]])
    assert_same(
        Matrix(array).take_along_axis(Matrix(indices), 1), np.take_along_axis(array, indices, 1)
    )


def test_large_ones():
    array = np.random.default_rng(3).normal(size=(700, 300))
    rows, columns = np.arange(1400) * 37 % 700, np.arange(600) * 7 % 300
    for matrix, values in ((Matrix(array), array), (Matrix(array.T.copy()).T, array)):
        assert_same(matrix.take(rows), values[rows])
        assert_same(matrix.take(columns, 1), values[:, columns])
        assert_same(matrix[rows[:600], columns], values[rows[:600], columns].reshape(1, -1))
        changed = values.copy()
        matrix.put(rows[:700], values[::-1], accumulate=True)
        np.add.at(changed, rows[:700], values[::-1])
        assert_same(matrix, changed)
        matrix.put(columns[:300], values, 1)
        changed[:, columns[:300]] = values
        assert_same(matrix, changed)
