"""Equations, inverses, determinants, Cholesky factors and least squares: residuals within what
backward stability allows, and NumPy's answers where the problem is well conditioned."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix, linalg
from support.linalg import (
    EPSILON,
    SHAPES,
    SIDES,
    assert_close,
    forms,
    size_of,
    some,
    with_singular_values,
)
from support.matrices import arrays, as_array, assert_same, operands

MODERATE = st.one_of(st.just(0.0), st.floats(1e-3, 1e3), st.floats(-1e3, -1e-3))
INTEGERS = st.integers(-9, 9).map(float)


def assert_solves(x, a, b):
    x = as_array(x)
    assert x.shape == (a.shape[1], b.shape[1])
    assert_close(a @ x, b, size_of(a) * size_of(x) + size_of(b))


@pytest.mark.parametrize("n", SIDES)
@pytest.mark.parametrize("count", [0, 1, 3, 17])
def test_solutions_solve_whatever_the_layout(n, count):
    a, b = some((n, n)), some((n, count))
    for left, right in zip(forms(a), reversed(forms(b))):
        x = linalg.solve(left, right)
        assert_solves(x, a, b)
        assert_same(left, a)
        assert_same(right, b)


@given(data=st.data(), n=st.integers(1, 6), count=st.integers(1, 5))
def test_solutions_of_any_matrix(data, n, count):
    sides = (st.just(n), st.just(n))
    a = data.draw(arrays(*sides, elements=MODERATE))
    b = data.draw(arrays(st.just(n), st.just(count), elements=MODERATE))
    try:
        x = linalg.solve(data.draw(operands(a)), data.draw(operands(b)))
    except linalg.LinAlgError:
        assert np.linalg.matrix_rank(a) < n
        return
    if np.isfinite(as_array(x)).all():
        assert_solves(x, a, b)


def test_a_flat_sequence_is_a_column():
    for b in ([2.0, 4.0], (2, 4), np.array([2.0, 4.0])):
        assert_same(linalg.solve([[2, 0], [0, 4]], b), [[1.0], [1.0]])
        assert_close(linalg.lstsq([[2, 0], [0, 4]], b), [[1.0], [1.0]], 1.0)
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(1, 2\)"):
        linalg.solve([[2, 0], [0, 4]], [[2.0, 4.0]])


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 12])
def test_hilbert_matrices(n):
    hilbert = np.array([[1.0 / (i + j + 1) for j in range(n)] for i in range(n)])
    b = hilbert @ np.ones((n, 1))
    assert_solves(linalg.solve(hilbert, b), hilbert, b)
    # The smaller ones can be inverted to a relative error of about their condition number.
    if n <= 8:
        inverse = as_array(linalg.inv(hilbert))
        exact = np.linalg.inv(hilbert)
        assert size_of(inverse - exact) <= 20 * n * EPSILON * np.linalg.cond(hilbert) * size_of(
            exact
        )


@pytest.mark.parametrize("n", SIDES)
def test_an_inverse_is_one(n):
    a = with_singular_values((n, n), np.linspace(1, 3, n))
    for form in forms(a):
        inverse = as_array(linalg.inv(form))
        assert_close(a @ inverse, np.eye(n), size_of(a) * size_of(inverse))
        assert_close(inverse, np.linalg.inv(a), 3 * size_of(inverse))
        assert_same(form, a)


@given(data=st.data(), n=st.integers(0, 5))
def test_determinants_of_small_integers(data, n):
    a = data.draw(arrays(st.just(n), st.just(n), elements=INTEGERS))
    exact = float(determinant([[Fraction(x) for x in row] for row in a.tolist()]))
    assert abs(linalg.det(data.draw(operands(a))) - exact) <= 200 * EPSILON * max(
        1.0, math.prod(np.linalg.norm(a, axis=1))
    )
    if n == 2:
        assert linalg.det(a) == exact


def determinant(rows):
    if not rows:
        return Fraction(1)
    return sum(
        (-1) ** j * rows[0][j] * determinant([row[:j] + row[j + 1 :] for row in rows[1:]])
        for j in range(len(rows))
    )


@pytest.mark.parametrize("n", SIDES)
def test_determinants_agree_with_numpy(n):
    a = with_singular_values((n, n), np.linspace(0.5, 2, n), seed=3)
    sign, logarithm = np.linalg.slogdet(a)
    for form in forms(a):
        assert linalg.det(form) == pytest.approx(np.linalg.det(a), rel=1e-11)
        found = linalg.slogdet(form)
        assert found == (sign, pytest.approx(logarithm, rel=1e-11, abs=1e-12))
        assert [type(part) for part in found] == [float, float]


def test_determinants_out_of_range():
    assert linalg.det(Matrix.zeros((0, 0))) == 1.0
    assert linalg.slogdet(Matrix.zeros((0, 0))) == (1.0, 0.0)
    for n in (2, 3, 4, 5, 30):
        tiny, huge = np.eye(n), np.eye(n)
        tiny[0, 0], huge[0, 0], huge[1, 1] = 1e-300, 1e300, -1e-300
        assert linalg.det(tiny) == pytest.approx(1e-300, rel=1e-14)
        assert linalg.det(huge) == pytest.approx(-1.0, rel=1e-14)
        assert linalg.slogdet(huge) == (-1.0, pytest.approx(0.0, abs=1e-12))
        assert linalg.det(np.eye(n) * 1e200) == math.inf
        assert linalg.slogdet(np.eye(n) * 1e200) == (1.0, pytest.approx(n * math.log(1e200)))
        assert linalg.slogdet(np.zeros((n, n))) == (0.0, -math.inf)
        assert math.isnan(linalg.det(np.full((n, n), np.nan)))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 40])
def test_singular_matrices_are_refused(n):
    singular = np.ones((n, n)) if n > 1 else np.zeros((1, 1))
    for function in (linalg.inv, lambda m: linalg.solve(m, Matrix.ones((n, 1)))):
        with pytest.raises(linalg.LinAlgError, match="singular"):
            function(singular)
        with pytest.raises(np.linalg.LinAlgError):
            np.linalg.inv(singular)
    assert linalg.det(singular) == 0.0
    nearly = np.eye(n)
    nearly[n - 1, n - 1] = 5e-324
    x = as_array(linalg.solve(nearly, np.eye(n)[:, n - 1 :]))
    assert x[n - 1, 0] == math.inf or x[n - 1, 0] > 1e300


@pytest.mark.parametrize("n", SIDES)
def test_cholesky_factors(n):
    root = some((n, n))
    a = root @ root.T + np.eye(n)
    half = np.tril(a) + np.triu(np.full((n, n), np.nan), 1)
    for form in [*forms(a), *forms(half)]:
        lower = as_array(linalg.cholesky(form))
        assert_close(lower @ lower.T, a, size_of(a))
        assert (np.triu(lower, 1) == 0).all()
        assert_close(lower, np.linalg.cholesky(a), size_of(a))
    assert np.isnan(as_array(form)[np.triu_indices(n, 1)]).all()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 40])
def test_indefinite_matrices_have_no_cholesky_factor(n):
    for last in (-1.0, 0.0):
        a = np.eye(n)
        a[n - 1, n - 1] = last
        with pytest.raises(linalg.LinAlgError, match=f"not positive definite.* order {n} "):
            linalg.cholesky(a)
        with pytest.raises(np.linalg.LinAlgError):
            np.linalg.cholesky(a)


@pytest.mark.parametrize("shape", SHAPES)
def test_least_squares(shape):
    a, b = some(shape), some((shape[0], 3), 1)
    wanted = np.linalg.lstsq(a, b)[0] if min(shape) else np.zeros((shape[1], 3))
    scale = np.linalg.cond(a) ** 2 * size_of(wanted) if min(shape) else 0.0
    for left, right in zip(forms(a), forms(b)):
        assert_close(as_array(linalg.lstsq(left, right)), wanted, scale)
        assert_same(left, a)
        assert_same(right, b)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (9, 5), (5, 9), (60, 40), (40, 60)])
def test_least_squares_of_deficient_rank(shape):
    k = min(shape)
    values = np.linspace(2, 1, k)
    values[k // 2 :] = 0
    a, b = with_singular_values(shape, values), some((shape[0], 2), 5)
    x = as_array(linalg.lstsq(a, b))
    pseudo = np.linalg.pinv(a, rcond=1e-10)
    assert_close(x, pseudo @ b, 10 * size_of(b))
    # The residual is at right angles to the columns, the solution within the rows: the shortest.
    assert_close(a.T @ (a @ x - b), np.zeros_like(x), 10 * size_of(b))
    assert_close(pseudo @ (a @ x), x, 10 * size_of(x))
    assert size_of(as_array(linalg.lstsq(a, b, rcond=0.9))) < size_of(x) + 1e-12


def test_what_does_not_fit():
    tall = Matrix(3, 2)
    for function in (linalg.inv, linalg.det, linalg.slogdet, linalg.cholesky):
        with pytest.raises(linalg.LinAlgError, match=r"square.*\(3, 2\)"):
            function(tall)
    with pytest.raises(ValueError, match=r"square.*\(3, 2\)"):
        linalg.solve(tall, Matrix(3, 1))
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(3, 2\)"):
        linalg.solve(Matrix.eye(2), tall)
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(2, 2\)"):
        linalg.lstsq(tall, Matrix.eye(2))
    assert issubclass(linalg.LinAlgError, ValueError)


@pytest.mark.parametrize("function", [linalg.inv, linalg.det, linalg.cholesky, linalg.slogdet])
def test_what_is_no_matrix(function):
    for wrong in ("text", None, {1: 2}, [[1, 2], [3, "a"]], [[1j]]):
        with pytest.raises(TypeError):
            function(wrong)
    for wrong in (3, 2.5, [[1, 2], [3]]):
        with pytest.raises(ValueError):  # noqa: PT011
            function(wrong)
