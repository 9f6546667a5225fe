"""Values of matrices are not copied on the way: every copy is counted, and each has a reason."""

from __future__ import annotations

import pickle
import sysconfig

import numpy as np
import pytest

from bocmat import Cown, Matrix, TiledMatrix, quiesce, read, when
from bocmat._core import _count_copies

SIZE, TILE = 300, 128
WHOLE = SIZE * SIZE


# Without a GIL a call holds the locks of two matrices, and copies a third one that it reads.
three_matrices = pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="free-threaded builds copy the factors of a product",
)


@pytest.fixture(autouse=True)
def not_counting():
    yield
    _count_copies(False)


def matrix(seed=0):
    return Matrix(np.random.default_rng(seed).uniform(1.0, 2.0, (SIZE, SIZE)))


def copied(function):
    """Count the values that are copied until all that a function schedules is done."""
    quiesce()
    _count_copies(True)
    result = function()
    quiesce()
    if isinstance(result, TiledMatrix):
        result.to_matrix()
    return _count_copies(False)


# ---- what is counted ----


def test_copies_are_counted():
    m = matrix()
    assert copied(m.copy) == WHOLE
    assert copied(lambda: m.T) == 0
    assert copied(lambda: m + 1.0) == 0

    def assign():
        m[10:20, :] = m.view[20:30, :]

    assert copied(assign) == 10 * SIZE
    assert copied(lambda: pickle.loads(pickle.dumps(m, protocol=5))) >= WHOLE
    assert _count_copies(False) == 0


def test_a_copy_on_write_is_counted(backend):
    m = matrix()
    gate = Cown(0)

    def write_while_it_is_captured():
        with gate:

            @when(gate)
            def total(gate):
                return m.sum()

            m[0, 0] = 5.0
        total.get()

    assert copied(write_while_it_is_captured) == WHOLE


# ---- what is not copied ----


def test_a_matrix_on_its_way_through_behaviors_is_not(backend):
    def move():
        cown, other = Cown(matrix()), Cown(None)
        captured = matrix(1)

        @when(cown, other)
        def first(cown, other):
            cown.value *= 2.0
            other.value = cown.value
            cown.value = None

        @when(read(other))
        def look(other):
            return other.value.sum() + captured.sum()

        @when(other)
        def last(other):
            return other.value

        look.get()
        quiesce()
        last.unwrap()

    assert copied(move) == 0


def test_splitting_and_joining_are_free(backend):
    m = matrix()
    assert copied(lambda: TiledMatrix(m, TILE)) == 0


@three_matrices
@pytest.mark.parametrize(
    "chain",
    [
        lambda a, b: a @ b,
        lambda a, b: (a @ b + a) @ b,
        lambda a, b: ((a + b) * (a - b)) / b,
        lambda a, b: (3.0 - 2.0 * a) / 7.0 + 1.0 / b,
        lambda a, b: (a @ b).sum(),
        lambda a, b: (a * b).max(),
    ],
)
def test_arithmetic_copies_nothing(backend, chain):
    a, b = TiledMatrix(matrix(0), TILE), TiledMatrix(matrix(1), TILE)
    assert copied(lambda: chain(a, b)) == 0


def test_tiles_changed_in_place_are_not_copied(backend):
    def change():
        tiles = TiledMatrix(matrix(), TILE)
        for tile in tiles.tiles:

            @when(tile)
            def _(tile):
                tile.value *= 2.0

        return tiles

    assert copied(change) == 0


# ---- what has to be ----


def test_the_result_of_a_function_is_put_in_its_place(backend):
    a, b = TiledMatrix(matrix(0), TILE), TiledMatrix(matrix(1), TILE)
    assert copied(lambda: a.map(lambda tile: tile * 2.0)) == WHOLE
    assert copied(lambda: a.map(lambda x, y: x + y, b) + b) == WHOLE
    assert copied(lambda: a.map(lambda tile: tile.exp()).sum()) == WHOLE


def test_a_transpose_is_a_copy(backend):
    a = TiledMatrix(matrix(), TILE)
    assert copied(lambda: a.T) == WHOLE


def test_a_window_is_put_together_from_tiles(backend):
    halo = 4
    a = TiledMatrix(matrix(), TILE)
    edges = [(start, min(start + TILE, SIZE)) for start in range(0, SIZE, TILE)]
    inside = sum(min(stop + halo, SIZE) - max(start - halo, 0) for start, stop in edges)
    steps = 4

    def iterate():
        tiles = a
        for _ in range(steps):
            tiles = tiles.stencil(lambda u: u.view[halo:-halo, halo:-halo] * 0.5, halo)
        return tiles

    assert copied(iterate) == steps * (inside * inside + WHOLE)


def test_a_factor_takes_over_the_tiles_of_its_triangle(backend):
    m = matrix()
    definite = m @ m.T + 100.0 * Matrix.eye(SIZE)
    a = TiledMatrix(definite, TILE)
    rows, columns = a.grid
    heights = [min(TILE, SIZE - i * TILE) for i in range(rows)]
    triangle = sum(heights[i] * heights[j] for i in range(rows) for j in range(columns) if i >= j)
    assert copied(a.cholesky) == triangle
