"""Matrices split into tiles.

The algorithms are written once, against three verbs of an executor: `fill` this tile with that
function of those tiles, `call` that function of those tiles, `collect` these tiles. A handle stands
for a tile that may not be there yet. `tilework.Behaviors` is the executor of one machine, where a
handle is a cown; whatever else can run a function over tiles and give the handle of its result can
take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bocmat import linalg, stencils, tilealgebra
from bocmat import tilework as work
from bocmat._core import Matrix, _join, _split
from bocmat.tilegrid import Placed, TileGrid, check_axis, check_callable, is_scalar, tile_size
from bocmat.tilework import Behaviors, Handle, Shape, by

__all__ = ["TiledMatrix"]


class TiledMatrix:
    """A matrix as a grid of tiles, each in a cown of its own.

    The tiles are disjoint parts of the matrix's own values: nothing is copied. The matrix cannot be
    used while its tiles are out; `to_matrix` puts it together again. Every operation schedules one
    behavior a tile and returns at once; operations on its result wait for the tiles that they need,
    not for all of it.

    Parameters
    ----------
    matrix : Matrix
        The matrix to split. No view, memoryview or array of it may be alive.
    tile : int or tuple of two ints, optional
        Rows and columns of a tile; those at the lower and right edge are smaller where the sizes do
        not divide. The default follows from each length of the matrix and the CPUs there are.

    Examples
    --------
    >>> product = TiledMatrix(a, tile=256) @ TiledMatrix(b, tile=256)
    >>> (product + 1.0).to_matrix()
    """

    __slots__ = ("_executor", "_grid", "_shape", "_tile", "_whole")
    __array_ufunc__ = None  # NumPy's scalars leave arithmetic with it to this class

    _executor: Behaviors
    _grid: TileGrid | None
    _shape: Shape
    _tile: Shape
    _whole: Matrix

    def __init__(self, matrix: Matrix, tile: int | tuple[int, int] | None = None) -> None:
        if not isinstance(matrix, Matrix):
            raise TypeError(f"a TiledMatrix is made of a Matrix, not {type(matrix).__name__}")
        self._take(Behaviors(), matrix, tile_size(tile, matrix.shape))

    def _take(self, executor: Behaviors, matrix: Matrix, tile: Shape) -> None:
        """Split the matrix, which is usable as before if that fails."""
        shape = matrix.shape
        parts = _split(matrix, *tile)
        grid = (-(-shape[0] // tile[0]), -(-shape[1] // tile[1]))
        self._grid = TileGrid([[executor.put(part) for part in row] for row in parts], grid)
        self._executor, self._whole, self._shape, self._tile = executor, matrix, shape, tile

    def _new(self, shape: Shape, tile: Shape, zeros: bool = False) -> TiledMatrix:
        """Make one to be filled in: allocated whole, so that joining copies nothing."""
        new = TiledMatrix.__new__(TiledMatrix)
        matrix = Matrix.zeros(shape) if zeros else Matrix.empty(shape)
        new._take(
            self._executor, matrix, (min(tile[0], shape[0] or 1), min(tile[1], shape[1] or 1))
        )
        return new

    def _with(self, handles: list[list[Handle]]) -> TiledMatrix:
        self._grid = TileGrid(handles, self.grid)
        return self

    def _fill(
        self,
        function: Callable[..., None],
        inputs: Callable[[int, int], Sequence[Handle]],
        arguments: tuple[Any, ...] | Callable[[int, int], tuple[Any, ...]] = (),
    ) -> TiledMatrix:
        """Fill each of these new tiles from those that `inputs` names for its position.

        The function's further arguments are the same for all, or depend on the position as well.
        """
        handles: list[list[Handle]] = [[] for _ in range(self.grid[0])]
        for place, target in self.tiles.placed():
            more = arguments(*place) if callable(arguments) else arguments
            handle = self._executor.fill(function, target, inputs(*place), more, place)
            handles[place[0]].append(handle)
        return self._with(handles)

    # ---- what it is ----

    @property
    def shape(self) -> Shape:
        """Rows and columns of the whole matrix."""
        return self._shape

    @property
    def tile(self) -> Shape:
        """Rows and columns of a tile that is not cut off at an edge."""
        return self._tile

    @property
    def grid(self) -> Shape:
        """Tiles down and across."""
        return -(-self._shape[0] // self._tile[0]), -(-self._shape[1] // self._tile[1])

    @property
    def tiles(self) -> TileGrid:
        """The cowns of the tiles: `tiles[i, j]`, for behaviors of your own."""
        if self._grid is None:
            raise RuntimeError("this TiledMatrix is spent: to_matrix() has put its tiles together")
        return self._grid

    def __getitem__(self, position: tuple[int, int]) -> Handle:
        """Give the cown of one tile, as `tiles[i, j]`."""
        return self.tiles[position]

    def __repr__(self) -> str:
        """Say how it is tiled; the values may not be there yet."""
        spent = ", spent" if self._grid is None else ""
        return f"<TiledMatrix {by(self.shape)}, {by(self.grid)} tiles of {by(self.tile)}{spent}>"

    def to_matrix(self) -> Matrix:
        """Wait for the tiles and put them together, without copying.

        Returns
        -------
        Matrix
            The matrix that was split, or for a result a new one. This `TiledMatrix` is spent then.

        Raises
        ------
        Exception
            What the behavior of a tile raised, with the tile's position in a note; of several the
            first, row by row. Nothing is put together then.
        """
        tiles = [
            (position, self._tile_shape(*position), handle)
            for position, handle in self.tiles.placed()
        ]
        collected = self._executor.collect(tiles)
        self._grid = None
        columns = self.grid[1]
        lines = range(self.grid[0])
        _join(self._whole, [collected[i * columns : (i + 1) * columns] for i in lines])
        return self._whole

    def _tile_shape(self, i: int, j: int) -> Shape:
        rows, columns = self._tile
        return min(rows, self._shape[0] - i * rows), min(columns, self._shape[1] - j * columns)

    # ---- element-wise ----

    def _combine(self, other: Any, method: str, reflected: bool = False) -> Any:
        mine = self.tiles
        if isinstance(other, TiledMatrix):
            self._check_tiling(other)
            theirs = other.tiles
            return self._new(self.shape, self.tile)._fill(
                work.combined, lambda i, j: [mine[i, j], theirs[i, j]], (method,)
            )
        if not is_scalar(other):
            return NotImplemented
        return self._new(self.shape, self.tile)._fill(
            work.scaled, lambda i, j: [mine[i, j]], (method, float(other), reflected)
        )

    def _check_tiling(self, other: TiledMatrix) -> None:
        if self.shape != other.shape or self.tile != other.tile:
            raise ValueError(
                f"a {by(self.shape)} matrix in tiles of {by(self.tile)} and a {by(other.shape)} "
                f"matrix in tiles of {by(other.tile)} are not tiled alike"
            )

    def __add__(self, other: TiledMatrix | float) -> TiledMatrix:
        """Add a number, or a matrix tiled alike."""
        return self._combine(other, "add")  # type: ignore[no-any-return]

    def __radd__(self, other: float) -> TiledMatrix:
        """Add to a number."""
        return self._combine(other, "add", reflected=True)  # type: ignore[no-any-return]

    def __sub__(self, other: TiledMatrix | float) -> TiledMatrix:
        """Subtract a number, or a matrix tiled alike."""
        return self._combine(other, "subtract")  # type: ignore[no-any-return]

    def __rsub__(self, other: float) -> TiledMatrix:
        """Subtract from a number."""
        return self._combine(other, "subtract", reflected=True)  # type: ignore[no-any-return]

    def __mul__(self, other: TiledMatrix | float) -> TiledMatrix:
        """Multiply by a number, or element by element with a matrix tiled alike."""
        return self._combine(other, "multiply")  # type: ignore[no-any-return]

    def __rmul__(self, other: float) -> TiledMatrix:
        """Multiply a number."""
        return self._combine(other, "multiply", reflected=True)  # type: ignore[no-any-return]

    def __truediv__(self, other: TiledMatrix | float) -> TiledMatrix:
        """Divide by a number, or element by element by a matrix tiled alike."""
        return self._combine(other, "divide")  # type: ignore[no-any-return]

    def __rtruediv__(self, other: float) -> TiledMatrix:
        """Divide a number."""
        return self._combine(other, "divide", reflected=True)  # type: ignore[no-any-return]

    def map(self, function: Callable[..., Matrix], *others: TiledMatrix) -> TiledMatrix:
        """Apply a function to every tile, and to the tiles in the same place of others.

        Parameters
        ----------
        function : callable
            Gets a read-only `Matrix` for this and for each of the others, gives one of that shape.
        *others : TiledMatrix
            Tiled alike.
        """
        check_callable(function)
        for other in others:
            if not isinstance(other, TiledMatrix):
                raise TypeError(f"map goes over other TiledMatrix, not {type(other).__name__}")
            self._check_tiling(other)
        grids = [self.tiles, *(other.tiles for other in others)]
        return self._new(self.shape, self.tile)._fill(
            work.mapped, lambda i, j: [grid[i, j] for grid in grids], (function,)
        )

    def stencil(
        self,
        function: Callable[[Matrix], Matrix],
        halo: int | tuple[int, int],
        *,
        boundary: float | str = 0.0,
    ) -> TiledMatrix:
        """Apply a function to every tile together with the elements around it.

        Each tile waits only for the tiles that its window reaches into, so the steps of an
        iteration overlap.

        Parameters
        ----------
        function : callable
            Gets a `Matrix` of its own: the tile, grown by the halo on every side. Gives a `Matrix`
            of the tile's shape.
        halo : int or tuple of two ints
            How many rows above and below, and how many columns to the left and to the right. It
            may be larger than a tile.
        boundary : float or str, optional
            What lies outside of the matrix: a number (zero by default), ``"nearest"`` for the
            nearest element of the matrix, ``"wrap"`` for those of the opposite side.

        Examples
        --------
        >>> def step(window):
        ...     u = window.view
        ...     return (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]) / 4.0
        >>> cooler = plate.stencil(step, 1, boundary="nearest")
        """
        check_callable(function)
        halo = stencils.check_halo(halo)
        boundary = stencils.check_boundary(boundary)
        mine = self.tiles
        rows, columns = (self._windows(axis, halo[axis], boundary) for axis in (0, 1))
        return self._new(self.shape, self.tile)._fill(
            stencils.stenciled,
            lambda i, j: [mine[row[0], column[0]] for row in rows[i] for column in columns[j]],
            lambda i, j: (function, halo, rows[i], columns[j], boundary),
        )

    def _windows(self, axis: int, halo: int, boundary: float | str) -> list[list[stencils.Piece]]:
        """List the pieces of the window around each row of tiles (axis 0) or column of them."""
        length, tile, wraps = self.shape[axis], self.tile[axis], boundary == "wrap"
        return [
            stencils.pieces_of(start - halo, min(start + tile, length) + halo, length, tile, wraps)
            for start in range(0, length, tile)
        ]

    @property
    def T(self) -> TiledMatrix:
        """The transpose, tile by tile."""
        mine = self.tiles
        return self._new(self.shape[::-1], self.tile[::-1])._fill(
            work.transposed, lambda i, j: [mine[j, i]]
        )

    # ---- the product ----

    def __matmul__(self, other: TiledMatrix) -> TiledMatrix:
        """Multiply two matrices: one behavior for each tile of the product, or a few neighbours."""
        if not isinstance(other, TiledMatrix):
            return NotImplemented
        if self.shape[1] != other.shape[0] or self.tile[1] != other.tile[0]:
            raise ValueError(
                f"a {by(self.shape)} matrix in tiles of {by(self.tile)} cannot be multiplied by "
                f"a {by(other.shape)} matrix in tiles of {by(other.tile)}"
            )
        result = self._new((self.shape[0], other.shape[1]), (self.tile[0], other.tile[1]))
        return result._with(tilealgebra.product(self._executor, self, other, result))

    # ---- linear algebra ----

    def cholesky(self) -> TiledMatrix:
        """Factor a symmetric positive definite matrix into `L @ L.T`, tile by tile.

        The right-looking algorithm of Buttari, Langou, Kurzak and Dongarra (2009): LAPACK's potrf
        for a tile of the diagonal, trsm for those below it, syrk and gemm for the others. Where
        tiles are few for the workers there are, it works on parts of them.

        Returns
        -------
        TiledMatrix
            L, tiled alike; lower triangular with zeros above. Only the lower triangle is read.

        Raises
        ------
        LinAlgError
            If the matrix is not square. That it is not positive definite `to_matrix` says.
        ValueError
            If its tiles are not square.

        Examples
        --------
        >>> factor = TiledMatrix(covariance, tile=256).cholesky()
        >>> samples = factor @ noise
        """
        self._check_square("cholesky()")
        if self.tile[0] != self.tile[1]:
            raise ValueError(f"cholesky() needs square tiles, not {by(self.tile)}")
        part = self.tile[0] // tilealgebra.parts_a_tile(self.tile[0], self.grid[0])
        result = self._new(self.shape, (part, part), zeros=True)
        handles = tilealgebra.cholesky(self._executor, self, result)
        result._tile = self.tile
        return result._with(handles)

    def solve(self, b: TiledMatrix) -> TiledMatrix:
        """Give the x with `a @ x = b`, by LU factors with partial pivoting.

        The pivots are those that LAPACK finds for the transpose: in a whole row of what is left,
        so it is as stable as without tiles (Golub and Van Loan, section 3.4). A band of rows is
        factored at a time; substitution begins with the first of them.

        Parameters
        ----------
        b : TiledMatrix
            The right-hand sides, n x k, in tiles as high as those of this matrix.

        Returns
        -------
        TiledMatrix
            x, n x k, in tiles as high as this matrix's are wide and as wide as those of `b`.

        Raises
        ------
        LinAlgError
            If the matrix is not square. That it is singular `to_matrix` says.
        ValueError
            If `b` has other rows.

        Examples
        --------
        >>> x = TiledMatrix(a, tile=256).solve(TiledMatrix(b, tile=256)).to_matrix()
        """
        if not isinstance(b, TiledMatrix):
            raise TypeError(f"solve() takes a TiledMatrix, not {type(b).__name__}")
        self._check_square("solve()")
        if self.shape[0] != b.shape[0] or self.tile[0] != b.tile[0]:
            raise ValueError(
                f"solve(): a {by(self.shape)} matrix in tiles of {by(self.tile)} and a "
                f"{by(b.shape)} matrix in tiles of {by(b.tile)} do not fit together"
            )
        x = self._new(b.shape, (self.tile[1], b.tile[1]))
        return x._with(tilealgebra.solve(self._executor, self, b, x))

    def qr(self) -> tuple[TiledMatrix, TiledMatrix]:
        """Factor into `q @ r`, reduced, by Householder reflections of panels of columns.

        Each panel, as wide as a tile, is factored by LAPACK's geqrf; its reflectors are applied to
        the panels to the right, and to columns of the identity for q, in the compact WY form of
        Schreiber and Van Loan (1989). A matrix that is much longer than wide is factored in parts
        of its rows, then pairs of what is left of them (Demmel, Grigori, Hoemmen and Langou 2012).

        Returns
        -------
        q : TiledMatrix
            Rows x k with orthonormal columns, k being the smaller side.
        r : TiledMatrix
            k x columns, upper triangular; its diagonal may be negative. `q @ r` is tiled as this
            matrix is.

        Examples
        --------
        >>> q, r = TiledMatrix(a, tile=256).qr()
        """
        (rows, columns), (height, width) = self.shape, self.tile
        side = min(rows, columns)
        q = self._new((rows, side), (height, width))
        r = self._new((side, columns), (width, width), zeros=True)
        q_tiles, r_tiles = tilealgebra.qr(self._executor, self, q, r)
        return q._with(q_tiles), r._with(r_tiles)

    def svdvals(self) -> Any:
        """Give the cown of the singular values, a 1 x k `Matrix`, descending.

        A matrix that is much longer than wide, or much wider than long, is reduced to a triangle
        first, its parts at the same time and then pairs of what is left of them (Demmel, Grigori,
        Hoemmen and Langou 2012); LAPACK's gesdd does the rest. It raises `LinAlgError` if the
        matrix contains NaN or infinity.

        Examples
        --------
        >>> largest = TiledMatrix(a).svdvals().get()[0, 0]
        """
        return tilealgebra.svdvals(self._executor, self)

    def _check_square(self, what: str) -> None:
        if self.shape[0] != self.shape[1]:
            raise linalg.LinAlgError(f"{what} takes a square matrix, not a {by(self.shape)} one")

    # ---- reductions ----

    def _tree(
        self, placed: list[Placed], function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> Placed:
        """Combine neighbours, then neighbours of the results: their number alone says how."""
        while len(placed) > 1:
            pairs = [
                (left[0], self._executor.call(function, [left[1], right[1]], arguments, left[0]))
                for left, right in zip(placed[::2], placed[1::2])
            ]
            placed = pairs + placed[2 * len(pairs) :]
        return placed[0]

    def _lines(self, placed: list[Placed], axis: int | None) -> list[list[Placed]]:
        """Group what is combined: the columns of the grid for axis 0, its rows for 1, or all."""
        if axis is None:
            return [placed] if placed else []
        lines: list[list[Placed]] = [[] for _ in range(self.grid[1 - axis])]
        for position, handle in placed:
            lines[position[1 - axis]].append((position, handle))
        return [line for line in lines if line]

    def reduce(self, function: Callable[[Matrix, Matrix], Matrix], axis: int | None = None) -> Any:
        """Combine tiles pairwise along the grid, in an order that does not depend on timing.

        Parameters
        ----------
        function : callable
            Gets two read-only matrices, tiles or earlier results, in their order in the grid.
        axis : int, optional
            0 combines down the columns of the grid, 1 along its rows, None (the default) all.

        Returns
        -------
        Cown or TiledMatrix
            With None the cown of what is left; otherwise a `TiledMatrix` one tile high or wide.
        """
        check_callable(function)
        axis = check_axis(axis)
        placed = self.tiles.placed()
        if not placed:
            raise ValueError(f"a {by(self.shape)} matrix has no tiles to reduce")
        ends = [self._tree(line, work.applied, (function,)) for line in self._lines(placed, axis)]
        if axis is None:
            ((position, handle),) = ends
            return (
                handle
                if len(placed) > 1
                else self._executor.call(work.same, [handle], (), position)
            )
        shape = (self.tile[0], self.shape[1]) if axis == 0 else (self.shape[0], self.tile[1])
        return self._new(shape, self.tile)._fill(work.copied, lambda i, j: [ends[max(i, j)][1]])

    def _reduction(self, name: str, axis: int | None) -> Any:
        axis = check_axis(axis)
        placed = self.tiles.placed()
        rows, columns = self.shape
        if name != "sum" and rows * columns == 0:
            raise ValueError(f"{name} of a {by(self.shape)} matrix: there is nothing to reduce")
        divisor = 1.0
        if name == "mean":
            name = "sum"
            divisor = float(rows * columns if axis is None else self.shape[axis])
        partial = [
            (position, self._executor.call(work.reduced, [handle], (name, axis), position))
            for position, handle in placed
        ]
        lines = self._lines(partial, axis)
        ends = [self._tree(line, work.merged, (name,))[1] for line in lines]
        if axis is None:
            return self._executor.call(work.finished, ends, (divisor,), (0, 0))
        shape = (1, columns) if axis == 0 else (rows, 1)
        return self._executor.call(work.joined, ends, (shape, divisor), (0, 0))

    def sum(self, axis: int | None = None) -> Any:
        """Give the cown of the sum, or of a `Matrix` of the sums along an axis."""
        return self._reduction("sum", axis)

    def mean(self, axis: int | None = None) -> Any:
        """Give the cown of the mean, or of a `Matrix` of the means along an axis."""
        return self._reduction("mean", axis)

    def min(self, axis: int | None = None) -> Any:
        """Give the cown of the smallest element, or of a `Matrix` of those along an axis."""
        return self._reduction("min", axis)

    def max(self, axis: int | None = None) -> Any:
        """Give the cown of the largest element, or of a `Matrix` of those along an axis."""
        return self._reduction("max", axis)
