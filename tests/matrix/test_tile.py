"""Splitting into tiles and joining: the same memory, and never another's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from bocmat._core import _join, _merge, _neighbours, _split
from support.buffers import address
from support.matrices import FINITE, arrays, assert_same

SIZES = st.sampled_from([0, 1, 2, 3, 5, 17])


@given(array=arrays(SIZES, SIZES, FINITE), rows=st.integers(1, 6), columns=st.integers(1, 6))
@pytest.mark.parametrize("transposed", [False, True])
def test_tiles_are_parts_and_come_back(transposed, array, rows, columns):
    matrix = Matrix(array.T).T if transposed else Matrix(array)
    tiles = _split(matrix, rows, columns)
    assert not matrix.acquired
    assert matrix.shape == array.shape
    assert "split" in repr(matrix)
    expected = array.copy()
    for i, line in enumerate(tiles):
        for j, tile in enumerate(line):
            part = expected[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
            assert_same(tile, part)
            tile *= 2.0
            part *= 2.0
    assert _join(matrix, tiles) is matrix
    assert_same(matrix, expected)
    assert matrix.acquired
    for line in tiles:
        for tile in line:
            with pytest.raises(RuntimeError, match="held elsewhere"):
                tile + 1


def made() -> tuple[Matrix, np.ndarray]:
    array = np.arange(24.0 * 18).reshape(24, 18)
    return Matrix(array), array


def test_neither_splitting_nor_joining_copies():
    matrix, array = made()
    before = address(matrix)
    tiles = _split(matrix, 8, 6)
    assert address(tiles[0][0]) == before
    assert address(tiles[1][1]) == before + 8 * (8 * 18 + 6)
    tiles[2][2] = Matrix.zeros((8, 6))  # one that lives elsewhere is copied to its place
    array[16:, 12:] = 0.0
    _join(matrix, tiles)
    assert address(matrix) == before
    assert_same(matrix, array)


def test_an_alias_of_a_tile_keeps_its_values():
    for write_first in (False, True):
        matrix, array = made()
        tiles = _split(matrix, 8, 6)
        alias = tiles[0][0].T
        if write_first:
            tiles[0][0] += 1.0
        _join(matrix, tiles)
        matrix += 1.0
        assert_same(alias, array[:8, :6].T)


def test_tiles_that_changed_places():
    matrix, array = made()
    tiles = _split(matrix, 12, 18)
    _join(matrix, tiles[::-1])
    assert_same(matrix, np.vstack([array[12:], array[:12]]))


def test_the_whole_refuses_use_while_it_is_split():
    matrix, _ = made()
    alias = matrix.T
    tiles = _split(matrix, 10, 10)
    for use in (
        lambda: matrix + 1,
        lambda: matrix.sum(),
        lambda: matrix[0],
        lambda: matrix.T,
        lambda: matrix.view,
        lambda: memoryview(matrix),
        lambda: matrix.copy(),
        lambda: _split(matrix, 2, 2),
    ):
        with pytest.raises(RuntimeError, match=r"\(24, 18\) is split"):
            use()
    assert alias[0, 1] == 18.0
    tiles[0][0][0, 1] = 5.0
    assert alias[1, 0] == 1.0


def test_tiles_outlive_the_whole():
    matrix, array = made()
    tiles = _split(matrix, 12, 9)
    del matrix
    assert_same(tiles[1][1], array[12:, 9:])


def test_a_tile_can_be_split_again():
    matrix, array = made()
    tiles = _split(matrix, 12, 9)
    inner = _split(tiles[0][0], 5, 5)
    inner[0][0] += 100.0
    array[:5, :5] += 100.0
    with pytest.raises(RuntimeError, match="split"):
        _join(matrix, tiles)
    _join(tiles[0][0], inner)
    _join(matrix, tiles)
    assert_same(matrix, array)


def test_what_cannot_be_split_or_joined_stays_usable():
    matrix, array = made()
    for size in ((0, 1), (1, -1)):
        with pytest.raises(ValueError, match="at least one"):
            _split(matrix, *size)
    with pytest.raises(TypeError, match="int"):
        _split(matrix, 1.5, 2)
    with pytest.raises(TypeError, match="list"):
        _split([[1]], 1, 1)
    with memoryview(matrix), pytest.raises(BufferError, match="memoryview"):
        _split(matrix, 2, 2)
    with pytest.raises(RuntimeError, match="not split"):
        _join(matrix, [[Matrix(24, 18)]])
    assert_same(matrix, array)
    tiles = _split(matrix, 12, 9)
    for wrong in (
        tiles[:1],
        [tiles[0], tiles[1][:1]],
        [[Matrix(12, 9), Matrix(12, 8)], tiles[1]],
        [tiles[0], [tiles[1][0], 3]],
    ):
        with pytest.raises((ValueError, TypeError)):
            _join(matrix, wrong)
    with memoryview(tiles[0][0]), pytest.raises(BufferError, match="memoryview"):
        _join(matrix, tiles)
    assert_same(_join(matrix, tiles), array)


def test_joining_into_a_new_matrix():
    parts = [[Matrix.ones((2, 2)), Matrix(2, 1)], [Matrix(1, 2), Matrix.ones((1, 1))]]
    assert _join(None, parts).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert parts[0][0].acquired


def test_borrowed_memory_is_copied_first():
    array = np.arange(30.0).reshape(5, 6)
    matrix = Matrix.from_buffer(array)
    tiles = _split(matrix, 3, 3)
    tiles[0][0] += 1.0
    _join(matrix, tiles)
    assert array[0, 0] == 0.0
    assert matrix[0, 0] == 1.0


# ---- merging ----


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(8, 6), (5, 4), (24, 18), (1, 1)])
def test_neighbours_merge_without_copying(transposed, rows, columns):
    matrix, array = made()
    matrix, array = (matrix.T, array.T) if transposed else (matrix, array)
    tiles = _split(matrix, rows, columns)
    place = address(tiles[0][0])
    half = (len(tiles) + 1) // 2
    parts = [[_merge(tiles[:half])], [_merge(tiles[half:])]] if tiles[half:] else [[_merge(tiles)]]
    assert address(parts[0][0]) == place
    assert_same(parts[0][0], array[: half * rows])
    with pytest.raises(RuntimeError, match="held elsewhere"):
        tiles[0][0].sum()
    parts[-1][0] *= 2.0
    _join(matrix, parts)
    array = array.copy()
    array[half * rows if len(parts) > 1 else 0 :] *= 2.0
    assert_same(matrix, array)
    assert address(matrix) == place


def test_what_are_no_neighbours_is_copied_to_be_merged():
    matrix, array = made()
    tiles = _split(matrix, 8, 6)
    merged = _merge([tiles[1], tiles[0]])
    assert_same(merged, np.vstack([array[8:16], array[:8]]))
    apart = Matrix.ones((2, 3))
    assert_same(_merge([[apart, Matrix.zeros((2, 1))]]), np.array([[1.0, 1, 1, 0]] * 2))
    with pytest.raises(RuntimeError, match="held elsewhere"):
        apart.sum()
    aliased, array = made()
    tiles = _split(aliased, 8, 6)
    kept = tiles[0][0].T
    merged = _merge(tiles)
    merged *= 0.0
    assert_same(kept, array[:8, :6].T)


def test_tiles_that_cannot_be_merged():
    matrix, array = made()
    tiles = _split(matrix, 8, 6)
    for wrong, error in (
        ([[tiles[0][0]], [tiles[0][1], tiles[0][2]]], ValueError),
        ([[tiles[0][0], Matrix.ones((7, 6))]], ValueError),
        ([[tiles[0][0], 1.0]], TypeError),
        (3, TypeError),
    ):
        with pytest.raises(error):
            _merge(wrong)
    view = memoryview(tiles[2][2])
    with pytest.raises(BufferError):
        _merge(tiles)
    view.release()
    assert_same(_join(matrix, [[_merge(tiles)]]), array)
    assert _merge([]).shape == (0, 0)


# ---- looking at neighbours as one ----


@pytest.mark.parametrize("transposed", [False, True])
def test_neighbours_as_one_share_their_values(transposed):
    matrix, array = made()
    matrix, array = (matrix.T, array.T) if transposed else (matrix, array)
    tiles = _split(matrix, 8, 6)
    row = _neighbours([tiles[1][:3]], True)
    assert_same(row, array[8:16, :18])
    row *= 2.0
    assert_same(tiles[1][2], 2.0 * array[8:16, 12:18])
    block = _neighbours([tiles[0][1:3], tiles[1][1:3]], True)
    assert_same(block, np.vstack([array[:8, 6:18], 2.0 * array[8:16, 6:18]]))
    del row, block
    place = address(tiles[0][0])
    _join(matrix, tiles)
    assert address(matrix) == place


def test_tiles_that_are_no_neighbours():
    matrix, _ = made()
    tiles = _split(matrix, 8, 6)
    for others in (
        [[tiles[0][1], tiles[0][0]]],
        [[tiles[0][0], tiles[0][2]]],
        [[tiles[0][0], tiles[0][1].copy()]],
        [[Matrix.ones((2, 2)), Matrix.ones((2, 2))]],
        [],
    ):
        assert _neighbours(others, False) is None
    with pytest.raises(TypeError, match="float, not a Matrix"):
        _neighbours([[tiles[0][0], 1.0]], False)


def test_neighbours_that_somebody_else_uses_are_not_alone():
    matrix, array = made()
    tiles = _split(matrix, 8, 6)
    alias = tiles[0][1].T
    assert _neighbours([tiles[0][:2]], True) is None
    assert_same(_neighbours([tiles[0][:2]], False), array[:8, :12])
    assert_same(alias, array[:8, 6:12].T)
