"""Places among edges, bins and histograms, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from bocmat import Matrix
from bocmat._core import _select_isa
from support.catalogue_order import binned
from support.matrices import arrays, assert_same, operands

NAN, INF = float("nan"), float("inf")
SMALL = st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 0.7, 1.0, -1.0, 2.0, 3.0, np.nan])
NUMBERS = st.one_of(SMALL, st.floats(-4, 4), st.floats())
FINITE = st.one_of(
    st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 0.7, 1.0, 2.0, 3.0]), st.floats(-4, 4)
)
LENGTHS = st.sampled_from([0, 1, 2, 3, 5, 8, 17, 40, 300])
SETS = ["avx512", "avx2", "plain"]


@pytest.fixture(params=SETS)
def isa(request):
    if not _select_isa(request.param):
        pytest.skip("not on this machine")
    yield request.param
    assert any(_select_isa(name) for name in SETS)


def edge_rows(elements=NUMBERS):
    """Draw ascending edges, NaN last."""
    return LENGTHS.flatmap(lambda n: nps.arrays(np.float64, n, elements=elements)).map(np.sort)


# ---- searchsorted ----


@given(data=st.data(), edges=edge_rows(), array=arrays(elements=NUMBERS), right=st.booleans())
def test_searchsorted_agrees_with_numpy(data, edges, array, right):
    row = data.draw(operands(edges[None]))
    column = data.draw(operands(edges[:, None]))
    values = data.draw(operands(array))
    expected = np.searchsorted(edges, array, "right" if right else "left")
    assert_same(row.searchsorted(values, right), expected)
    assert_same(column.searchsorted(values, right=right), expected)


@given(edges=edge_rows(), value=NUMBERS, right=st.booleans())
def test_searchsorted_of_a_number_is_an_int(edges, value, right):
    side = "right" if right else "left"
    found = Matrix.vector(edges).searchsorted(value, side=side)
    assert type(found) is int
    assert found == np.searchsorted(edges, value, side)


@given(array=nps.arrays(np.float64, LENGTHS, elements=FINITE), right=st.booleans())
def test_searchsorted_through_a_sorter(array, right):
    order = np.argsort(array, kind="stable")
    values = [-1.0, 0.0, 0.25, 1.0, 9.0]
    side = "right" if right else "left"
    expected = np.searchsorted(array, values, side, sorter=order)
    matrix = Matrix.vector(array)
    for sorter in (matrix.argsort(), order.tolist(), order):
        assert_same(matrix.searchsorted(values, right, sorter=sorter), expected[None])
    assert_same(np.searchsorted(matrix.sort(), values, side), expected[None])


def test_searchsorted_on_every_set_of_kernels(isa):
    rng = np.random.default_rng(3)
    for n in (0, 1, 2, 15, 16, 17, 1000):
        edges, values = np.sort(rng.integers(0, 50, n) * 0.5), rng.integers(-5, 60, (7, 41)) * 0.5
        for side in ("left", "right"):
            found = Matrix.vector(edges).searchsorted(Matrix(values), side=side)
            assert_same(found, np.searchsorted(edges, values, side))


def test_searchsorted_misuse():
    edges = Matrix.vector([1, 2, 3])
    with pytest.raises(ValueError, match=r"2, 2"):
        Matrix(2, 2).searchsorted(1)
    with pytest.raises(ValueError, match="'middle'"):
        edges.searchsorted(1, side="middle")
    with pytest.raises(TypeError, match="not both"):
        edges.searchsorted(1, True, side="left")
    for sorter in ([0, 1], [0, 1, 3], [0, 1, -1], [0, 1, 1.5], [0, 1, NAN]):
        with pytest.raises(ValueError, match="sorter"):
            edges.searchsorted(1, sorter=sorter)
    with pytest.raises(TypeError, match="str"):
        edges.searchsorted("1")


# ---- digitize ----


@given(
    data=st.data(),
    edges=edge_rows(st.floats(-4, 4)).map(np.unique),
    array=arrays(elements=NUMBERS),
    right=st.booleans(),
)
def test_digitize_agrees_with_numpy(data, edges, array, right):
    expected = np.where(np.isnan(array), -1, np.digitize(array, edges, right))
    matrix = data.draw(operands(array))
    assert_same(matrix.digitize(edges.tolist(), right), expected)
    assert_same(matrix.digitize(data.draw(operands(edges[:, None])), right=right), expected)
    out = data.draw(operands(np.zeros(array.shape)))
    assert matrix.digitize(edges, right, out=out) is out
    assert_same(out, expected)
    assert matrix.digitize(edges, right, in_place=True) is matrix
    assert_same(matrix, expected)


def test_digitize_by_its_own_elements():
    matrix = Matrix.vector([1, 2, 3, 4])
    assert_same(matrix.digitize(matrix, out=matrix), [[1, 2, 3, 4]])
    matrix = Matrix.vector([10, 20, 30, 40])
    assert_same(matrix.digitize(matrix.view[:, ::2], in_place=True), [[1, 1, 2, 2]])


@pytest.mark.parametrize("edges", [[2, 1], [1, 1, 2], [1, NAN], [NAN]])
def test_edges_that_do_not_ascend_raise(edges):
    matrix = Matrix.vector([1, 2, 3])
    with pytest.raises(ValueError, match="edge"):
        matrix.digitize(edges, in_place=True)
    assert_same(matrix, [[1, 2, 3]])


def test_digitize_misuse():
    with pytest.raises(ValueError, match=r"2, 2"):
        Matrix(1, 3).digitize(Matrix([[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match=r"1, 3.*1, 2"):
        Matrix(1, 3).digitize([1, 2], out=Matrix(1, 2))
    with pytest.raises(TypeError, match="str"):
        Matrix(1, 3).digitize("12")


# ---- bin ----


@given(
    data=st.data(),
    array=arrays(elements=st.one_of(FINITE, st.just(np.nan))),
    bins=st.sampled_from([1, 2, 3, 10, 64]),
    right=st.booleans(),
    bounds=st.sampled_from([None, (0, 1), (-1.5, 2), (0.1, 0.7), (1, 1)]),
)
def test_bins_have_equal_width(data, array, bins, right, bounds):
    numbers = array[~np.isnan(array)]
    own = (numbers.min(), numbers.max()) if numbers.size else (0, 0)
    low, high = bounds or own
    expected = binned(array, bins, low, high, right)
    matrix = data.draw(operands(array))
    assert_same(matrix.bin(bins, bounds, right), expected)
    out = data.draw(operands(np.zeros(array.shape)))
    assert matrix.bin(bins, bounds=bounds, right=right, out=out) is out
    assert_same(out, expected)
    assert matrix.bin(bins, bounds=bounds, right=right, in_place=True) is matrix
    assert_same(matrix, expected)


def test_what_lies_beyond_goes_to_the_outer_bins():
    assert_same(Matrix.vector([INF, -INF, NAN, 9]).bin(4, (0, 1)), [[3, 0, -1, 3]])
    assert_same(Matrix.vector([-1e308, 0, 1.7e308]).bin(3), [[0, 1, 2]])
    assert_same(Matrix.vector([NAN, NAN]).bin(3), [[-1, -1]])


def test_bins_of_a_range_below_the_least_normal_number():
    assert_same(Matrix.vector([5e-324, 0]).bin(2), [[1, 0]])
    assert_same(Matrix.vector([2e-311, 0, 1e-311, INF]).bin(5, (0, 2e-311)), [[4, 0, 2, 4]])


@pytest.mark.parametrize("bounds", [(1, 0), (0, INF), (NAN, 1), (0, 1, 2), (1,), []])
def test_bounds_that_are_none_raise(bounds):
    with pytest.raises(ValueError, match="bounds"):
        Matrix(2, 2).bin(3, bounds)
    with pytest.raises(ValueError, match="bounds"):
        Matrix(2, 2).histogram(3, bounds)


def test_bin_misuse():
    matrix = Matrix.vector([1, INF])
    with pytest.raises(ValueError, match="inf"):
        matrix.bin(3)
    for bins in (0, -1):
        with pytest.raises(ValueError, match=str(bins)):
            matrix.bin(bins, (0, 1))
    for bins in (2.5, "2", True):
        with pytest.raises(TypeError, match="bins"):
            matrix.bin(bins, (0, 1))
    with pytest.raises(TypeError):
        matrix.bin(3, 1.0)


# ---- histogram ----


@given(
    data=st.data(),
    array=arrays(elements=FINITE),
    bins=st.sampled_from([1, 2, 3, 10, 64, 3000]),
    bounds=st.sampled_from([None, None, (0, 1), (-1.5, 2), (0.1, 0.7), (1, 1)]),
)
def test_histogram_is_numpys_to_the_bit(data, array, bins, bounds):
    matrix = data.draw(operands(array))
    try:
        expected = np.histogram(array, bins, bounds)
    except ValueError:
        with pytest.raises(ValueError, match="narrow"):
            matrix.histogram(bins, bounds)
        return
    counts, edges = matrix.histogram(bins, bounds)
    assert_same(counts, expected[0][None])
    assert_same(edges, expected[1][None])


@given(data=st.data(), array=arrays(elements=NUMBERS), edges=edge_rows(st.floats(-4, 4)))
def test_histogram_between_edges(data, array, edges):
    if not edges.size:
        return
    expected = np.histogram(array, edges)
    matrix = data.draw(operands(array))
    for given_edges in (edges.tolist(), data.draw(operands(edges[:, None]))):
        counts, found = matrix.histogram(given_edges)
        assert_same(counts, expected[0][None])
        assert_same(found, edges[None])


def test_histogram_on_every_set_of_kernels(isa):
    rng = np.random.default_rng(7)
    array = np.concatenate([rng.uniform(0, 1, 5000), np.arange(300) / 100, [0.1 + 0.2, 1.0]])
    for bins in (1, 7, 10, 100, 5000):
        counts, edges = Matrix.vector(array).histogram(bins, (0, 1))
        expected = np.histogram(array, bins, (0, 1))
        assert_same(counts, expected[0][None])
        assert_same(edges, expected[1][None])
        assert_same(Matrix.vector(array).bin(bins, (0, 3)), binned(array, bins, 0, 3, False)[None])


def test_histogram_by_default_has_ten_bins_and_nan_stays_out():
    assert Matrix(3, 3).histogram()[0].shape == (1, 10)
    counts, edges = Matrix.vector([NAN, 0.5, 2, -INF]).histogram(2, (0, 1))
    assert_same(counts, [[0, 1]])
    assert_same(edges, [[0, 0.5, 1]])
    assert_same(Matrix(0, 3).histogram(2)[0], [[0, 0]])


@pytest.mark.parametrize("values", [[NAN, 1], [INF, 1], [-1e308, 1.7e308]])
def test_elements_without_a_finite_range_raise(values):
    with pytest.raises(ValueError, match="range"):
        Matrix.vector(values).histogram(3)


def test_histogram_misuse():
    matrix = Matrix.vector([1, 2])
    for bins in (0, -2):
        with pytest.raises(ValueError, match=str(bins)):
            matrix.histogram(bins)
    for bins in (2.5, "2", True):
        with pytest.raises(TypeError):
            matrix.histogram(bins)
    for bins in ([2, 1], [1, NAN], [], [[1, 2], [3, 4]]):
        with pytest.raises(ValueError, match="edge"):
            matrix.histogram(bins)
