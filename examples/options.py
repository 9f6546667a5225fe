"""Prices of options by simulation, the same to the last bit on any number of workers.

    python -m bocmat.examples.options --paths 1000000 --workers 2

A price is the mean of what an option pays at the end, over many random paths of its stock. They are
simulated in batches, a behavior each, and every behavior has random numbers of its own, which
follow from the seed and the order of scheduling. Each path comes with its mirror image (antithetic
variates), and the option on the arithmetic mean is helped by the one on the geometric mean, whose
price is known (a control variate).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from bocmat import Cown, Matrix, quiesce, read, start, wait, when
from bocmat.examples.arguments import add_progress, add_workers, whole_number

NAMES = ("European call", "European put", "arithmetic Asian call", "geometric Asian call")
CALL, PUT, ARITHMETIC, GEOMETRIC = range(4)
CONFIDENT = 1.959964  # standard errors that 95 % of a normal distribution are within


class Market(NamedTuple):
    """A stock that moves as a geometric Brownian motion, and the options on it."""

    spot: float = 100.0
    strike: float = 105.0
    rate: float = 0.03
    volatility: float = 0.2
    years: float = 1.0
    dates: int = 12
    """At which the mean of an Asian option looks, at equal distances; the last is the end."""


class Estimate(NamedTuple):
    """A price, its standard error, and what a formula gives: NaN where there is none."""

    price: float
    error: float
    exact: float


# ---- formulas ----


def expected_call(market: Market, mean: float, deviation: float) -> float:
    """Value a call on exp(x), x normal: Black's formula."""
    d = (mean - math.log(market.strike)) / deviation
    forward = math.exp(mean + deviation**2 / 2)
    value = forward * below(d + deviation) - market.strike * below(d)
    return math.exp(-market.rate * market.years) * value


def below(x: float) -> float:
    """Give the probability that a standard normal number is below x."""
    return math.erfc(-x / math.sqrt(2)) / 2


def exact_prices(market: Market) -> list[float]:
    """Give the closed forms: Black and Scholes's, and Kemna and Vorst's for the geometric mean."""
    spot, strike, rate, volatility, years, dates = market
    drift = rate - volatility**2 / 2
    call = expected_call(market, math.log(spot) + drift * years, volatility * math.sqrt(years))
    put = call - spot + strike * math.exp(-rate * years)
    # The mean of the logarithms is normal too, as they all are.
    mean = math.log(spot) + drift * years * (dates + 1) / (2 * dates)
    variance = volatility**2 * years * (dates + 1) * (2 * dates + 1) / (6 * dates**2)
    return [call, put, math.nan, expected_call(market, mean, math.sqrt(variance))]


# ---- the simulation ----


def payoffs(market: Market, noise: Matrix) -> Matrix:
    """Give what each option (a column) pays on each path (a row), as of today."""
    spot, strike, rate, volatility, years, dates = market
    step = years / dates
    moves = noise * (volatility * math.sqrt(step)) + (rate - volatility**2 / 2) * step
    growth = moves.cumsum(axis=1)
    prices = spot * growth.exp()
    end = prices[:, -1]
    arithmetic, geometric = prices.mean(axis=1), spot * growth.mean(axis=1).exp()
    gains = [end - strike, strike - end, arithmetic - strike, geometric - strike]
    return Matrix.concat(gains, axis=1).maximum(0.0) * math.exp(-rate * years)


def schedule(market: Market, pairs: int, batch: int, seed: int) -> Cown[tuple[Matrix, Matrix]]:
    """Schedule all batches; the cown of the sums of what is paid, and of the products of it."""
    Matrix.seed(seed)
    parts = []
    for first in range(0, pairs, batch):
        count = min(batch, pairs - first)

        @when()
        def part(count: int = count) -> tuple[Matrix, Matrix]:
            noise = Matrix.normal(0, 1, (count, market.dates))
            paid = (payoffs(market, noise) + payoffs(market, -noise)) * 0.5
            return paid.sum(axis=0), paid.T @ paid

        parts.append(part)

    @when([read(part) for part in parts])
    def total(parts: list[Cown[tuple[Matrix, Matrix]]]) -> tuple[Matrix, Matrix]:
        sums, products = Matrix.zeros((1, len(NAMES))), Matrix.zeros((len(NAMES), len(NAMES)))
        for part in parts:  # in the order of the batches, whichever was ready first
            sums += part.value[0]
            products += part.value[1]
        return sums, products

    return total


def estimates(
    market: Market, pairs: int, batch: int, seed: int, progress: bool = False
) -> list[Estimate]:
    """Simulate so many pairs of paths, and make prices of them. The runtime has to run."""
    total = schedule(market, pairs, batch, seed)
    quiesce(progress=progress)
    sums, products = total.get()
    means = sums / pairs
    covariances = (products - pairs * (means.T @ means)) / (pairs - 1)
    exact = exact_prices(market)
    prices = [means[0, i] for i in range(len(NAMES))]
    variances = [covariances[i, i] for i in range(len(NAMES))]
    # Where the option with the known price came out too high, so did its sibling, by `share` of it.
    if variances[GEOMETRIC] > 0.0:
        share = covariances[ARITHMETIC, GEOMETRIC] / variances[GEOMETRIC]
        prices[ARITHMETIC] -= share * (prices[GEOMETRIC] - exact[GEOMETRIC])
        variances[ARITHMETIC] -= share * covariances[ARITHMETIC, GEOMETRIC]
    errors = [math.sqrt(max(variance, 0.0) / pairs) for variance in variances]
    return [Estimate(*row) for row in zip(prices, errors, exact)]


# ---- the program ----


def positive(text: str) -> float:
    """Read a number above zero, for argparse."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above zero")
    return number


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Prices of options by simulation.")
    whole = whole_number(1)
    usual = Market()
    parser.add_argument("--spot", type=positive, default=usual.spot, help="today's price (100)")
    parser.add_argument("--strike", type=positive, default=usual.strike, help="(105)")
    parser.add_argument("--rate", type=float, default=usual.rate, help="of interest (0.03)")
    parser.add_argument("--volatility", type=positive, default=usual.volatility, help="(0.2)")
    parser.add_argument("--years", type=positive, default=usual.years, help="to the end (1)")
    parser.add_argument("--dates", type=whole, default=usual.dates, help="in a mean (12)")
    parser.add_argument("--paths", type=whole, default=2**20, help="to simulate (1048576)")
    parser.add_argument("--batch", type=whole, default=2**14, help="paths in a behavior (16384)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the paths (1)")
    add_workers(parser)
    add_progress(parser)
    options = parser.parse_args(arguments)
    if options.paths < 4:
        parser.error("--paths: at least 4, two pairs")
    if not math.isfinite(options.rate):
        parser.error(f"--rate: {options.rate} is no rate of interest")
    if options.volatility**2 * options.years > 100 or abs(options.rate) * options.years > 100:
        parser.error("--years: by then any price is possible, and none can be computed")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    options = parse(arguments)
    market = Market(*(getattr(options, name) for name in Market._fields))
    pairs, batch = options.paths // 2, max(1, options.batch // 2)

    start(options.workers, options.backend)
    found = estimates(market, pairs, batch, options.seed, options.progress)
    wait()
    print(
        f"{2 * pairs:,} paths in {-(-pairs // batch)} batches, {market.dates} dates, "
        f"seed {options.seed}\n"
    )
    print(f"{'':21}  {'price':>10}  {'std. error':>10}  {'95 % confidence':>21}  {'formula':>10}")
    for name, (price, error, exact) in zip(NAMES, found):
        low, high = price - CONFIDENT * error, price + CONFIDENT * error
        formula = "none" if math.isnan(exact) else f"{exact:.6f}"
        print(f"{name:<21}  {price:10.6f}  {error:10.6f}  {low:10.6f} {high:10.6f}  {formula:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
