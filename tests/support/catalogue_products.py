"""The rows of products, vectors and pairs."""

from __future__ import annotations

import operator

import numpy as np

from support.operations import (
    EPS,
    PRODUCT,
    Near,
    Op,
    ordinary,
)


def product(a: np.ndarray, b: np.ndarray) -> Near:
    if a.shape[1] != b.shape[0]:
        raise ValueError("inner lengths differ")
    # A product of n terms in any order: n eps of the sum of their magnitudes.
    return Near(a.astype(np.longdouble) @ b, (a.shape[1] + 2) * EPS * (np.abs(a) @ np.abs(b)))


def product_in_place(a: np.ndarray, b: np.ndarray) -> Near:
    if (a.shape[1], a.shape[1]) != b.shape:
        raise ValueError("the shape would change")
    return product(a, b)


ROWS = [
    Op("Matrix.__matmul__", operator.matmul, product, PRODUCT, (ordinary,), one_answer=False),
    Op(
        "Matrix.__rmatmul__",
        lambda m: [[1.0] * m.rows, [0.5] * m.rows] @ m,
        lambda a: product(np.array([[1.0] * len(a), [0.5] * len(a)]).reshape(2, len(a)), a),
        domains=(ordinary,),
        one_answer=False,
    ),
]
