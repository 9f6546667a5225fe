"""What tests of reductions share: masks in every form, and NumPy's result in the form of ours."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from bocmat import Matrix
from support.catalogue_reductions import CHOICES, SUMS, position
from support.matrices import KINDS, dressed
from support.operations import Near, Op, Values

REDUCTIONS: dict[str, Op] = {
    row.name.rpartition(".")[2]: row
    for row in [*SUMS, *CHOICES, position("argmin"), position("argmax")]
}
WITHOUT_IDENTITY = ["mean", "var", "std", "min", "max", "argmin", "argmax", "median"]
WITHOUT_IDENTITY += ["nanmean", "nanmin", "nanmax"]
POSITIONS = ["argmin", "argmax"]

# For tests that run once for each reduction.
FEW = settings(
    max_examples=max(settings().max_examples // 3, 10),
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SEEDS = st.integers(0, 2**32 - 1)
LENGTHS = st.sampled_from([1, 1, 2, 3, 4, 5, 8, 9, 17, 33])
FORMS = [*KINDS, "row", "column", "scalar", "list", "rows", "array", "flags", "nothing", "all"]
DTYPES = [None, float, np.float64, np.dtype(float), "float64", "float", "d", "f8", "<f8"]
OTHER_DTYPES = [int, bool, complex, object, np.float32, np.dtype("int64"), "f", "float32", ">f8", 3]
NO_AXES = [2, -3, 7, True, False, 0.0, "a", (0, 1), [0]]


def draw_filled(draw: Any, op: Op) -> tuple[np.ndarray, Any]:
    """Draw an array that has elements, and a matrix that looks at the same values."""
    (array,) = op.fill(((draw(LENGTHS), draw(LENGTHS)),), draw(SEEDS))
    return array, dressed(array, draw(st.sampled_from(KINDS)))


def draw_mask(draw: Any, shape: tuple[int, int]) -> tuple[Any, np.ndarray]:
    """Draw what `where=` takes, in any form, and the same as an array of booleans."""
    rows, columns = shape
    form = draw(st.sampled_from(FORMS))
    shapes = {"row": (1, columns), "column": (rows, 1), "scalar": (1, 1), "list": (1, columns)}
    rng = np.random.default_rng(draw(SEEDS))
    chosen = rng.random(shapes.get(form, shape)) < rng.choice([0.1, 0.5, 0.9])
    if form in ("nothing", "all"):
        chosen[...] = form == "all"
    if form == "array":
        return chosen, chosen
    if form == "flags":
        return chosen.tolist(), chosen
    true, false = ([1.0, -2.5, np.nan, np.inf], [0.0, -0.0])
    numbers = np.where(chosen, rng.choice(true, chosen.shape), rng.choice(false, chosen.shape))
    if form == "scalar":
        return draw(st.sampled_from([numbers.item(), bool(chosen.item())])), chosen
    if form == "list":
        return numbers.ravel().tolist(), chosen
    if form == "rows":
        return tuple(tuple(row) for row in numbers.tolist()), chosen
    return dressed(numbers, form if form in KINDS else "own"), chosen


def as_matrix(expected: Any, array: np.ndarray, axis: int | None) -> Any:
    """Give what is expected of a reduction as keepdims= or out= has it: always a matrix."""
    rows, columns = array.shape
    shape = {None: (1, 1), 0: (1, columns), -2: (1, columns)}.get(axis, (rows, 1))
    if isinstance(expected, Near):
        bound = np.broadcast_to(np.asarray(expected.bound), np.shape(expected.value))
        return Near(np.reshape(expected.value, shape), bound.reshape(shape))
    if isinstance(expected, Values):
        return dataclasses.replace(expected, value=np.reshape(expected.value, shape))
    return Values(np.reshape(np.asarray(expected, dtype=np.float64), shape))


def room_within(matrix: Any, axis: int | None) -> Any:
    """Give a part of a matrix that has the shape of its own reduction."""
    whole = matrix.view if isinstance(matrix, Matrix) else matrix
    return whole[0:1] if axis in (0, -2) else whole[:, 0:1] if axis is not None else whole[0:1, 0:1]
