"""QR, singular values and eigenvalues: the factors have their shape and multiply to the matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix, linalg
from support.linalg import (
    SHAPES,
    SIDES,
    assert_close,
    assert_orthonormal_columns,
    forms,
    size_of,
    some,
    with_singular_values,
)
from support.matrices import arrays, as_array, assert_same, operands

SMALL = st.integers(1, 4)
WIDE = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 1e-8, 1e8, 1e-90, 1e90, 1e-200, 1e200, 1e-310]),
    st.floats(-1e3, 1e3),
)


def assert_qr(found, a):
    q, r = found
    k = min(a.shape)
    assert (q.shape, r.shape) == ((a.shape[0], k), (k, a.shape[1]))
    assert_orthonormal_columns(q)
    assert_close(as_array(q) @ as_array(r), a, size_of(a))
    assert (np.tril(as_array(r), -1) == 0).all()


def assert_svd(found, a):
    u, s, vh = found
    k = min(a.shape)
    assert (u.shape, s.shape, vh.shape) == ((a.shape[0], k), (1, k), (k, a.shape[1]))
    assert_orthonormal_columns(u)
    assert_orthonormal_columns(vh.T)
    assert (np.diff(as_array(s)) <= 0).all()
    assert (as_array(s) >= 0).all()
    assert_close((as_array(u) * as_array(s)) @ as_array(vh), a, size_of(a))


def assert_eigh(found, a):
    w, v = found
    n = len(a)
    assert (w.shape, v.shape) == ((1, n), (n, n))
    assert_orthonormal_columns(v)
    assert (np.diff(as_array(w)) >= 0).all()
    assert_close((as_array(v) * as_array(w)) @ as_array(v).T, a, size_of(a))


def complex_factors(found):
    real, imaginary, v = map(as_array, found)
    values, vectors = real[0] + 1j * imaginary[0], v.astype(complex)
    j = 0
    while j < len(values):
        if values[j].imag:
            assert values[j].imag > 0
            assert values[j + 1] == values[j].conjugate()
            vectors[:, j] = v[:, j] + 1j * v[:, j + 1]
            vectors[:, j + 1] = vectors[:, j].conjugate()
            j += 1
        j += 1
    return values, vectors


def assert_eig(found, a):
    values, vectors = complex_factors(found)
    assert_close(a @ vectors, vectors * values, size_of(a) * max(1, len(a)) ** 0.5)
    assert_close(np.linalg.norm(vectors, axis=0), np.ones(len(a)), 1.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_qr_whatever_the_layout(shape):
    a = some(shape)
    for form in forms(a):
        assert_qr(linalg.qr(form), a)
        assert_same(form, a)
    wanted = np.linalg.qr(a).R if min(shape) else np.zeros((0, shape[1]))
    assert_close(np.abs(as_array(linalg.qr(a)[1])), np.abs(wanted), 10 * size_of(a) + 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_svd_whatever_the_layout(shape):
    a = some(shape)
    for form in forms(a):
        assert_svd(linalg.svd(form), a)
        values = as_array(linalg.svdvals(form))
        if min(shape):
            assert_close(values[0], np.linalg.svdvals(a), size_of(a))
        assert_same(form, a)
    assert values.shape == (1, min(shape))


@pytest.mark.parametrize("n", SIDES)
def test_eigh_whatever_the_layout(n):
    a = some((n, n))
    a += a.T
    half = np.tril(a) + np.triu(np.full((n, n), np.nan), 1)
    for form in [*forms(a), *forms(half)]:
        assert_eigh(linalg.eigh(form), a)
    assert_close(as_array(linalg.eigh(a)[0])[0], np.linalg.eigvalsh(a), size_of(a))


@pytest.mark.parametrize("n", SIDES)
def test_eig_whatever_the_layout(n):
    a = some((n, n))
    for form in forms(a):
        assert_eig(linalg.eig(form), a)
        assert_same(form, a)


def test_eigenvalues_known_exactly():
    turn = [[0.0, -1.0], [1.0, 0.0]]
    values, _ = complex_factors(linalg.eig(turn))
    assert_close(values, [1j, -1j], 1.0)
    real, imaginary, _ = linalg.eig(np.diag([3.0, 1.0, 2.0]))
    assert sorted(as_array(real)[0]) == [1.0, 2.0, 3.0]
    assert_same(imaginary, np.zeros((1, 3)))
    w, v = linalg.eigh(np.diag([3.0, 1.0, 2.0]))
    assert_same(w, [[1.0, 2.0, 3.0]])
    assert_same(abs(v), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert_same(linalg.svdvals(np.diag([3.0, -4.0])), [[4.0, 3.0]])


@given(data=st.data(), rows=SMALL, columns=SMALL)
def test_small_factors_of_anything_finite(data, rows, columns):
    a = data.draw(arrays(st.just(rows), st.just(columns), elements=WIDE))
    form = data.draw(operands(a))
    assert_qr(linalg.qr(form), a)
    assert_svd(linalg.svd(form), a)
    assert_close(linalg.svdvals(form), as_array(linalg.svd(form)[1]), size_of(a))
    square = np.tril(a[: min(rows, columns), : min(rows, columns)])
    square = square + np.tril(square, -1).T
    assert_eigh(linalg.eigh(square), square)
    assert_eig(linalg.eig(square), square)


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (4, 3), (4, 4), (7, 5), (5, 7), (40, 40)])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_factors_of_deficient_rank(shape, rank):
    values = np.zeros(min(shape))
    values[:rank] = [3.0, 1.0][:rank]
    a = with_singular_values(shape, values) if rank else np.zeros(shape)
    assert_svd(linalg.svd(a), a)
    assert_qr(linalg.qr(a), a)
    assert_close(as_array(linalg.svdvals(a))[0], values, 10.0)
    a = a @ a.T
    assert_eigh(linalg.eigh((a + a.T) / 2), a)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8])
def test_equal_eigenvalues_have_independent_vectors(n):
    a = with_singular_values((n, n), np.ones(n))
    a = np.eye(n) * 2 + np.ones((n, n)) * 1e-20
    assert_eigh(linalg.eigh(a), a)
    assert_eigh(linalg.eigh(np.ones((n, n))), np.ones((n, n)))


def test_the_smallest_eigenvalues_are_accurate():
    # Of a graded positive definite matrix a Jacobi method finds every one.
    scale = np.diag([1.0, 1e-3, 1e-6])
    a = scale @ np.array([[4.0, 1.0, 1.0], [1.0, 4.0, 1.0], [1.0, 1.0, 4.0]]) @ scale
    w, _ = linalg.eigh(a)
    assert np.prod(as_array(w)) == pytest.approx(54e-18, rel=1e-9)


def test_what_does_not_fit():
    for function in (linalg.eigh, linalg.eig):
        with pytest.raises(linalg.LinAlgError, match=r"square.*\(3, 2\)"):
            function(Matrix(3, 2))
    for function in (linalg.qr, linalg.svd, linalg.svdvals, linalg.eigh, linalg.eig):
        with pytest.raises(TypeError):
            function("text")
        with pytest.raises(linalg.LinAlgError, match="number"):
            function(2.0)
