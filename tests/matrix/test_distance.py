"""Matrix.cdist against the definition, in extended precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import FINITE, arrays, as_array, operands

COUNTS = st.sampled_from([0, 1, 2, 3, 5, 8, 9, 17, 65])
INNER = st.sampled_from([0, 1, 2, 3, 4, 7, 16, 65, 200])
METRICS = ["euclidean", "sqeuclidean", "cosine"]
EPSILON = np.finfo(np.float64).eps


def direct(a, b, metric):
    """Compute the distances from their definition with more digits than the results have."""
    a, b = a.astype(np.longdouble), b.astype(np.longdouble)
    with np.errstate(all="ignore"):
        if metric == "cosine":
            a = a / np.sqrt((a * a).sum(axis=1, keepdims=True))
            b = b / np.sqrt((b * b).sum(axis=1, keepdims=True))
            return ((a[:, None] - b[None]) ** 2).sum(axis=2) / 2
        squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
        return np.sqrt(squares) if metric == "euclidean" else squares


@pytest.mark.parametrize("metric", METRICS)
@given(data=st.data())
def test_distances_are_those_of_the_definition(metric, data):
    inner = data.draw(INNER)
    a = data.draw(arrays(COUNTS, st.just(inner), FINITE))
    b = data.draw(arrays(COUNTS, st.just(inner), FINITE))
    left, right = data.draw(operands(a)), data.draw(operands(b))
    found = as_array(Matrix.cdist(left, right, metric))
    expected = direct(a, b, metric)
    assert found.shape == expected.shape
    nothing = np.isnan(expected)
    if metric == "cosine" and inner == 0:
        nothing = np.ones_like(nothing)
    assert (np.isnan(found) == nothing).all()
    relative = (inner + 8) * EPSILON * (16 if inner >= 192 else 1)
    error = np.abs(found - expected)[~nothing]
    expected = expected[~nothing]
    if metric == "cosine":  # directions are rounded: a relative error of their difference
        assert (error <= 8 * relative * np.sqrt(expected) + relative * relative).all()
    else:
        assert (error <= relative * expected + 1e-290).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("inner", [1, 3, 100, 300])
def test_equal_rows_are_at_distance_zero(metric, inner):
    a = np.random.default_rng(inner).normal(1e8, 1.0, (70, inner))
    found = as_array(Matrix.cdist(Matrix(a), Matrix(a), metric))
    assert (np.diagonal(found) == 0).all()
    assert np.allclose(found, found.T, 1e-13, 0)
    assert (found[~np.eye(70, dtype=bool)] > 0).all() or (metric == "cosine" and inner == 1)


def test_near_rows_far_from_the_origin_keep_their_digits():
    a = np.full((3, 50), 1e9)
    b = a + 1e-3
    expected = np.sqrt(50.0) * (b[0, 0] - a[0, 0])
    assert np.allclose(as_array(Matrix.cdist(Matrix(a), Matrix(b))), expected, 1e-14, 0)
    angle = Matrix.cdist([[1, 0]], [[1, 1e-9]], "cosine").item()
    assert math.isclose(angle, 0.5e-18, rel_tol=1e-9)


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-150, 1e150, 1e200, 1e307])
def test_extreme_sizes(size):
    found = Matrix.cdist([[3 * size, 0], [0, 0]], [[0, 4 * size], [0, 0]])
    expected = np.array([[5.0, 3.0], [4.0, 0.0]]) * size
    assert np.allclose(as_array(found), expected, 1e-14 if size > 1e-300 else 1e-3, 0)
    cosine = Matrix.cdist([[3 * size, 0]], [[0, 4 * size]], "cosine")
    assert math.isclose(cosine.item(), 1.0, rel_tol=1e-15)


def test_what_is_not_finite():
    nan, inf = math.nan, math.inf
    a = [[nan, 0], [inf, 0], [1, 0], [0, 0]]
    with np.errstate(all="ignore"):
        for metric in METRICS:
            expected = direct(np.array(a), np.array(a), metric)
            if metric != "cosine":
                found = as_array(Matrix.cdist(a, a, metric))
                assert np.array_equal(found, expected.astype(float), equal_nan=True)
    cosine = as_array(Matrix.cdist(a, a, "cosine"))
    assert np.isnan(cosine[3]).all()
    assert np.isnan(cosine[:, 3]).all()
    assert cosine[2, 2] == 0
    assert np.isnan(Matrix.cdist(Matrix.zeros((1, 0)), Matrix.zeros((1, 0)), "cosine").item())
    assert Matrix.cdist(Matrix.zeros((2, 0)), Matrix.zeros((3, 0))).tolist() == [[0.0] * 3] * 2


def test_long_rows_that_are_near_and_far():
    """Pairs that BLAS could do and pairs that it could not, in one block."""
    rng = np.random.default_rng(4)
    a = rng.normal(size=(300, 256))
    b = rng.normal(size=(270, 256))
    b[:40] = a[:40]
    b[40:80] = a[40:80] + rng.normal(0, 1e-9, (40, 256))
    b[80:100] *= 1e-3
    a[200] *= 1e160
    a[201] *= 1e-170
    a[202] = 0.0
    for metric in ("euclidean", "sqeuclidean"):
        expected = direct(a, b, metric)
        with np.errstate(over="ignore"):
            expected = expected.astype(float)
        found = as_array(Matrix.cdist(Matrix(a), Matrix(b), metric))
        assert (np.diagonal(found)[:40] == 0).all()
        assert np.allclose(found, expected, 2e-13, 0)
    offset = as_array(Matrix.cdist(Matrix(a[:100] + 1e6), Matrix(b[:100] + 1e6)))
    assert np.allclose(
        offset, direct(a[:100] + 1e6, b[:100] + 1e6, "euclidean").astype(float), 1e-13, 0
    )


def test_large():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(300, 200)), rng.normal(size=(257, 200))
    for metric in METRICS:
        expected = direct(a, b, metric).astype(float)
        assert np.allclose(as_array(Matrix.cdist(Matrix(a), Matrix(b), metric)), expected, 1e-13, 0)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: Matrix.cdist([[1, 2]], [[1, 2, 3]]), ValueError),
        (lambda: Matrix.cdist([[1, 2]], [[1, 2]], "manhattan"), ValueError),
        (lambda: Matrix.cdist([[1, 2]], [[1, 2]], 2), TypeError),
        (lambda: Matrix.cdist([[1, 2]], "a"), TypeError),
        (lambda: Matrix.cdist([[1, 2]]), TypeError),
    ],
)
def test_misuse(call, error):
    with pytest.raises(error):
        call()
