"""The option pricer against formulas, quadrature and a simulation in NumPy."""

from __future__ import annotations

import math
import re
import statistics
import subprocess
import sys

import numpy as np
import pytest

from bocmat import Matrix, start, wait, when
from bocmat.examples import options
from bocmat.examples.options import Market
from bocmat.lifecycle import usable_backends

MARKETS = [
    Market(),
    Market(spot=50.0, strike=40.0, rate=-0.01, volatility=0.5, years=2.5, dates=5),
    Market(spot=100.0, strike=100.0, rate=0.1, volatility=0.05, years=0.25, dates=1),
]


def expectation(function):
    """Integrate a function of a standard normal number; the tails beyond 12 do not count."""
    x, step = np.linspace(-12, 12, 200_001, retstep=True)
    return float((function(x) * np.exp(-x * x / 2)).sum() * step / math.sqrt(2 * math.pi))


def black_scholes(spot, strike, market):
    """Value a call after the way there is left to go, in years: by integration, not by formula."""
    spot, strike, rate, volatility, years, _ = market._replace(spot=spot, strike=strike)
    drift = (rate - volatility**2 / 2) * years
    return math.exp(-rate * years) * expectation(
        lambda x: np.maximum(spot * np.exp(drift + volatility * math.sqrt(years) * x) - strike, 0)
    )


def geometric(market):
    """Value the geometric mean's call: the covariance of the prices' logarithms, summed up."""
    times = market.years * np.arange(1, market.dates + 1) / market.dates
    variance = market.volatility**2 * np.minimum.outer(times, times).mean()
    mean = (market.rate - market.volatility**2 / 2) * times.mean()
    return math.exp(-market.rate * market.years) * expectation(
        lambda x: np.maximum(
            market.spot * np.exp(mean + math.sqrt(variance) * x) - market.strike, 0
        )
    )


def arithmetic_of_two(market):
    """Value the call on (S1 + S2) / 2: given S1 it is half a call on S2, whose formula is known."""
    half = market._replace(years=market.years / 2)
    drift = (market.rate - market.volatility**2 / 2) * half.years
    deviation = market.volatility * math.sqrt(half.years)
    erf = np.vectorize(math.erf)

    def value(x):
        first = market.spot * np.exp(drift + deviation * x)
        strike = 2 * market.strike - first
        safe = np.maximum(strike, 1e-300)
        d = (np.log(first / safe) + drift) / deviation
        forward = first * math.exp(market.rate * half.years)
        call = forward * (1 + erf((d + deviation) / math.sqrt(2))) / 2
        call -= safe * (1 + erf(d / math.sqrt(2))) / 2
        return np.where(strike > 0, call, forward - strike) / 2

    return math.exp(-market.rate * market.years) * expectation(value)


def paid(market, noise):
    """Walk the paths in prices, not in logarithms."""
    step = market.years / market.dates
    moves = (market.rate - market.volatility**2 / 2) * step
    moves = moves + market.volatility * math.sqrt(step) * noise
    prices = market.spot * np.cumprod(np.exp(moves), axis=1)
    gains = [
        prices[:, -1] - market.strike,
        market.strike - prices[:, -1],
        prices.mean(axis=1) - market.strike,
        np.prod(prices ** (1 / market.dates), axis=1) - market.strike,
    ]
    return np.maximum(np.stack(gains, axis=1), 0) * math.exp(-market.rate * market.years)


def bits(market, pairs, batch, seed):
    """Give every value of a run, exactly."""
    return [
        (price.hex(), error.hex())
        for price, error, _ in options.estimates(market, pairs, batch, seed)
    ]


# ---- formulas ----


@pytest.mark.parametrize("market", MARKETS)
def test_the_formulas_are_what_integration_gives(market):
    call, put, none, mean = options.exact_prices(market)
    assert math.isnan(none)
    expected = black_scholes(market.spot, market.strike, market)
    assert call == pytest.approx(expected, rel=1e-7)
    assert mean == pytest.approx(geometric(market), rel=1e-7)
    forward = market.spot - market.strike * math.exp(-market.rate * market.years)
    assert call - put == pytest.approx(forward)


def test_a_known_price():
    market = Market(spot=42, strike=40, rate=0.1, volatility=0.2, years=0.5)
    call, put, *_ = options.exact_prices(market)
    assert call == pytest.approx(4.759422, abs=1e-6)
    assert put == pytest.approx(0.808599, abs=1e-6)


# ---- the simulation ----


@pytest.mark.parametrize("market", MARKETS)
def test_what_a_path_pays(market):
    noise = np.random.default_rng(1).normal(size=(50, market.dates))
    found = np.asarray(options.payoffs(market, Matrix(noise)))
    np.testing.assert_allclose(found, paid(market, noise), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("market", MARKETS)
def test_prices_are_within_four_standard_errors(backend, market):
    found = options.estimates(market, 40_000, 9_000, seed=7)
    for price, error, exact in found:
        assert 0 <= error < 0.02 * market.spot
        assert math.isnan(exact) or abs(price - exact) < 4 * error
    arithmetic, mean = found[options.ARITHMETIC], found[options.GEOMETRIC]
    if market.dates == 1:  # both means are the price at the end
        assert arithmetic.price == pytest.approx(mean.exact)
        assert arithmetic.error < 1e-6
    else:
        assert arithmetic.error < mean.error / 4
        assert arithmetic.price > mean.exact


def test_the_control_variate_is_right_where_quadrature_can_tell(backend):
    market = Market(volatility=0.4, dates=2)
    price, error, _ = options.estimates(market, 100_000, 10_000, seed=3)[options.ARITHMETIC]
    assert error < 0.01
    assert abs(price - arithmetic_of_two(market)) < 4 * error


def test_the_standard_error_is_that_of_many_runs(backend):
    runs = [options.estimates(Market(), 500, 500, seed) for seed in range(200)]
    for name in range(len(options.NAMES)):
        spread = statistics.stdev(run[name].price for run in runs)
        claimed = statistics.fmean(run[name].error for run in runs)
        assert spread == pytest.approx(claimed, rel=0.25)


@pytest.mark.parametrize("market", MARKETS)
def test_each_path_comes_with_its_mirror_image(backend, market):
    total = options.schedule(market, 1000, 1000, seed=5).get()
    Matrix.seed(5)

    @when()
    def noise():  # the first behavior after the seed draws what the first batch drew
        return Matrix.normal(0, 1, (1000, market.dates))

    noise = np.asarray(noise.get())
    expected = (paid(market, noise) + paid(market, -noise)) / 2
    np.testing.assert_allclose(total[0].tolist(), [expected.sum(axis=0)], rtol=1e-9)
    np.testing.assert_allclose(total[1].tolist(), expected.T @ expected, rtol=1e-9)


def test_the_same_to_the_last_bit_on_any_number_of_workers_and_backend():
    found = set()
    for name in usable_backends():
        for workers in (1, 2, 5):
            start(workers, name)
            found.add(tuple(bits(Market(dates=7), 10_001, 700, seed=11)))
            wait()
    assert len(found) == 1


def test_the_seed_chooses(backend):
    first = bits(Market(), 1000, 300, seed=1)
    assert bits(Market(), 1000, 300, seed=2) != first
    assert bits(Market(), 1000, 300, seed=1) == first


# ---- the program ----


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    arguments = ["--paths", "20000", "--batch", "3000", "--seed", "4", "--backend", name]
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.options", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("20,000 paths in 7 batches, 12 dates, seed 4\n\n")
    number = r"([\d.]+)"
    pattern = rf"^(\w.*?)  +{number} +{number} +{number} +{number} +({number}|none)$"
    rows = re.findall(pattern, done.stdout, re.MULTILINE)
    assert [row[0] for row in rows] == list(options.NAMES)
    start(1, name)
    expected = options.estimates(Market(), 10_000, 1500, 4)
    wait()
    for (_, price, error, low, high, exact, _), known in zip(rows, expected):
        assert float(price) == pytest.approx(known.price, abs=1e-6)
        assert float(error) == pytest.approx(known.error, abs=1e-6)
        assert float(low) == pytest.approx(known.price - 1.96 * known.error, abs=1e-5)
        assert float(high) == pytest.approx(known.price + 1.96 * known.error, abs=1e-5)
        assert exact == "none" or float(exact) == pytest.approx(known.exact, abs=1e-6)


def test_options(capsys):
    with pytest.raises(SystemExit) as caught:
        options.main(["--help"])
    assert caught.value.code == 0
    assert "--volatility" in capsys.readouterr().out
    for wrong in (
        ["--spot", "0"],
        ["--strike", "inf"],
        ["--rate", "nan"],
        ["--years", "1e9"],
        ["--dates", "0"],
        ["--paths", "3"],
        ["--batch", "x"],
        ["--backend", "none"],
    ):
        with pytest.raises(SystemExit) as caught:
            options.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
