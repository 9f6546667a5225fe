"""The rows of running sums, sorting, searching and counting."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from support.operations import (
    LINE_AXIS,
    Near,
    Op,
    Shapes,
    Values,
    finite,
    method,
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


ROWS = [
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
