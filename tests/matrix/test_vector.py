"""Dot, outer and cross products, directions and the trace, against NumPy."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, FINITE, arrays, as_array, assert_same, operands, pairs

TINY = st.floats(-1e-300, 1e-300)
WIDE = st.one_of(FINITE, TINY, st.floats(allow_nan=False, allow_infinity=False))
COUNTS = st.sampled_from([0, 1, 2, 3, 4, 5, 9, 40, 300])
EPSILON = np.finfo(np.float64).eps


@given(pair=pairs(FINITE), axis=AXES, data=st.data())
def test_vecdot_sums_products(pair, axis, data):
    a, b = pair
    left, right = data.draw(operands(a)), data.draw(operands(b))
    if 1 in a.shape and 1 in b.shape and a.shape == b.shape[::-1]:
        b = b.reshape(a.shape)
    products = a * b
    actual = left.vecdot(right, axis=axis)
    expected = np.sum(products, axis=axis, keepdims=axis is not None)
    bound = 40 * EPSILON * np.sum(np.abs(products), axis=axis, keepdims=axis is not None)
    if axis is None:
        assert isinstance(actual, float)
        assert abs(actual - expected) <= bound
    else:
        assert actual.shape == expected.shape
        assert (np.abs(as_array(actual) - expected) <= bound).all()


@pytest.mark.parametrize(
    "shape", [(1, 511), (1, 512), (1, 513), (3, 5001), (5001, 3), (700, 300), (1, 20000)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_vecdot_of_many(shape, turned):
    rng = np.random.default_rng(shape[1])
    a, b = rng.normal(size=shape), rng.normal(size=shape)
    left = Matrix(a.T).T if turned else Matrix(a)
    for axis in (None, 0, 1):
        expected = np.sum(
            a.astype(np.longdouble) * b.astype(np.longdouble), axis=axis, keepdims=axis is not None
        )
        bound = 40 * EPSILON * np.sum(np.abs(a * b), axis=axis, keepdims=axis is not None)
        actual = left.vecdot(Matrix(b), axis)
        values = actual if axis is None else as_array(actual)
        assert (np.abs(values - expected) <= bound).all()


def test_vecdot_of_a_row_and_a_column_is_flat():
    row, column = Matrix([[1, 2, 3]]), Matrix([[1], [10], [100]])
    assert row.vecdot(column) == column.vecdot(row) == 321
    assert row.vecdot(column, axis=0).tolist() == [[1, 20, 300]]
    assert column.vecdot(row, axis=0).tolist() == [[321]]
    assert column.vecdot([1, 2, 3]) == 321
    assert row.vecdot(2) == 12


@given(a=arrays(), b=arrays(), data=st.data())
def test_outer_is_that_of_numpy(a, b, data):
    if a.size * b.size > 20_000:
        a, b = a[:2], b[:2]
    with np.errstate(all="ignore"):
        expected = np.outer(a, b)
    left, right = data.draw(operands(a)), data.draw(operands(b))
    assert_same(left.outer(right), expected)
    out = Matrix.zeros(expected.shape)
    assert left.outer(right, out=out) is out
    assert_same(out, expected)


def test_outer_into_an_operand():
    m = Matrix([[2, 3], [5, 7]])
    column = m.column_view(0)
    assert_same(m.row_view(0).outer(column, out=m), [[4, 10], [6, 15]])
    with pytest.raises(ValueError, match=r"outer.*\(2, 2\).*\(1, 2\)"):
        Matrix.ones((1, 2)).outer([1, 2], out=Matrix.zeros((1, 2)))


@given(a=arrays(elements=FINITE), columns=st.sampled_from([0, 1, 3, 20]), data=st.data())
def test_dot_is_the_product(a, columns, data):
    b = data.draw(arrays(st.just(a.shape[1]), st.just(columns), FINITE))
    left, right = data.draw(operands(a)), data.draw(operands(b))
    assert_same(left.dot(right), as_array(left @ right))
    out = Matrix.zeros((a.shape[0], columns))
    assert left.dot(right, out=out) is out
    assert_same(out, as_array(left @ right))


@pytest.mark.parametrize("size", [2, 5, 30])
def test_dot_into_an_operand(size):
    a = np.random.default_rng(size).normal(size=(size, size))
    for which in ("left", "right", "turned"):
        m, b = Matrix(a), Matrix(a + 1)
        if which == "turned":
            view = m.view[:, :]
            expected = as_array(m.T.copy() @ b)
            assert_same(view.T.dot(b, out=m), expected)
            continue
        left, right = (m, b) if which == "left" else (b, m)
        expected = as_array(left @ right)
        assert_same(left.dot(right, out=m), expected)


@given(
    a=arrays(COUNTS, st.sampled_from([2, 3])),
    columns=st.booleans(),
    one=st.booleans(),
    data=st.data(),
)
def test_cross_is_that_of_numpy(a, columns, one, data):
    width = a.shape[1]
    b = data.draw(arrays(st.just(1 if one else a.shape[0]), st.just(width)))
    with np.errstate(all="ignore"):
        if width == 3:
            expected = np.cross(a, b)
        else:
            expected = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])[:, None]
    left = data.draw(operands(a.T if columns else a))
    right = data.draw(operands(b.T if columns != (one and data.draw(st.booleans())) else b))
    actual = left.cross(right, axis=0 if columns else 1)
    if width == 2 and a.shape[0] == 1:
        assert isinstance(actual, float)
        assert_same(Matrix(1, 1, actual), expected)
    else:
        assert_same(actual, expected.T if columns else expected)


def test_cross_of_one_vector_and_a_batch():
    vector, batch = Matrix.vector([1, 2, 3]), Matrix([[1, 0, 0], [0, 1, 0]])
    assert_same(vector.cross(batch), np.cross([1, 2, 3], [[1, 0, 0], [0, 1, 0]]))
    assert_same(batch.cross(vector.T), np.cross([[1, 0, 0], [0, 1, 0]], [1, 2, 3]))
    assert vector.T.cross([1, 0, 0]).shape == (3, 1)
    assert Matrix.vector([1, 2]).cross(Matrix([[3], [4]])) == -2.0


@given(rows=arrays(COUNTS, st.just(2)), columns=st.booleans(), data=st.data())
def test_angle_and_perpendicular(rows, columns, data):
    m = data.draw(operands(rows.T if columns else rows))
    axis = 0 if columns else 1
    angles = np.array([[math.atan2(y, x)] for x, y in rows]).reshape(-1, 1)
    turned = np.stack([-rows[:, 1], rows[:, 0]], axis=1)
    actual = m.angle(axis)
    if rows.shape[0] == 1:
        assert isinstance(actual, float)
        actual = Matrix(1, 1, actual)
        angles = angles.reshape(1, 1)
    else:
        assert actual.shape == ((1, rows.shape[0]) if columns else (rows.shape[0], 1))
        angles = angles.T if columns else angles
    found = as_array(actual)
    assert (np.isnan(found) == np.isnan(angles)).all()
    fine = ~np.isnan(angles)
    assert (np.abs(found[fine] - angles[fine]) <= 4 * np.spacing(np.abs(angles[fine]))).all()
    assert (np.signbit(found[fine]) == np.signbit(angles[fine])).all()
    assert_same(m.perpendicular(axis), turned.T if columns else turned)
    out = Matrix.ones(m.shape)
    assert m.perpendicular(axis, out=out) is out
    assert_same(out, turned.T if columns else turned)
    if not m.read_only:
        assert m.perpendicular(axis, in_place=True) is m
        assert_same(m, turned.T if columns else turned)


def test_perpendicular_of_overlapping_windows():
    base = np.arange(12.0).reshape(6, 2)
    m = Matrix(base)
    m.view[0:5].perpendicular(out=m.view[1:6])
    expected = base.copy()
    expected[1:6] = np.stack([-base[0:5, 1], base[0:5, 0]], axis=1)
    assert_same(m, expected)


@given(
    rows=arrays(COUNTS, st.sampled_from([2, 3, 4, 5, 9, 40]), WIDE),
    columns=st.booleans(),
    data=st.data(),
)
def test_normalized_vectors_have_length_one(rows, columns, data):
    width = rows.shape[1]
    if rows.shape[0] in (2, 3) and width > 3:
        rows = np.repeat(rows, 2, axis=0)
    m = data.draw(operands(rows.T if columns else rows))
    axis = 0 if columns else 1
    with np.errstate(all="ignore"):
        scale = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
        exponent = np.frexp(np.where(scale == 0, 1.0, scale))[1]
        scaled = np.ldexp(np.ldexp(rows, -(exponent // 2)), -(exponent - exponent // 2))
        length = np.sqrt(np.sum(scaled.astype(np.longdouble) ** 2, axis=1, keepdims=True))
        expected = np.where(scale == 0, rows, scaled / np.where(length == 0, 1, length))
    expected = expected.astype(np.float64)
    actual = m.normalize(axis)
    found = as_array(actual).T if columns else as_array(actual)
    assert found.shape == rows.shape
    assert (np.abs(found - expected) <= 20 * EPSILON * np.abs(expected) + 1e-307).all()
    out = Matrix.ones(m.shape)
    assert m.normalize(axis, out=out) is out
    assert_same(out, as_array(actual))
    if not m.read_only:
        assert m.normalize(axis, in_place=True) is m
        assert_same(m, as_array(actual))


@pytest.mark.parametrize("great", [1.6e149, 1e150, 1e154, 1e200, 1.7e308])
@pytest.mark.parametrize("width", [2, 5, 40])
@pytest.mark.parametrize("columns", [False, True])
def test_normalizing_keeps_what_is_small_beside_the_rest(great, width, columns):
    rows = np.full((4, width), great)
    rows[:, 0] = [great * 2.0**-980, 5e-324, 0.0, -great]
    expected = rows / great / np.sqrt([[width - 1]] * 3 + [[width]])
    m = Matrix(rows.T if columns else rows)
    axis = 0 if columns else 1
    found = as_array(m.normalize(axis)).T if columns else as_array(m.normalize(axis))
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=5e-324)


def test_normalizing_what_is_smaller_than_any_normal_number():
    found = as_array(Matrix([[5e-324, 5e-324], [1e-310, 0.0]]).normalize(1))
    np.testing.assert_allclose(found, [[0.5**0.5, 0.5**0.5], [1.0, 0.0]], rtol=1e-14)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((700, 300), 0), ((700, 300), 1), ((1000, 3), 1), ((3, 1000), 0), ((1, 5000), 1)],
)
def test_normalize_of_many(shape, axis):
    a = np.random.default_rng(3).normal(size=shape)
    a[0, 0] = 1e100
    lengths = np.sqrt(np.sum(a**2, axis=axis, keepdims=True))
    for scale in (1.0, 2.0**600, 2.0**-500):
        assert np.allclose(as_array(Matrix(a * scale).normalize(axis)), a / lengths, 1e-13, 1e-300)


def test_normalize_keeps_zeros_and_passes_on_what_is_not_finite():
    m = Matrix([[0, 0], [3, 4], [math.inf, 1], [math.nan, 1], [5e-324, 0], [1e308, 1e308]])
    half = math.sqrt(0.5)
    expected = [[0, 0], [0.6, 0.8], [math.nan, 0], [math.nan, math.nan], [1, 0], [half, half]]
    assert np.allclose(as_array(m.normalize()), expected, 1e-15, 0, equal_nan=True)
    assert_same(Matrix.zeros((4, 5)).normalize(axis=1), np.zeros((4, 5)))
    assert_same(Matrix.zeros((1, 20)).normalize(), np.zeros((1, 20)))


def test_normalize_reads_shapes():
    a = np.arange(1.0, 17).reshape(4, 4)
    whole = a / np.sqrt((a * a).sum())
    assert np.allclose(as_array(Matrix(a).normalize()), whole, 1e-15, 0)
    assert np.allclose(as_array(Matrix(a).T.normalize()), whole.T, 1e-15, 0)
    assert np.allclose(as_array(Matrix(a * 1e200).normalize()), whole, 1e-15, 0)
    columns = a / np.sqrt((a * a).sum(axis=0))
    assert np.allclose(as_array(Matrix(a).normalize(0)), columns, 1e-15, 0)
    rows = a[:, :3] / np.sqrt((a[:, :3] ** 2).sum(axis=1, keepdims=True))
    assert np.allclose(as_array(Matrix(a[:, :3]).normalize()), rows, 1e-15, 0)
    columns = a[:2] / np.sqrt((a[:2] ** 2).sum(axis=0))
    assert np.allclose(as_array(Matrix(a[:2]).normalize()), columns, 1e-15, 0)


@pytest.mark.parametrize("method", ["angle", "perpendicular", "normalize", "cross"])
def test_which_vectors_a_shape_holds(method):
    def call(shape, *axis):
        m = Matrix.ones(shape)
        if method == "cross":
            return m.cross(m, *axis)
        return getattr(m, method)(*axis)

    for shape, axis in [((5, 2), 0), ((2, 5), 1), ((1, 2), 0), ((2, 1), 1), ((5, 2), -2)]:
        with pytest.raises(ValueError, match=rf"{method}.*\({shape[0]}, {shape[1]}\).*axis"):
            call(shape, axis)
    for axis in (2, -3):
        with pytest.raises(ValueError, match="axis"):
            call((5, 2), axis)
    with pytest.raises(TypeError, match="axis"):
        call((5, 2), True)
    if method != "normalize":
        for shape in [(4, 4), (1, 1), (0, 0), (1, 5)]:
            with pytest.raises(ValueError, match=rf"{method}.*\({shape[0]}, {shape[1]}\)"):
                call(shape)
    m = Matrix([[3, 4], [6, 8]])
    if method == "angle":
        assert m.angle().shape == (2, 1)
        assert m.angle(0).shape == (1, 2)
    if method == "perpendicular":
        assert m.perpendicular().tolist() == [[-4, 3], [-8, 6]]
        assert m.perpendicular(0).tolist() == [[-6, -8], [3, 4]]
    if method == "normalize":
        assert np.allclose(as_array(m.normalize()), [[0.6, 0.8], [0.6, 0.8]])
        assert np.allclose(as_array(m.normalize(0)), as_array(m / m.multiply(m).sum(0).sqrt()))
    if method == "cross":
        assert m.cross([[4, 3], [8, 6]]).shape == (2, 1)
        assert m.cross(m, 0).shape == (1, 2)
        assert Matrix.ones((2, 3)).cross(Matrix.ones((2, 3))).shape == (2, 3)
        assert Matrix.ones((2, 3)).cross(Matrix.ones((2, 3)), 0).shape == (1, 3)


@given(a=arrays(), offset=st.integers(-6, 6), data=st.data())
def test_trace(a, offset, data):
    diagonal = np.diagonal(a, offset)
    m = data.draw(operands(a))
    actual = m.trace(offset)
    assert isinstance(actual, float)
    with np.errstate(all="ignore"):
        expected = diagonal.sum()
        bound = 20 * EPSILON * np.abs(diagonal).sum()
    if np.isfinite(bound):
        assert abs(actual - expected) <= bound
    if offset == 0:
        assert m.trace() == actual or math.isnan(actual)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.vecdot([1, 2]), ValueError),
        (lambda m: m.vecdot("a"), TypeError),
        (lambda m: m.vecdot(m, axis=2), ValueError),
        (lambda m: m.dot([1, 2]), ValueError),
        (lambda m: m.dot(2), TypeError),
        (lambda m: m.dot(m, out=Matrix.ones((2, 2))), ValueError),
        (lambda m: m.dot(m, out=[1]), TypeError),
        (lambda m: m.outer("a"), TypeError),
        (lambda m: m.cross(2), TypeError),
        (lambda m: m.cross([1, 2]), ValueError),
        (lambda m: m.cross([[1, 2, 3], [1, 2, 3]]), ValueError),
        (lambda m: m.normalize(in_place=True, out=m), ValueError),
        (lambda m: m.normalize(out=Matrix.ones((2, 2))), ValueError),
        (lambda m: m.perpendicular(), ValueError),
        (lambda m: m.trace(1.5), TypeError),
        (lambda m: m.trace(True), TypeError),
        (lambda m: m.angle(), ValueError),
        (operator.methodcaller("normalize", 0, True), TypeError),
    ],
)
def test_misuse(call, error):
    m = Matrix([[1, 2, 3], [4, 5, 6], [7, 8, 10]])
    before = m.tolist()
    with pytest.raises(error):
        call(m)
    assert m.tolist() == before
