"""Norms, condition numbers, ranks, pseudo-inverses, powers, Kronecker products, exponentials."""

from __future__ import annotations

import math
import pathlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bocmat
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
from support.matrices import FINITE, arrays, as_array, assert_same, operands

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs/linalg.md"
ORDERS = [None, "fro", "nuc", math.inf, -math.inf, 1, -1, 2, -2]
SUMS = [None, "fro", math.inf, -math.inf, 1, -1]


def test_linalg_is_an_attribute_of_the_package():
    assert bocmat.linalg is linalg
    assert "linalg" in bocmat.__all__
    assert "linalg" in dir(bocmat)
    assert all(callable(getattr(linalg, name)) for name in linalg.__all__)


def test_the_guide_runs():
    blocks = re.findall(
        r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 4
    exec("".join(blocks), {})


@pytest.mark.parametrize("ord", ORDERS)
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if min(shape)])
def test_norms_agree_with_numpy(ord, shape):
    a = some(shape)
    wanted = np.linalg.norm(a, ord)
    for form in forms(a):
        found = linalg.norm(form, ord)
        assert type(found) is float
        assert abs(found - wanted) <= 20 * (sum(shape) + 5) * EPSILON * size_of(a)


@given(data=st.data())
def test_norms_of_any_values(data):
    a = data.draw(arrays(st.integers(1, 20), st.integers(1, 20)))
    form = data.draw(operands(a))
    with np.errstate(all="ignore"):
        big = np.abs(a.astype(np.longdouble))
        exact = np.sqrt((big * big).sum())
        exact = math.inf if np.isinf(a).any() and not np.isnan(a).any() else float(exact)
        for ord in (math.inf, -math.inf, 1, -1):
            np.testing.assert_allclose(
                linalg.norm(form, ord), np.linalg.norm(a, ord), rtol=50 * EPSILON, atol=0
            )
    np.testing.assert_allclose(linalg.norm(form), exact, rtol=1e-14, atol=1e-322)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 40), (40, 1), (63, 65), (200, 300)])
def test_the_norm_is_the_magnitude(shape):
    for form in forms(some(shape)):
        assert linalg.norm(form) == form.magnitude()


def test_a_norm_does_not_overflow():
    for n in (1, 2, 40):
        for size in (1e300, 1e-300, 1e-320, 1.7e308 / n):
            wanted = float(np.longdouble(size) * n)
            assert linalg.norm(Matrix.full((n, n), size)) == pytest.approx(wanted, rel=1e-13)
    for size in (1e200, 1e-200, 2.0**511, 2.0**-451, 5e-324):  # on both sides of where squares fit
        for form in forms(np.full((130, 67), size)):
            assert linalg.norm(form) == pytest.approx(size * math.sqrt(130 * 67), rel=1e-13)
    mixed = np.full((65, 70), 1e-170)
    mixed[64, 3], mixed[10, 69] = 3e160, -4e160
    for form in forms(mixed):
        assert linalg.norm(form) == pytest.approx(5e160, rel=1e-15)
    assert linalg.norm([[1.7e308, 1.7e308]]) == math.inf
    assert linalg.norm([[math.inf, 1.0]]) == math.inf
    assert math.isnan(linalg.norm([[math.inf, math.nan]]))
    assert linalg.norm([[0.0, -0.0]]) == 0.0


def test_norms_of_nothing_and_of_vectors():
    for shape in ((0, 0), (0, 3), (3, 0)):
        for ord in (None, "fro", "nuc", 1, 2, math.inf):
            assert linalg.norm(Matrix(*shape), ord) == 0.0
    with pytest.raises(ValueError, match="least"):
        linalg.norm(Matrix(0, 0), -1)
    with pytest.raises(ValueError, match="smallest"):
        linalg.norm(Matrix(0, 3), -2)
    vector = np.array([3.0, -4.0, 12.0])
    for ord in (None, 1, 2, math.inf, -math.inf):
        assert linalg.norm(vector, ord) == pytest.approx(np.linalg.norm(vector, ord))
        assert linalg.norm([3, -4, 12], ord) == pytest.approx(np.linalg.norm(vector, ord))
    for wrong in (3, 0, "two", -3.5):
        with pytest.raises(ValueError, match="order"):
            linalg.norm([[1.0]], wrong)
        with pytest.raises(ValueError):  # noqa: PT011
            np.linalg.norm([[1.0]], wrong)


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 33])
def test_condition_numbers(p, n):
    a = with_singular_values((n, n), np.linspace(5, 1, n))
    for form in forms(a):
        assert linalg.cond(form, p) == pytest.approx(np.linalg.cond(a, p), rel=1e-11)


def test_condition_numbers_of_odd_matrices():
    for bad in (math.nan, math.inf):
        assert all(math.isnan(linalg.cond([[bad, 1.0], [1.0, 1.0]], p)) for p in ORDERS)
    assert linalg.cond([[1.0, 1.0], [1.0, 1.0]], 1) == math.inf
    assert linalg.cond(Matrix.zeros((2, 2))) == math.inf
    assert linalg.cond(np.diag([1.0, 0.0])) == math.inf
    assert linalg.cond(Matrix(3, 2, [1, 0, 0, 2, 0, 0])) == 2.0
    with pytest.raises(linalg.LinAlgError, match=r"\(3, 2\)"):
        linalg.cond(Matrix(3, 2), 1)
    with pytest.raises(linalg.LinAlgError, match=r"\(0, 0\)"):
        linalg.cond(Matrix(0, 0))


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 4), (4, 3), (7, 5), (5, 70), (40, 40)])
def test_ranks(shape):
    k = min(shape)
    for rank in range(0, k + 1, max(1, k // 3)):
        values = np.where(np.arange(k) < rank, 1.0, 0.0)
        a = with_singular_values(shape, values)
        assert linalg.matrix_rank(a) == rank
        assert type(linalg.matrix_rank(a)) is int
        assert linalg.matrix_rank(a, tol=2.0) == 0
        assert linalg.matrix_rank(a, rtol=0.5) == rank
    assert linalg.matrix_rank(Matrix.zeros(shape)) == 0
    assert linalg.matrix_rank(Matrix(0, 3)) == 0
    with pytest.raises(ValueError, match="not both"):
        linalg.matrix_rank(a, 1.0, rtol=1.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_pseudo_inverses(shape):
    k = min(shape)
    for rank in {k, k // 2}:
        values = np.where(np.arange(k) < rank, np.linspace(1, 2, k), 0.0)
        a = with_singular_values(shape, values) if k else np.zeros(shape)
        x = as_array(linalg.pinv(a))
        assert x.shape == (shape[1], shape[0])
        scale = 10 * (k + 1)
        for product, of in ((a @ x @ a, a), (x @ a @ x, x)):
            assert_close(product, of, scale)
        for product in (a @ x, x @ a):
            assert_close(product, product.T, scale)
    assert_same(linalg.pinv([[2.0, 0.0], [0.0, 1.0]], rcond=0.6), [[0.5, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 17])
@pytest.mark.parametrize("exponent", [-3, -1, 0, 1, 2, 3, 7, 8, 13])
def test_powers(n, exponent):
    a = with_singular_values((n, n), np.linspace(0.9, 1.1, n))
    wanted = np.linalg.matrix_power(a, exponent)
    for form in forms(a):
        found = linalg.matrix_power(form, exponent)
        assert type(found) is Matrix
        assert_close(as_array(found), wanted, 100 * size_of(wanted))
        if exponent == 1:
            found += 1.0
            assert_same(form, a)


def test_powers_of_integers_are_exact_and_misuse_raises():
    assert linalg.matrix_power([[1, 1], [1, 0]], 70)[0, 0] == 308061521170129.0
    for wrong, error in ((1.5, TypeError), ("2", TypeError)):
        with pytest.raises(error):
            linalg.matrix_power(Matrix.eye(2), wrong)
        with pytest.raises(error):
            np.linalg.matrix_power(np.eye(2), wrong)
    for wrong in (Matrix(2, 3), 3.0):
        with pytest.raises(linalg.LinAlgError):
            linalg.matrix_power(wrong, 2)
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.matrix_power(Matrix(2, 2), -1)


@given(data=st.data())
def test_kronecker_products_are_exact(data):
    sides = st.integers(0, 5)
    a, b = (data.draw(arrays(sides, sides, elements=FINITE)) for _ in range(2))
    found = linalg.kron(data.draw(operands(a)), data.draw(operands(b)))
    assert_same(found, np.kron(a, b).reshape(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]))


def test_kronecker_products_of_sequences_and_large_ones():
    assert_same(linalg.kron([1, 10], [1, 2]), [[1.0, 2.0, 10.0, 20.0]])
    a, b = some((20, 3)), some((7, 90))
    assert_same(linalg.kron(a, b), np.kron(a, b))
    empty = Matrix(2**40, 0)
    with pytest.raises(ValueError, match="large"):
        linalg.kron(empty, empty)


def exact_exponential(a):
    """Scale far down, sum Taylor's series, square, in longer numbers than doubles."""
    a = a.astype(np.longdouble)
    total = term = np.eye(len(a), dtype=np.longdouble)
    for k in range(1, 30):
        term = term @ (a / 2**12) / k
        total = total + term
    for _ in range(12):
        total = total @ total
    return total.astype(float)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 17, 40])
@pytest.mark.parametrize("size", [0.0, 0.01, 0.2, 0.9, 2.0, 5.0, 20.0])
def test_exponentials(n, size):
    a = some((n, n), 4)
    a *= size / max(np.linalg.norm(a, 1) if n else 1.0, 1e-9)
    wanted = exact_exponential(a)
    for form in forms(a):
        found = as_array(linalg.expm(form))
        assert_close(found, wanted, 20 * (1 + size) * (size_of(wanted) + math.exp(size)))
        assert_same(form, a)


def test_exponentials_known_exactly():
    assert_same(linalg.expm(Matrix.zeros((3, 3))), np.eye(3))
    assert_same(linalg.expm([[0.0, 1.0], [0.0, 0.0]]), [[1.0, 1.0], [0.0, 1.0]])
    assert linalg.expm([[1.0]])[0, 0] == pytest.approx(math.e, rel=1e-15)
    turn = as_array(linalg.expm([[0.0, -1.0], [1.0, 0.0]]))
    assert_close(turn, [[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]], 2.0)
    for bad in (math.nan, math.inf):
        assert np.isnan(as_array(linalg.expm([[bad, 0.0], [0.0, 1.0]]))).all()
    with pytest.raises(linalg.LinAlgError, match=r"\(2, 3\)"):
        linalg.expm(Matrix(2, 3))


@pytest.mark.parametrize("n", SIDES)
def test_norms_by_sums_let_nan_through(n):
    if n == 0:
        return
    a = some((n, n))
    a[n // 2, n - 1] = np.nan
    for form in forms(a):
        assert all(math.isnan(linalg.norm(form, ord)) for ord in SUMS)
