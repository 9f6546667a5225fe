"""Matrices as hypothesis draws them, and what it means that two results agree."""

from __future__ import annotations

import sysconfig
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from bocmat import Matrix

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

# Around the sizes where the code takes another path: nothing, one, the nine values that a header
# holds itself, more.
LENGTHS = st.sampled_from([0, 1, 2, 3, 4, 5, 8, 17, 70])
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, -2.2e-308, 1.7e308, -1.7e308, 1e16, 0.1]
ELEMENTS = st.one_of(st.sampled_from(SPECIAL), st.floats(-1e6, 1e6), st.floats())
FINITE = st.floats(-1e6, 1e6)
AXES = st.sampled_from([None, 0, 1, -1, -2])


def arrays(
    rows: st.SearchStrategy[int] = LENGTHS,
    columns: st.SearchStrategy[int] = LENGTHS,
    elements: st.SearchStrategy[float] = ELEMENTS,
) -> st.SearchStrategy[np.ndarray]:
    """Draw two-dimensional arrays of doubles."""
    shapes = st.tuples(rows, columns)
    return shapes.flatmap(lambda shape: nps.arrays(np.float64, shape, elements=elements))


def fewer(times: int) -> settings:
    """Try so many times fewer examples, where a test runs for each of many names."""
    return settings(max_examples=max(settings().max_examples // times, 10))


KINDS = ["own", "transposed", "view", "stepped", "reversed", "borrowed"]


def dressed(array: np.ndarray, kind: str) -> Any:
    """Make a matrix with the values of `array`, or one of the ways to look at another one."""
    rows, columns = array.shape
    if kind == "own":
        return Matrix(array)
    if kind == "transposed":
        return Matrix(array.T).T
    if kind == "borrowed":
        return Matrix.from_buffer(array.copy())
    step = 2 if kind == "stepped" else 1
    around = np.full((rows * step + 2, columns * step + 3), 7.5)
    inside = (slice(1, 1 + rows * step, step), slice(2, 2 + columns * step, step))
    if kind == "reversed":
        around[inside] = array[::-1, ::-1]
        return Matrix(around).view[inside][::-1, ::-1]
    around[inside] = array
    return Matrix(around).view[inside]


@st.composite
def operands(draw: st.DrawFn, array: np.ndarray) -> Any:
    """Draw a matrix with the values of `array`, or one of the ways to look at another one."""
    return dressed(array, draw(st.sampled_from(KINDS)))


@st.composite
def pairs(draw: st.DrawFn, elements: st.SearchStrategy[float] = ELEMENTS) -> tuple[Any, Any]:
    """Draw two arrays whose shapes NumPy broadcasts."""
    rows, columns = draw(LENGTHS), draw(LENGTHS)
    shapes = [
        (draw(st.sampled_from([rows, rows, 1])), draw(st.sampled_from([columns, columns, 1])))
        for _ in range(2)
    ]
    first, second = (draw(nps.arrays(np.float64, shape, elements=elements)) for shape in shapes)
    return first, second


def as_array(matrix: Any) -> np.ndarray:
    """Give a matrix's or a view's values, element by element, without its buffer."""
    return np.array(list(matrix.values()), dtype=np.float64).reshape(matrix.shape)


def assert_same(actual: Any, expected: Any) -> None:
    """Assert one shape and the same doubles, the sign of zero included; any NaN equals any NaN."""
    found = as_array(actual)
    wanted = np.asarray(expected, dtype=np.float64)
    assert found.shape == wanted.shape
    nan = np.isnan(wanted)
    assert (np.isnan(found) == nan).all()
    assert (found[~nan].view(np.uint64) == wanted[~nan].view(np.uint64)).all()


def assert_ulps(actual: Any, expected: np.ndarray, ulps: float) -> None:
    """Assert that no element is further away than so many units in the last place."""
    found, wanted = as_array(actual), np.asarray(expected, dtype=np.float64)
    assert found.shape == wanted.shape
    exact = ~np.isfinite(wanted)
    assert np.array_equal(found[exact], wanted[exact], equal_nan=True)
    with np.errstate(over="ignore"):  # above the greatest double there is none
        unit = np.minimum(np.spacing(np.abs(wanted[~exact])), 2.0**971)
    assert (np.abs(found[~exact] - wanted[~exact]) <= ulps * unit).all()
