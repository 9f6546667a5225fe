"""Random matrices: bounds, moments, and the same again after the same seed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bocmat import Matrix
from support.matrices import as_array, assert_same

DRAWS = 200_000


@pytest.fixture(autouse=True)
def _seeded():
    Matrix.seed(20)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: Matrix.uniform(-1, 1, (9, 9)),
        lambda: Matrix.normal(size=(9, 9)),
        lambda: Matrix.integers(0, 10**9, (9, 9)),
        lambda: Matrix.permutation(50),
    ],
)
def test_a_seed_repeats_and_another_does_not(draw):
    Matrix.seed(1)
    first, second = draw(), draw()
    assert not Matrix.array_equal(first, second)
    Matrix.seed(1)
    assert_same(draw(), as_array(first))
    assert_same(draw(), as_array(second))
    Matrix.seed(2)
    assert not Matrix.array_equal(draw(), first)


def test_one_by_one_draws_the_same_as_all_at_once():
    together = as_array(Matrix.uniform(size=(1, 30))).ravel().tolist()
    Matrix.seed(20)
    assert [Matrix.uniform() for _ in range(30)] == together
    assert type(Matrix.normal()) is float
    assert type(Matrix.integers(0, 3)) is int


def test_uniform_is_uniform():
    values = as_array(Matrix.uniform(-3, 5, (1, DRAWS))).ravel()
    assert values.min() >= -3
    assert values.max() < 5
    counts, _ = np.histogram(values, bins=50, range=(-3, 5))
    expected = DRAWS / 50
    assert ((counts - expected) ** 2 / expected).sum() < 110  # 49 degrees of freedom: 1 in 10^6
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 5 / math.sqrt(DRAWS)
    assert abs(np.corrcoef(values[8:], values[:-8])[0, 1]) < 5 / math.sqrt(DRAWS)


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, math.nextafter(1, 2)), (-1.7e308, 1.7e308), (2, 2)]
)
def test_uniform_stays_within_any_bounds(low, high):
    values = as_array(Matrix.uniform(low, high, (1, 1000)))
    assert np.isfinite(values).all()
    assert (values >= low).all()
    assert (values < high).all() or low == high


def test_normal_is_normal():
    values = as_array(Matrix.normal(2.0, 3.0, (1, DRAWS))).ravel()
    values = (values - 2.0) / 3.0
    root = math.sqrt(DRAWS)
    assert abs(values.mean()) < 5 / root
    assert abs((values**2).mean() - 1) < 5 * math.sqrt(2) / root
    assert abs((values**3).mean()) < 5 * math.sqrt(15) / root
    assert abs((values**4).mean() - 3) < 5 * math.sqrt(96) / root
    edges = np.linspace(-4, 4, 81)
    share = np.diff([0.5 * math.erfc(-edge / math.sqrt(2)) for edge in edges])
    counts, _ = np.histogram(values, bins=edges)
    assert ((counts - DRAWS * share) ** 2 / (DRAWS * share)).sum() < 155  # 80: 1 in 10^6
    assert (np.abs(values) > 3.6541528853610088).sum() > 20  # the tail: 52 expected


def test_integers_are_even_and_exclude_the_bound():
    values = as_array(Matrix.integers(-3, 4, (1, 70_000))).ravel()
    numbers, counts = np.unique(values, return_counts=True)
    assert numbers.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 38  # 6 degrees of freedom: 1 in 10^6
    assert Matrix.integers(5, 6, (2, 2)).tolist() == [[5, 5], [5, 5]]
    assert abs(Matrix.integers(-(2**63), 2**63 - 1)) <= 2**63


def test_permutations_are_permutations():
    assert sorted(Matrix.permutation(100).values()) == list(range(100))
    assert Matrix.permutation(0).shape == (1, 0)
    firsts = [int(Matrix.permutation(4).x) for _ in range(4000)]
    counts = np.bincount(firsts)
    assert ((counts - 1000) ** 2 / 1000).sum() < 31  # 3 degrees of freedom: 1 in 10^6


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: Matrix.uniform(2, 1), ValueError),
        (lambda: Matrix.uniform(0, math.inf), ValueError),
        (lambda: Matrix.uniform("a", 1), TypeError),
        (lambda: Matrix.uniform(0, 1, 3), TypeError),
        (lambda: Matrix.normal(0, -1), ValueError),
        (lambda: Matrix.normal(math.nan, 1), ValueError),
        (lambda: Matrix.integers(3, 3), ValueError),
        (lambda: Matrix.integers(0.5, 3), TypeError),
        (lambda: Matrix.integers(0, 2**70), OverflowError),
        (lambda: Matrix.permutation(-1), ValueError),
        (lambda: Matrix.seed(1.5), TypeError),
        (lambda: Matrix.seed("a"), TypeError),
    ],
)
def test_bad_parameters(call, error):
    with pytest.raises(error):
        call()


def test_any_int_seeds():
    drawn = set()
    for seed in (0, 1, -1, 2**64 - 2, 10**30):
        Matrix.seed(seed)
        drawn.add(Matrix.uniform())
    assert len(drawn) == 5
    Matrix.seed(None)
