"""The rows of gathering, scattering, keys and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from bocmat import Matrix
from support.operations import (
    AXIS,
    LINE_AXIS,
    ONE,
    OUT,
    SMALL_ONE,
    SMALL_SQUARE,
    VECTOR,
    Op,
    Shapes,
    anything,
    fixed,
    method,
    option,
    same,
)

Draw = Any
Arrays = tuple[np.ndarray, ...]


def positions(draw: Draw, length: int, count: int | None = None) -> list[int]:
    """Draw positions on an axis, some from its end, now and then one that is not there."""
    beyond = 1 if draw(st.integers(0, 9)) == 0 else 0
    if not length and not beyond:
        return []
    inside = st.integers(-length - beyond, length - 1 + beyond)
    if count is None:
        return list(draw(st.lists(inside, max_size=8)))
    return list(draw(st.lists(inside, min_size=count, max_size=count)))


def taking(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    axis = draw(LINE_AXIS)
    return {"indices": positions(draw, arrays[0].shape[axis]), "axis": axis}


def putting(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    more = {"values": draw(st.sampled_from([0.5, -3.0])), "accumulate": draw(st.booleans())}
    return {**taking(draw, arrays), **more}


def along(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    axis = draw(LINE_AXIS)
    lines = arrays[0].shape[1 - axis % 2]
    wrong = 1 if draw(st.integers(0, 9)) == 0 else 0
    return {"indices": positions(draw, arrays[0].shape[axis], lines + wrong), "axis": axis}


def putting_along(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    more = {"values": draw(st.sampled_from([0.5, -3.0])), "accumulate": draw(st.booleans())}
    return {**along(draw, arrays), **more}


def there(a: np.ndarray, indices: list[int], axis: int) -> np.ndarray:
    """Give the indices, or raise: NumPy before 2.3 does not where there are no elements."""
    at = np.array(indices, int)
    np.zeros(a.shape[axis])[at]
    return at


def take(a: np.ndarray, indices: list[int], axis: int = 0) -> np.ndarray:
    at = there(a, indices, axis)
    return a[at] if axis % 2 == 0 else a[:, at]


def put(
    a: np.ndarray, indices: list[int], values: float, axis: int = 0, accumulate: bool = False
) -> np.ndarray:
    written = a.copy()
    at = there(a, indices, axis)
    key: Any = at if axis % 2 == 0 else (slice(None), at)
    if accumulate:
        np.add.at(written, key, values)
    else:
        written[key] = values
    return written


def pairs_at(a: np.ndarray, indices: list[int], axis: int) -> Any:
    at = there(a, indices, axis)
    if len(at) != a.shape[1 - axis % 2]:
        raise ValueError("not one position a line")
    lines = np.arange(len(at))
    return (at, lines) if axis % 2 == 0 else (lines, at)


def take_along(a: np.ndarray, indices: list[int], axis: int = 0) -> np.ndarray:
    return a[pairs_at(a, indices, axis)].reshape((1, -1) if axis % 2 == 0 else (-1, 1))


def put_along(
    a: np.ndarray, indices: list[int], values: float, axis: int = 0, accumulate: bool = False
) -> np.ndarray:
    key, written = pairs_at(a, indices, axis), a.copy()
    written[key] = written[key] + values if accumulate else values
    return written


def part(draw: Draw, length: int) -> Any:
    choice = draw(st.integers(0, 3))
    if choice == 0 and length:
        return draw(st.integers(-length, length - 1))
    bounds = st.one_of(st.none(), st.integers(-length - 2, length + 2))
    step = draw(st.sampled_from([None, 1, 2, 3, -1, -2, -5]))
    return slice(draw(bounds), draw(bounds), step)


def keys(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    rows, columns = arrays[0].shape
    return {"key": (part(draw, rows), part(draw, columns))}


def list_keys(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    index = draw(st.integers(0, 1))
    length, other = arrays[0].shape[index], part(draw, arrays[0].shape[1 - index])
    chosen: list[Any] = positions(draw, length)
    if length and draw(st.integers(0, 2)) == 0:
        size = length if draw(st.integers(0, 9)) else length + 1
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        chosen = (rng.random(size) < 0.4).tolist()
    return {"key": (chosen, other) if index == 0 else (other, chosen)}


def pair_keys(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    count = draw(st.integers(1, 6))
    chosen = [positions(draw, length, count) for length in arrays[0].shape]
    if draw(st.integers(0, 9)) == 0:
        chosen[1] = chosen[1] * 2
    return {"key": tuple(chosen)}


def kept(a: np.ndarray, key: Any) -> Any:
    """Make of a key one whose result has two dimensions; every position has to be there."""
    parts: list[Any] = []
    for one, length in zip(key, a.shape):
        if isinstance(one, int):
            parts.append(slice(one, one + 1 or None))
        elif isinstance(one, list):
            parts.append(np.array(one, bool if one and isinstance(one[0], bool) else int))
            np.zeros(length)[parts[-1]]  # which NumPy asks only where something is selected
        else:
            parts.append(one)
    return tuple(parts)


def get(a: np.ndarray, key: Any) -> Any:
    found = a[kept(a, key)]
    if all(isinstance(k, int) for k in key):
        return float(found.item())
    return found.reshape(1, -1) if found.ndim == 1 else found


def set_to(a: np.ndarray, key: Any) -> np.ndarray:
    written = a.copy()
    written[kept(a, key)] = 1.5
    return written


def set_chosen(matrix: Any, threshold: float) -> Any:
    matrix[matrix > threshold] = 1.5
    return matrix


THRESHOLD = {
    "options": fixed(threshold=st.sampled_from([-np.inf, -1.0, 0.0, 5.0, np.nan])),
    "sample": {"threshold": 0.0},
}


def set_item(matrix: Any, key: Any) -> Any:
    matrix[key] = 1.5
    return matrix


GATHER = [
    Op("Matrix.take", method("take"), take, ONE, (anything,), taking, {"indices": [1, 0]}, OUT),
    Op(
        "Matrix.put",
        method("put"),
        put,
        ONE,
        (anything,),
        putting,
        {"indices": [0, 0], "values": 2.0},
        writes=True,
    ),
    Op(
        "Matrix.take_along_axis",
        method("take_along_axis"),
        take_along,
        SMALL_ONE,
        (anything,),
        along,
        {"indices": [0, 1]},
        OUT,
    ),
    Op(
        "Matrix.put_along_axis",
        method("put_along_axis"),
        put_along,
        SMALL_ONE,
        (anything,),
        putting_along,
        {"indices": [0, 1], "values": 2.0},
        writes=True,
    ),
    Op(
        "Matrix.__getitem__",
        lambda m, key: m[key],
        get,
        ONE,
        (anything,),
        keys,
        {"key": (slice(None, None, -1), 0)},
    ),
    Op(
        "Matrix.__getitem__",
        lambda m, key: m[key],
        get,
        ONE,
        (anything,),
        list_keys,
        {"key": ([0, -1, 0], slice(None))},
        views=False,
    ),
    Op(
        "Matrix.__setitem__",
        set_item,
        set_to,
        ONE,
        (anything,),
        list_keys,
        {"key": ([0, -1, 0], slice(None))},
        writes=True,
    ),
    Op(
        "Matrix.__getitem__",
        lambda m, key: m[key],
        get,
        ONE,
        (anything,),
        pair_keys,
        {"key": ([0, -1], [0, 0])},
        views=False,
    ),
    Op(
        "Matrix.__setitem__",
        set_item,
        set_to,
        ONE,
        (anything,),
        pair_keys,
        {"key": ([0, -1], [0, 0])},
        writes=True,
    ),
    Op(
        "Matrix.__getitem__",
        lambda m, threshold: m[m > threshold],
        lambda a, threshold: a[a > threshold].reshape(1, -1),
        views=False,
        **THRESHOLD,
    ),
    Op(
        "Matrix.__setitem__",
        set_chosen,
        lambda a, threshold: np.where(a > threshold, 1.5, a),
        writes=True,
        **THRESHOLD,
    ),
    Op(
        "Matrix.__setitem__",
        set_item,
        set_to,
        ONE,
        (anything,),
        keys,
        {"key": (0, slice(None))},
        writes=True,
    ),
]


def sharing(name: str, derive: Any, expected: Any, views: bool = True) -> list[Op]:
    """Write one of two that share values: the other one does not see it."""

    def write_the_other(matrix: Any) -> Any:
        other = derive(matrix)
        other += 1.0
        return matrix.copy()

    def write_the_matrix(matrix: Any) -> Any:
        other = derive(matrix)
        matrix.negate(in_place=True)
        found = other.copy()
        matrix.negate(in_place=True)
        return found

    return [
        Op(f"Matrix.{name}", write_the_other, lambda a: a, views=views),
        Op(f"Matrix.{name}", write_the_matrix, expected, views=views),
    ]


def repeating(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    return {"repeats": draw(st.integers(1, 3)), **option(axis=AXIS)(draw, arrays)}


def repeat(a: np.ndarray, repeats: int, axis: int | None = None) -> np.ndarray:
    found = np.repeat(a, repeats, axis)
    return found.reshape(1, -1) if axis is None else found


def rolling(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    return {"shift": draw(st.integers(-70, 70)), **option(axis=AXIS)(draw, arrays)}


def reshaping(draw: Draw, arrays: Arrays) -> dict[str, Any]:
    size = arrays[0].size
    divisors = [k for k in range(1, min(size, 200) + 1) if size % k == 0]
    if not divisors or draw(st.integers(0, 9)) == 0:
        return {"rows": draw(st.integers(0, 4)), "columns": draw(st.integers(0, 4))}
    rows = draw(st.sampled_from(divisors))
    return {"rows": rows, "columns": draw(st.sampled_from([size // rows, -1]))}


COUNTS = st.integers(0, 3)
SHAPE = [
    Op("Matrix.T", lambda m: m.T, np.transpose),
    Op("Matrix.transpose", method("transpose"), np.transpose, forms=frozenset({"turns"})),
    Op(
        "Matrix.repeat_interleave",
        method("repeat_interleave"),
        repeat,
        options=repeating,
        sample={"repeats": 2},
    ),
    Op(
        "Matrix.tile",
        method("tile"),
        lambda a, rows, columns: np.tile(a, (rows, columns)),
        SMALL_ONE,
        options=fixed(rows=COUNTS, columns=COUNTS),
        sample={"rows": 2, "columns": 1},
    ),
    Op("Matrix.roll", method("roll"), np.roll, options=rolling, sample={"shift": 1}),
    Op(
        "Matrix.flip",
        method("flip"),
        lambda a, axis=None: np.flip(a, axis),
        options=option(axis=AXIS),
        has_axis=True,
    ),
    Op(
        "Matrix.reshape",
        method("reshape"),
        lambda a, rows, columns: a.reshape(rows, columns),
        options=reshaping,
        sample={"rows": -1, "columns": 1},
    ),
    Op("Matrix.ravel", method("ravel"), lambda a: a.reshape(1, -1)),
    *sharing("reshape", lambda m: m.reshape(-1, 1), lambda a: a.reshape(-1, 1)),
    *sharing("ravel", lambda m: m.ravel(), lambda a: a.reshape(1, -1)),
    *sharing("T", lambda m: m.T, np.transpose, views=False),
    Op(
        "Matrix.diagonal",
        method("diagonal"),
        lambda a, offset=0: np.diagonal(a, offset).reshape(1, -1),
        options=option(offset=st.integers(-40, 40)),
    ),
    Op(
        "Matrix.concat",
        lambda a, b, axis=0: Matrix.concat([a, b], axis),
        lambda a, b, axis=0: np.concatenate([a, b], axis),
        same(2),
        options=option(axis=LINE_AXIS),
    ),
    Op(
        "Matrix.diag",
        Matrix.diag,
        lambda a: np.diag(a.ravel()),
        Shapes(lambda draw: ((1, draw(st.integers(0, 40))),), lambda n: ((1, n),)),
    ),
    Op(
        "Matrix.vector",
        lambda a, as_column=False: Matrix.vector(a, as_column),
        lambda a, as_column=False: a.reshape((-1, 1) if as_column else (1, -1)),
        VECTOR,
        options=option(as_column=st.booleans()),
    ),
]

VIEWS = [
    Op("Matrix.view", lambda m: m.view[...].copy(), lambda a: a),
    Op("Matrix.from_view", lambda m: Matrix.from_view(m.view[...]), lambda a: a),
    Op(
        "Matrix.row_view",
        lambda m: m.row_view(-1).copy(),
        lambda a: a[-1:],
        Shapes(
            lambda draw: ((draw(st.integers(1, 9)), draw(st.integers(0, 9))),), lambda n: ((n, n),)
        ),
    ),
    Op(
        "Matrix.column_view",
        lambda m: m.column_view(-1).copy(),
        lambda a: a[:, -1:],
        Shapes(
            lambda draw: ((draw(st.integers(0, 9)), draw(st.integers(1, 9))),), lambda n: ((n, n),)
        ),
    ),
    Op(
        "Matrix.row_views",
        lambda m: [row.copy() for row in m.row_views()],
        lambda a: [a[i : i + 1] for i in range(len(a))],
        SMALL_ONE,
    ),
    Op(
        "Matrix.column_views",
        lambda m: [column.copy() for column in m.column_views()],
        lambda a: [a[:, i : i + 1] for i in range(a.shape[1])],
        SMALL_SQUARE,
    ),
]
ROWS = [*GATHER, *SHAPE, *VIEWS]
