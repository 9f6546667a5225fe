"""The rows of reductions; `where` comes as an array of booleans that broadcasts, or not at all."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from support.operations import (
    AXIS,
    EPS,
    Near,
    Op,
    Values,
    Values_of,
    anything,
    keep,
    method,
    near_one,
    option,
    refuse_empty,
    rounding,
    summable,
    whole,
)

Axis = int | None


def groups(array: np.ndarray, axis: Axis, where: np.ndarray | None) -> Iterator[np.ndarray]:
    """Give what is reduced to one number each: everything, a column or a row."""
    taken = np.ones(array.shape, bool) if where is None else np.broadcast_to(where, array.shape)
    if axis is None:
        yield array[taken]
        return
    lines, masks = (array.T, taken.T) if axis % 2 == 0 else (array, taken)
    for line, chosen in zip(lines, masks):
        yield line[chosen]


def shaped(numbers: Any, array: np.ndarray, axis: Axis) -> np.ndarray:
    """Put one number a group into the shape of the result."""
    if axis is None:
        return np.asarray(numbers).reshape(())
    shape = (1, array.shape[1]) if axis % 2 == 0 else (array.shape[0], 1)
    return np.asarray(numbers).reshape(shape)


def reduction(
    name: str,
    function: Callable[..., Any],
    domain: Values_of = anything,
    over_nothing: float | None = None,
    bound: Callable[[np.ndarray], float] | None = None,
    wrap: Callable[[Any], Any] = Values,
) -> Op:
    """Make a row from a function of one group; without a value over nothing, nothing is refused."""

    def expected(array: np.ndarray, axis: Axis = None, where: np.ndarray | None = None) -> Any:
        if over_nothing is None:
            refuse_empty(array)
        nothing = np.nan if over_nothing is None else over_nothing
        lines = [np.ascontiguousarray(line) for line in groups(array, axis, where)]
        wide = np.longdouble if bound else np.float64
        found = [function(line.astype(wide)) if line.size else nothing for line in lines]
        result = shaped(np.array(found, dtype=wide), array, axis)
        if bound is None:
            return wrap(result)
        limits = [bound(line.astype(wide)) if line.size else 0.0 for line in lines]
        return Near(result, shaped(np.array(limits, dtype=wide), array, axis))

    options = option(axis=AXIS)
    return Op(
        f"Matrix.{name}",
        method(name),
        expected,
        domains=(domain,),
        options=options,
        where=True,
        has_axis=True,
    )


def of_sum(x: np.ndarray) -> float:
    return float(rounding(x.size) * np.abs(x).sum())


def of_mean(x: np.ndarray) -> float:
    return float((rounding(x.size) + EPS) * np.abs(x).mean())


def of_squares(x: np.ndarray) -> float:
    return float(rounding(x.size) * (x * x).sum())


def of_magnitude(x: np.ndarray) -> float:
    return float(rounding(x.size) * np.sqrt((x * x).sum()))


def of_variance(x: np.ndarray) -> float:
    # The sum of squares about a mean that is itself off by `shift`.
    shift = of_mean(x)
    return float(4 * rounding(x.size) * x.var() + shift * shift)


def of_deviation(x: np.ndarray) -> float:
    variance, error = float(x.var()), of_variance(x)
    return float(np.sqrt(variance + error) - np.sqrt(max(variance - error, 0.0)) + EPS * x.std())


def of_product(x: np.ndarray) -> float:
    return float(2 * x.size * EPS * np.abs(x.prod()))


def without_nan(function: Callable[[np.ndarray], Any], over_nothing: float) -> Any:
    def skipping(x: np.ndarray) -> Any:
        x = x[~np.isnan(x)]
        return function(x) if x.size else over_nothing

    return skipping


def any_of(x: np.ndarray) -> bool:
    return bool((x != 0).any())


def all_of(x: np.ndarray) -> bool:
    return bool((x != 0).all())


SUMS = [
    reduction("sum", np.sum, summable, 0.0, of_sum),
    reduction("mean", np.mean, summable, None, of_mean),
    reduction("prod", np.prod, near_one, 1.0, of_product),
    reduction("var", np.var, summable, None, of_variance),
    reduction("std", np.std, summable, None, of_deviation),
    reduction("magnitude", lambda x: np.sqrt((x * x).sum()), summable, 0.0, of_magnitude),
    reduction("magnitude_squared", lambda x: (x * x).sum(), summable, 0.0, of_squares),
    reduction("nansum", np.nansum, summable, 0.0, without_nan(of_sum, 0.0)),
    reduction("nanmean", without_nan(np.mean, np.nan), summable, None, without_nan(of_mean, 0.0)),
]
CHOICES = [
    reduction("min", np.min),
    reduction("max", np.max),
    reduction("nanmin", without_nan(np.min, np.nan)),
    reduction("nanmax", without_nan(np.max, np.nan)),
    reduction("median", np.median, summable),
    reduction("any", any_of, whole, 0.0),
    reduction("all", all_of, whole, 1.0),
    reduction("count_nonzero", np.count_nonzero, whole, 0.0),
]


def position(name: str) -> Op:
    function = getattr(np, name)

    def expected(
        array: np.ndarray,
        axis: Axis = None,
        as_matrix: bool = False,
        where: np.ndarray | None = None,
    ) -> Any:
        refuse_empty(array)
        if axis is None and where is None:
            return int(function(array))
        if axis is not None and where is None:
            found = function(array, **keep(axis))
            return found if as_matrix else found.ravel().tolist()
        chosen = []
        taken = np.broadcast_to(where, array.shape)
        if axis is None:
            lines, masks = [array.ravel()], [taken.ravel()]
        else:
            lines, masks = (array.T, taken.T) if axis % 2 == 0 else (array, taken)
        for line, inside in zip(lines, masks):
            places = np.flatnonzero(inside)
            chosen.append(int(places[function(line[places])]) if places.size else -1)
        if axis is None:
            return chosen[0]
        return shaped(np.array(chosen), array, axis) if as_matrix else chosen

    options = option(axis=AXIS, as_matrix=st.booleans())
    return Op(
        f"Matrix.{name}",
        method(name),
        expected,
        domains=(whole,),
        options=options,
        where=True,
        has_axis=True,
    )


def quantile_of(array: np.ndarray, q: float, axis: Axis = None, where: Any = None) -> Any:
    refuse_empty(array)
    if not 0 <= q <= 1:
        raise ValueError("q outside 0 and 1")
    found, limits = [], []
    for line in groups(array, axis, where):
        if not line.size or np.isnan(line).any():
            found.append(np.nan)
            limits.append(0.0)
            continue
        below, above = (np.quantile(line, q, method=name) for name in ("lower", "higher"))
        found.append(np.quantile(line, q))
        limits.append(4 * EPS * (abs(below) + abs(above)))
    return Near(shaped(found, array, axis), shaped(limits, array, axis))


def with_gaps(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    array = rng.normal(0, 10, shape).round(1)
    array[rng.random(shape) < rng.choice([0.0, 0.02])] = np.nan
    return array


def quantile_options(draw: Any, arrays: Any) -> dict[str, Any]:
    chosen = {
        "q": draw(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0, 1 / 3, 0.999, -0.1, 1.5, np.nan]))
    }
    return {**chosen, **option(axis=AXIS)(draw, arrays)}


QUANTILE = Op(
    "Matrix.quantile",
    method("quantile"),
    quantile_of,
    domains=(with_gaps,),
    options=quantile_options,
    sample={"q": 0.3},
    where=True,
    has_axis=True,
)


def length_of(array: np.ndarray) -> Any:
    wide = array.astype(np.longdouble)
    return Near(np.sqrt((wide * wide).sum()), of_magnitude(wide))


LENGTH = Op("Matrix.length", operator.attrgetter("length"), length_of, domains=(summable,))

ROWS = [LENGTH, *SUMS, *CHOICES, position("argmin"), position("argmax"), QUANTILE]
