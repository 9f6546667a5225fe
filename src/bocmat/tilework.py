"""What runs over tiles: the executor of one machine, and the functions it runs.

A function that fills gets the tile to fill and a list of the tiles it reads; one that is called
gets only that list, and returns its value. All of them stand at the top level of a module, so that
they travel by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from bocmat._core import (
    Cown,
    Matrix,
    _matmul_into,
    _merge,
    _neighbours,
    _running,
    _when_spare,
    read,
    when,
)

Handle = Any
Position = tuple[int, int]
Shape = tuple[int, int]


class Executor(Protocol):
    """What runs functions over tiles; a handle stands for a tile that may not be there yet."""

    def put(self, tile: Matrix) -> Handle:
        """Hand over a tile."""

    def fill(
        self,
        function: Callable[..., None],
        target: Handle,
        tiles: Sequence[Handle],
        arguments: tuple[Any, ...],
        position: Position,
    ) -> Handle:
        """Let `function` change the target, or fill it, and give the handle of what it becomes.

        The target's own handle is of no use afterwards. Where one of the tiles, or the target
        itself, is an exception, so is the result, and the function is not called.
        """

    def fill_row(
        self,
        function: Callable[..., None],
        targets: Sequence[Handle],
        tiles: Sequence[Handle],
        arguments: tuple[Any, ...],
        position: Position,
    ) -> list[Handle]:
        """Let `function` fill several targets at once, and give the handles of what they become.

        Otherwise as `fill`; the position is that of the first.
        """

    def call(
        self,
        function: Callable[..., Any],
        tiles: Sequence[Handle],
        arguments: tuple[Any, ...],
        position: Position,
    ) -> Handle:
        """Give the handle of what `function` returns."""

    def merge(self, tiles: Sequence[Sequence[Handle]], position: Position) -> Handle:
        """Give the handle of these tiles, rows of neighbours in one matrix, as one.

        Their own handles are of no use afterwards.
        """

    def collect(self, tiles: Sequence[tuple[Position, Shape, Handle]]) -> list[Matrix]:
        """Wait for the tiles and take them out of their handles: all, or none and an exception."""


class Behaviors:
    """Runs tile functions as behaviors; a handle is the cown of its value.

    They are spare ones, which do not run once nobody can come to want their result: when no handle
    is left and no other behavior waits for it, but for such as will not run either.
    """

    def put(self, tile: Matrix) -> Handle:
        """Hand over a tile."""
        return Cown(tile)

    def fill(
        self,
        function: Callable[..., None],
        target: Handle,
        tiles: Sequence[Handle],
        arguments: tuple[Any, ...],
        position: Position,
    ) -> Handle:
        """Let `function` fill the target, which moves into the handle that this gives."""

        def fill_tile(target: Any, tiles: Any) -> Any:
            return _fill(target, tiles, function, arguments, position)

        return _when_spare(fill_tile, target, [read(tile) for tile in tiles])

    def fill_row(
        self,
        function: Callable[..., None],
        targets: Sequence[Handle],
        tiles: Sequence[Handle],
        arguments: tuple[Any, ...],
        position: Position,
    ) -> list[Handle]:
        """Let `function` fill the targets, which move into the handles that this gives."""

        def fill_tiles(targets: Any, tiles: Any) -> Any:
            return _fill_row(targets, tiles, function, arguments, position)

        row = _when_spare(fill_tiles, list(targets), [read(tile) for tile in tiles])
        return [self._out_of(row, index) for index in range(len(targets))]

    def _out_of(self, row: Handle, index: int) -> Handle:
        def take_tile(row: Any) -> Any:
            return _take_out(row, index)

        return _when_spare(take_tile, row)

    def call(
        self,
        function: Callable[..., Any],
        tiles: Sequence[Handle],
        arguments: tuple[Any, ...],
        position: Position,
    ) -> Handle:
        """Give the handle of what `function` returns."""

        def call_tile(tiles: Any) -> Any:
            return _call(tiles, function, arguments, position)

        return _when_spare(call_tile, [read(tile) for tile in tiles])

    def merge(self, tiles: Sequence[Sequence[Handle]], position: Position) -> Handle:
        """Give the handle of the tiles, rows of neighbours in one matrix, as one."""
        columns = len(tiles[0])

        def merge_tiles(tiles: Any) -> Any:
            return _take_together(tiles, columns, position)

        return _when_spare(merge_tiles, [tile for row in tiles for tile in row])

    def collect(self, tiles: Sequence[tuple[Position, Shape, Handle]]) -> list[Matrix]:
        """Wait for the tiles and take them out of their handles: all, or none and an exception."""
        handles = [handle for _, _, handle in tiles]
        expected = [(position, shape) for position, shape, _ in tiles]
        if _running() is None:  # after wait() the values are at hand
            collected = _collect(handles, expected)
        else:
            collected = self._collect_in_behavior(handles, expected)
        if isinstance(collected, BaseException):
            raise collected
        return list(collected)

    def _collect_in_behavior(
        self, handles: list[Handle], expected: list[tuple[Position, Shape]]
    ) -> Any:
        @when(handles)
        def collect_tiles(tiles: Any) -> Any:
            return _collect(tiles, expected)

        collect_tiles.acquire()  # comes after that behavior, and waits for nothing else
        try:
            return collect_tiles.unwrap()
        finally:
            collect_tiles.release()


# ---- what the behaviors run ----


def _note(error: BaseException, position: Position) -> None:
    """Say in a note which tile an exception comes from, unless one says so already."""
    notes = error.__dict__.setdefault("__notes__", [])  # what add_note does; 3.10 has none
    if not any(note.startswith("in tile (") for note in notes):
        notes.append(f"in tile {position}")


def _values(tiles: Any) -> list[Any]:
    """Read the tiles; the exception that one of them became instead comes out again."""
    failed = [tile for tile in tiles if tile.exception]  # looks at all of them: none is reported
    if failed:
        raise _where_it_began(failed[0].value)
    return [tile.value for tile in tiles]


def _where_it_began(error: BaseException) -> BaseException:
    """Keep the first of the notes with a traceback: the others tell how it was passed on."""
    notes = getattr(error, "__notes__", [])
    for note in [note for note in notes if note.startswith("Traceback in the behavior")][1:]:
        notes.remove(note)
    return error


def _fill(
    target: Any,
    tiles: Any,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
    position: Position,
) -> Any:
    def fill_one(row: list[Any], values: list[Any], *arguments: Any) -> None:
        function(row[0], values, *arguments)

    (tile,) = _fill_row([target], tiles, fill_one, arguments, position)
    return tile


def _fill_row(
    targets: Any,
    tiles: Any,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
    position: Position,
) -> Any:
    try:
        values = _values([*targets, *tiles])
        row = values[: len(targets)]
        for target in targets:
            target.value = None
        function(row, values[len(targets) :], *arguments)
    except BaseException as error:
        _note(error, position)
        raise
    return row


def _take_out(row: Any, index: int) -> Any:
    (tiles,) = _values([row])
    tile, tiles[index] = tiles[index], None
    return tile


def _call(
    tiles: Any, function: Callable[..., Any], arguments: tuple[Any, ...], position: Position
) -> Any:
    try:
        return function(_values(tiles), *arguments)
    except BaseException as error:
        _note(error, position)
        raise


def _take_together(tiles: Any, columns: int, position: Position) -> Any:
    try:
        values = _values(tiles)
    except BaseException as error:
        _note(error, position)
        raise
    for tile in tiles:
        tile.value = None
    return _merge([values[i : i + columns] for i in range(0, len(values), columns)])


def _collect(tiles: Any, expected: list[tuple[Position, Shape]]) -> Any:
    """Take the values of all tiles; if one is bad, take none and return what is wrong."""
    for tile in tiles:
        _ = tile.exception  # now it has been looked at and is not reported
    for tile, (position, shape) in zip(tiles, expected):
        try:
            (value,) = _values([tile])
            check_tile(value, shape)
        except BaseException as error:
            _note(error, position)
            return error
    values = [tile.value for tile in tiles]
    for tile in tiles:
        tile.value = None
    return values


def check_tile(value: Any, shape: Shape) -> None:
    """Refuse what is not a matrix of the tile's shape."""
    if not isinstance(value, Matrix):
        raise TypeError(f"the value of a tile must be a Matrix, not {type(value).__name__}")
    if value.shape != shape:
        raise ValueError(
            f"the value of a {by(shape)} tile must have that shape, not {by(value.shape)}"
        )


def by(shape: Shape) -> str:
    """Write a shape."""
    return f"{shape[0]} x {shape[1]}"


# ---- functions of tiles ----


def store(target: Matrix, value: Any) -> None:
    """Put a value of the tile's shape in its place."""
    check_tile(value, target.shape)
    target[:, :] = value


def copied(target: Matrix, tiles: list[Any]) -> None:
    """Copy the one tile."""
    store(target, tiles[0])


def combined(target: Matrix, tiles: list[Any], method: str) -> None:
    """Apply an operation of two tiles."""
    for tile in tiles:
        check_tile(tile, target.shape)
    getattr(tiles[0], method)(tiles[1], out=target)


def scaled(target: Matrix, tiles: list[Any], method: str, scalar: float, reflected: bool) -> None:
    """Apply an operation of a tile and a number."""
    check_tile(tiles[0], target.shape)
    if reflected:
        target[:, :] = scalar
        getattr(target, method)(tiles[0], out=target)
    else:
        getattr(tiles[0], method)(scalar, out=target)


def multiplied(targets: list[Matrix], tiles: list[Any], inner: int) -> None:
    """Multiply a row of `inner` tiles with the rows that follow it, as wide as the targets.

    Neighbours are multiplied as one: BLAS rearranges the left tile for its caches only once then.
    """
    count = len(targets)
    whole = _neighbours([targets], True)
    for target in targets if inner == 0 else ():
        target[:, :] = 0.0
    for index in range(inner):
        left = tiles[index]
        rights = tiles[inner + index * count :][:count]
        beside = None if whole is None else _neighbours([rights], False)
        if whole is not None and beside is not None:
            _matmul_into(whole, left, beside, index > 0)
            continue
        for target, right in zip(targets, rights):
            _matmul_into(target, left, right, index > 0)


def transposed(target: Matrix, tiles: list[Any]) -> None:
    """Transpose the one tile."""
    store(target, tiles[0].T)


def mapped(target: Matrix, tiles: list[Any], function: Callable[..., Any]) -> None:
    """Apply a function of the user's to the tiles."""
    store(target, function(*tiles))


def applied(tiles: list[Any], function: Callable[..., Any]) -> Any:
    """Give what a function of the user's makes of the tiles."""
    return function(*tiles)


def same(tiles: list[Any]) -> Any:
    """Give a copy of the one tile."""
    return tiles[0].copy()


def reduced(tiles: list[Any], name: str, axis: int | None) -> Any:
    """Reduce the one tile."""
    return getattr(tiles[0], name)(axis)


def merged(tiles: list[Any], name: str) -> Any:
    """Make one partial result of two: of floats, or of matrices of one shape."""
    left, right = tiles
    if name == "sum":
        return left + right
    if isinstance(left, Matrix):
        kept = left <= right if name == "min" else left >= right
        return Matrix.where(left != left, left, Matrix.where(kept, left, right))
    kept = left <= right if name == "min" else left >= right
    return left if kept or left != left else right


def finished(tiles: list[Any], divisor: float) -> float:
    """Take the one partial result that is left, if there was anything to reduce."""
    return float(tiles[0]) / divisor if tiles else 0.0


def joined(tiles: list[Any], shape: Shape, divisor: float) -> Matrix:
    """Put the partial results of all lines side by side, or one below the other."""
    result = Matrix.zeros(shape)
    row = column = 0
    for tile in tiles:
        result[row : row + tile.rows, column : column + tile.columns] = tile / divisor
        if shape[0] == 1:
            column += tile.columns
        else:
            row += tile.rows
    return result
