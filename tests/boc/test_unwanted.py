"""Dropping a tiled result cancels what only it needs, and nothing else."""

from __future__ import annotations

import gc
from concurrent.futures import CancelledError

import numpy as np
import pytest

from bocmat import Cown, Matrix, TiledMatrix, drain, quiesce, read, receive, send, when

SOON = 30.0


@pytest.fixture
def gate(backend):
    """Hold a cown, so that what waits for it is known to be waiting."""
    drain("unwanted")
    cown = Cown(0)
    cown.acquire()
    yield cown
    if cown.acquired:
        cown.release()


def tiled_behind(gate, array, tile):
    """Split a matrix into tiles that are not to be had before the gate is open."""
    tiles = TiledMatrix(Matrix(array.tolist()), tile)

    @when(gate, list(tiles.tiles))
    def _(gate, tiles):
        pass

    return tiles


def noted(tile):
    """Map a tile to itself and tell of it."""
    send("unwanted", 1)
    return tile


def opened(gate):
    """Open the gate and count what was told by the time that all is done."""
    gate.release()
    quiesce()
    told = 0
    while receive("unwanted", 0)[0] == "unwanted":
        told += 1
    return told


def values_of(shape, seed=0):
    return np.random.default_rng(seed).uniform(1.0, 2.0, shape)


def array_of(tiles):
    return np.array(tiles.to_matrix().tolist())


def test_a_dropped_result_is_not_computed(gate):
    tiles = tiled_behind(gate, values_of((4, 6)), 2)
    result = tiles.map(noted)
    del result
    assert opened(gate) == 0
    assert (array_of(tiles) == values_of((4, 6))).all()


def test_nor_is_what_only_it_needs(gate):
    tiles = tiled_behind(gate, values_of((6, 6)), 2)
    result = (tiles.map(noted) @ tiles.map(noted).T + tiles.map(noted)).map(noted).stencil(halo, 1)
    del result
    assert opened(gate) == 0
    executed = sum(worker["executed"] for worker in quiesce(stats=True))
    assert executed == 1  # what passed the gate on


def halo(window):
    send("unwanted", 1)
    return window[1:-1, 1:-1]


def test_what_is_kept_is_computed_with_all_that_it_needs(gate):
    array = values_of((4, 4))
    tiles = tiled_behind(gate, array, 2)
    base = tiles.map(noted)
    kept, dropped = (base + 1.0).map(noted), (base + 2.0).map(noted)
    del base, dropped
    assert opened(gate) == 8
    assert (array_of(kept) == array + 1.0).all()


def test_a_tile_that_was_handed_out_is_computed(gate):
    array = values_of((4, 4))
    tiles = tiled_behind(gate, array, 2)
    result = (tiles.map(noted) * 2.0).map(noted)
    corner = result[1, 0]
    del result
    assert opened(gate) == 2  # the corner's own, and that of the tile that it needs
    assert (np.array(corner.get().tolist()) == array[2:, :2] * 2.0).all()


def test_a_tile_that_a_behavior_uses_is_computed(gate):
    array = values_of((4, 4))
    tiles = tiled_behind(gate, array, 2)
    result = tiles.map(noted)

    @when(result[0, 1])
    def total(tile):
        return tile.value.sum()

    @when(read([result[0, 0], result[1, 1]]))
    def both(tiles):
        return [tile.value.sum() for tile in tiles]

    del result
    assert opened(gate) == 3
    assert np.isclose(total.get(), array[:2, 2:].sum())
    assert np.allclose(both.get(), [array[:2, :2].sum(), array[2:, 2:].sum()])


def test_a_tile_that_a_behavior_captured_is_computed(gate):
    array = values_of((4, 4))
    tiles = tiled_behind(gate, array, 2)

    def schedule():
        corner = tiles.map(noted)[0, 0]

        @when(Cown(0))
        def later(cown):
            @when(corner)
            def total(tile):
                return tile.value.sum()

            return total

        return later

    total = schedule().get(SOON)
    assert opened(gate) == 1
    assert np.isclose(total.get(), array[:2, :2].sum())


def test_a_reduction_is_computed_while_its_cown_is_kept(gate):
    array = values_of((6, 4))
    tiles = tiled_behind(gate, array, 2)
    kept = tiles.map(noted).sum()
    lines = tiles.map(noted).max(axis=0)
    tiles.map(noted).mean()
    tiles.map(noted).min(axis=1)
    gc.collect()
    assert opened(gate) == 12
    assert np.isclose(kept.get(), array.sum())
    assert np.allclose(np.array(lines.get().tolist()), array.max(axis=0, keepdims=True))


def test_a_tile_may_be_cancelled_by_hand(gate):
    tiles = tiled_behind(gate, values_of((4, 4)), 2)
    result = tiles.map(noted)
    after = result + 1.0
    assert result[0, 0].cancel()
    assert opened(gate) == 3
    with pytest.raises(CancelledError) as caught:
        after.to_matrix()
    assert "in tile (0, 0)" in " ".join(caught.value.__notes__)
    assert (np.array(after[1, 1].get().tolist()) == values_of((4, 4))[2:, 2:] + 1.0).all()


def test_what_has_begun_is_not_disturbed(backend):
    array = values_of((8, 8))
    tiles = TiledMatrix(Matrix(array.tolist()), 2)
    for _ in range(200):
        dropped = (tiles @ tiles + 1.0).T
        kept = (tiles + 1.0) @ tiles
        del dropped
        total = (kept * 2.0).sum()
        expected = (array + 1.0) @ array
        assert np.allclose(array_of(kept), expected, rtol=1e-13)
        assert np.isclose(total.get(), 2.0 * expected.sum())
    assert (array_of(tiles) == array).all()


def test_a_behavior_may_drop_results_too(backend):
    @when(Cown(0))
    def inside(cown):
        tiles = TiledMatrix(Matrix.ones((4, 4)), 2)
        (tiles @ tiles).map(noted)
        return (tiles + 1.0).sum()

    assert inside.get(SOON).get(SOON) == 32.0
    quiesce()
    drain("unwanted")  # some may have begun before they were dropped
