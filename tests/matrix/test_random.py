"""Random matrices: bounds, distributions, and the same again after the same seed.

Every statistical test draws from a fixed seed. Its threshold is that of a probability of about one
in a million for good numbers: none of them fails now and then, and a flaw shows.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest

from bocmat import Matrix
from bocmat._core import _isa, _select_isa
from support.matrices import as_array, assert_same

DRAWS = 200_000
MILLION = 4.9  # standard deviations
TAIL = 3.6541528853610088  # of the ziggurat


@pytest.fixture(autouse=True)
def _seeded():
    Matrix.seed(20)


@pytest.fixture
def each_isa():
    kept = _isa()
    yield [name for name in ("plain", "avx2", "avx512") if _select_isa(name)]
    assert _select_isa(kept)


def drawn(matrix):
    return np.frombuffer(matrix).copy()


def chi_square_limit(degrees):
    """Approximate what one in a million exceeds, after Wilson and Hilferty."""
    return degrees * (1 - 2 / (9 * degrees) + 4.75 * math.sqrt(2 / (9 * degrees))) ** 3


def chi_square(counts, expected):
    return float(((counts - expected) ** 2 / expected).sum())


def kolmogorov_smirnov(values, distribution):
    """Give the greatest distance from the distribution, in units of its usual size."""
    expected = distribution(np.sort(values))
    ranks = np.arange(values.size + 1) / values.size
    distance = max((ranks[1:] - expected).max(), (expected - ranks[:-1]).max())
    return float(distance * math.sqrt(values.size))


def normal_distribution(values):
    return 0.5 * np.vectorize(math.erfc)(-values / math.sqrt(2))


DRAWING = {
    "uniform": lambda size: Matrix.uniform(size=size),
    "between": lambda size: Matrix.uniform(-3, 0.1, size),
    "wide": lambda size: Matrix.uniform(-1.7e308, 1.7e308, size),
    "normal": lambda size: Matrix.normal(size=size),
    "moments": lambda size: Matrix.normal(2, 0.3, size),
    "even": lambda size: Matrix.integers(0, 1024, size),
    "narrow": lambda size: Matrix.integers(-5, 3_000_000_000, size),
    "far": lambda size: Matrix.integers(-(2**50), 2**52, size),
}


@pytest.mark.parametrize("name", DRAWING)
def test_a_seed_repeats_and_another_does_not(name):
    draw = DRAWING[name]
    Matrix.seed(1)
    first, second = draw((9, 9)), draw((9, 9))
    assert not Matrix.array_equal(first, second)
    Matrix.seed(1)
    assert_same(draw((9, 9)), as_array(first))
    assert_same(draw((9, 9)), as_array(second))
    Matrix.seed(2)
    assert not Matrix.array_equal(draw((9, 9)), first)


@pytest.mark.parametrize("name", DRAWING)
def test_how_many_at_once_makes_no_difference(name):
    draw = DRAWING[name]
    together = drawn(draw((1, 3000)))
    Matrix.seed(20)
    sizes = [1, 2, 3, 8, 16, 7, 100, 1, 9, 515, 1024, 500, 813, 1]
    apart = np.concatenate([drawn(draw((1, size))) for size in sizes])
    assert (apart == together[: apart.size]).all()
    assert apart.size == 3000


def test_one_by_one_draws_the_same_as_all_at_once():
    for one, many in [
        (Matrix.uniform, lambda: Matrix.uniform(size=(1, 30))),
        (Matrix.normal, lambda: Matrix.normal(size=(1, 30))),
        (lambda: Matrix.integers(0, 77), lambda: Matrix.integers(0, 77, (1, 30))),
        (lambda: Matrix.integers(0, 2**53), lambda: Matrix.integers(0, 2**53, (1, 30))),
    ]:
        Matrix.seed(20)
        together = drawn(many()).tolist()
        Matrix.seed(20)
        assert [one() for _ in range(30)] == together
    assert type(Matrix.uniform()) is type(Matrix.normal()) is float
    assert type(Matrix.integers(0, 3)) is int


@pytest.mark.parametrize("name", [*DRAWING, "permutation"])
def test_every_instruction_set_draws_the_same(name, each_isa):
    draw = DRAWING.get(name, lambda size: Matrix.permutation(size[0] * size[1]))
    found = []
    for isa in each_isa:
        assert _select_isa(isa)
        Matrix.seed(99)
        found.append(np.concatenate([drawn(draw((size, 11))) for size in (1, 2, 3, 50, 2000)]))
    assert all((values == found[0]).all() for values in found)


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("uniform", "e522211928e2ecfc"),
        ("normal", "0372c262e7a25906"),
        ("narrow", "c4b2c2b3d6cc789a"),
        ("far", "f54d0bd4f0615b92"),
    ],
)
def test_every_machine_draws_the_same(name, digest):
    Matrix.seed(1)
    values = drawn(DRAWING[name]((100, 100))).astype("<f8")
    assert hashlib.sha256(values.tobytes()).hexdigest()[:16] == digest


def test_uniform_is_uniform():
    values = drawn(Matrix.uniform(-3, 5, (1, DRAWS)))
    assert values.min() >= -3
    assert values.max() < 5
    units = (values + 3) / 8
    for bins in (50, 1000):
        counts = np.histogram(units, bins, (0, 1))[0]
        assert chi_square(counts, DRAWS / bins) < chi_square_limit(bins - 1)
    assert kolmogorov_smirnov(units, lambda x: x) < 2.7
    for moment in (1, 2, 3, 4):
        mean, deviation = 1 / (moment + 1), math.sqrt(1 / (2 * moment + 1) - 1 / (moment + 1) ** 2)
        assert abs((units**moment).mean() - mean) < MILLION * deviation / math.sqrt(DRAWS)


def test_every_bit_of_uniform_is_a_coin():
    bits = (drawn(Matrix.uniform(size=(1, DRAWS))) * 2.0**52).astype(np.int64)
    previous = np.roll(bits, 1)
    for bit in range(52):
        ones = (bits >> bit & 1).sum()
        assert abs(ones - DRAWS / 2) < MILLION * math.sqrt(DRAWS) / 2
        alike = ((bits ^ previous) >> bit & 1).sum()
        assert abs(alike - DRAWS / 2) < MILLION * math.sqrt(DRAWS) / 2


@pytest.mark.parametrize("name", ["uniform", "normal"])
def test_draws_do_not_follow_each_other(name):
    values = drawn(DRAWING[name]((1, DRAWS)))
    values = values - values.mean()
    for transform in (values, values**2 - (values**2).mean()):
        for lag in (1, 2, 3, 4, 7, 8, 9, 16, 32, 64):
            correlation = np.corrcoef(transform[lag:], transform[:-lag])[0, 1]
            assert abs(correlation) < MILLION / math.sqrt(DRAWS)


def test_triples_fill_space():
    triples = (drawn(Matrix.uniform(size=(1, 300_000))) * 16).astype(int).reshape(-1, 3)
    cells = np.bincount(triples @ [256, 16, 1], minlength=4096)
    assert chi_square(cells, 100_000 / 4096) < chi_square_limit(4095)


def test_birthday_spacings():
    """Marsaglia's test: of 512 birthdays in 2^24 days, 2 spacings repeat on average."""
    repeated = 0
    for _ in range(200):
        days = np.sort(drawn(Matrix.integers(0, 2**24, (1, 512))))
        repeated += int((np.diff(np.sort(np.diff(days))) == 0).sum())
    assert abs(repeated - 400) < MILLION * 20


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (1.0, math.nextafter(1, 2)),
        (-1.7e308, 1.7e308),
        (0.0, 5e-324),
        (-5e-324, 5e-324),
        (0.0, 1e-320),
        (-1.0, math.nextafter(0, 1)),
        (-math.nextafter(math.inf, 0), math.nextafter(math.inf, 0)),
        (1e16, 1e16 + 2),
        (2, 2),
    ],
)
def test_uniform_stays_within_any_bounds(low, high):
    values = drawn(Matrix.uniform(low, high, (1, 3000)))
    values = np.append(values, [Matrix.uniform(low, high) for _ in range(100)])
    assert np.isfinite(values).all()
    assert (values >= low).all()
    assert (values < high).all() or low == high
    if high > 1e308:
        middle = ((values > -8e307) & (values < 8e307)).mean()
        assert 0.4 < middle < 0.55


def test_normal_is_normal():
    values = (drawn(Matrix.normal(2.0, 3.0, (1, DRAWS))) - 2.0) / 3.0
    root = math.sqrt(DRAWS)
    assert abs(values.mean()) < MILLION / root
    assert abs((values**2).mean() - 1) < MILLION * math.sqrt(2) / root
    assert abs((values**3).mean()) < MILLION * math.sqrt(15) / root
    assert abs((values**4).mean() - 3) < MILLION * math.sqrt(96) / root
    edges = np.linspace(-4, 4, 201)
    share = np.diff(normal_distribution(edges))
    counts = np.histogram(values, bins=edges)[0]
    assert chi_square(counts, DRAWS * share) < chi_square_limit(200)
    assert kolmogorov_smirnov(values, normal_distribution) < 2.7


def test_the_tails_of_normal():
    values = drawn(Matrix.normal(size=(1000, 2000)))
    for edge in (3.0, 3.5, TAIL, 4.0, 4.5):
        expected = values.size * 0.5 * math.erfc(edge / math.sqrt(2))
        for side in (values, -values):
            assert abs((side > edge).sum() - expected) < MILLION * math.sqrt(expected) + 1
    tail = np.abs(values[np.abs(values) > TAIL])
    beyond = math.erfc(TAIL / math.sqrt(2))
    shares = 1 - np.vectorize(math.erfc)(np.sort(tail) / math.sqrt(2)) / beyond
    assert kolmogorov_smirnov(tail, lambda _: shares) < 2.7


@pytest.mark.parametrize(("low", "high"), [(-3, 4), (0, 2), (0, 1000), (10**9, 10**9 + 64)])
def test_integers_are_even_and_exclude_the_bound(low, high):
    values = drawn(Matrix.integers(low, high, (1, 140_000)))
    counts = np.bincount((values - low).astype(int), minlength=high - low)
    assert counts.size == high - low
    assert chi_square(counts, values.size / (high - low)) < chi_square_limit(high - low - 1)


@pytest.mark.parametrize("width", [3 * 2**30, 3 * 2**51, 3 * 2**62])
def test_no_part_of_a_wide_range_is_likelier(width):
    """Without rejection, some parts of it would come twice as often as others."""
    parts = np.bincount(
        [Matrix.integers(-(width // 2), width - width // 2) * 6 // width + 3 for _ in range(6000)]
    )
    assert chi_square(parts, 1000) < chi_square_limit(5)


def test_integers_of_all_64_bits():
    drawn_ = [Matrix.integers(-(2**63), 2**63) for _ in range(3000)]
    assert min(drawn_) < -(2**62)
    assert max(drawn_) > 2**62
    for bit in range(64):
        ones = sum(value >> bit & 1 for value in drawn_)
        assert abs(ones - 1500) < MILLION * math.sqrt(750)
    assert Matrix.integers(2**63 - 1, 2**63) == 2**63 - 1
    assert Matrix.integers(-(2**63), -(2**63) + 1) == -(2**63)


def test_integers_of_a_matrix_are_exact_or_refused():
    assert Matrix.integers(5, 6, (2, 2)).tolist() == [[5, 5], [5, 5]]
    assert Matrix.integers(2**53, 2**53 + 1, (1, 2)).tolist() == [[2**53, 2**53]]
    assert Matrix.integers(-(2**53), -(2**53) + 1, (1, 1)).tolist() == [[-(2**53)]]
    for low, high in [(0, 2**53 + 2), (-(2**53) - 1, 0), (-(2**63), 2**63)]:
        with pytest.raises(ValueError, match=r"2\*\*53"):
            Matrix.integers(low, high, (1, 1))


def test_permutations_are_permutations():
    for count in (0, 1, 2, 100, 70_000):
        values = Matrix.permutation(count)
        assert values.shape == (1, count)
        assert (np.sort(drawn(values)) == np.arange(count)).all()
    orders = [tuple(Matrix.permutation(4).values()) for _ in range(12_000)]
    counts = np.unique(np.array(orders) @ [64, 16, 4, 1], return_counts=True)[1]
    assert counts.size == 24
    assert chi_square(counts, 500) < chi_square_limit(23)
    fixed = [(drawn(Matrix.permutation(50)) == np.arange(50)).sum() for _ in range(4000)]
    assert abs(sum(fixed) - 4000) < MILLION * math.sqrt(4000)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: Matrix.uniform(2, 1), ValueError),
        (lambda: Matrix.uniform(0, math.inf), ValueError),
        (lambda: Matrix.uniform(math.nan, 1), ValueError),
        (lambda: Matrix.uniform("a", 1), TypeError),
        (lambda: Matrix.uniform(0, 1, 3), TypeError),
        (lambda: Matrix.uniform(0, 1, (-1, 3)), ValueError),
        (lambda: Matrix.normal(0, -1), ValueError),
        (lambda: Matrix.normal(math.nan, 1), ValueError),
        (lambda: Matrix.normal(0, 1, (1.5, 2)), TypeError),
        (lambda: Matrix.integers(3, 3), ValueError),
        (lambda: Matrix.integers(4, 3), ValueError),
        (lambda: Matrix.integers(3, -(2**63)), ValueError),
        (lambda: Matrix.integers(0.5, 3), TypeError),
        (lambda: Matrix.integers(0, 3.0), TypeError),
        (lambda: Matrix.integers(True, 3), TypeError),
        (lambda: Matrix.integers(3), TypeError),
        (lambda: Matrix.integers(0, 2**70), OverflowError),
        (lambda: Matrix.integers(0, 2**63 + 1), OverflowError),
        (lambda: Matrix.integers(-(2**63) - 1, 0), OverflowError),
        (lambda: Matrix.permutation(-1), ValueError),
        (lambda: Matrix.permutation(1.0), TypeError),
        (lambda: Matrix.permutation(2**62), ValueError),
        (lambda: Matrix.seed(1.5), TypeError),
        (lambda: Matrix.seed("a"), TypeError),
        (lambda: Matrix.seed(), TypeError),
    ],
)
def test_bad_parameters_draw_nothing(call, error):
    Matrix.seed(20)
    following = Matrix.uniform()
    Matrix.seed(20)
    with pytest.raises(error):
        call()
    assert Matrix.uniform() == following


def test_any_int_seeds():
    seeds = (0, 1, -1, 2**64 - 2, 10**30)
    first = set()
    for seed in seeds:
        Matrix.seed(seed)
        first.add(Matrix.uniform())
    assert len(first) == len(seeds)
    Matrix.seed(None)
    some = Matrix.uniform()
    Matrix.seed(None)
    assert Matrix.uniform() != some


def test_near_seeds_are_unrelated():
    rows = []
    for seed in range(400):
        Matrix.seed(seed)
        rows.append(drawn(Matrix.uniform(size=(1, 100))))
    streams = np.array(rows)
    assert kolmogorov_smirnov(streams[:, 0], lambda x: x) < 2.7
    centred = streams - 0.5
    products = centred[1:] * centred[:-1] * 12
    assert abs(products.mean()) * math.sqrt(products.size) < MILLION


def test_nothing_to_draw():
    for shape in ((0, 0), (0, 3), (3, 0)):
        assert Matrix.uniform(size=shape).shape == shape
        assert Matrix.normal(size=shape).shape == shape
        assert Matrix.integers(0, 9, shape).shape == shape
    following = Matrix.uniform()
    Matrix.seed(20)
    assert Matrix.uniform() == following
