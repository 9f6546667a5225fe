"""Stencils over tiles against NumPy's padded arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocmat import Cown, Matrix, TiledMatrix, read, when

PADDING = {"nearest": {"mode": "edge"}, "wrap": {"mode": "wrap"}}
BOUNDARIES = [0.0, -2.5, math.nan, "nearest", "wrap"]

for_backends = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def values_of(shape, seed=0):
    return np.random.default_rng(seed).uniform(1.0, 2.0, shape)


def tiled(array, tile):
    return TiledMatrix(Matrix(array.tolist()), tile)


def array_of(tiles):
    return np.array(tiles.to_matrix().tolist())


def notes_of(error):
    return " ".join(getattr(error, "__notes__", ()))


def padded(array, halo, boundary):
    """Give the whole matrix grown by the halo, which the windows of all tiles are parts of."""
    widths = tuple((size, size) for size in halo)
    if isinstance(boundary, str):
        return np.pad(array, widths, **PADDING[boundary])
    return np.pad(array, widths, mode="constant", constant_values=boundary)


def sums_of_windows(big, shape, halo):
    """Add what lies at every distance up to the halo, weighted so that none can be mistaken."""
    total, weight = np.zeros(shape), 1.0
    for row in range(2 * halo[0] + 1):
        for column in range(2 * halo[1] + 1):
            total = total + big[row : row + shape[0], column : column + shape[1]] * weight
            weight += 1.0
    return total


def summed(halo):
    """Make the same a stencil."""

    def function(window):
        rows, columns = window.rows - 2 * halo[0], window.columns - 2 * halo[1]
        total, weight = Matrix.zeros((rows, columns)), 1.0
        for row in range(2 * halo[0] + 1):
            for column in range(2 * halo[1] + 1):
                total = total + window[row : row + rows, column : column + columns] * weight
                weight += 1.0
        return total

    return function


def neighbours(window):
    return window[:-2, 1:-1] + window[2:, 1:-1] + window[1:-1, :-2] + window[1:-1, 2:]


def neighbours_of(array, boundary):
    big = padded(array, (1, 1), boundary)
    return big[:-2, 1:-1] + big[2:, 1:-1] + big[1:-1, :-2] + big[1:-1, 2:]


# ---- what it computes ----


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(
    ("shape", "tile"),
    [((6, 8), (3, 4)), ((7, 5), (3, 2)), ((1, 1), 1), ((9, 1), 2), ((4, 4), 9), ((70, 130), None)],
)
def test_the_four_neighbours_agree_with_numpy(backend, shape, tile, boundary):
    array = values_of(shape)
    tiles = tiled(array, tile)
    result = tiles.stencil(neighbours, 1, boundary=boundary)
    assert result.shape == shape
    assert result.tile == tiles.tile
    assert np.array_equal(array_of(result), neighbours_of(array, boundary), equal_nan=True)
    assert (array_of(tiles) == array).all()


@for_backends
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    tile=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    halo=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    boundary=st.sampled_from(BOUNDARIES),
    seed=st.integers(0, 99),
)
def test_any_halo_agrees_with_numpy(backend, shape, tile, halo, boundary, seed):
    array = values_of(shape, seed)
    result = tiled(array, tile).stencil(summed(halo), halo, boundary=boundary)
    expected = sums_of_windows(padded(array, halo, boundary), shape, halo)
    assert np.array_equal(array_of(result), expected, equal_nan=True)


@pytest.mark.parametrize("boundary", [0.0, "nearest", "wrap"])
def test_a_halo_may_be_larger_than_tiles_and_than_the_matrix(backend, boundary):
    array, halo = values_of((5, 4)), (7, 6)
    result = tiled(array, 2).stencil(summed(halo), halo, boundary=boundary)
    expected = sums_of_windows(padded(array, halo, boundary), (5, 4), halo)
    assert np.allclose(array_of(result), expected, rtol=1e-13)


def test_zeros_lie_outside_unless_told_otherwise(backend):
    array = np.ones((3, 3))
    assert array_of(tiled(array, 2).stencil(neighbours, 1)).tolist() == [
        [2.0, 3.0, 2.0],
        [3.0, 4.0, 3.0],
        [2.0, 3.0, 2.0],
    ]


def test_a_window_is_the_functions_own_to_change(backend):
    def double(window):
        window *= 2.0
        return window[1:-1, 2:-2]

    array = values_of((5, 7))
    tiles = tiled(array, (2, 3))
    assert (array_of(tiles.stencil(double, (1, 2))) == 2.0 * array).all()
    assert (array_of(tiles) == array).all()


def test_steps_follow_each_other_without_a_barrier(backend):
    array = expected = values_of((20, 17))
    tiles = tiled(array, 6)
    for _ in range(30):
        tiles = tiles.stencil(lambda window: neighbours(window) / 4.0, 1, boundary="nearest")
        expected = neighbours_of(expected, "nearest") / 4.0
    assert np.allclose(array_of(tiles), expected, rtol=1e-13)


def test_a_tile_waits_for_its_own_surroundings_only(backend):
    array = values_of((2, 10))
    tiles, gate = tiled(array, 2), Cown(0)
    gate.acquire()

    @when(tiles[0, 4], gate)
    def _(tile, gate):
        tile.value *= 2.0

    result = tiles.stencil(neighbours, 1).stencil(neighbours, 1)
    early = result[0, 0].get()
    gate.release()
    array[:, 8:] *= 2.0
    expected = neighbours_of(neighbours_of(array, 0.0), 0.0)
    assert np.allclose(np.array(early.tolist()), expected[:, :2], rtol=1e-14)
    assert np.allclose(array_of(result), expected, rtol=1e-14)


def test_it_takes_the_values_of_its_moment(backend):
    tiles = tiled(np.ones((4, 4)), 2)
    before = tiles.stencil(lambda window: window[1:-1, 1:-1], 1)
    for tile in tiles.tiles:

        @when(tile)
        def _(tile):
            tile.value *= 5.0

    assert (array_of(before) == 1.0).all()


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_a_matrix_without_elements_has_no_windows(backend, shape):
    for boundary in (0.0, "nearest", "wrap"):
        result = TiledMatrix(Matrix.zeros(shape), 2).stencil(neighbours, 1, boundary=boundary)
        assert result.to_matrix().shape == shape


# ---- what goes wrong ----


def test_the_error_of_a_tile_names_it(backend):
    def fail_at_seven(window):
        if window[1, 1] == 7.0:
            raise LookupError("seven")
        return window[1:-1, 1:-1]

    array = np.ones((6, 6))
    array[2, 4] = 7.0
    result = tiled(array, 2).stencil(fail_at_seven, 1)
    with pytest.raises(LookupError, match="seven") as caught:
        result.to_matrix()
    assert "in tile (1, 2)" in notes_of(caught.value)


def test_a_failed_tile_fails_all_that_look_at_it(backend):
    def fail_at_seven(tile):
        if tile[0, 0] == 7.0:
            raise LookupError("seven")
        return tile

    array = np.ones((8, 8))
    array[0, 0] = 7.0
    result = tiled(array, 2).map(fail_at_seven).stencil(neighbours, 1)
    assert isinstance(result[3, 3].get(), Matrix)
    for place in ((0, 0), (0, 1), (1, 1)):
        with pytest.raises(LookupError, match="seven"):
            result[place].get()
    with pytest.raises(LookupError) as caught:
        result.to_matrix()
    assert "in tile (0, 0)" in notes_of(caught.value)


def test_another_shape_is_refused(backend):
    result = tiled(np.ones((4, 4)), 2).stencil(lambda window: window, 1)
    with pytest.raises(ValueError, match=r"2 x 2 .* 4 x 4") as caught:
        result.to_matrix()
    assert "in tile (0, 0)" in notes_of(caught.value)
    result = tiled(np.ones((4, 4)), 2).stencil(lambda window: 1.0, 1)
    with pytest.raises(TypeError, match="float"):
        result.to_matrix()


@pytest.mark.parametrize(
    ("halo", "kind", "words"),
    [
        (-1, ValueError, "-1"),
        ((1, -2), ValueError, "-2"),
        ((1, 1, 1), ValueError, "3"),
        (1.0, TypeError, "float"),
        (True, TypeError, "bool"),
        ((0, None), TypeError, "NoneType"),
    ],
)
def test_a_bad_halo_is_named(backend, halo, kind, words):
    with pytest.raises(kind, match=words):
        tiled(np.ones((4, 4)), 2).stencil(neighbours, halo)


@pytest.mark.parametrize(
    ("boundary", "kind", "words"),
    [("mirror", ValueError, "mirror"), (None, TypeError, "NoneType"), (True, TypeError, "bool")],
)
def test_a_bad_boundary_is_named(backend, boundary, kind, words):
    with pytest.raises(kind, match=words):
        tiled(np.ones((4, 4)), 2).stencil(neighbours, 1, boundary=boundary)


def test_what_is_no_function_is_refused_and_so_is_a_spent_one(backend):
    tiles = tiled(np.ones((4, 4)), 2)
    with pytest.raises(TypeError, match="int"):
        tiles.stencil(3, 1)
    tiles.to_matrix()
    with pytest.raises(RuntimeError, match="spent"):
        tiles.stencil(neighbours, 1)


def test_the_tiles_are_read_and_not_taken(backend):
    tiles = tiled(np.ones((4, 4)), 2)
    with_halo = tiles.stencil(neighbours, 1)

    @when(read(tiles[0, 0]))
    def corner(tile):
        return tile.value.sum()

    assert corner.get() == 4.0
    assert with_halo.sum().get() == 48.0
