"""The product, against NumPy within the error bound of a sum of products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix, _core
from support.matrices import (
    FINITE,
    FREE_THREADED,
    LENGTHS,
    arrays,
    as_array,
    assert_same,
    operands,
)


def assert_product(found, left, right):
    assert found.shape == (left.shape[0], right.shape[1])
    bound = (left.shape[1] + 2) * np.finfo(float).eps * (np.abs(left) @ np.abs(right)) + 1e-300
    assert (np.abs(as_array(found) - left @ right) <= 2 * bound).all()


def assert_symmetric(found):
    assert_same(found, as_array(found).T)


@given(data=st.data(), inner=LENGTHS)
def test_product_agrees_with_numpy(data, inner):
    left = data.draw(arrays(columns=st.just(inner), elements=FINITE))
    right = data.draw(arrays(rows=st.just(inner), elements=FINITE))
    a, b = data.draw(operands(left)), data.draw(operands(right))
    assert_product(a @ b, left, right)
    assert_product(a @ right, left, right)
    assert_product(left @ b, left, right)
    out = Matrix.empty((left.shape[0], right.shape[1]))
    _core._matmul_into(out, a, b)
    if FREE_THREADED:  # there a further operand is copied, and BLAS may add in another order
        assert_product(out, left, right)
    else:
        assert_same(out, as_array(a @ b))
    twice = as_array(_core._matmul_into(out, a, b, accumulate=True))
    assert np.allclose(twice, 2 * as_array(a @ b), rtol=1e-12)


def test_large_products_run_without_the_lock_and_agree():
    generator = np.random.default_rng(7)
    left, right = generator.normal(size=(130, 150)), generator.normal(size=(150, 90))
    a, b = Matrix(left), Matrix(right)
    assert_product(a @ b, left, right)
    assert_product(a.T.T @ Matrix(right.T).T, left, right)
    assert_product(a.T @ a, left.T, left)
    assert_product(a.view[::2, ::3] @ b.view[::3, ::2], left[::2, ::3], right[::3, ::2])


def test_not_a_number_spreads():
    left = Matrix(20, 20, 0.0)
    left[3, 4] = float("nan")
    found = as_array(left @ Matrix.ones((20, 20)))
    assert np.isnan(found[3]).all()
    assert not np.isnan(np.delete(found, 3, 0)).any()


def test_flat_sequences_are_vectors():
    matrix = Matrix(2, 3, [1, 2, 3, 4, 5, 6])
    assert (matrix @ [1, 0, 2]).tolist() == [[7], [16]]
    assert ([1, 2] @ matrix).tolist() == [[9, 12, 15]]
    assert (np.array([1, 2]) @ matrix).tolist() == [[9, 12, 15]]


def test_what_cannot_be_multiplied():
    matrix = Matrix(2, 3)
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 3\)"):
        matrix @ matrix
    with pytest.raises(TypeError, match="scalar"):
        matrix @ 2.0
    with pytest.raises(TypeError):
        matrix @ "a"
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(3, 2\)"):
        _core._matmul_into(Matrix(3, 2), matrix, matrix.T)
    square = Matrix.eye(4)
    with pytest.raises(ValueError, match="operands"):
        _core._matmul_into(square, square, square.copy())
    assert_same(square, np.eye(4))
    a = Matrix.eye(4)
    a @= Matrix.full((4, 4), 2.0)
    assert_same(a, np.full((4, 4), 2.0))


@given(data=st.data(), rows=LENGTHS, side=LENGTHS)
def test_product_in_place_agrees_with_numpy(data, rows, side):
    left = data.draw(arrays(st.just(rows), st.just(side), elements=FINITE))
    right = data.draw(arrays(st.just(side), st.just(side), elements=FINITE))
    a, b = data.draw(operands(left)), data.draw(operands(right))
    same = a
    a @= b
    assert a is same
    assert_product(a, left, right)
    assert_same(b, right)


def test_product_in_place_with_itself_shared_and_through_a_view():
    left = np.random.default_rng(8).normal(size=(70, 70))
    a = Matrix(left)
    shared = a.T
    a @= a
    assert_product(a, left, left)
    assert_same(shared, left.T)
    whole = Matrix(left)
    part = whole.view[1:, 2:5]
    part @= [[0, 1, 0], [1, 0, 0], [0, 0, 2]]
    wanted = left.copy()
    wanted[1:, 2:5] = left[1:, [3, 2, 4]] * [1, 1, 2]
    assert_same(whole, wanted)


def test_product_in_place_keeps_the_shape():
    a = Matrix(2, 3, 1.0)
    for wrong, error in (
        (Matrix(3, 2), ValueError),
        ([1, 2, 3], ValueError),
        (Matrix(2, 2), ValueError),
    ):
        with pytest.raises(error):
            a @= wrong
    for wrong in (2.0, "text", None):
        with pytest.raises(TypeError):
            a @= wrong
    assert_same(a, np.ones((2, 3)))
    view = a.row_view(0, read_only=True)
    with pytest.raises(TypeError, match="read-only"):
        view @= np.eye(3)


@pytest.mark.parametrize("rows", [2, 3, 5, 9, 16, 17, 31, 47, 48, 63, 64, 65, 130, 200])
@pytest.mark.parametrize("inner", [1, 5, 16, 64, 90])
def test_product_with_its_own_transpose(rows, inner):
    left = np.random.default_rng(rows).normal(size=(rows, inner))
    spaced = np.repeat(left, 2, axis=1)
    for a in (Matrix(left), Matrix(left.T).T, Matrix(spaced).view[:, ::2]):
        for product in (a @ a.T, a @ (a.copy().T)):
            assert_product(product, left, left.T)
        assert_symmetric(a @ a.T)
        assert_symmetric(a.T @ a)
        assert_product(a.T @ a, left.T, left)
    turned = Matrix(rows, rows).T
    view = Matrix(spaced).view[::-1, ::2]
    assert_symmetric(view @ view.T)
    if not FREE_THREADED:  # there a further operand is copied
        assert_symmetric(_core._matmul_into(turned, view, view.T))


def test_long_products_of_steps_agree():
    array = np.random.default_rng(9).normal(size=(210, 190))
    whole = Matrix(array)
    a, b = whole.view[::2, 1::2], whole.view[::-2, ::2]
    left, right = array[::2, 1::2], array[::-2, ::2]
    assert_product(a.T @ b, left.T, right)
    assert_product(a @ b.T, left, right.T)
    assert_same(whole, array)
