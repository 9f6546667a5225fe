"""Matrices for linear algebra, and how far a result may be off: multiples of what the backward
error analysis of LAPACK's algorithms allows (Higham, "Accuracy and Stability of Numerical
Algorithms")."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from bocmat import Matrix
from support.matrices import as_array

EPSILON = float(np.finfo(float).eps)

# Both sides of each threshold: nothing, the direct ways up to 4, the nine values that a header
# holds, LAPACK without blocks and with them, and sizes that are long enough to let others run.
SIDES = [0, 1, 2, 3, 4, 5, 8, 17, 33, 70, 200]
SHAPES = [
    *itertools.product([0, 1, 2, 3, 4, 5, 8], repeat=2),
    *[(33, 33), (70, 5), (5, 70), (70, 33), (33, 70), (200, 4), (4, 200), (200, 200)],
]


def forms(array: np.ndarray) -> list[Any]:
    """Give the same values as a matrix, transposed, as views of either step, and borrowed."""
    rows, columns = array.shape
    around = np.full((2 * rows + 2, 2 * columns + 3), np.nan)
    inside = (slice(1, 1 + 2 * rows, 2), slice(2, 2 + 2 * columns, 2))
    around[inside] = array[::-1, ::-1]
    wide = np.full((rows + 1, columns + 5), np.nan)
    wide[1:, 2 : 2 + columns] = array
    found = [
        Matrix(array),
        Matrix(array.T).T,
        Matrix(around).view[inside][::-1, ::-1],
        Matrix(wide).view[1:, 2 : 2 + columns],
        Matrix.from_buffer(array.copy()),
    ]
    return found if array.size < 10000 else found[1:3]


def some(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Give an array of normally distributed numbers, which has full rank."""
    return np.random.default_rng([*shape, seed]).normal(size=shape)


def with_singular_values(shape: tuple[int, int], values: Any, seed: int = 0) -> np.ndarray:
    """Give an array with those singular values and random vectors."""
    k = min(shape)
    left = np.linalg.qr(some((shape[0], k), seed))[0]
    right = np.linalg.qr(some((shape[1], k), seed + 1))[0]
    return (left * np.asarray(values, dtype=float)) @ right.T


def size_of(array: np.ndarray) -> float:
    """Give the Frobenius norm, 0 for nothing; also where the squares overflow."""
    exponent = np.clip(np.frexp(np.max(np.abs(array), initial=0.0))[1], -1000, 1000)
    return float(np.linalg.norm(array * 2.0**-exponent)) * 2.0**exponent


def assert_close(found: Any, wanted: Any, scale: float) -> None:
    """Assert that the two differ by some roundings of numbers as large as `scale`, summed up."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    order = max((*found.shape, 1))
    assert size_of(found - wanted) <= 10 * (order + 5) * EPSILON * scale + 1e-300


def assert_orthonormal_columns(matrix: Any) -> None:
    array = as_array(matrix)
    assert_close(array.T @ array, np.eye(array.shape[1]), max(1.0, array.shape[1] ** 0.5))
