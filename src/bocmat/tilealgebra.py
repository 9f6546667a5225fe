"""Linear algebra over tiles: which step works on which parts, in which order.

A factorization is a sequence of `fill`: each step takes a part that earlier steps have left, reads
others that are finished, and leaves the part in a new handle. Nothing here waits: a step runs as
soon as the parts that it names are there, so the steps of one factorization overlap, and with them
those of whatever uses its result. Within each round the steps that the next round begins with come
first.

Cholesky works tile by tile. LU and QR need whole columns to choose pivots and to reflect, so they
work on bands of rows and panels of columns: copies of the tiles side by side, as high or wide as
a tile, with one more row for the pivots or the reflectors' factors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from bocmat import linalg  # loaded in every worker, so that its LinAlgError travels by name
from bocmat._core import (
    Matrix,
    _cholesky_below,
    _cholesky_step,
    _cholesky_update,
    _lu_solve,
    _lu_step,
    _lu_update,
    _qr_apply,
    _qr_step,
)
from bocmat.lifecycle import WORKER_COUNT
from bocmat.tilework import Executor, Handle, Shape, check_tile, multiplied

Handles = list[list[Handle]]


class Grid(Protocol):
    """The handles of tiles, by row and column of the grid."""

    def __getitem__(self, position: tuple[int, int]) -> Handle:
        """Give one of them."""


class Tiled(Protocol):
    """What the algorithms ask of a tiled matrix."""

    @property
    def shape(self) -> Shape:
        """Rows and columns."""

    @property
    def tile(self) -> Shape:
        """Rows and columns of a tile."""

    @property
    def grid(self) -> Shape:
        """Tiles down and across."""

    @property
    def tiles(self) -> Grid:
        """Their handles."""


def _places(length: int, size: int) -> list[tuple[int, int]]:
    """List where each part of a length starts, and how long it is."""
    return [(start, min(size, length - start)) for start in range(0, length, size)]


def _row(matrix: Tiled, i: int) -> list[Handle]:
    return [matrix.tiles[i, j] for j in range(matrix.grid[1])]


def _column(matrix: Tiled, j: int) -> list[Handle]:
    return [matrix.tiles[i, j] for i in range(matrix.grid[0])]


# ---- the product ----

WIDEST_ROW = 4096  # columns; wider ones gain nothing


def tiles_a_row(grid: Shape, width: int) -> int:
    """Say how many neighbours of a product to make at once: as many as keep all workers busy."""
    rows, columns = grid
    rounds = -(-rows * columns // WORKER_COUNT)
    count = 1
    for more in range(2, min(columns, WIDEST_ROW // max(width, 1)) + 1):
        if -(-rows * -(-columns // more) // WORKER_COUNT) * more <= rounds:
            count = more
    return count


def product(executor: Executor, a: Tiled, b: Tiled, result: Tiled) -> Handles:
    """Multiply: each row of a few neighbours in the result is one step."""
    (rows, columns), inner = result.grid, a.grid[1]
    count = tiles_a_row(result.grid, result.tile[1])
    handles: Handles = [[] for _ in range(rows)]
    for i in range(rows):
        for start in range(0, columns, count):
            js = range(start, min(start + count, columns))
            reads = _row(a, i) + [b.tiles[k, j] for k in range(inner) for j in js]
            targets = [result.tiles[i, j] for j in js]
            handles[i] += executor.fill_row(multiplied, targets, reads, (inner,), (i, start))
    return handles


# ---- Cholesky ----

SMALLEST_PART = 128


def parts_a_tile(size: int, count: int) -> int:
    """Say in how many parts each way to split tiles, or bands of rows, so that all have work.

    The longest chain of Cholesky's steps is about 7 tiles of work for each on the diagonal, all of
    it is the cube of their number: twice what the workers can do during that chain.
    """
    parts = 1
    while count * parts < math.sqrt(14 * WORKER_COUNT) and size % (2 * parts) == 0:
        if size // (2 * parts) < SMALLEST_PART:
            break
        parts *= 2
    return parts


def cholesky(executor: Executor, a: Tiled, result: Tiled) -> Handles:
    """Factor; `result` is of zeros, which stay above the diagonal, in tiles or parts of them."""
    size, count = result.tile[0], result.grid[0]
    parts = a.tile[0] // size
    factor = [[result.tiles[i, j] for j in range(count)] for i in range(count)]

    def step(function: Any, i: int, j: int, reads: list[Handle], before: int) -> None:
        place, source = (i // parts, j // parts), None
        if before == 0:  # the first step on a tile, whichever it is, copies it
            reads = [a.tiles[place], *reads]
            shape = tuple(min(a.tile[0], a.shape[0] - x * a.tile[0]) for x in place)
            source = (i % parts * size, j % parts * size, shape)
        factor[i][j] = executor.fill(function, factor[i][j], reads, (source, before), place)

    for k in range(count):
        step(factored, k, k, [], k * size)
        for i in range(k + 1, count):
            step(put_below, i, k, [factor[k][k]], k * size)
        for j in range(k + 1, count):
            for i in range(j, count):
                step(updated, i, j, [factor[i][k], factor[j][k]], k * size)
    return factor if parts == 1 else _merged(executor, factor, parts)


def _merged(executor: Executor, handles: Handles, parts: int) -> Handles:
    starts = range(0, len(handles), parts)
    return [
        [
            executor.merge(
                [row[j : j + parts] for row in handles[i : i + parts]], (i // parts, j // parts)
            )
            for j in starts
        ]
        for i in starts
    ]


Source = tuple[int, int, Shape] | None


def _copy(tile: Matrix, tiles: list[Any], source: Source) -> list[Any]:
    """Copy the tile's own values, if they are still in the matrix; give what else is read."""
    if source is None:
        return tiles
    row, column, shape = source
    check_tile(tiles[0], shape)
    tile[:, :] = tiles[0].view[row : row + tile.rows, column : column + tile.columns]
    return tiles[1:]


def factored(tile: Matrix, tiles: list[Any], source: Source, before: int) -> None:
    """Factor a tile of the diagonal."""
    _copy(tile, tiles, source)
    _cholesky_step(tile, before)


def put_below(tile: Matrix, tiles: list[Any], source: Source, before: int) -> None:
    """Make a tile below one of the diagonal its part of the factor."""
    (factor,) = _copy(tile, tiles, source)
    _cholesky_below(tile, factor)


def updated(tile: Matrix, tiles: list[Any], source: Source, before: int) -> None:
    """Subtract what a finished column of the factor has of this tile."""
    left, right = _copy(tile, tiles, source)
    _cholesky_update(tile, left, right)


# ---- solving ----


def solve(executor: Executor, a: Tiled, b: Tiled, x: Tiled) -> Handles:
    """Solve `a @ x = b`: LU with partial pivoting by bands of rows, then both substitutions."""
    size, parts = a.shape[0], parts_a_tile(a.tile[0], a.grid[0])
    places = _places(size, a.tile[0] // parts)
    bands = [executor.put(Matrix.empty((height + 1, size))) for _, height in places]
    columns = [executor.put(Matrix.empty((size, w))) for _, w in _places(*_width(b))]

    def substitute(k: int, backward: int) -> None:
        start = places[k][0]
        for j, column in enumerate(columns):
            reads = _column(b, j) if k == 0 and not backward else []
            columns[j] = executor.fill(
                solved, column, [bands[k], *reads], (start, backward, b.tile[0]), (k // parts, j)
            )

    def step(function: Any, i: int, k: int, reads: list[Handle]) -> None:
        line, source = i // parts, None
        if k == 0:  # the first step on a band, whichever it is, copies it
            reads = [*reads, *_row(a, line)]
            above = line * a.tile[0]
            source = (a.tile[1], places[i][0] - above, min(a.tile[0], size - above))
        start = places[k][0]
        place = (line, start // a.tile[1])
        bands[i] = executor.fill(function, bands[i], reads, (start, source), place)

    for k in range(len(bands)):
        step(lu_factored, k, k, [])
        for i in range(k + 1, len(bands)):
            step(lu_updated, i, k, [bands[k]])
        substitute(k, 0)
    for k in reversed(range(len(bands))):
        substitute(k, 1)
    return [
        [
            executor.fill(cut, x.tiles[i, j], [column], (start, 0), (i, j))
            for j, column in enumerate(columns)
        ]
        for i, (start, _) in enumerate(_places(x.shape[0], x.tile[0]))
    ]


def _width(matrix: Tiled) -> tuple[int, int]:
    return matrix.shape[1], matrix.tile[1]


Rows = tuple[int, int, int] | None


def lu_factored(band: Matrix, tiles: list[Any], start: int, source: Rows) -> None:
    """Factor a band of rows."""
    _put_side_by_side(band, tiles, source)
    _lu_step(band, start)


def lu_updated(band: Matrix, tiles: list[Any], start: int, source: Rows) -> None:
    """Make a band what a factored one above leaves of it."""
    _put_side_by_side(band, tiles[1:], source)
    _lu_update(band, tiles[0], start)


def solved(column: Matrix, tiles: list[Any], start: int, backward: int, height: int) -> None:
    """Substitute the rows of one band in some columns of right-hand sides."""
    for (row, rows), tile in zip(_places(column.rows, height), tiles[1:]):
        check_tile(tile, (rows, column.columns))
        column[row : row + rows, :] = tile
    _lu_solve(column, tiles[0], start, backward)


def cut(tile: Matrix, tiles: list[Any], row: int, column: int) -> None:
    """Copy a tile out of a larger matrix."""
    tile[:, :] = tiles[0].view[row : row + tile.rows, column : column + tile.columns]


def _put_side_by_side(band: Matrix, tiles: Sequence[Any], source: Rows) -> None:
    """Copy rows of tiles if `source` says so: the tiles' width, from which row on, of how many."""
    if source is None:
        return
    width, row, height = source
    rows = band.rows - 1
    for (column, columns), tile in zip(_places(band.columns, width), tiles):
        check_tile(tile, (height, columns))
        band[:rows, column : column + columns] = tile.view[row : row + rows, :]


# ---- QR ----


def qr(executor: Executor, a: Tiled, q: Tiled, r: Tiled) -> tuple[Handles, Handles]:
    """Factor; `r` is of zeros, which stay below the diagonal.

    By panels of columns, or by parts of rows where these are more.
    """
    parts = _parts(a)
    if a.shape[0] >= a.shape[1] and len(parts) >= max(2, a.grid[1]):
        return _qr_by_rows(executor, a, q, r, parts)
    (rows, columns), (height, width) = a.shape, a.tile
    places = _places(columns, width)
    panels = [executor.put(Matrix.empty((w + 1, rows))) for _, w in places]
    steps = _places(min(rows, columns), width)
    for k, (start, _) in enumerate(steps):
        reads = _column(a, 0) if k == 0 else []
        panels[k] = executor.fill(qr_factored, panels[k], reads, (start, height), (k, k))
        for j in range(k + 1, len(panels)):
            reads = _column(a, j) if k == 0 else []
            panels[j] = executor.fill(
                qr_updated, panels[j], [panels[k], *reads], (start, height), (k, j)
            )
    q_columns = []
    for j, (start, w) in enumerate(steps):
        column = executor.put(Matrix.zeros((w + 1, rows)))
        for k in range(j, -1, -1):
            ones = start if k == j else -1
            column = executor.fill(reflected, column, [panels[k]], (steps[k][0], ones), (k, j))
        q_columns.append(column)
    q_tiles = [
        [
            executor.fill(cut_turned, q.tiles[i, j], [c], (row, 0), (i, j))
            for j, c in enumerate(q_columns)
        ]
        for i, (row, _) in enumerate(_places(rows, q.tile[0]))
    ]
    r_tiles = []
    for i, (row, _) in enumerate(_places(r.shape[0], r.tile[0])):
        r_tiles.append([r.tiles[i, j] for j in range(len(places))])
        for j in range(i, len(places)):
            r_tiles[i][j] = executor.fill(
                cut_upper, r.tiles[i, j], [panels[j]], (row, places[j][0], 0), (i, j)
            )
    return q_tiles, r_tiles


def qr_factored(panel: Matrix, tiles: list[Any], start: int, height: int) -> None:
    """Factor a panel, which is stored turned: its rows are columns."""
    _put_turned(panel, tiles, height)
    _qr_step(panel, start)


def qr_updated(panel: Matrix, tiles: list[Any], start: int, height: int) -> None:
    """Reflect a panel by the reflectors of one further left."""
    _put_turned(panel, tiles[1:], height)
    _qr_apply(panel, tiles[0], start, 0)


def reflected(panel: Matrix, tiles: list[Any], start: int, ones: int) -> None:
    """Reflect columns of the identity, which are made where `ones` says where they begin."""
    if ones >= 0:
        for i in range(panel.rows - 1):
            panel[i, ones + i] = 1.0
    _qr_apply(panel, tiles[0], start, 1)


def cut_turned(tile: Matrix, tiles: list[Any], row: int, line: int) -> None:
    """Copy a tile out of a panel, from one of its lines on."""
    tile[:, :] = tiles[0].view[line : line + tile.columns, row : row + tile.rows].T


def cut_upper(tile: Matrix, tiles: list[Any], row: int, column: int, line: int) -> None:
    """Copy what of it lies on or above the diagonal."""
    cut_turned(tile, tiles, row, line)
    for i in range(tile.rows):
        below = row + i - column
        if below > 0:
            tile[i, :below] = 0.0


def _put_turned(panel: Matrix, tiles: Sequence[Any], height: int) -> None:
    columns = panel.rows - 1
    for (row, rows), tile in zip(_places(panel.columns, height), tiles):
        check_tile(tile, (rows, columns))
        panel[:columns, row : row + rows] = tile.T


# ---- QR of long matrices ----


class _Part(NamedTuple):
    """Some tiles of a long matrix, or of the transpose of a wide one."""

    tiles: list[Handle]
    length: int
    place: tuple[int, int]
    arguments: tuple[Shape, bool]  # as `_gather` takes them


class _Node(NamedTuple):
    """A panel of a part, or of the triangles that are left of two nodes, one below the other."""

    panel: Handle
    length: int
    place: tuple[int, int]
    children: list[_Node]


def _parts(a: Tiled) -> list[_Part]:
    """Divide along the longer side, such that half of a part or less is left of it."""
    wide = a.shape[0] < a.shape[1]
    length, short = max(a.shape), min(a.shape)
    along, across = (a.tile[1], a.tile[0]) if wide else a.tile
    lines = [_column(a, j) if wide else _row(a, j) for j in range(a.grid[1 if wide else 0])]
    together = max(1, -(-2 * short // along))
    parts = []
    for i in range(0, max(1, len(lines)), together):
        tiles = [tile for line in lines[i : i + together] for tile in line]
        size = min(together * along, length - i * along)
        parts.append(_Part(tiles, size, (0, i) if wide else (i, 0), ((across, along), wide)))
    return parts


def _reduced(executor: Executor, short: int, parts: list[_Part]) -> _Node:
    """Factor the parts, then what is left of each two."""
    nodes = []
    for tiles, length, place, arguments in parts:
        panel = executor.put(Matrix.empty((short + 1, length)))
        handle = executor.fill(part_factored, panel, tiles, arguments, place)
        nodes.append(_Node(handle, length, place, []))
    while len(nodes) > 1:
        pairs = []
        for one, other in zip(nodes[::2], nodes[1::2]):
            length = min(short, one.length) + min(short, other.length)
            panel = executor.put(Matrix.empty((short + 1, length)))
            handle = executor.fill(pair_factored, panel, [one.panel, other.panel], (), one.place)
            pairs.append(_Node(handle, length, one.place, [one, other]))
        nodes = pairs + nodes[2 * len(pairs) :]
    return nodes[0]


def _qr_by_rows(
    executor: Executor, a: Tiled, q: Tiled, r: Tiled, parts: list[_Part]
) -> tuple[Handles, Handles]:
    """Factor a long matrix: up a tree for r, and down again for q."""
    rows, short = a.shape
    root = _reduced(executor, short, parts)
    columns = _places(short, r.tile[1])
    r_tiles = []
    for i, (row, _) in enumerate(_places(short, r.tile[0])):
        r_tiles.append([r.tiles[i, j] for j in range(len(columns))])
        for j, (column, _) in enumerate(columns[i:], i):
            r_tiles[i][j] = executor.fill(
                cut_upper, r.tiles[i, j], [root.panel], (row, column, column), (i, j)
            )
    identity = executor.put(Matrix.zeros((short + 1, root.length)))
    q_root = executor.fill(reflected, identity, [root.panel], (0, 0), root.place)
    leaves = _down(executor, short, root, q_root)
    q_tiles = []
    leaf, start = 0, 0
    for i, (row, _) in enumerate(_places(rows, q.tile[0])):
        while row >= start + parts[leaf].length:
            start += parts[leaf].length
            leaf += 1
        q_tiles.append(
            [
                executor.fill(
                    cut_turned, q.tiles[i, j], [leaves[leaf]], (row - start, line), (i, j)
                )
                for j, (line, _) in enumerate(_places(short, q.tile[1]))
            ]
        )
    return q_tiles, r_tiles


def _down(executor: Executor, short: int, node: _Node, q: Handle) -> list[Handle]:
    """Take the q of a node to its parts, in their order."""
    if not node.children:
        return [q]
    found, start = [], 0
    for child in node.children:
        panel = executor.put(Matrix.zeros((short + 1, child.length)))
        below = executor.fill(reflected_below, panel, [child.panel, q], (start,), child.place)
        found += _down(executor, short, child, below)
        start += min(short, child.length)
    return found


def part_factored(panel: Matrix, tiles: list[Any], tile: Shape, wide: bool) -> None:
    """Factor a part of a long matrix."""
    _gather(panel, tiles, tile, wide)
    _qr_step(panel, 0)


def pair_factored(panel: Matrix, tiles: list[Any]) -> None:
    """Factor the triangles that are left of two panels, one below the other."""
    column = 0
    for triangle in map(_triangle, tiles):
        panel[: triangle.columns, column : column + triangle.rows] = triangle.T
        column += triangle.rows
    _qr_step(panel, 0)


def reflected_below(panel: Matrix, tiles: list[Any], start: int) -> None:
    """Reflect what a node further up has for this one; the rest is zeros."""
    own, above = tiles
    size = min(panel.rows - 1, panel.columns)
    panel[:, :size] = above.view[:, start : start + size]
    _qr_apply(panel, own, 0, 1)


def _triangle(panel: Matrix) -> Matrix:
    triangle = Matrix.empty((min(panel.rows - 1, panel.columns), panel.rows - 1))
    cut_upper(triangle, [panel], 0, 0, 0)
    return triangle


def _gather(panel: Matrix, tiles: Sequence[Any], tile: Shape, wide: bool) -> None:
    """Copy tiles, line after line along a panel; those of a wide matrix are turned already."""
    lines = _places(panel.rows - 1, tile[0])
    places = [(x, y) for y in _places(panel.columns, tile[1]) for x in lines]
    for ((row, rows), (column, columns)), one in zip(places, tiles):
        check_tile(one, (rows, columns) if wide else (columns, rows))
        panel[row : row + rows, column : column + columns] = one if wide else one.T


# ---- singular values ----


def svdvals(executor: Executor, a: Tiled) -> Handle:
    """Reduce a long matrix to a triangle, pair by pair of its parts; LAPACK does what is left."""
    parts, short = _parts(a), min(a.shape)
    if len(parts) > 1:
        root = _reduced(executor, short, parts)
        return executor.call(singular_values_left, [root.panel], (), root.place)
    ((tiles, length, place, arguments),) = parts
    return executor.call(singular_values, tiles, ((short, length), *arguments), place)


def singular_values(tiles: list[Any], shape: Shape, tile: Shape, wide: bool) -> Matrix:
    """Give the singular values of what is too short to be parted."""
    panel = Matrix.empty((shape[0] + 1, shape[1]))
    _gather(panel, tiles, tile, wide)
    return linalg.svdvals(panel.view[: shape[0], :])


def singular_values_left(tiles: list[Any]) -> Matrix:
    """Give those of the triangle that is left."""
    return linalg.svdvals(_triangle(tiles[0]))
