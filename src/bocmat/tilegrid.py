"""The handles of a matrix's tiles, and what may be said about tiles in a call."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterator
from typing import Any

from bocmat.lifecycle import WORKER_COUNT
from bocmat.tilework import Handle, Position, Shape, by

__all__: list[str] = []

Placed = tuple[Position, Handle]

SMALLEST_TILE = 64
LARGEST_TILE = 2048
TILES_PER_WORKER = 2


# ---- arguments ----


def tile_size(tile: Any, shape: Shape) -> Shape:
    """Check a tile size; a tile is never larger than the matrix, and never empty."""
    if tile is None:
        sizes = tuple(_default_size(length) for length in shape)
    elif isinstance(tile, tuple | list):
        if len(tile) != 2:
            raise ValueError(f"a tile size is one number or two, not {len(tile)}")
        sizes = tuple(_whole_number(size) for size in tile)
    else:
        sizes = (_whole_number(tile),) * 2
    if min(sizes) < 1:
        raise ValueError(f"a tile has at least 1 row and 1 column, not {by((sizes[0], sizes[1]))}")
    return min(sizes[0], max(shape[0], 1)), min(sizes[1], max(shape[1], 1))


def _whole_number(size: Any) -> int:
    if isinstance(size, bool):
        raise TypeError("a tile size is an int, not bool")
    try:
        return operator.index(size)
    except TypeError:
        raise TypeError(f"a tile size is an int, not {type(size).__name__}") from None


def _default_size(length: int) -> int:
    """Give enough tiles for every worker, none too small to pay or too large to be shared out.

    It depends on this one length alone, so that factors agree along the side that they share.
    """
    parts = math.isqrt(TILES_PER_WORKER * WORKER_COUNT - 1) + 1
    size = -(-length // parts)
    size = -(-size // 8) * 8
    return max(SMALLEST_TILE, min(LARGEST_TILE, size))


def check_axis(axis: Any) -> int | None:
    """Make an axis 0 or 1, or None for both."""
    if axis is None:
        return None
    if isinstance(axis, bool):
        raise TypeError("axis is None, 0 or 1, not bool")
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis is None, 0 or 1, not {type(axis).__name__}") from None
    if not -2 <= number <= 1:
        raise ValueError(f"axis is None, 0 or 1, not {number}")
    return number % 2


def is_scalar(value: Any) -> bool:
    """Say whether a value is one number."""
    return isinstance(value, numbers.Real)


def check_callable(function: Any) -> None:
    """Refuse what cannot be called."""
    if not callable(function):
        raise TypeError(f"a function is needed, not {type(function).__name__}")


# ---- the grid ----


class TileGrid:
    """The handles of a matrix's tiles: `grid[i, j]`, and iteration row by row."""

    __slots__ = ("_rows", "shape")

    def __init__(self, rows: list[list[Handle]], shape: Shape) -> None:
        self._rows = rows
        self.shape = shape

    def __getitem__(self, position: tuple[int, int]) -> Handle:
        """Give the handle in one row and column of the grid; negative ones count from the end."""
        if not isinstance(position, tuple) or len(position) != 2:
            raise TypeError("a tile is named by its row and column in the grid: tiles[i, j]")
        row, column = operator.index(position[0]), operator.index(position[1])
        rows, columns = self.shape
        if not (-rows <= row < rows and -columns <= column < columns):
            raise IndexError(f"tile ({row}, {column}) is outside of a {by(self.shape)} grid")
        return self._rows[row][column]

    def __iter__(self) -> Iterator[Handle]:
        """Go through the handles row by row."""
        for row in self._rows:
            yield from row

    def __len__(self) -> int:
        """Count the tiles."""
        return self.shape[0] * self.shape[1]

    def placed(self) -> list[Placed]:
        """List the handles with their positions, row by row."""
        return [((i, j), tile) for i, row in enumerate(self._rows) for j, tile in enumerate(row)]
