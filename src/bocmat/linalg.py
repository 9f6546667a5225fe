"""Linear algebra on matrices: equations, factors, eigenvalues, norms, functions of a matrix.

Every function takes a `Matrix`, a `MatrixView`, nested sequences or an array, leaves what it was
given as it is and answers with new matrices and floats. What a matrix has no answer for raises
`LinAlgError`, which is a `ValueError`. The work is LAPACK's; matrices of at most 4 x 4 are done
directly, to the same accuracy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from . import _core
from ._core import LinAlgError, Matrix
from .matrix_functions import as_matrix, as_square, expm, matrix_power

if TYPE_CHECKING:
    from ._core import _Values

    _Order: TypeAlias = float | Literal["fro", "nuc"] | None

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "det",
    "eig",
    "eigh",
    "expm",
    "inv",
    "kron",
    "lstsq",
    "matrix_power",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
]

EPSILON = 2.0**-52


def solve(a: _Values, b: _Values) -> Matrix:
    """Solve the equations `a @ x = b`.

    By LU factors with partial pivoting (LAPACK getrf).

    Parameters
    ----------
    a : Matrix, MatrixView, nested sequence or array
        The coefficients, n x n.
    b : Matrix, MatrixView, sequence or array
        The right-hand sides, n x k; a flat sequence of n numbers is one column.

    Returns
    -------
    Matrix
        The solutions, n x k.

    Raises
    ------
    LinAlgError
        If `a` is singular (a pivot is exactly zero) or not square.
    ValueError
        If `b` has another number of rows than `a`.

    Examples
    --------
    >>> linalg.solve([[2, 0], [0, 4]], [1, 2])
    Matrix(2, 1, [0.5, 0.5])
    """
    return _core._solve(a, b)


def inv(m: _Values) -> Matrix:
    """Invert a matrix.

    By LU factors with partial pivoting (LAPACK getrf, getri). To solve equations, `solve` is faster
    and more accurate.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n.

    Returns
    -------
    Matrix
        The inverse, n x n.

    Raises
    ------
    LinAlgError
        If `m` is singular (a pivot is exactly zero) or not square.

    Examples
    --------
    >>> linalg.inv([[2, 0], [0, 4]])
    Matrix(2, 2, [0.5, 0, 0, 0.25])
    """
    return _core._inv(m)


def det(m: _Values) -> float:
    """Give the determinant.

    By LU factors with partial pivoting; their product is formed so that no part of it overflows.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n.

    Returns
    -------
    float
        The determinant; 1 for 0 x 0.

    Raises
    ------
    LinAlgError
        If `m` is not square.

    Examples
    --------
    >>> linalg.det([[1, 2], [3, 4]])
    -2.0
    """
    return _core._det(m)


def slogdet(m: _Values) -> tuple[float, float]:
    """Give the sign of the determinant and the logarithm of its magnitude.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n; its determinant may be out of a float's range.

    Returns
    -------
    sign : float
        1, -1 or, if the determinant is 0, 0.
    logarithm : float
        The natural logarithm; minus infinity if the determinant is 0.

    Raises
    ------
    LinAlgError
        If `m` is not square.

    Examples
    --------
    >>> linalg.slogdet([[0, 1], [1, 0]])
    (-1.0, 0.0)
    """
    return _core._slogdet(m)


def cholesky(m: _Values) -> Matrix:
    """Factor a symmetric positive definite matrix into `L @ L.T` (LAPACK potrf).

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n; only its lower triangle is read.

    Returns
    -------
    Matrix
        L, lower triangular with zeros above.

    Raises
    ------
    LinAlgError
        If `m` is not positive definite or not square.

    Examples
    --------
    >>> linalg.cholesky([[4, 2], [2, 10]])
    Matrix(2, 2, [2, 0, 1, 3])
    """
    return _core._cholesky(m)


def qr(m: _Values) -> tuple[Matrix, Matrix]:
    """Factor a matrix into `Q @ R`, reduced, by Householder reflections (LAPACK gelqf, orglq).

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, rows x columns; k is the smaller of the two.

    Returns
    -------
    Q : Matrix
        rows x k, its columns orthonormal.
    R : Matrix
        k x columns, upper triangular; its diagonal may be negative.

    Examples
    --------
    >>> q, r = linalg.qr([[3, 1], [4, 2]])
    >>> Matrix.allclose(q @ r, [[3, 1], [4, 2]]), r[1, 0]
    (True, 0.0)
    """
    return _core._qr(m)


def svd(m: _Values) -> tuple[Matrix, Matrix, Matrix]:
    """Factor a matrix into `U @ diag(s) @ Vh`, reduced (LAPACK gesdd).

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, rows x columns; k is the smaller of the two.

    Returns
    -------
    U : Matrix
        rows x k, its columns orthonormal.
    s : Matrix
        The singular values, 1 x k, descending.
    Vh : Matrix
        k x columns, its rows orthonormal. `U * s @ Vh` is the matrix again.

    Raises
    ------
    LinAlgError
        If `m` contains NaN or infinity, or the iteration does not converge.

    Examples
    --------
    >>> u, s, vh = linalg.svd([[0, 2], [1, 0]])
    >>> s
    Matrix(1, 2, [2, 1])
    """
    return _core._svd(m)


def svdvals(m: _Values) -> Matrix:
    """Give the singular values alone.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, rows x columns; k is the smaller of the two.

    Returns
    -------
    Matrix
        1 x k, descending.

    Raises
    ------
    LinAlgError
        If `m` contains NaN or infinity, or the iteration does not converge.

    Examples
    --------
    >>> linalg.svdvals([[3, 0], [0, 4]])
    Matrix(1, 2, [4, 3])
    """
    return _core._svdvals(m)


def eigh(m: _Values) -> tuple[Matrix, Matrix]:
    """Give the eigenvalues and eigenvectors of a symmetric matrix (LAPACK syevd).

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n; only its lower triangle is read.

    Returns
    -------
    w : Matrix
        The eigenvalues, 1 x n, ascending.
    V : Matrix
        n x n, orthonormal: column j belongs to `w[0, j]`.

    Raises
    ------
    LinAlgError
        If `m` is not square, contains NaN or infinity, or the iteration does not converge.

    Examples
    --------
    >>> w, v = linalg.eigh([[0, 2], [2, 0]])
    >>> Matrix.allclose(w, [-2, 2]), Matrix.allclose(v * w @ v.T, [[0, 2], [2, 0]])
    (True, True)
    """
    return _core._eigh(m)


def eig(m: _Values) -> tuple[Matrix, Matrix, Matrix]:
    """Give the eigenvalues and right eigenvectors of any square matrix (LAPACK geev).

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, n x n.

    Returns
    -------
    real, imaginary : Matrix
        The parts of the eigenvalues, 1 x n each, in no particular order. Complex ones come in
        conjugate pairs side by side, the one with the positive imaginary part first.
    V : Matrix
        n x n. Where `imaginary[0, j]` is 0, column j is the eigenvector of eigenvalue j. For a pair
        j and j + 1, column j holds the real part of the eigenvector of j and column j + 1 its
        imaginary part; the eigenvector of j + 1 is its conjugate. Each has the length 1.

    Raises
    ------
    LinAlgError
        If `m` is not square, contains NaN or infinity, or the iteration does not converge.

    Examples
    --------
    A quarter turn has the eigenvalues i and -i:

    >>> real, imaginary, v = linalg.eig([[0, -1], [1, 0]])
    >>> Matrix.allclose(real, [0, 0]), Matrix.allclose(imaginary, [1, -1])
    (True, True)
    """
    return _core._eig(m)


def lstsq(a: _Values, b: _Values, rcond: float | None = None) -> Matrix:
    """Give the x that makes `a @ x - b` shortest; of several, the shortest (LAPACK gelsd).

    Parameters
    ----------
    a : Matrix, MatrixView, nested sequence or array
        The coefficients, rows x columns, of any rank.
    b : Matrix, MatrixView, sequence or array
        The right-hand sides, rows x k; a flat sequence is one column.
    rcond : float, optional
        Singular values below `rcond` times the largest count as zero; the precision of a float
        times the longer side of `a` unless given.

    Returns
    -------
    Matrix
        The solutions, columns x k. (The rank is `matrix_rank(a)`, the singular values are
        `svdvals(a)`, the residuals `a @ x - b`.)

    Raises
    ------
    LinAlgError
        If an operand contains NaN or infinity, or the iteration does not converge.
    ValueError
        If `b` has another number of rows than `a`.

    Examples
    --------
    The line through (0, 1), (1, 3), (2, 5):

    >>> line = linalg.lstsq([[0, 1], [1, 1], [2, 1]], [1, 3, 5])
    >>> Matrix.allclose(line, [[2], [1]])
    True
    """
    return _core._lstsq(a, b, -1.0 if rcond is None else max(float(rcond), 0.0))


def pinv(m: _Values, rcond: float | None = None) -> Matrix:
    """Give the Moore-Penrose pseudo-inverse, by singular values.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, rows x columns, of any rank.
    rcond : float, optional
        Singular values up to `rcond` times the largest count as zero; the precision of a float
        times the longer side unless given.

    Returns
    -------
    Matrix
        columns x rows.

    Raises
    ------
    LinAlgError
        If `m` contains NaN or infinity, or the iteration does not converge.

    Examples
    --------
    >>> linalg.pinv([[2, 0], [0, 0]])
    Matrix(2, 2, [0.5, 0, 0, 0])
    """
    u, s, vh = _core._svd(m)
    if s.columns:
        least = (max(u.rows, vh.columns) * EPSILON if rcond is None else rcond) * s[0, 0]
        s = Matrix.where(s > least, 1.0 / s, 0.0)
    return (vh.T * s) @ u.T


def matrix_rank(m: _Values, tol: float | None = None, *, rtol: float | None = None) -> int:
    """Count the singular values that are not zero.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix, rows x columns.
    tol : float, optional
        Singular values up to this one count as zero.
    rtol : float, optional
        The same as a multiple of the largest; the precision of a float times the longer side if
        neither is given.

    Returns
    -------
    int
        The rank.

    Raises
    ------
    ValueError
        If both tolerances are given.
    LinAlgError
        If `m` contains NaN or infinity, or the iteration does not converge.

    Examples
    --------
    >>> linalg.matrix_rank([[1, 2], [2, 4]])
    1
    """
    if tol is not None and rtol is not None:
        raise ValueError("matrix_rank() takes tol or rtol, not both")
    m = as_matrix(m, "matrix_rank()")
    values = _core._svdvals(m)
    if not values.columns:
        return 0
    if tol is None:
        tol = (max(m.shape) * EPSILON if rtol is None else rtol) * values[0, 0]
    return int((values > tol).sum())


def norm(m: _Values, ord: _Order = None) -> float:
    """Give a norm of a matrix, as NumPy does for a two-dimensional array.

    Parameters
    ----------
    m : Matrix, MatrixView, sequence or array
        The matrix. A flat sequence is a column, so that 1, 2 and infinity are the norms of a
        vector.
    ord : {None, 'fro', 'nuc', inf, -inf, 1, -1, 2, -2}, optional
        None and 'fro': the root of the sum of the squares. 'nuc': the sum of the singular values.
        2 and -2: the largest and the smallest of them. 1 and -1: the largest and the smallest sum
        of a column's magnitudes. inf and -inf: those of a row.

    Returns
    -------
    float
        The norm. 'fro' does not overflow where the result does not.

    Raises
    ------
    ValueError
        For another `ord`, and for the smallest of nothing.
    LinAlgError
        If 2, -2 or 'nuc' are asked for and `m` contains NaN or infinity.

    Examples
    --------
    >>> linalg.norm([[3, 0], [0, 4]]), linalg.norm([[1, -2], [3, 4]], 1)
    (5.0, 6.0)
    """
    if ord is None or ord == "fro":
        return _core._norm(m, 0)
    if ord in (1, -1):
        return _core._norm(m, ord)
    if ord in (math.inf, -math.inf):
        return _core._norm(m, 2 if ord == math.inf else -2)
    if ord not in (2, -2, "nuc"):
        raise ValueError(f"norm() knows no order {ord!r} of a matrix")
    values = _core._svdvals(m)
    if ord == "nuc":
        return values.sum()
    if values.columns:
        return float(values[0, 0 if ord == 2 else -1])
    if ord == 2:
        return 0.0
    raise ValueError("norm(): the smallest of no singular values is asked for")


def cond(m: _Values, p: _Order = None) -> float:
    """Give the condition number: by how much `m` may amplify a relative error.

    Parameters
    ----------
    m : Matrix, MatrixView, nested sequence or array
        The matrix; square unless `p` is None, 2 or -2.
    p : {None, 'fro', 'nuc', inf, -inf, 1, -1, 2, -2}, optional
        The order of the norm. None and 2: the largest singular value over the smallest, -2 the
        smallest over the largest; otherwise `norm(m, p) * norm(inv(m), p)`.

    Returns
    -------
    float
        The condition number; infinity for a singular matrix, NaN for one with NaN or infinity.

    Raises
    ------
    LinAlgError
        If `m` is empty, or not square with another `p`.

    Examples
    --------
    >>> linalg.cond([[4, 0], [0, 2]]), linalg.cond([[1, 1], [1, 1]], 1)
    (2.0, inf)
    """
    m = as_matrix(m, "cond()")
    if m.size == 0:
        raise LinAlgError(f"cond() is not defined for the shape {m.shape}")
    if not math.isfinite(_core._norm(m, 2)):
        return math.nan
    if p is None or p in (2, -2):
        values = _core._svdvals(m)
        greatest, least = float(values[0, 0]), float(values[0, -1])
        if p == -2:
            return least / greatest if greatest else math.nan
        return greatest / least if least else math.inf
    size = norm(m, p)
    m = as_square(m, "cond()")
    try:
        inverse = _core._inv(m)
    except LinAlgError:
        return math.inf
    return size * norm(inverse, p)


def kron(a: _Values, b: _Values) -> Matrix:
    """Give the Kronecker product: a grid of copies of `b`, each times one element of `a`.

    Parameters
    ----------
    a, b : Matrix, MatrixView, sequence or array
        m x n and p x q.

    Returns
    -------
    Matrix
        m p x n q.

    Raises
    ------
    ValueError
        If the result would be too large.

    Examples
    --------
    >>> linalg.kron([[1, 10]], [[1, 2]])
    Matrix(1, 4, [1, 2, 10, 20])
    """
    return _core._kron(a, b)
