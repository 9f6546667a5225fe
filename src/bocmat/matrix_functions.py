"""Functions of a square matrix that are made of products: powers and the exponential."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, SupportsIndex

from . import _core
from ._core import LinAlgError, Matrix, MatrixView

if TYPE_CHECKING:
    from ._core import _Values


def as_matrix(m: _Values, what: str) -> Matrix | MatrixView:
    """Give the operand as a matrix or view."""
    if isinstance(m, (Matrix, MatrixView)):
        return m
    if isinstance(m, (int, float)):
        raise LinAlgError(f"{what} takes a matrix, not the number {m!r}")
    return Matrix(m)


def as_square(m: _Values, what: str) -> Matrix | MatrixView:
    """Give the operand as a square matrix or view."""
    taken = as_matrix(m, what)
    if taken.rows != taken.columns:
        raise LinAlgError(f"{what} takes a square matrix, not one of the shape {taken.shape}")
    return taken


def matrix_power(m: _Values, n: SupportsIndex) -> Matrix:
    """Multiply a matrix by itself, by repeated squaring.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, k x k.
    n : int
        How many factors; 0 gives the identity, negative ones take the inverse.

    Returns
    -------
    Matrix
        k x k.

    Raises
    ------
    LinAlgError
        If `m` is not square, or singular with `n` negative.
    TypeError
        If `n` is not an int.

    Examples
    --------
    >>> linalg.matrix_power([[1, 1], [1, 0]], 10)
    Matrix(2, 2, [89, 55, 55, 34])
    """
    count = operator.index(n)
    m = as_square(m, "matrix_power()")
    if count == 0:
        return Matrix.eye(m.rows)
    square = _core._inv(m) if count < 0 else m
    count = abs(count)
    while count % 2 == 0:
        square = square @ square
        count //= 2
    result = square
    while count := count // 2:
        square = square @ square
        if count % 2:
            result = result @ square
    return result.copy() if result is m else result  # type: ignore[return-value]


# Up to which 1-norm the Padé approximant of a degree is exact to a float's precision, and its
# coefficients (Higham, "The Scaling and Squaring Method for the Matrix Exponential Revisited",
# SIAM J. Matrix Anal. Appl. 26(4), 2005, tables 2.3 and 2.1 and equation 2.2).
_APPROXIMANTS: list[tuple[float, list[float]]] = [
    (1.495585217958292e-2, [120, 60, 12, 1]),
    (2.539398330063230e-1, [30240, 15120, 3360, 420, 30, 1]),
    (9.504178996162932e-1, [17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1]),
    (
        2.097847961257068,
        [
            *(17643225600, 8821612800, 2075673600, 302702400, 30270240, 2162160),
            *(110880, 3960, 90, 1),
        ],
    ),
]
_LARGEST = 5.371920351148152
_THIRTEEN: list[float] = [
    *(64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800),
    *(129060195264000, 10559470521600, 670442572800, 33522128640, 1323241920, 40840800),
    *(960960, 16380, 182, 1),
]


def _approximate(m: Matrix, one: Matrix, b: list[float]) -> Matrix:
    """Give the Padé approximant of a degree below 13."""
    square = m @ m
    power, odd, even = square, b[1] * one + b[3] * square, b[0] * one + b[2] * square
    for k in range(4, len(b), 2):
        power = power @ square
        even += b[k] * power
        odd += b[k + 1] * power
    odd = m @ odd
    return _core._solve(even - odd, even + odd)


def _approximate_13(m: Matrix, one: Matrix) -> Matrix:
    """Give the Padé approximant of degree 13, in six products."""
    b = _THIRTEEN
    m2 = m @ m
    m4 = m2 @ m2
    m6 = m4 @ m2
    odd = m6 @ (b[13] * m6 + b[11] * m4 + b[9] * m2)
    odd = m @ (odd + b[7] * m6 + b[5] * m4 + b[3] * m2 + b[1] * one)
    even = m6 @ (b[12] * m6 + b[10] * m4 + b[8] * m2)
    even += b[6] * m6 + b[4] * m4 + b[2] * m2 + b[0] * one
    return _core._solve(even - odd, even + odd)


def expm(m: _Values) -> Matrix:
    """Give the exponential of a matrix, by scaling and squaring (Higham 2005).

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n.

    Returns
    -------
    Matrix
        n x n; all NaN if `m` contains NaN or infinity.

    Raises
    ------
    LinAlgError
        If `m` is not square.

    Examples
    --------
    >>> linalg.expm([[0, 1], [0, 0]])
    Matrix(2, 2, [1, 1, 0, 1])
    """
    m = +as_square(m, "expm()")
    size = _core._norm(m, 1)
    if not math.isfinite(size):
        return Matrix.full(m.shape, math.nan)
    one = Matrix.eye(m.rows)
    for largest, coefficients in _APPROXIMANTS:
        if size <= largest:
            return _approximate(m, one, coefficients)
    squarings = max(0, math.frexp(size / _LARGEST)[1])
    result = _approximate_13(m * 2.0**-squarings, one)
    for _ in range(squarings):
        result = result @ result
    return result
