"""Views: windows that read and write their matrix and follow it."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix, MatrixView
from support.matrices import FINITE, arrays, as_array, assert_same

SIZES = st.sampled_from([1, 2, 3, 5, 17])


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_chains_of_windows_agree_with_numpy(data, array):
    matrix, expected = Matrix(array), array.copy()
    view, window = matrix.view, expected
    for _ in range(3):
        if data.draw(st.booleans()):
            view, window = view.T, window.T
        key = tuple(data.draw(st.slices(length)) for length in window.shape)
        view, window = view[key], window[key]
    assert_same(view, window)
    assert_same(view * 2.0, window * 2.0)
    assert view.shape == window.shape
    view += 1.0
    window += 1.0
    assert_same(matrix, expected)


@given(data=st.data(), array=arrays(SIZES, SIZES, FINITE))
def test_lines(data, array):
    matrix, expected = Matrix(array), array.copy()
    row = data.draw(st.integers(-array.shape[0], array.shape[0] - 1))
    column = data.draw(st.integers(-array.shape[1], array.shape[1] - 1))
    for view, line, is_row in (
        (matrix.row_view(row), expected[row], True),
        (matrix.view[row], expected[row], True),
        (matrix.column_view(column), expected[:, column], False),
        (matrix.view[:, column], expected[:, column], False),
        (matrix.view[:, column].T, expected[:, column], True),
    ):
        assert isinstance(view, MatrixView)
        assert view.is_row == is_row
        assert len(view) == len(line)
        assert list(view) == line.tolist()
        at = data.draw(st.integers(-len(line), len(line) - 1))
        part = data.draw(st.slices(len(line)))
        assert view[at] == line[at]
        assert list(view[part]) == line[part].tolist()
        view[at] = 5.0
        line[at] = 5.0
        view[part] = list(range(len(line[part])))
        line[part] = range(len(line[part]))
        assert_same(matrix, expected)


def test_parts_of_lines_and_cells():
    matrix = Matrix(2, 3, [1, 2, 3, 4, 5, 6])
    assert matrix.row_view(1, slice(None, None, -1)).copy().tolist() == [[6, 5, 4]]
    assert matrix.column_view(0, 1).copy().tolist() == [[4]]
    cell = matrix.view[1, 2]
    cell += 10
    assert matrix[1, 2] == 16
    assert [list(view) for view in matrix.row_views()] == [[1, 2, 3], [4, 5, 16]]
    assert [list(view) for view in matrix.column_views()] == [[1, 4], [2, 5], [3, 16]]
    assert [list(row) for row in matrix.view] == [[1, 2, 3], [4, 5, 16]]
    matrix.row_view(0).x = 7
    assert matrix[0, 0] == 7
    with pytest.raises(TypeError, match="one axis"):
        matrix.row_view(0)[0, 1]
    with pytest.raises(IndexError, match="2 is out of range"):
        matrix.row_view(2)
    with pytest.raises(IndexError, match="3 is out of range"):
        matrix.row_view(0)[3]


def test_steps_that_are_never_taken_may_have_any_size():
    matrix = Matrix(3, 3, range(9))
    view = matrix.view[:: 2**62, :: -(2**62)][:: 2**62]
    assert view.copy().tolist() == matrix[:: 2**62, :: -(2**62)].tolist() == [[2]]


def test_orientation_of_a_value_does_not_matter_to_a_line():
    matrix = Matrix(3, 3)
    matrix.view[:, 0][...] = Matrix(1, 3, [1, 2, 3])
    matrix.view[0][1:] = Matrix(2, 1, [8, 9])
    assert matrix.tolist() == [[1, 8, 9], [2, 0, 0], [3, 0, 0]]


def test_read_only_views():
    matrix = Matrix(2, 2, [1, 2, 3, 4])
    views = [
        matrix.row_view(0, read_only=True),
        matrix.column_view(0, read_only=True)[:1],
        matrix.row_view(0, read_only=True).T,
        *matrix.row_views(read_only=True),
        *matrix.column_views(read_only=True),
    ]
    for view in views:
        assert view.read_only
        with pytest.raises(TypeError, match="read-only"):
            view[0] = 1.0
        with pytest.raises(TypeError, match="read-only"):
            view += 1.0
        with pytest.raises(TypeError, match="read-only"):
            view.x = 3.0
        assert memoryview(view).readonly
    assert not matrix.row_view(0).read_only
    assert matrix.tolist() == [[1, 2], [3, 4]]


def test_a_view_keeps_its_matrix_alive_and_follows_it():
    view = Matrix(30, 30, 2.0).row_view(3)
    gc.collect()
    assert view.sum() == 60.0
    matrix = Matrix(30, 30, 1.0)
    view, alias = matrix.view[2], matrix.T
    matrix += 1.0  # the values move, for the alias has the others
    view += 1.0
    assert view.sum() == matrix[2].sum() == 90.0
    assert alias.sum() == 900.0


def test_a_view_of_a_matrix_that_was_reshaped():
    matrix = Matrix(3, 17)
    view = matrix.view[0]
    matrix.transpose(in_place=True)
    with pytest.raises(RuntimeError, match=r"\(3, 17\).*\(17, 3\)"):
        view + 1
    assert "(1, 17)" in repr(view)
    matrix.transpose(in_place=True)
    assert view.sum() == 0.0


def test_a_view_of_a_square_matrix_that_was_transposed_stays_in_its_place():
    array = np.arange(25.0).reshape(5, 5)
    matrix = Matrix(array)
    view = matrix.view[1:4:2, ::-1]
    matrix.transpose(in_place=True)
    assert_same(view, array.T[1:4:2, ::-1])
    view += 100.0
    array.T[1:4:2, ::-1] += 100.0
    assert_same(matrix, array.T)


def test_a_reshaped_matrix_leaves_views_alone():
    matrix = Matrix(4, 5, range(20))
    view = matrix.view[1]
    shaped = matrix.reshape(5, 4)
    view += 1.0
    assert view.sum() == 40.0
    assert shaped.tolist() == np.arange(20.0).reshape(5, 4).tolist()


def test_a_view_does_not_travel():
    view = Matrix(2, 2).view[0]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match=r"copy\(\)"):
            pickle.dumps(view, protocol)
    assert isinstance(copy.copy(view), Matrix)
    assert isinstance(copy.deepcopy(view), Matrix)
    with pytest.raises(TypeError):
        MatrixView()


def test_views_export_their_window():
    matrix = Matrix(np.arange(20.0).reshape(4, 5))
    window = np.asarray(matrix.view[::-2, 1:4])
    assert window.tolist() == as_array(matrix.view[::-2, 1:4]).tolist()
    window[0, 0] = 99.0
    assert matrix[3, 1] == 99.0
