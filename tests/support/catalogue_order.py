"""The rows of running sums, sorting, searching and counting."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from support.operations import (
    AXIS,
    BOTH,
    LINE_AXIS,
    Near,
    Op,
    Shapes,
    Values,
    finite,
    method,
    option,
    ordinary,
    rounding,
    whole,
)

EDGES = Shapes(
    lambda draw: ((1, 9), (draw(st.integers(0, 9)), draw(st.integers(0, 40)))),
    lambda n: ((1, 9), (n, n)),
)


def rising(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return np.sort(rng.normal(0, 10, shape), axis=None).reshape(shape)


def cumsum(a: np.ndarray, axis: int) -> Near:
    bound = a.shape[axis] * rounding(1) * np.cumsum(np.abs(a), axis)
    return Near(np.cumsum(a.astype(np.longdouble), axis), bound)


def along(name: str, function: Any, domain: Any) -> Op:
    options = {"options": lambda draw, arrays: {"axis": draw(LINE_AXIS)}, "sample": {"axis": 1}}
    return Op(f"Matrix.{name}", method(name), function, domains=(domain,), **options)


def first_few(
    a: np.ndarray,
    k: int,
    axis: int | None = None,
    largest: bool = True,
    as_matrix: bool = False,
    where: np.ndarray | None = None,
) -> tuple[np.ndarray, Any]:
    """Take the first k of a stable sort; NaN at position -1 where too few take part."""
    if not 1 <= k <= (a.size if axis is None else a.shape[axis]):
        raise ValueError("more than there are, or none")
    taken = np.ones(a.shape, bool) if where is None else np.broadcast_to(where, a.shape)
    lines, masks = a, taken
    if axis is None:
        lines, masks = a.reshape(1, -1), taken.reshape(1, -1)
    elif axis % 2 == 0:
        lines, masks = a.T, taken.T
    values, places = np.full((len(lines), k), np.nan), np.full((len(lines), k), -1)
    for i, (line, chosen) in enumerate(zip(lines, masks)):
        there = np.flatnonzero(chosen)
        order = np.argsort(-line[there] if largest else line[there], kind="stable")[:k]
        values[i, : order.size], places[i, : order.size] = line[there[order]], there[order]
    turned = axis is not None and axis % 2 == 0
    if as_matrix:
        positions: Any = places.T if turned else places
    else:
        positions = places[0].tolist() if axis is None else places.tolist()
    return (values.T if turned else values), positions


def binned(array: np.ndarray, bins: int, low: float, high: float, right: bool) -> np.ndarray:
    """Compute bins one by one, from how far the elements are on their way."""
    if low == high:
        return np.where(np.isnan(array), -1.0, 0.0)
    unit = 2.0**600 if high - low < 1e-300 else 1.0  # a power of two: exact
    low, high = low * unit, high * unit
    at = (array * unit - low) * (bins / (high - low))
    number = np.ceil(at) - 1 if right else np.floor(at)
    return np.where(np.isnan(array), -1, np.clip(number, 0, bins - 1)) + 0.0


Bounds = tuple[float, float] | None


def bin_of(a: np.ndarray, bins: int, bounds: Bounds = None, right: bool = False) -> np.ndarray:
    numbers = a[~np.isnan(a)]
    low, high = bounds or ((numbers.min(), numbers.max()) if numbers.size else (0.0, 0.0))
    if bins < 1 or not np.isfinite([low, high]).all() or low > high:
        raise ValueError("no such bins")
    return binned(a, bins, low, high, right)


def histogram(a: np.ndarray, bins: Any = 10, bounds: Bounds = None) -> tuple[np.ndarray, ...]:
    counts, edges = np.histogram(a, bins, bounds)
    return counts.reshape(1, -1), np.asarray(edges, dtype=np.float64).reshape(1, -1)


def bin_options(draw: Any, arrays: Any) -> dict[str, Any]:
    bounds = st.sampled_from([(0, 1), (-3.5, 2), (1, 1), (2, 1), (0.0, np.inf)])
    more = option(bounds=bounds, right=st.booleans())(draw, arrays)
    return {"bins": draw(st.sampled_from([0, 1, 2, 3, 10, 64])), **more}


def histogram_options(draw: Any, arrays: Any) -> dict[str, Any]:
    if draw(st.integers(0, 3)) == 0:
        return {"bins": draw(st.sampled_from([[0, 1], [-3.0, -1.0, 0.0, 0.5, 4.0], [1, 0]]))}
    bounds = st.sampled_from([(0, 1), (-3.5, 2), (1, 1), (2, 1)])
    return option(bins=st.sampled_from([0, 1, 2, 3, 10, 64, 3000]), bounds=bounds)(draw, arrays)


def topk_options(draw: Any, arrays: Any) -> dict[str, Any]:
    more = option(axis=AXIS, largest=st.booleans(), as_matrix=st.booleans())(draw, arrays)
    return {"k": draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3, 5, 8, 9])), **more}


ROWS = [
    Op(
        "Matrix.topk",
        method("topk"),
        first_few,
        domains=(whole,),
        options=topk_options,
        sample={"k": 1},
        where=True,
        has_axis=True,
    ),
    Op(
        "Matrix.bin",
        method("bin"),
        bin_of,
        domains=(whole,),
        options=bin_options,
        sample={"bins": 4, "bounds": (-1.0, 3.0)},
        forms=BOTH,
    ),
    Op(
        "Matrix.histogram",
        method("histogram"),
        histogram,
        domains=(whole,),
        options=histogram_options,
        sample={"bins": 4, "bounds": (-1.0, 3.0)},
    ),
    along("cumsum", cumsum, finite),
    along("sort", lambda a, axis: Values(np.sort(a, axis)), whole),
    along("argsort", lambda a, axis: np.argsort(a, axis, kind="stable"), whole),
    along("diff", lambda a, axis: np.diff(a, axis=axis), finite),
    along("cumprod", lambda a, axis: np.cumprod(a, axis), whole),
    Op(
        "Matrix.unique",
        method("unique"),
        lambda a: Values(np.unique(a).reshape(1, -1)),
        domains=(ordinary,),
    ),
    Op(
        "Matrix.digitize",
        method("digitize"),
        lambda v, e: np.digitize(v, e[0]),
        Shapes(lambda draw: EDGES.draw(draw)[::-1], lambda n: EDGES.at(n)[::-1]),
        (ordinary, rising),
    ),
    Op(
        "Matrix.searchsorted",
        method("searchsorted"),
        lambda e, v: np.searchsorted(e[0], v),
        EDGES,
        (rising, ordinary),
    ),
]
