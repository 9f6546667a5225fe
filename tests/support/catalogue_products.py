"""The rows of products, vectors, batches of vectors and pairs."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bocmat import Matrix
from support.operations import (
    AXIS,
    BOTH,
    EPS,
    OUT,
    PRODUCT,
    SQUARE,
    TWO,
    Near,
    Op,
    Shape,
    Shapes,
    anything,
    finite,
    keep,
    method,
    option,
    ordinary,
    precisely,
    rounding,
)


def product(a: np.ndarray, b: np.ndarray) -> Near:
    if a.shape[1] != b.shape[0]:
        raise ValueError("inner lengths differ")
    # A product of n terms in any order: n eps of the sum of their magnitudes.
    return Near(a.astype(np.longdouble) @ b, (a.shape[1] + 2) * EPS * (np.abs(a) @ np.abs(b)))


def product_in_place(a: np.ndarray, b: np.ndarray) -> Near:
    if a.shape[1] != b.shape[1]:
        raise ValueError("the left shape would change")
    return product(a, b)


def left_and_square(draw: Any) -> tuple[Shape, ...]:
    (rows, inner), (_, columns) = PRODUCT.draw(draw)
    return (rows, inner), (inner, inner if draw(st.integers(0, 9)) else columns)


def vecdot(a: np.ndarray, b: np.ndarray, axis: int | None = None) -> Near:
    if 1 in a.shape and a.shape == b.shape[::-1]:
        b = b.reshape(a.shape)  # a row and a column of one length go together as flat vectors
    terms = a.astype(np.longdouble) * b
    count = terms.size if axis is None else terms.shape[axis]
    bound = (rounding(count) + EPS) * np.abs(terms).sum(**keep(axis))
    return Near(terms.sum(**keep(axis)), bound)


def trace(a: np.ndarray, offset: int = 0) -> Near:
    line = np.diagonal(a, offset)
    return Near(line.sum(dtype=np.longdouble), rounding(line.size) * np.abs(line).sum())


# ---- batches of vectors ----


def lines_of(shape: Shape, lengths: tuple[int, ...], axis: int | None) -> int:
    """Say along which axis the vectors lie: 1 if they are rows."""
    rows_fit, columns_fit = shape[1] in lengths, shape[0] in lengths
    if axis is None and rows_fit:
        return 1
    if axis is None and columns_fit:
        return 0
    if axis is not None and (rows_fit if axis % 2 else columns_fit):
        return axis % 2
    raise ValueError("no such vectors")


def one_a_vector(numbers: np.ndarray, along: int) -> Any:
    if numbers.size == 1:
        return numbers.reshape(())
    return numbers.reshape((-1, 1) if along else (1, -1))


def split(a: np.ndarray, lengths: tuple[int, ...], axis: int | None) -> tuple[Any, int]:
    along = lines_of(a.shape, lengths, axis)
    return (a.T if along else a), along


def angle(a: np.ndarray, axis: int | None = None) -> Any:
    (x, y), along = split(a, (2,), axis)
    expected = precisely(np.arctan2)(y, x)
    return type(expected)(one_a_vector(expected.value, along))


def perpendicular(a: np.ndarray, axis: int | None = None) -> np.ndarray:
    (x, y), along = split(a, (2,), axis)
    return np.stack([-y, x], along)


def cross(a: np.ndarray, b: np.ndarray, axis: int | None = None) -> Near:
    (parts, along), (others, _) = split(a, (2, 3), axis), split(b, (2, 3), axis)
    wide, other = parts.astype(np.longdouble), others.astype(np.longdouble)

    def minus(i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        left, right = wide[i] * other[j], wide[j] * other[i]
        return left - right, 3 * EPS * (np.abs(left) + np.abs(right))

    if len(parts) == 2:
        value, bound = minus(0, 1)
        return Near(one_a_vector(value, along), one_a_vector(bound, along))
    found = [minus(1, 2), minus(2, 0), minus(0, 1)]
    value, bound = (np.stack([pair[k] for pair in found], along) for k in (0, 1))
    return Near(value, bound)


def normalize(a: np.ndarray, axis: int | None = None) -> Near:
    lengths = (2, 3)
    over: int | None
    if 1 in a.shape:
        if axis is not None and a.shape[axis] == 1:
            raise ValueError("one vector, not along that axis")
        over = None
    elif a.shape[0] in lengths or a.shape[1] in lengths:
        over = lines_of(a.shape, lengths, axis)
    else:
        over = axis
    size = np.sqrt((a.astype(np.longdouble) ** 2).sum(axis=over, keepdims=True))
    value = np.divide(a, size, out=np.zeros(a.shape, np.longdouble), where=size != 0)
    return Near(value, 8 * EPS * np.abs(value))


def batch(*lengths: int) -> Shapes:
    """Give shapes of vectors and batches of them, now and then others."""

    def drawn(draw: Any) -> tuple[Shape, ...]:
        count, length = draw(st.sampled_from([1, 2, 3, 5, 17, 40])), draw(st.sampled_from(lengths))
        return (draw(st.sampled_from([(count, length), (length, count), (4, 5)])),)

    return Shapes(drawn, lambda n: ((n, lengths[0]),))


def pairs_of(*lengths: int) -> Shapes:
    one = batch(*lengths)
    return Shapes(lambda draw: one.draw(draw) * 2, lambda n: one.at(n) * 2)


def points(draw: Any) -> tuple[Shape, ...]:
    length = draw(st.sampled_from([0, 1, 2, 3, 8, 33]))
    other = length if draw(st.integers(0, 9)) else length + 1
    counts = st.sampled_from([0, 1, 2, 5, 17])
    return (draw(counts), length), (draw(counts), other)


def cdist(a: np.ndarray, b: np.ndarray, metric: str = "euclidean") -> Near:
    if a.shape[1] != b.shape[1]:
        raise ValueError("points of different dimensions")
    x, y = a.astype(np.longdouble)[:, None], b.astype(np.longdouble)[None]
    if metric == "cosine":
        lengths = np.sqrt((x * x).sum(2)) * np.sqrt((y * y).sum(2))
        value = 1 - (x * y).sum(2) / lengths
        return Near(value, np.full(value.shape, (a.shape[1] + 16) * EPS))
    squares = ((x - y) ** 2).sum(2)
    value = squares if metric == "sqeuclidean" else np.sqrt(squares)
    return Near(value, (a.shape[1] + 8) * EPS * value)


OFFSETS = option(offset=st.integers(-5, 5))
METRICS = option(metric=st.sampled_from(["euclidean", "sqeuclidean", "cosine"]))
ROWS = [
    Op("Matrix.__matmul__", operator.matmul, product, PRODUCT, (ordinary,), one_answer=False),
    Op(
        "Matrix.__imatmul__",
        operator.imatmul,
        product_in_place,
        Shapes(left_and_square, PRODUCT.at),
        (ordinary,),
        writes=True,
        one_answer=False,
    ),
    Op("Matrix.dot", method("dot"), product, PRODUCT, (ordinary,), forms=OUT, one_answer=False),
    Op(
        "Matrix.__rmatmul__",
        lambda m: [[1.0] * m.rows, [0.5] * m.rows] @ m,
        lambda a: product(np.array([[1.0] * len(a), [0.5] * len(a)]).reshape(2, len(a)), a),
        domains=(ordinary,),
        one_answer=False,
    ),
    Op(
        "Matrix.vecdot",
        method("vecdot"),
        vecdot,
        TWO,
        (finite,),
        option(axis=AXIS),
        has_axis=True,
    ),
    Op(
        "Matrix.outer",
        method("outer"),
        lambda a, b: np.multiply.outer(a.ravel(), b.ravel()),
        Shapes(
            lambda draw: tuple((draw(st.integers(0, 9)), draw(st.integers(0, 9))) for _ in "ab"),
            lambda n: ((1, n), (1, n)),
        ),
        (anything,),
        forms=OUT,
    ),
    Op("Matrix.trace", method("trace"), trace, SQUARE, (finite,), OFFSETS),
    Op("Matrix.cross", method("cross"), cross, pairs_of(2, 3), (finite,), option(axis=AXIS)),
    Op("Matrix.angle", method("angle"), angle, batch(2), (anything,), option(axis=AXIS)),
    Op(
        "Matrix.perpendicular",
        method("perpendicular"),
        perpendicular,
        batch(2),
        (anything,),
        option(axis=AXIS),
        forms=BOTH,
    ),
    Op(
        "Matrix.normalize",
        method("normalize"),
        normalize,
        batch(2, 3, 4, 5),
        (finite,),
        option(axis=AXIS),
        forms=BOTH,
    ),
    Op(
        "Matrix.cdist",
        Matrix.cdist,
        cdist,
        Shapes(points, lambda n: ((n, 3), (n, 3))),
        (ordinary,),
        METRICS,
    ),
]
