"""Linear algebra over tiles against NumPy, for tilings that divide the shape and that do not.

The bounds are those of backward stability: a residual of some times sides times rounding, relative
to the sizes of what went in, whatever the condition.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Cown, Matrix, TiledMatrix, linalg, quiesce, read, tilealgebra, when

SQUARES = [(1, 1), (4, 4), (5, 2), (7, 3), (6, 1), (9, 100), (40, 16), (130, None), (150, 32)]
SHAPES = [
    ((6, 4), 2),
    ((4, 6), 2),
    ((7, 5), (3, 2)),
    ((5, 7), (3, 2)),
    ((5, 5), (2, 3)),
    ((1, 1), 1),
    ((9, 1), 2),
    ((1, 9), 2),
    ((8, 3), (1, 8)),
    ((100, 40), (16, 12)),
    ((40, 100), (16, 12)),
    ((100, 9), (7, 4)),
    ((57, 5), (3, 2)),
    ((41, 4), 2),
    ((64, 1), 3),
    ((130, 7), 8),
    ((7, 130), 8),
    ((150, 150), None),
]
EPSILON = np.finfo(float).eps


def values_of(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def definite(n, seed=0):
    values = values_of((n, n), seed)
    return values @ values.T + n * np.eye(n)


def tiled(array, tile):
    return TiledMatrix(Matrix(array), tile)


def array_of(tiles):
    return np.array(tiles.to_matrix())


def notes_of(error):
    return [note for note in error.__notes__ if note.startswith("in tile")]


def size_of(array):
    return np.linalg.norm(array) if array.size else 0.0


def assert_small(residual, *sizes):
    bound = 20 * (sum(residual.shape) + 2) * EPSILON * math.prod(map(size_of, sizes))
    assert size_of(residual) <= bound


def assert_orthonormal(q):
    assert_small(q.T @ q - np.eye(q.shape[1]), np.eye(q.shape[1]))


def assert_solves(a, x, b):
    assert_small(a @ x - b, a, np.vstack([x, np.ones((1, x.shape[1]))]))


# ---- Cholesky ----


@pytest.mark.parametrize(("n", "tile"), SQUARES)
def test_cholesky_gives_the_lower_factor(backend, n, tile):
    array = definite(n)
    tiles = tiled(array, tile)
    factor = tiles.cholesky()
    assert (factor.shape, factor.tile) == (tiles.shape, tiles.tile)
    lower = array_of(factor)
    assert (np.triu(lower, 1) == 0.0).all()
    assert (np.diagonal(lower) > 0.0).all()
    assert_small(lower @ lower.T - array, lower, lower)
    assert np.allclose(lower, np.linalg.cholesky(array), rtol=1e-9, atol=1e-9)
    assert (array_of(tiles) == array).all()


@pytest.mark.parametrize(("n", "tile"), [(8, 8), (10, 8), (24, 8), (21, 12), (4, 2), (6, 6)])
def test_cholesky_may_work_on_parts_of_tiles(backend, monkeypatch, n, tile):
    monkeypatch.setattr(tilealgebra, "SMALLEST_PART", 1)
    assert tilealgebra.parts_a_tile(8, 1) > 1
    array = definite(n)
    tiles = tiled(array, tile)
    factor = tiles.cholesky()
    assert factor.tile == tiles.tile
    assert factor.tiles[0, 0].get().shape == tiles.tile
    product = array_of(factor @ factor.T)
    lower = array_of(factor)
    assert (np.triu(lower, 1) == 0.0).all()
    assert_small(product - array, lower, lower)
    array[n - 1, n - 1] = -1.0
    with pytest.raises(linalg.LinAlgError, match=f"order {n} is") as caught:
        tiled(array, tile).cholesky().to_matrix()
    assert notes_of(caught.value) == [f"in tile ({(n - 1) // tile}, {(n - 1) // tile})"]
    assert np.allclose(array_of(tiles), definite(n))


def test_cholesky_reads_the_lower_triangle(backend):
    array = definite(7)
    spoiled = np.where(np.triu(np.ones((7, 7)), 1) > 0, math.nan, array)
    assert (array_of(tiled(spoiled, 3).cholesky()) == array_of(tiled(array, 3).cholesky())).all()


@pytest.mark.parametrize("place", [0, 3, 6, 9])
@pytest.mark.parametrize("value", [-1.0, 0.0, -math.inf])
def test_cholesky_says_where_a_matrix_is_not_positive_definite(backend, place, value):
    array = np.eye(10)
    array[place, place] = value
    tiles = tiled(array, 4)
    with pytest.raises(linalg.LinAlgError, match=f"order {place + 1} is not positive") as caught:
        tiles.cholesky().to_matrix()
    assert notes_of(caught.value) == [f"in tile ({place // 4}, {place // 4})"]
    assert (array_of(tiles) == array).all()


def test_cholesky_passes_nan_on_as_without_tiles(backend):
    array = definite(10)
    array[6, 2] = math.nan
    lower = array_of(tiled(array, 5).cholesky())
    assert np.array_equal(np.isnan(lower), np.isnan(np.array(linalg.cholesky(array))))
    assert np.isnan(lower[6]).any()


def test_cholesky_needs_a_square_in_square_tiles(backend):
    with pytest.raises(linalg.LinAlgError, match="4 x 6"):
        tiled(np.ones((4, 6)), 2).cholesky()
    with pytest.raises(ValueError, match="2 x 3"):
        tiled(np.eye(6), (2, 3)).cholesky()


def test_an_ill_conditioned_matrix_has_a_cholesky_factor(backend):
    q = np.linalg.qr(values_of((30, 30)))[0]
    array = q @ np.diag(10.0 ** -np.linspace(0, 11, 30)) @ q.T
    array = (array + array.T) / 2
    lower = array_of(tiled(array, 8).cholesky())
    assert_small(lower @ lower.T - array, lower, lower)


# ---- solving ----


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize(("n", "tile"), SQUARES)
def test_solve_agrees_with_numpy(backend, n, tile, count):
    a, b = values_of((n, n)), values_of((n, count), 1)
    left, right = tiled(a, tile), tiled(b, tile)
    x = left.solve(right)
    assert (x.shape, x.tile[1]) == (b.shape, right.tile[1])
    found = array_of(x)
    assert_solves(a, found, b)
    assert np.allclose(found, np.linalg.solve(a, b), rtol=1e-8, atol=1e-8)
    assert (array_of(left) == a).all()
    assert (array_of(right) == b).all()


def test_solve_takes_any_tiles_that_share_rows(backend):
    a, b = values_of((11, 11)), values_of((11, 7), 1)
    left, right = tiled(a, (3, 4)), tiled(b, (3, 2))
    x = left.solve(right)
    assert x.tile == (4, 2)
    assert_small(array_of(left @ x) - b, a, b)
    assert_solves(a, array_of(x), b)


def test_solve_needs_and_finds_pivots(backend):
    n = 24
    exchanged = np.eye(n)[::-1] + 1e-17 * values_of((n, n))
    tiny = values_of((n, n))
    tiny[np.diag_indices(n)] = 1e-20
    hilbert = 1.0 / (np.arange(n)[:, None] + np.arange(n) + 1)
    graded = values_of((n, n)) * 10.0 ** -np.arange(n)[:, None]
    for a in (exchanged, tiny, hilbert, graded):
        b = values_of((n, 3), 1)
        for tile in (1, 5, 8, 24):
            assert_solves(a, array_of(tiled(a, tile).solve(tiled(b, tile))), b)


@pytest.mark.parametrize(("n", "tile"), [(8, 8), (10, (8, 3)), (24, 8), (21, (12, 5)), (6, 6)])
def test_solve_may_work_on_parts_of_tiles(backend, monkeypatch, n, tile):
    monkeypatch.setattr(tilealgebra, "SMALLEST_PART", 1)
    a, b = values_of((n, n)), values_of((n, 5), 1)
    left, right = tiled(a, tile), tiled(b, tile)
    x = left.solve(right)
    assert x.tile == (left.tile[1], right.tile[1])
    assert_solves(a, array_of(x), b)
    a[n - 1] = 0.0
    with pytest.raises(linalg.LinAlgError, match=f"pivot {n} is exactly zero") as caught:
        tiled(a, tile).solve(right).to_matrix()
    (note,) = notes_of(caught.value)
    assert note.startswith(f"in tile ({(n - 1) // left.tile[0]}, ")


@pytest.mark.parametrize("place", [0, 4, 9])
def test_solve_says_that_a_matrix_is_singular(backend, place):
    a = np.eye(10)
    a[place, place] = 0.0
    left, right = tiled(a, 4), tiled(values_of((10, 6)), 4)
    x = left.solve(right)
    for _ in range(2):
        with pytest.raises(
            linalg.LinAlgError, match=f"pivot {place + 1} is exactly zero"
        ) as caught:
            x.to_matrix()
        assert notes_of(caught.value) == [f"in tile ({place // 4}, {place // 4})"]
    assert (array_of(left) == a).all()


def test_what_solve_cannot_take(backend):
    a, b = tiled(np.eye(6), 2), tiled(np.ones((6, 3)), 2)
    with pytest.raises(TypeError, match="Matrix"):
        a.solve(Matrix.ones((6, 1)))
    with pytest.raises(linalg.LinAlgError, match="6 x 3"):
        b.solve(b)
    for other in (tiled(np.ones((5, 1)), 2), tiled(np.ones((6, 1)), 3)):
        with pytest.raises(ValueError, match="6 x 6 matrix in tiles of 2 x 2"):
            a.solve(other)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_solve_passes_values_on_that_are_not_finite(backend, value):
    a, b = values_of((6, 6)), values_of((6, 2))
    a[3, 2] = value
    assert not np.isfinite(array_of(tiled(a, 2).solve(tiled(b, 2)))).all()
    a[3, 2], b[4, 1] = 1.0, value
    assert not np.isfinite(array_of(tiled(a, 2).solve(tiled(b, 2)))).all()


# ---- QR and singular values ----


@pytest.mark.parametrize(("shape", "tile"), SHAPES)
def test_qr_gives_reduced_factors(backend, shape, tile):
    array = values_of(shape)
    tiles = tiled(array, tile)
    q, r = tiles.qr()
    side = min(shape)
    assert (q.shape, r.shape) == ((shape[0], side), (side, shape[1]))
    product = q @ r
    assert product.tile == tiles.tile
    assert_small(array_of(product) - array, array)
    upper = array_of(r)
    assert_orthonormal(array_of(q))
    assert (np.tril(upper, -1) == 0.0).all()
    assert np.allclose(abs(upper), abs(np.linalg.qr(array)[1]), rtol=1e-9, atol=1e-9)
    assert (array_of(tiles) == array).all()


def test_qr_of_dependent_columns_is_orthonormal(backend):
    array = values_of((12, 3)) @ values_of((3, 9), 1)
    array[:, 4] = 0.0
    q, r = (array_of(part) for part in tiled(array, 4).qr())
    assert_orthonormal(q)
    assert_small(q @ r - array, array)


@pytest.mark.parametrize("shape", [(5, 5), (9, 3), (3, 9)])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_factors_of_what_is_not_finite(backend, shape, value):
    array = values_of(shape)
    array[2, 1] = value
    tiles = tiled(array, 2)
    q, r = tiles.qr()
    assert not np.isfinite(array_of(q) @ array_of(r)).all()
    with pytest.raises(linalg.LinAlgError, match="NaN or infinity"):
        tiles.svdvals().get()
    assert np.array_equal(array_of(tiles), array, equal_nan=True)


@pytest.mark.parametrize(("shape", "tile"), SHAPES)
def test_singular_values_agree_with_numpy(backend, shape, tile):
    array = values_of(shape)
    tiles = tiled(array, tile)
    found = tiles.svdvals().get()
    assert found.shape == (1, min(shape))
    expected = np.linalg.svd(array, compute_uv=False)
    assert np.abs(np.array(found)[0] - expected).max() <= 100 * max(shape) * EPSILON * expected[0]
    assert (array_of(tiles) == array).all()


# ---- all of them ----


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_of_nothing(backend, shape):
    tiles = TiledMatrix(Matrix.zeros(shape), 2)
    q, r = tiles.qr()
    assert (q.to_matrix().shape, r.to_matrix().shape) == ((shape[0], 0), (0, shape[1]))
    assert tiles.svdvals().get().shape == (1, 0)
    if shape == (0, 0):
        assert tiles.cholesky().to_matrix().shape == shape
        assert tiles.solve(TiledMatrix(Matrix.zeros((0, 3)), 2)).to_matrix().shape == (0, 3)
    square = tiled(np.eye(4), 2)
    assert square.solve(TiledMatrix(Matrix.zeros((4, 0)), 2)).to_matrix().shape == (4, 0)


@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 12),
    tile=st.tuples(st.integers(1, 13), st.integers(1, 13)),
    seed=st.integers(0, 1000),
)
def test_any_shape_in_any_tiles(rows, columns, tile, seed):
    array = values_of((rows, columns), seed)
    tiles = tiled(array, tile)
    q, r = tiles.qr()
    values = tiles.svdvals()
    gram = definite(rows, seed)
    factor = tiled(gram, tile[0]).cholesky()
    square = values_of((rows, rows), seed) + 0.1 * np.eye(rows)
    x = tiled(square, tile).solve(tiled(array, tile))
    assert_solves(square, array_of(x), array)
    q, r, lower = array_of(q), array_of(r), array_of(factor)
    assert_orthonormal(q)
    assert_small(q @ r - array, array)
    assert_small(lower @ lower.T - gram, lower, lower)
    expected = np.linalg.svd(array, compute_uv=False)
    assert np.allclose(np.array(values.get())[0], expected, rtol=1e-12, atol=1e-12)


def test_operands_may_be_transposed_or_stepped_matrices(backend):
    array = definite(8)
    for matrix in (Matrix(array).T, Matrix(np.repeat(array, 2, axis=0))[::2, :]):
        tiles = TiledMatrix(matrix, 3)
        lower = array_of(tiles.cholesky())
        assert_small(lower @ lower.T - array, lower, lower)
        assert_solves(array, array_of(tiles.solve(tiles)), array)
        assert np.allclose(array_of(tiles.qr()[0] @ tiles.qr()[1]), array)


def test_operations_follow_each_other_without_waiting(backend):
    gate = Cown(None)
    gate.acquire()
    array = definite(9) / 9
    tiles = tiled(array, 4)
    for tile in tiles.tiles:

        @when(tile, read(gate))
        def _(tile, _gate):
            tile.value *= 2.0

    factor = tiles.cholesky()
    x = factor.solve(tiles)
    q, r = (x @ factor).qr()
    values = r.svdvals()
    gate.release()
    lower = np.linalg.cholesky(2 * array)
    expected = np.linalg.svd(np.linalg.solve(lower, 2 * array) @ lower, compute_uv=False)
    assert np.allclose(np.array(values.get())[0], expected)
    assert np.allclose(array_of(q @ r), lower.T @ lower)


def test_what_failed_earlier_comes_out(backend):
    def fail(tile):
        if tile[0, 0] == 5.0:
            raise KeyError("no")
        return tile

    array = definite(6)
    array[2, 0] = array[0, 2] = 5.0
    failed = tiled(array, 2).map(fail)
    good = tiled(array, 2)
    results = [failed.cholesky(), failed.solve(good), good.solve(failed), *failed.qr()]
    for result in results:
        with pytest.raises(KeyError) as caught:
            result.to_matrix()
        assert len(notes_of(caught.value)) == 1
        assert sum(note.startswith("Traceback") for note in caught.value.__notes__) == 1
    with pytest.raises(KeyError):
        failed.svdvals().get()
    assert (array_of(good) == array).all()


def test_what_came_out_is_not_reported_as_well(backend, caplog):
    singular, b = tiled(np.zeros((7, 7)), 2), tiled(np.ones((7, 3)), 2)
    for result in (singular.cholesky(), singular.solve(b)):
        with pytest.raises(linalg.LinAlgError):
            result.to_matrix()
    quiesce()
    assert not caplog.records


def test_what_is_not_wanted_is_not_computed(backend):
    gate = Cown(None)
    gate.acquire()
    tiles, b = tiled(definite(9), 3), tiled(np.ones((9, 2)), 3)

    @when(gate, list(tiles.tiles))
    def _(_gate, _tiles):
        pass

    results = [tiles.cholesky(), tiles.solve(b), *tiles.qr(), tiles.svdvals()]
    del results
    long = tiled(np.ones((40, 2)), 2)

    @when(gate, list(long.tiles))
    def _(_gate, _tiles):
        pass

    q, r = long.qr()
    del q, r
    gate.release()
    assert sum(worker["executed"] for worker in quiesce(stats=True)) == 2


def test_a_spent_one_has_no_factors(backend):
    tiles, other = tiled(np.eye(4), 2), tiled(np.eye(4), 2)
    tiles.to_matrix()
    for use in (
        tiles.cholesky,
        tiles.qr,
        tiles.svdvals,
        lambda: tiles.solve(other),
        lambda: other.solve(tiles),
    ):
        with pytest.raises(RuntimeError, match="spent"):
            use()


def test_factors_inside_of_a_behavior(backend):
    @when()
    def scheduled():
        tiles = TiledMatrix(Matrix.ones((5, 5)) + Matrix.eye(5), 2)
        return tiles.solve(tiles.cholesky()).sum(), tiles.svdvals()

    quiesce()
    total, values = scheduled.get()
    array = np.ones((5, 5)) + np.eye(5)
    assert total.get() == pytest.approx(np.linalg.solve(array, np.linalg.cholesky(array)).sum())
    assert np.array(values.get())[0] == pytest.approx([6.0, 1.0, 1.0, 1.0, 1.0])
