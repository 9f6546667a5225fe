"""Many quantiles at once: lines that are sorted and lines that are searched give the same."""

from __future__ import annotations

import numpy as np
import pytest

from bocmat import Matrix
from support.matrices import as_array, assert_same, dressed

# About the lengths and numbers from which a line is sorted.
COUNTS = [1, 2, 3, 4, 11, 12, 99]
SHAPES = [(1, 1), (1, 255), (1, 256), (1024, 1), (2, 1025), (9, 300), (300, 230)]


def expected_of(array: np.ndarray, shares: list[float], axis: int | None) -> np.ndarray:
    found = np.quantile(array, shares, axis=axis)
    return found[None] if axis is None else found


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_agree_with_numpy(shape, count):
    array = np.random.default_rng(count).normal(size=shape)
    shares = np.linspace(0.0, 1.0, count).tolist()
    for kind in ("own", "transposed", "stepped"):
        matrix = dressed(array, kind)
        for axis in (None, 0, 1):
            assert_same(matrix.quantile(shares, axis=axis), expected_of(array, shares, axis))
        assert_same(matrix, array)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("length", [2, 9, 255, 300, 1100])
def test_one_nan_and_infinities(length, count):
    array = np.random.default_rng(length).normal(size=(3, length))
    array[0, length // 2] = np.nan
    array[1, :2] = -np.inf, np.inf
    shares = np.linspace(0.1, 0.9, count).tolist()
    found = as_array(Matrix(array).quantile(shares, axis=1))
    assert np.isnan(found[:, 0]).all()
    np.testing.assert_array_equal(found[:, 2:], expected_of(array[2:], shares, 1))
    assert np.isnan(as_array(Matrix(array).quantile(shares))).all()
    if length > 2:
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(found[:, 1:2], expected_of(array[1:2], shares, 1))


@pytest.mark.parametrize("count", COUNTS)
def test_masked_lines(count):
    random = np.random.default_rng(count)
    array, mask = random.normal(size=(20, 270)), random.random((20, 270)) < 0.9
    shares = np.linspace(0.0, 1.0, count).tolist()
    found = Matrix(array).quantile(shares, axis=1, where=Matrix(mask.astype(float)))
    expected = [np.quantile(row[chosen], shares) for row, chosen in zip(array, mask, strict=True)]
    assert_same(found, np.array(expected).T)
