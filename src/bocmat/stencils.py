"""Tiles grown by a halo: what the window of a stencil is put together from."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable
from typing import Any

from bocmat._core import Matrix
from bocmat.tilework import Shape, store

# Along one axis: which tile, from where to where in it, and where that goes in the window.
Piece = tuple[int, int, int, int]

BOUNDARIES = ("nearest", "wrap")


def check_halo(halo: Any) -> Shape:
    """Check a halo: one number of elements, or one for the rows and one for the columns."""
    sizes = halo if isinstance(halo, tuple | list) else (halo, halo)
    if len(sizes) != 2:
        raise ValueError(f"a halo is one number or two, not {len(sizes)}")
    for size in sizes:
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise TypeError(f"a halo is an int, not {type(size).__name__}")
    rows, columns = (operator.index(size) for size in sizes)
    if rows < 0 or columns < 0:
        raise ValueError(f"a halo has at least 0 elements, not {min(rows, columns)}")
    return rows, columns


def check_boundary(boundary: Any) -> float | str:
    """Check what lies outside of the matrix: a number, or the name of a rule."""
    if isinstance(boundary, str):
        if boundary not in BOUNDARIES:
            raise ValueError(f"boundary is a number, 'nearest' or 'wrap', not {boundary!r}")
        return boundary
    if isinstance(boundary, bool) or not isinstance(boundary, numbers.Real):
        kind = type(boundary).__name__
        raise TypeError(f"boundary is a number, 'nearest' or 'wrap', not {kind}")
    return float(boundary)


def pieces_of(start: int, stop: int, length: int, tile: int, wraps: bool) -> list[Piece]:
    """Cut the window [start, stop) of an axis of that length where its tiles end.

    Nothing stands for what is outside of the axis, unless it goes round.
    """
    pieces = []
    at = start if wraps else max(start, 0)
    end = stop if wraps else min(stop, length)
    while at < end:
        number, inside = divmod(at % length, tile)
        taken = min(end - at, min(tile, length - number * tile) - inside)
        pieces.append((number, inside, inside + taken, at - start))
        at += taken
    return pieces


def stenciled(
    target: Matrix,
    tiles: list[Any],
    function: Callable[[Matrix], Any],
    halo: Shape,
    rows: list[Piece],
    columns: list[Piece],
    boundary: float | str,
) -> None:
    """Fill a tile with what a function of the user's makes of it and of its surroundings."""
    shape = (target.rows + 2 * halo[0], target.columns + 2 * halo[1])
    whole = shape == (_covered(rows), _covered(columns))
    if whole or isinstance(boundary, str):
        window = Matrix.empty(shape)
    else:
        window = Matrix.full(shape, boundary)
    parts = iter(tiles)
    for _, top, bottom, row in rows:
        for _, left, right, column in columns:
            part = next(parts).view[top:bottom, left:right]
            window[row : row + bottom - top, column : column + right - left] = part
    if boundary == "nearest":
        _extend(window, rows, columns)
    store(target, function(window))


def _covered(pieces: list[Piece]) -> int:
    return sum(stop - start for _, start, stop, _ in pieces)


def _extend(window: Matrix, rows: list[Piece], columns: list[Piece]) -> None:
    """Repeat the outermost rows and columns of the matrix to the edges of the window."""
    left, right = columns[0][3], columns[-1][3] + columns[-1][2] - columns[-1][1]
    top, bottom = rows[0][3], rows[-1][3] + rows[-1][2] - rows[-1][1]
    for column in range(left):
        window[top:bottom, column : column + 1] = window[top:bottom, left : left + 1]
    for column in range(right, window.columns):
        window[top:bottom, column : column + 1] = window[top:bottom, right - 1 : right]
    for row in range(top):
        window[row : row + 1, :] = window[top : top + 1, :]
    for row in range(bottom, window.rows):
        window[row : row + 1, :] = window[bottom - 1 : bottom, :]
