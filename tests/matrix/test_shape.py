"""The same values in another shape or order, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, LENGTHS, arrays, assert_same, operands

SHIFTS = st.one_of(st.integers(-80, 80), st.sampled_from([2**62, -(2**62), 10**18]))


def divisors(size: int) -> list[int]:
    return [n for n in range(1, size + 1) if size % n == 0] or [0, 1, 5]


@given(data=st.data(), array=arrays())
def test_reshape_agrees_with_numpy(data, array):
    source = data.draw(operands(array))
    rows = data.draw(st.sampled_from(divisors(array.size)))
    columns = array.size // rows if rows else 3
    expected = array.reshape(rows, columns)
    ways = [source.reshape(rows, columns), source.reshape((rows, columns))]
    ways += [source.reshape([rows, columns]), source.reshape(rows=rows, columns=columns)]
    if rows:
        ways += [source.reshape(rows, -1)]
    if columns:
        ways += [source.reshape(-1, columns), source.reshape((-1, columns))]
    for found in ways:
        assert_same(found, expected)
    for found in (source.ravel(), source.reshape(-1), source.reshape((array.size,))):
        assert_same(found, array.reshape(1, -1))
    found += 1.0
    assert_same(source, array)
    before = ways[0].copy()
    source += 1.0
    assert Matrix.array_equal(ways[0], before, equal_nan=True)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((4, 4), ValueError),
        ((-1, -1), ValueError),
        ((-1, 5), ValueError),
        ((-2, -3), ValueError),
        ((-2, 3), ValueError),
        ((-1, 0), ValueError),
        ((0, 0), ValueError),
        ((2**62, 4), ValueError),
        (((1, 2, 3),), ValueError),
        (((),), ValueError),
        ((2.0, 3), TypeError),
        ((2, 3.0), TypeError),
        (("23",), TypeError),
        ((True, 6), TypeError),
        (((2, "a"),), TypeError),
        ((), TypeError),
        ((2, 3, 1), TypeError),
    ],
    ids=repr,
)
def test_shapes_that_do_not_fit(arguments, error):
    matrix = Matrix(2, 3, range(6))
    with pytest.raises(error):
        matrix.reshape(*arguments)
    assert matrix.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_empty_matrix_has_no_length_to_guess():
    assert Matrix(0, 3).reshape(3, -1).shape == (3, 0)
    assert Matrix(0, 3).reshape(7, 0).shape == (7, 0)
    with pytest.raises(ValueError, match=r"\(0, -1\)"):
        Matrix(0, 3).reshape(0, -1)


def test_shared_values_part_when_either_is_written():
    matrix = Matrix(4, 5, range(20))
    shaped = matrix.reshape(5, 4)
    again = shaped.reshape(2, 10).T
    matrix[0, 0] = -1
    shaped[0, 1] = -2
    again[0, 1] = -3
    expected = np.arange(20.0)
    assert again.tolist() == [[v, -3 if i == 0 else v + 10] for i, v in enumerate(range(10))]
    assert shaped.ravel().tolist() == [[0, -2, *expected[2:]]]
    assert matrix.ravel().tolist() == [[-1, *expected[1:]]]


@given(data=st.data(), array=arrays(), shift=SHIFTS, axis=AXES)
def test_roll_agrees_with_numpy(data, array, shift, axis):
    source = data.draw(operands(array))
    assert_same(source.roll(shift, axis), np.roll(array, shift, axis))
    assert_same(source, array)


@given(data=st.data(), array=arrays(), axis=AXES)
def test_flip_agrees_with_numpy(data, array, axis):
    source = data.draw(operands(array))
    assert_same(source.flip(axis), np.flip(array, axis))
    assert_same(source.flip(axis).flip(axis=axis), array)


@given(data=st.data(), array=arrays(), rows=st.integers(0, 4), columns=st.integers(0, 9))
def test_tile_agrees_with_numpy(data, array, rows, columns):
    source = data.draw(operands(array))
    assert_same(source.tile(rows, columns), np.tile(array, (rows, columns)))


def test_many_tiles():
    array = np.arange(6.0).reshape(2, 3)
    assert_same(Matrix(array).tile(61, 3001), np.tile(array, (61, 3001)))
    assert_same(Matrix(1, 1, 4.0).tile(700, 100), np.full((700, 100), 4.0))


@given(data=st.data(), array=arrays(), repeats=st.integers(1, 5), axis=AXES)
def test_repeat_interleave_agrees_with_numpy(data, array, repeats, axis):
    source = data.draw(operands(array))
    expected = np.repeat(array, repeats, axis)
    assert_same(source.repeat_interleave(repeats, axis=axis), np.atleast_2d(expected))


@given(data=st.data(), array=arrays(), offset=st.integers(-75, 75))
def test_diagonal_agrees_with_numpy(data, array, offset):
    source = data.draw(operands(array))
    assert_same(source.diagonal(offset), np.diagonal(array, offset).reshape(1, -1))


def test_offsets_of_any_size():
    for offset in (2**62, -(2**62), -(2**63), 2**63 - 1):
        assert Matrix(3, 4).diagonal(offset).shape == (1, 0)


@given(data=st.data(), array=arrays())
def test_transposes_agree_with_numpy(data, array):
    source = data.draw(operands(array))
    assert_same(source.T, array.T)
    assert_same(source.T.T, array)
    matrix = source.copy()
    assert_same(matrix.transpose(), array.T)
    alias = matrix.T
    assert matrix.transpose(in_place=True) is matrix
    assert_same(matrix, array.T)
    matrix += 1.0
    assert_same(alias, array.T)
    alias *= 2.0
    assert_same(matrix, array.T + 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.roll(1.5),
        lambda m: m.roll(),
        lambda m: m.roll(1, 2),
        lambda m: m.roll(1, True),
        lambda m: m.roll(2**70),
        lambda m: m.flip(2),
        lambda m: m.flip("a"),
        lambda m: m.tile(2),
        lambda m: m.tile(-1, 2),
        lambda m: m.tile(2.0, 2),
        lambda m: m.tile(2**40, 2**40),
        lambda m: m.tile(2**62, 2**62),
        lambda m: m.repeat_interleave(0),
        lambda m: m.repeat_interleave(-1, 0),
        lambda m: m.repeat_interleave(2.5),
        lambda m: m.repeat_interleave(True),
        lambda m: m.repeat_interleave(2, axis=2),
        lambda m: m.repeat_interleave(2**61),
        lambda m: m.diagonal("a"),
        lambda m: m.diagonal(1.0),
        lambda m: m.ravel(1),
        lambda m: m.transpose(1, 2),
    ],
)
def test_misuse_raises(call):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        call(Matrix(2, 3))


@given(array=arrays(LENGTHS, LENGTHS))
def test_a_matrix_in_use_as_a_buffer_is_copied(array):
    matrix = Matrix(array)
    window = np.asarray(matrix)
    shaped = matrix.reshape(1, -1)
    window += 1.0
    assert_same(shaped, array.reshape(1, -1))
    if array.size:
        with pytest.raises(BufferError, match="shape"):
            matrix.transpose(in_place=True)
