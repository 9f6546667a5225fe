"""Variance, median and quantiles against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, FINITE, KINDS, arrays, dressed, operands
from support.operations import EPS, Values, agree, read
from support.reducing import FEW, draw_mask

ROWS = COLUMNS = st.sampled_from([1, 1, 2, 3, 5, 8, 9, 17, 40])
FULL = arrays(ROWS, COLUMNS, elements=st.one_of(FINITE, st.sampled_from([0.0, 1.0, 1e9, -3.5])))
NUMBERS = st.one_of(st.integers(-3, 3).map(float), FINITE, st.sampled_from([0.0, -0.0, 1e300]))
GAPPED = arrays(ROWS, COLUMNS, elements=st.one_of(*[NUMBERS] * 12, st.just(np.nan)))
SHARES = [0.0, 1.0, 0.5, 0.25, 1 / 3, 0.9, 0.999, 1e-9, 5e-324, 0, 1, True, np.float64(0.1)]


def lines_of(array, axis, chosen=None):
    """Give the values that each number of the result is made of."""
    taken = np.ones(array.shape, bool) if chosen is None else np.broadcast_to(chosen, array.shape)
    if axis is None:
        return [array[taken]]
    turned = (array.T, taken.T) if axis % 2 == 0 else (array, taken)
    return [line[inside] for line, inside in zip(*turned)]


def numbers_of(found):
    return read(found).ravel()


# ---- variance ----


def check_variance(matrix, lines, axis, ddof, options):
    found = numbers_of(matrix.var(axis, ddof=ddof, **options))
    roots = numbers_of(matrix.std(axis, ddof=ddof, **options))
    with np.errstate(all="ignore"):
        assert np.array_equal(roots, np.sqrt(found), equal_nan=True)
        for number, line in zip(found, lines):
            left = np.longdouble(max(len(line) - ddof, 0.0))
            wide = line.astype(np.longdouble)
            squares = ((wide - wide.mean()) ** 2).sum() if len(line) else np.longdouble(np.nan)
            expected = float(np.float64(squares) / np.float64(left))
            # The mean is off by `shift`, which adds its square; then one sum of squares.
            shift = len(line) * EPS * np.abs(wide).mean() if len(line) else 0.0
            if left == 0 and squares <= len(line) * shift * shift:
                # 0 / 0, or rounding's mite / 0: which of them is not fixed.
                assert np.isnan(number) or number == np.inf
                continue
            if not np.isfinite(expected):
                assert np.array_equal(number, expected, equal_nan=True)
                continue
            bound = (len(line) + 8) * EPS * squares + len(line) * shift * shift
            assert abs(number - expected) <= bound / left + 1e-320


@given(data=st.data(), array=FULL, axis=AXES, ddof=st.sampled_from([0, 1, 0.5, 2, 1000, -1, 1.0]))
def test_variance_and_deviation(data, array, axis, ddof):
    matrix = data.draw(operands(array))
    check_variance(matrix, lines_of(array, axis), axis, ddof, {})
    mask, chosen = draw_mask(data.draw, array.shape)
    check_variance(matrix, lines_of(array, axis, chosen), axis, ddof, {"where": mask})
    plain = np.var(array, axis=axis, keepdims=True)
    found = read(matrix.var(axis, keepdims=True))
    assert np.allclose(found, plain, rtol=1e-9, atol=1e-12 * np.abs(array).max() ** 2)


@pytest.mark.parametrize("kind", KINDS)
def test_variance_far_from_zero(kind):
    array = 1e9 + np.random.default_rng(1).random((40, 50))
    expected = np.var(array - 1e9)
    assert abs(dressed(array, kind).var() - expected) <= 1e-7 * expected
    assert dressed(np.full((30, 32), 2.0**500), kind).var() == 0.0


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("ddof", [0, 1, 2, 3, 4, 2.5])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_as_many_degrees_of_freedom_as_numpy(name, ddof, axis):
    array = np.array([[1.0, 5.0, 9.0], [2.0, 2.0, 7.0]])
    with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(np._core._methods.warnings, "warn", lambda *args, **options: None)
        expected = getattr(np, name)(array, axis=axis, ddof=ddof, keepdims=axis is not None)
    found = numbers_of(getattr(Matrix(array), name)(axis, ddof=ddof))
    assert np.allclose(found, np.ravel(expected), rtol=1e-15, equal_nan=True)


@pytest.mark.parametrize("name", ["var", "std"])
def test_variance_of_what_is_not_finite(name):
    array = np.array([[np.nan, 1.0, 2.0], [np.inf, 1.0, 2.0], [-np.inf, np.inf, 0.0], [1, 2, 3]])
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, axis=1)
    found = numbers_of(getattr(Matrix(array), name)(1))
    assert np.allclose(found, expected, equal_nan=True)
    assert np.isnan(getattr(Matrix(array), name)())


@pytest.mark.parametrize("ddof", ["1", None, 1j, [1], object()])
def test_ddof_is_a_number(ddof):
    with pytest.raises(TypeError, match="ddof"):
        Matrix(2, 2).var(ddof=ddof)
    with pytest.raises(TypeError):
        Matrix(2, 2).std(0, ddof)


# ---- median and quantiles ----


@given(data=st.data(), array=GAPPED, axis=AXES)
def test_median(data, array, axis):
    matrix = data.draw(operands(array))
    with np.errstate(all="ignore"):
        expected = np.median(array, axis=axis, keepdims=True)
        agree(matrix.median(axis, keepdims=True), Values(expected))
        mask, chosen = draw_mask(data.draw, array.shape)
        lines = lines_of(array, axis, chosen)
        expected = [np.median(line) if line.size else np.nan for line in lines]
    found = numbers_of(matrix.median(axis, where=mask))
    assert np.array_equal(found, expected, equal_nan=True)
    agree(matrix, array)


@given(
    data=st.data(), array=GAPPED, axis=AXES, q=st.one_of(st.sampled_from(SHARES), st.floats(0, 1))
)
def test_a_quantile_has_the_bits_of_numpy(data, array, axis, q):
    matrix = data.draw(operands(array))
    with np.errstate(all="ignore"):
        expected = np.quantile(array, q, axis=axis, keepdims=True)
        agree(matrix.quantile(q, axis, keepdims=True), Values(expected))
        mask, chosen = draw_mask(data.draw, array.shape)
        lines = lines_of(array, axis, chosen)
        expected = [np.quantile(line, q) if line.size else np.nan for line in lines]
    found = numbers_of(matrix.quantile(q, axis, where=mask))
    assert np.array_equal(found, expected, equal_nan=True)


@FEW
@given(data=st.data(), array=GAPPED, axis=AXES, q=st.lists(st.sampled_from(SHARES), max_size=5))
def test_several_quantiles_are_a_row_each(data, array, axis, q):
    matrix = data.draw(operands(array))
    shares = data.draw(st.sampled_from([list, tuple, np.array, lambda q: Matrix(1, len(q), q)]))(q)
    found = matrix.quantile(shares, axis)
    with np.errstate(all="ignore"):
        expected = np.quantile(array, np.array(q, float), axis=axis).reshape(found.shape)
    assert found.shape == ((1, len(q)) if axis is None else (len(q), array.shape[(axis + 1) % 2]))
    assert np.allclose(read(found), expected, rtol=1e-15, equal_nan=True)
    out = Matrix.full(found.shape, 2.5)
    assert matrix.quantile(shares, axis, out=out) is out
    agree(out, read(found))


@pytest.mark.parametrize(
    "q", [0, 1, 0.5, np.int64(1), np.float64(0.5), np.float32(0.5), np.array(0.5)]
)
def test_a_number_of_any_type_gives_a_number(q):
    array = np.array([[3.0, 1.0, 2.0]])
    found = Matrix(array).quantile(q)
    assert type(found) is float
    assert found == np.quantile(array, q)
    assert Matrix(array).quantile([q]).shape == (1, 1)
    assert Matrix(array).quantile(np.array([q])).shape == (1, 1)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_quantiles_among_infinities_and_equals(axis):
    rng = np.random.default_rng(3)
    for values in ([0.0, 1.0], [1.0], [-np.inf, 1.0, np.inf], [np.inf], [-0.0, 0.0]):
        array = rng.choice(values, (31, 20))
        for q in (0.0, 0.1, 0.5, 0.75, 1.0):
            with np.errstate(all="ignore"):
                expected = np.quantile(array, q, axis=axis, keepdims=True)
            agree(Matrix(array).quantile(q, axis, keepdims=True), Values(expected))
        with np.errstate(all="ignore"):
            expected = np.median(array, axis=axis, keepdims=True)
        agree(Matrix(array).median(axis, keepdims=True), Values(expected))


def test_quantiles_of_many():
    rng = np.random.default_rng(5)
    for array in (rng.normal(size=(700, 90)), np.sort(rng.normal(size=(1, 60000)))[:, ::-1].copy()):
        for axis in (None, 0, 1):
            for q in (0.001, 0.37, 0.5):
                expected = np.quantile(array, q, axis=axis, keepdims=True)
                agree(Matrix(array).quantile(q, axis, keepdims=True), expected)
            agree(Matrix(array).median(axis, keepdims=True), np.median(array, axis, keepdims=True))


@pytest.mark.parametrize("q", [-0.1, 1.1, np.nan, np.inf, 2, -1, [0.5, 1.5], [np.nan], -1e-300])
def test_shares_outside_of_0_and_1_raise(q):
    out = Matrix.full((1, 3), 2.5)
    for options in ({}, {"axis": 0}, {"axis": 0, "out": out}, {"where": True}):
        with pytest.raises(ValueError, match="within 0 and 1"):
            Matrix(2, 3).quantile(q, **options)
    agree(out, np.full((1, 3), 2.5))


@pytest.mark.parametrize("q", ["0.5", None, 1j, {0.5: 1}, [[0.1, 0.2], [0.3, 0.4]], [0.5, "a"]])
def test_what_is_no_share_raises(q):
    with pytest.raises((TypeError, ValueError)):
        Matrix(2, 3).quantile(q)


@pytest.mark.parametrize("axis", [True, 2, -3, 0.0, "a"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 2)])
def test_quantile_refuses_what_others_refuse(axis, shape):
    with pytest.raises((TypeError, ValueError), match="axis"):
        Matrix(*shape).quantile(0.5, axis)
    if 0 in shape:
        for good in (None, 0, 1):
            with pytest.raises(ValueError, match=rf"empty.*\({shape[0]}, {shape[1]}\)"):
                Matrix(*shape).quantile([0.5, 0.1], good)


@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_may_go_into_the_operand(kind):
    array = np.arange(12.0).reshape(3, 4) % 5
    matrix = dressed(array, kind)
    out = (matrix.view if isinstance(matrix, Matrix) else matrix)[0:2]
    matrix.quantile([0.25, 0.75], 0, out=out)
    agree(out, np.quantile(array, [0.25, 0.75], axis=0))
    with pytest.raises(ValueError, match=r"\(2, 4\).*\(3, 4\)"):
        matrix.quantile([0.25, 0.75], 0, out=matrix)
