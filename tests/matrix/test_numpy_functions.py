"""NumPy's functions called with matrices: what the same call gives for an array, or a TypeError."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import KINDS, dressed

ARRAY = np.array([[1.0, -2.5, 3.0], [4.0, 0.0, 6.5]])
CHOSEN = np.array([[True, False, True], [True, True, True]])


def called(function: Any, value: Any, *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(value, *args, **options)


def plain(result: Any) -> np.ndarray:
    """Give numbers without their shape: along an axis ours have two dimensions, NumPy's one."""
    return np.ravel(np.asarray(result, dtype=np.float64))


def agrees(name: str, *args: Any, array: np.ndarray = ARRAY, look: str = "own", **options: Any):
    """Assert that the call gives for a matrix what it gives for an array, and changes neither."""
    function = getattr(np, name)
    matrix = dressed(array, look)
    expected = called(function, array.copy(), *args, **options)
    found = called(function, matrix, *args, **options)
    assert np.allclose(plain(found), plain(expected), rtol=1e-14, atol=0, equal_nan=True)
    if np.ndim(expected) == 2:
        assert np.shape(found) == np.shape(expected)
    assert np.array_equal(np.asarray(matrix), array, equal_nan=True)


def refuses(name: str, *args: Any, **options: Any) -> None:
    matrix = Matrix(ARRAY)
    with pytest.raises(TypeError):
        called(getattr(np, name), matrix, *args, **options)
    assert matrix.tolist() == ARRAY.tolist()


SUMS = ["sum", "prod", "mean", "var", "std", "min", "max", "amin", "amax", "any", "all"]
NAN_SUMS = ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmin", "nanmax", "nanmedian"]
POSITIONS = ["argmin", "argmax", "nanargmin", "nanargmax"]
RUNNING = ["cumsum", "cumprod", "nancumsum", "nancumprod"]
MORE = ["median", "average", "count_nonzero"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*SUMS, *NAN_SUMS, *POSITIONS, *RUNNING, *MORE])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
def test_reductions(name, axis, kind):
    agrees(name, axis=axis, look=kind)
    if name in RUNNING:
        return
    for keepdims in (True, False):
        agrees(name, axis=axis, keepdims=keepdims, look=kind)


@pytest.mark.parametrize("name", SUMS)
def test_options_of_reductions(name):
    has_where = name not in ("min", "max", "amin", "amax")
    for axis in (None, 0, 1):
        if has_where:
            agrees(name, axis=axis, where=CHOSEN)
            agrees(name, axis=axis, where=CHOSEN[:, :1], keepdims=True)
    if has_where and name not in ("any", "all"):
        for dtype in (None, float, np.float64, "float64"):
            agrees(name, axis=0, dtype=dtype)
        for dtype in (int, np.float32, complex, "f"):
            refuses(name, axis=0, dtype=dtype)
    refuses(name, axis=0, out=np.zeros(3))
    out = Matrix(1, 3)
    assert getattr(np, name)(Matrix(ARRAY), axis=0, out=out) is out
    assert np.allclose(plain(out), plain(getattr(np, name)(ARRAY, axis=0)))
    refuses(name, axis=(0, 1))
    refuses(name, axis=True)


@pytest.mark.parametrize("name", ["sum", "prod", "min", "max"])
def test_initial_values_are_refused(name):
    refuses(name, initial=3.0)
    refuses(name, axis=0, initial=3.0)


@pytest.mark.parametrize("name", ["var", "std"])
def test_degrees_of_freedom(name):
    for ddof in (0, 1, 0.5):
        agrees(name, ddof=ddof)
        agrees(name, axis=1, ddof=ddof, keepdims=True)
    refuses(name, mean=1.0)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_quantiles(name, axis):
    for q in (0.0, 0.3, 1, [0.25, 0.5], np.array([0.1])):
        agrees(name, q, axis=axis)
    agrees("percentile", 30, axis=axis)


CALLS = [
    *[("clip", bounds, {}) for bounds in ((0, 2), (None, 2), (0, None), (ARRAY - 1, 3))],
    ("clip", (), {"min": 0, "max": 1}),
    ("clip", (), {"a_min": 0, "a_max": 1}),
    *[("round", decimals, {}) for decimals in ((), (1,), (-1,))],
    ("around", (), {"decimals": 1}),
    *[("take", (at,), {"axis": axis}) for at in ([0, 1], 1, [-1]) for axis in (None, 0, 1)],
    ("take", ([0, 5],), {"mode": "clip"}),
    ("take", ([[0], [1]],), {"axis": 0}),
    *[("repeat", (2,), {"axis": axis}) for axis in (None, 0, 1)],
    ("repeat", ([1, 2],), {"axis": 0}),
    *[("sort", (), {"axis": axis}) for axis in (None, 0, 1, -1)],
    *[("argsort", (), {"axis": axis}) for axis in (None, 0, 1, -1)],
    ("argsort", (), {"kind": "stable"}),
    *[("transpose", axes, {}) for axes in ((), (None,), ((1, 0),), ((0, 1),), ([-1, 0],))],
    ("swapaxes", (0, 1), {}),
    *[("ravel", order, {}) for order in ((), ("F",), ("K",))],
    *[("reshape", (shape,), {}) for shape in ((3, 2), -1, 6, (1, 2, 3), (-1, 2))],
    ("reshape", ((3, 2),), {"order": "F"}),
    *[(name, (offset,), {}) for name in ("diagonal", "trace", "diag") for offset in (0, 1, -1, 9)],
    ("dot", (ARRAY.T,), {}),
    ("dot", (3.0,), {}),
    *[(name, (), {}) for name in ("nonzero", "argwhere", "flatnonzero", "squeeze", "copy")],
    *[(name, (), {}) for name in ("fliplr", "flipud", "rot90", "triu", "tril", "unique", "ndim")],
    *[(name, (), {}) for name in ("real", "imag", "shape", "size", "diff", "nan_to_num")],
    ("flip", (), {"axis": 0}),
    ("roll", (1,), {"axis": 1}),
    ("diff", (2,), {"axis": 1}),
    ("partition", (1,), {}),
    ("compress", ([1, 0, 1],), {"axis": 1}),
    ("digitize", ([0.0, 1.0],), {}),
    ("inner", (ARRAY,), {}),
    ("outer", (ARRAY,), {}),
    ("vdot", (ARRAY,), {}),
    ("tensordot", (ARRAY.T,), {"axes": 1}),
    ("tile", (2,), {}),
    ("broadcast_to", ((4, 2, 3),), {}),
    ("pad", (1,), {}),
    ("array_equal", (ARRAY,), {}),
    ("allclose", (ARRAY,), {}),
    ("vstack", (), {}),
    ("cov", (), {}),
]


@pytest.mark.parametrize("kind", ["own", "transposed", "view", "reversed"])
@pytest.mark.parametrize(("name", "args", "options"), CALLS)
def test_other_functions(name, args, options, kind):
    # Of compress the matrix is the second argument; NumPy's condition comes first.
    if name == "compress":
        found = np.compress(*args, dressed(ARRAY, kind), **options)
        assert np.array_equal(found, np.compress(*args, ARRAY, **options))
        return
    agrees(name, *args, look=kind, **options)


def test_searching():
    edges, values = np.array([[0.0, 1.0, 2.0, 5.0]]), np.array([-1.0, 0.0, 1.5, 9.0])
    for side in ("left", "right"):
        expected = np.searchsorted(edges[0], values, side)
        assert np.array_equal(plain(np.searchsorted(Matrix(edges), values, side)), expected)
        assert np.array_equal(
            plain(np.searchsorted(edges[0], Matrix(1, 4, values), side)), expected
        )


@pytest.mark.parametrize("name", ["sqrt", "isnan", "sign", "rint", "matmul", "add", "ptp"])
def test_universal_functions_say_that_they_do_not_take_matrices(name):
    refuses(name, *([Matrix(ARRAY.T)] if name in ("matmul", "add") else []))


def test_take_along_axis():
    agrees("take_along_axis", np.array([[0, 1, 0]]), axis=0)


def test_what_means_something_else_is_refused():
    refuses("put", [0], 9.0)  # flat places
    refuses("moveaxis", 0, 1)  # an order of axes
    for axes in ((1, 0), [0, 1], "ab", np.array([1, 0])):
        matrix = Matrix(ARRAY)
        with pytest.raises(TypeError, match="in_place"):
            matrix.transpose(axes)
        assert matrix.shape == (2, 3)


@given(data=st.data())
def test_reductions_of_everything_drawn(data):
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    numbers = st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.0, np.nan, np.inf])
    flat = data.draw(st.lists(numbers, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    array = np.array(flat).reshape(shape)
    axis, kind = data.draw(st.sampled_from([None, 0, 1])), data.draw(st.sampled_from(KINDS))
    for name in ("sum", "mean", "min", "argmax", "any", "cumsum", "sort", "median"):
        agrees(name, array=array, look=kind, axis=axis)
