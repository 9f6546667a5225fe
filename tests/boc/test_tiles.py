"""Tiled matrices against NumPy, for tilings that divide the shape and tilings that do not."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

from bocmat import Cown, Matrix, TiledMatrix, quiesce, read, start, tilealgebra, wait, when

TILINGS = [
    ((6, 8), (3, 4)),
    ((7, 5), (3, 2)),
    ((7, 5), 2),
    ((5, 9), (5, 1)),
    ((4, 4), 100),
    ((1, 1), 1),
    ((130, 70), None),
]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv]


def values_of(shape, seed=0):
    return np.random.default_rng(seed).uniform(1.0, 2.0, shape)


def matrix_of(array):
    return Matrix(array.tolist())


def tiled(array, tile):
    return TiledMatrix(matrix_of(array), tile)


def array_of(tiles):
    return np.array(tiles.to_matrix().tolist())


def values_of_result(cown):
    """Whatever a reduction gives: a float, or the array of a matrix."""
    value = cown.get()
    return np.array(value.tolist()) if isinstance(value, Matrix) else value


def notes_of(error):
    return " ".join(getattr(error, "__notes__", ()))


# ---- splitting and joining ----


@pytest.mark.parametrize(("shape", "tile"), TILINGS)
def test_splitting_and_joining_gives_the_same_matrix(backend, shape, tile):
    array = values_of(shape)
    matrix = matrix_of(array)
    tiles = TiledMatrix(matrix, tile)
    assert tiles.shape == shape
    assert tiles.grid == tuple(math.ceil(n / t) for n, t in zip(shape, tiles.tile))
    assert tiles.tiles.shape == tiles.grid
    assert len(tiles.tiles) == len(list(tiles.tiles)) == math.prod(tiles.grid)
    joined = tiles.to_matrix()
    assert joined is matrix
    assert (np.array(matrix.tolist()) == array).all()


def test_the_whole_is_out_while_its_tiles_are(backend):
    matrix = matrix_of(values_of((4, 4)))
    tiles = TiledMatrix(matrix, 2)
    assert matrix.shape == (4, 4)
    with pytest.raises(RuntimeError):
        matrix.sum()
    with pytest.raises(RuntimeError):
        TiledMatrix(matrix, 2)
    tiles.to_matrix()
    assert matrix.sum() == pytest.approx(values_of((4, 4)).sum())


def test_nothing_is_copied_on_the_way(backend):
    matrix = matrix_of(values_of((40, 40)))
    place = np.asarray(matrix).__array_interface__["data"][0]
    tiles = TiledMatrix(matrix, 16)

    @when(tiles.tiles[1, 2])
    def _(tile):
        tile.value[:, :] = 0.0

    tiles.to_matrix()
    assert np.asarray(matrix).__array_interface__["data"][0] == place
    assert matrix[20, 35] == 0.0
    assert matrix[20, 20] != 0.0


def test_a_behavior_of_the_user_runs_over_tiles(backend):
    array = values_of((5, 7))
    tiles = tiled(array, (2, 3))
    for tile in tiles.tiles:

        @when(tile)
        def _(tile):
            tile.value *= 10.0

    assert tiles[1, 2] == tiles.tiles[1, 2] == tiles.tiles[-2, -1]
    assert np.allclose(array_of(tiles), array * 10)


def test_the_shapes_of_tiles_are_those_of_the_grid(backend):
    tiles = tiled(values_of((5, 7)), (2, 3))

    @when([read(tile) for tile in tiles.tiles])
    def shapes(held):
        return [tile.value.shape for tile in held]

    assert shapes.get() == [(rows, columns) for rows in (2, 2, 1) for columns in (3, 3, 1)]


def test_a_tile_may_get_another_matrix_of_its_shape(backend):
    tiles = tiled(np.zeros((4, 4)), 2)

    @when(tiles.tiles[1, 0])
    def _(tile):
        tile.value = Matrix.ones((2, 2))

    expected = np.zeros((4, 4))
    expected[2:, :2] = 1.0
    assert (array_of(tiles) == expected).all()


def test_a_spent_one_refuses_everything(backend):
    tiles, other = tiled(np.ones((4, 4)), 2), tiled(np.ones((4, 4)), 2)
    tiles.to_matrix()
    assert tiles.shape == (4, 4)
    assert "spent" in repr(tiles)
    for use in (
        lambda: tiles.to_matrix(),
        lambda: tiles.tiles,
        lambda: tiles + 1,
        lambda: other + tiles,
        lambda: other @ tiles,
        lambda: other.map(abs, tiles),
        lambda: tiles.T,
        lambda: tiles.sum(),
        lambda: tiles.reduce(operator.add),
    ):
        with pytest.raises(RuntimeError, match="spent"):
            use()


def test_it_outlives_the_workers(backend):
    array = values_of((5, 5))
    tiles = tiled(array, 2)
    doubled = tiles + tiles
    wait()
    assert np.allclose(array_of(doubled), 2 * array)
    assert np.allclose(array_of(tiles), array)
    start(1)  # joining has not started the workers again


def test_joining_waits_for_its_own_tiles_only(backend):
    tiles, gate, done = tiled(np.ones((4, 4)), 2), Cown(0), Cown(0)
    gate.acquire()

    @when(gate, done)
    def _(gate, done):
        done.value = 1

    assert (array_of(tiles + 1.0) == 2.0).all()
    gate.release()
    assert done.get() == 1


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_nothing_is_split_into_no_tiles(backend, shape):
    tiles = TiledMatrix(Matrix.zeros(shape), 2)
    assert len(tiles.tiles) == 0
    more = tiles + 1.0
    assert more.to_matrix().shape == shape
    assert tiles.sum().get() == 0.0
    assert tiles.sum(0).get().shape == (1, shape[1])
    for name in ("min", "max", "mean"):
        with pytest.raises(ValueError, match=f"{shape[0]} x {shape[1]}"):
            getattr(tiles, name)()
    with pytest.raises(ValueError, match="no tiles"):
        tiles.reduce(operator.add)
    assert tiles.to_matrix().shape == shape


# ---- arithmetic ----


@pytest.mark.parametrize("operation", OPERATORS)
@pytest.mark.parametrize(("shape", "tile"), TILINGS)
def test_operators_agree_with_numpy(backend, shape, tile, operation):
    left, right = values_of(shape, 1), values_of(shape, 2)
    a, b = tiled(left, tile), tiled(right, tile)
    results = [operation(a, b), operation(a, 3), operation(0.5, b), operation(a, a)]
    expected = [operation(left, right), operation(left, 3), operation(0.5, right)]
    expected.append(operation(left, left))
    for result, array in zip(results, expected):
        assert (array_of(result) == array).all()
    assert (array_of(a) == left).all()
    assert (array_of(b) == right).all()


def test_numpy_scalars_are_scalars(backend):
    array = values_of((3, 3))
    tiles = tiled(array, 2)
    assert np.allclose(array_of(np.float64(2.0) * tiles), 2 * array)
    assert np.allclose(array_of(tiles - np.float32(1.5)), array - 1.5)


@pytest.mark.parametrize(
    ("rows", "inner", "columns", "tile"),
    [(6, 4, 8, (3, 2, 4)), (7, 5, 9, (3, 2, 4)), (3, 1, 2, (2, 1, 2)), (65, 130, 70, (32, 48, 24))],
)
def test_products_agree_with_numpy(backend, rows, inner, columns, tile):
    left, right = values_of((rows, inner), 1), values_of((inner, columns), 2)
    product = tiled(left, tile[:2]) @ tiled(right, tile[1:])
    assert product.tile == (tile[0], tile[2])
    assert np.allclose(array_of(product), left @ right, rtol=1e-13)


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
@pytest.mark.parametrize("widest", [4, 9, 100])
def test_products_of_several_neighbours_at_once(backend, monkeypatch, workers, widest):
    monkeypatch.setattr(tilealgebra, "WORKER_COUNT", workers)
    monkeypatch.setattr(tilealgebra, "WIDEST_ROW", widest)
    left, right = values_of((7, 5), 1), values_of((5, 11), 2)
    a, b = tiled(left, (3, 2)), tiled(right, (2, 3))
    moved = b.tiles[1, 2]

    @when(moved)
    def _(moved):  # a tile that is no neighbour of others any more
        moved.value = moved.value + 1.0

    right[2:4, 6:9] += 1.0
    product = a @ b
    assert np.allclose(product.tiles[1, 2].get().tolist(), (left @ right)[3:6, 6:9], rtol=1e-13)
    assert np.allclose(array_of(a @ b), left @ right, rtol=1e-13)


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("grid", [(1, 1), (2, 2), (4, 4), (6, 6), (1, 9), (9, 1), (3, 0), (16, 16)])
def test_neighbours_at_once_take_no_longer(monkeypatch, workers, grid):
    monkeypatch.setattr(tilealgebra, "WORKER_COUNT", workers)
    count = tilealgebra.tiles_a_row(grid, 64)
    steps = grid[0] * math.ceil(grid[1] / count)
    assert 1 <= count <= max(grid[1], 1)
    assert math.ceil(steps / workers) * count <= max(math.ceil(grid[0] * grid[1] / workers), 1)
    assert tilealgebra.tiles_a_row(grid, 4096) == 1


def test_default_tiles_fit_each_other(backend):
    left, right = values_of((300, 40)), values_of((40, 700))
    assert np.allclose(array_of(tiled(left, None) @ tiled(right, None)), left @ right, rtol=1e-13)


def test_a_product_over_nothing_is_zero(backend):
    a, b = TiledMatrix(Matrix.zeros((3, 0)), 2), TiledMatrix(Matrix.zeros((0, 4)), 2)
    assert a.tile[1] == b.tile[0]
    assert ((a @ b).to_matrix().tolist()) == [[0.0] * 4] * 3


@pytest.mark.parametrize(("shape", "tile"), TILINGS)
def test_transposes_agree_with_numpy(backend, shape, tile):
    array = values_of(shape)
    tiles = tiled(array, tile)
    flipped = tiles.T
    assert flipped.shape == shape[::-1]
    assert flipped.tile == tiles.tile[::-1]
    assert np.allclose(array_of(tiles @ flipped), array @ array.T, rtol=1e-13)
    assert (array_of(flipped) == array.T).all()


def test_results_compose_without_waiting(backend):
    array = values_of((9, 9)) / 9
    a = tiled(array, 4)
    power = a
    for _ in range(5):
        power = (power @ a + 1.0) / 2
    expected = array
    for _ in range(5):
        expected = (expected @ array + 1.0) / 2
    assert np.allclose(array_of(power), expected, rtol=1e-12)


def test_an_operation_takes_the_values_of_its_moment(backend):
    tiles = tiled(np.ones((4, 4)), 2)
    before = tiles + 0.0
    for tile in tiles.tiles:

        @when(tile)
        def _(tile):
            tile.value *= 5.0

    after = tiles + 0.0
    assert (array_of(before) == 1.0).all()
    assert (array_of(after) == 5.0).all()


# ---- map, reduce and the reductions ----


@pytest.mark.parametrize(("shape", "tile"), TILINGS)
def test_map_goes_over_tiles_in_the_same_place(backend, shape, tile):
    left, right = values_of(shape, 1), values_of(shape, 2)
    factor = 3.0
    a, b = tiled(left, tile), tiled(right, tile)
    assert (array_of(a.map(lambda x: x * factor)) == left * 3).all()
    assert (array_of(a.map(lambda x, y: x - y * factor, b)) == left - right * 3).all()
    assert (array_of(a.map(lambda x: x)) == left).all()


def test_map_cannot_change_its_argument(backend):
    def change(tile):
        tile *= 2.0
        return tile

    tiles = tiled(np.ones((4, 4)), 2)
    result = tiles.map(change)
    with pytest.raises((RuntimeError, ValueError, TypeError)):
        result.to_matrix()
    assert (array_of(tiles) == 1.0).all()


@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
@pytest.mark.parametrize("name", ["sum", "mean", "min", "max"])
@pytest.mark.parametrize(("shape", "tile"), TILINGS)
def test_reductions_agree_with_numpy(backend, shape, tile, name, axis):
    array = values_of(shape) - 1.5
    result = values_of_result(getattr(tiled(array, tile), name)(axis))
    expected = getattr(array, name)(axis=axis, keepdims=axis is not None)
    assert np.shape(result) == np.shape(expected)
    if axis is None:
        assert isinstance(result, float)
    assert np.allclose(result, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["sum", "mean", "min", "max"])
@pytest.mark.parametrize("place", [(0, 0), (2, 3), (5, 5)])
def test_reductions_pass_nan_on(backend, name, place):
    array = values_of((6, 6))
    array[place] = math.nan
    tiles = tiled(array, 2)
    for axis in (None, 0, 1):
        result = values_of_result(getattr(tiles, name)(axis))
        expected = getattr(array, name)(axis=axis, keepdims=axis is not None)
        assert np.allclose(result, expected, equal_nan=True, rtol=1e-13)


def test_reduce_combines_pairs_in_the_order_of_the_grid(backend):
    # a + 2 b is neither commutative nor associative: only one order gives this result.
    array = values_of((10, 4))
    parts = [array[2 * i : 2 * i + 2] for i in range(5)]
    first, second = parts[0] + 2 * parts[1], parts[2] + 2 * parts[3]
    expected = (first + 2 * second) + 2 * parts[4]
    result = tiled(array, (2, 4)).reduce(lambda a, b: a + 2.0 * b)
    assert np.allclose(values_of_result(result), expected, rtol=1e-14)


def test_reduce_along_an_axis_gives_a_row_or_column_of_tiles(backend):
    array = values_of((6, 9))
    tiles = tiled(array, 3)
    down = tiles.reduce(lambda a, b: a + b, axis=0)
    across = tiles.reduce(lambda a, b: a + b, axis=1)
    assert (down.grid, across.grid) == ((1, 3), (2, 1))
    assert np.allclose(array_of(down), array[:3] + array[3:])
    assert np.allclose(array_of(across), array[:, :3] + array[:, 3:6] + array[:, 6:])


def test_reduce_of_one_tile_is_a_copy_of_it(backend):
    array = values_of((3, 3))
    tiles = tiled(array, 3)
    result = tiles.reduce(lambda a, b: a + b)

    @when(tiles.tiles[0, 0])
    def _(tile):
        tile.value *= 0.0

    assert (values_of_result(result) == array).all()


# ---- what goes wrong ----


def test_an_exception_says_which_tile_it_comes_from(backend):
    class Unlucky(Exception):
        pass

    def fail(tile):
        if tile[0, 0] == 1.0:
            raise Unlucky("no", 13)
        return tile

    array = np.zeros((6, 6))
    array[2, 4] = 1.0
    result = (tiled(array, 2).map(fail) + 1.0).T * 2.0
    with pytest.raises(Unlucky) as caught:
        result.to_matrix()
    assert caught.value.args == ("no", 13)
    assert "(1, 2)" in notes_of(caught.value)
    assert notes_of(caught.value).count("in tile") == 1


def test_the_other_tiles_and_the_operands_are_as_they_were(backend):
    def fail(tile):
        raise KeyError("x")

    tiles = tiled(np.ones((4, 4)), 2)
    result = tiles.map(fail)
    for _ in range(2):
        with pytest.raises(KeyError):
            result.to_matrix()
    assert (array_of(tiles) == 1.0).all()


def test_an_exception_comes_out_of_a_reduction(backend):
    def fail(tile):
        raise ZeroDivisionError("x")

    failed = tiled(np.ones((4, 4)), 2).map(fail)
    with pytest.raises(ZeroDivisionError) as caught:
        failed.sum().get()
    assert "in tile (0, 0)" in notes_of(caught.value)
    with pytest.raises(ZeroDivisionError):
        failed.reduce(operator.add).get()
    with pytest.raises(ZeroDivisionError):
        (failed @ failed).to_matrix()


def test_an_exception_that_came_out_is_not_reported_as_well(backend, caplog):
    def fail(tile):
        raise KeyError("x")

    tiles = tiled(np.ones((4, 4)), 2)
    with pytest.raises(KeyError):
        ((tiles.map(fail) + 1.0) @ tiles).to_matrix()
    quiesce()
    assert not caplog.records
    kept = tiles.map(fail)
    quiesce()
    assert len(caplog.records) == len(kept.tiles) == 4
    assert "in tile (0, 0)" in caplog.text


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (lambda tile: tile[0:1, 0:1], ValueError, "1 x 1"),
        (lambda tile: 1.0, TypeError, "float"),
        (lambda tile: None, TypeError, "NoneType"),
    ],
)
def test_a_tile_of_another_shape_is_refused(backend, function, error, text):
    tiles = tiled(np.ones((4, 4)), 2)
    with pytest.raises(error, match=text) as caught:
        tiles.map(function).to_matrix()
    assert "(0, 0)" in notes_of(caught.value)
    assert (array_of(tiles) == 1.0).all()


def test_a_tile_that_a_behavior_replaced_can_be_put_right(backend):
    tiles = tiled(np.ones((4, 4)), 2)

    @when(tiles.tiles[0, 1])
    def _(tile):
        tile.value = Matrix.ones((3, 3))

    with pytest.raises(ValueError, match="3 x 3") as caught:
        tiles.to_matrix()
    assert "(0, 1)" in notes_of(caught.value)

    @when(tiles.tiles[0, 1])
    def _(tile):
        tile.value = Matrix.ones((2, 2))

    assert (array_of(tiles) == 1.0).all()


def test_tilings_that_do_not_fit(backend):
    a = tiled(np.ones((4, 6)), (2, 3))
    others = [tiled(np.ones((4, 6)), 2), tiled(np.ones((6, 4)), (2, 3)), tiled(np.ones((1, 1)), 1)]
    for b in others:
        for operation in (*OPERATORS, operator.matmul):
            with pytest.raises(ValueError, match=f"4 x 6.*{b.shape[0]} x {b.shape[1]}"):
                operation(a, b)
        with pytest.raises(ValueError, match="4 x 6"):
            a.map(lambda x, y: x, b)
    assert (array_of(a) == 1.0).all()


@pytest.mark.parametrize("tile", [0, -1, (2, 0), (-2, 2), (1, 2, 3), ()])
def test_tile_sizes_that_are_no_sizes(tile):
    matrix = Matrix.ones((4, 4))
    with pytest.raises(ValueError, match="tile"):
        TiledMatrix(matrix, tile)
    assert matrix.sum() == 16.0


@pytest.mark.parametrize("tile", [2.0, True, "2", (2, 2.0), (True, 2), [None, 2]])
def test_tile_sizes_of_the_wrong_type(tile):
    matrix = Matrix.ones((4, 4))
    with pytest.raises(TypeError, match="tile"):
        TiledMatrix(matrix, tile)
    assert matrix.sum() == 16.0


def test_operands_of_the_wrong_type(backend):
    tiles = tiled(np.ones((4, 4)), 2)
    for other in (Matrix.ones((4, 4)), "x", None, 1j, [1.0]):
        for operation in OPERATORS:
            with pytest.raises(TypeError):
                operation(tiles, other)
        with pytest.raises(TypeError):
            operator.matmul(tiles, other)
    with pytest.raises(TypeError):
        TiledMatrix([[1.0]], 1)
    with pytest.raises(TypeError):
        tiles.map(3)
    with pytest.raises(TypeError):
        tiles.map(abs, Matrix.ones((4, 4)))
    with pytest.raises(TypeError):
        tiles.reduce("sum")
    for axis in (2, -3):
        with pytest.raises(ValueError, match=str(axis)):
            tiles.sum(axis)
    for axis in (True, 0.0, "0"):
        with pytest.raises(TypeError):
            tiles.max(axis)
    assert (array_of(tiles) == 1.0).all()


def test_places_outside_of_the_grid(backend):
    tiles = tiled(np.ones((4, 4)), 2)
    for place in ((2, 0), (0, -3)):
        with pytest.raises(IndexError, match="2 x 2"):
            _ = tiles.tiles[place]
    with pytest.raises(TypeError):
        _ = tiles.tiles[0]
    tiles.to_matrix()


def test_tiles_cannot_be_joined_inside_a_behavior(backend):
    @when()
    def result():
        tiles = TiledMatrix(Matrix.ones((4, 4)), 2)
        (tiles + 1.0).to_matrix()

    with pytest.raises(RuntimeError):
        result.get()


def test_operations_can_be_scheduled_inside_a_behavior(backend):
    @when()
    def scheduled():
        tiles = TiledMatrix(Matrix.ones((4, 4)), 2)
        return ((tiles + tiles) @ tiles).sum()

    quiesce()
    assert scheduled.get().get() == 4 * 4 * 8.0
