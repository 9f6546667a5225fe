"""Every row of the catalogue against NumPy: shapes, values, operands of every kind, options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bocmat import Matrix
from support.catalogue import OPS
from support.matrices import KINDS, dressed
from support.operations import Near, Op, Values, agree, read

REFUSALS = (ValueError, TypeError, IndexError)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(
    max_examples=max(settings().max_examples // 3, 10),
    phases=set(Phase) - {Phase.explain},  # which takes longer than all the rest
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def ids(ops: list[Op]) -> list[Any]:
    return [pytest.param(op, id=op.name) for op in ops]


def kinds(op: Op) -> list[str]:
    """Give the ways to look at a matrix on which the operation exists."""
    return KINDS if op.on_views else ["own", "transposed", "borrowed"]


def draw_call(draw: Any, op: Op) -> tuple[tuple[np.ndarray, ...], list[Any], dict[str, Any]]:
    """Draw arrays, matrices that look at the same values, and options for both."""
    arrays = op.fill(op.shapes.draw(draw), draw(SEEDS))
    matrices = [dressed(array, draw(st.sampled_from(kinds(op)))) for array in arrays]
    alike = len({array.shape for array in arrays}) == 1
    if len(matrices) > 1 and alike and draw(st.integers(0, 9)) == 0:
        arrays, matrices = (arrays[0],) * len(arrays), [matrices[0]] * len(matrices)
    return arrays, matrices, op.options(draw, arrays)


def draw_where(draw: Any, array: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw `where=` for us and for NumPy, or none."""
    if not draw(st.booleans()):
        return {}, {}
    rows, columns = array.shape
    shape = draw(st.sampled_from([(rows, columns)] * 3 + [(1, columns), (rows, 1), (1, 1)]))
    rng = np.random.default_rng(draw(SEEDS))
    chosen = (rng.random(shape) < rng.choice([0.05, 0.5, 0.95])).astype(np.float64)
    chosen[rng.random(shape) < 0.02] = np.nan
    mask = dressed(chosen, draw(st.sampled_from(KINDS)))
    return {"where": mask}, {"where": chosen != 0}


def expectation(op: Op, arrays: Any, options: dict[str, Any]) -> tuple[Any, Exception | None]:
    try:
        return op.expect(*arrays, **options), None
    except REFUSALS as error:
        return None, error


def assert_unchanged(matrices: list[Any], arrays: Any) -> None:
    for matrix, array in zip(matrices, arrays):
        agree(matrix, array)


def kind_of(error: Exception) -> tuple[type[Exception], ...]:
    return tuple(kind for kind in REFUSALS if isinstance(error, kind))


@pytest.mark.parametrize("op", ids(OPS))
@FEW
@given(data=st.data())
def test_agrees_with_numpy(op, data):
    arrays, matrices, options = draw_call(data.draw, op)
    ours, theirs = draw_where(data.draw, arrays[0]) if op.where else ({}, {})
    expected, refused = expectation(op, arrays, {**options, **theirs})
    if refused:
        with pytest.raises(kind_of(refused)):
            op.call(*matrices, **options, **ours)
        assert_unchanged(matrices, arrays)
        return
    result = op.call(*matrices, **options, **ours)
    agree(result, expected)
    if op.writes:
        agree(matrices[0], expected)
        if all(matrix is not matrices[0] for matrix in matrices[1:]):
            assert_unchanged(matrices[1:], arrays[1:])
    else:
        assert_unchanged(matrices, arrays)


@pytest.mark.parametrize("op", ids([op for op in OPS if "in_place" in op.forms]))
@FEW
@given(data=st.data())
def test_in_place_changes_the_matrix_itself(op, data):
    arrays, matrices, options = draw_call(data.draw, op)
    expected, refused = expectation(op, arrays, options)
    if refused or np.shape(read(op.call(*matrices, **options))) != arrays[0].shape:
        with pytest.raises(kind_of(refused) if refused else ValueError):
            op.call(*matrices, in_place=True, **options)
        assert_unchanged(matrices, arrays)
        return
    assert op.call(*matrices, in_place=True, **options) is matrices[0]
    agree(matrices[0], expected)
    if all(matrix is not matrices[0] for matrix in matrices[1:]):
        assert_unchanged(matrices[1:], arrays[1:])


def draw_out(draw: Any, arrays: Any, matrices: list[Any], shape: tuple[int, int]) -> Any:
    """Draw where a result of some shape goes: new, a window, an operand, part of an operand."""
    choice = draw(st.sampled_from(["new", "view", "stepped", "reversed", "operand", "shifted"]))
    fitting = [matrix for matrix in matrices if matrix.shape == shape]
    if choice == "operand" and fitting:
        return draw(st.sampled_from(fitting))
    if choice == "shifted" and arrays[0].shape == shape:
        around = np.full((shape[0] + 1, shape[1] + 1), 2.5)
        at = draw(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]))
        around[at[0] : at[0] + shape[0], at[1] : at[1] + shape[1]] = arrays[0]
        shared = Matrix(around)
        for index, matrix in enumerate(matrices):
            if matrix is matrices[0] and index:
                return matrices[0]
        matrices[0] = shared.view[at[0] : at[0] + shape[0], at[1] : at[1] + shape[1]]
        return shared.view[1 - at[0] : 1 - at[0] + shape[0], 1 - at[1] : 1 - at[1] + shape[1]]
    return dressed(np.full(shape, 2.5), "own" if choice not in KINDS else choice)


@pytest.mark.parametrize("op", ids([op for op in OPS if "out" in op.forms]))
@FEW
@given(data=st.data())
def test_out_takes_the_result_and_may_overlap(op, data):
    arrays, matrices, options = draw_call(data.draw, op)
    expected, refused = expectation(op, arrays, options)
    if refused:
        out = Matrix.full(arrays[0].shape, 2.5)
        with pytest.raises(kind_of(refused)):
            op.call(*matrices, out=out, **options)
        agree(out, np.full(arrays[0].shape, 2.5))
        return
    shape = op.call(*matrices, **options).shape
    out = draw_out(data.draw, arrays, matrices, shape)
    assert op.call(*matrices, out=out, **options) is out
    agree(out, expected)

    wrong = Matrix.full((shape[0] + 1, shape[1] + 2), 2.5)
    before = [read(matrix) for matrix in matrices]
    with pytest.raises(ValueError, match=r"\(\d+, \d+\)"):
        op.call(*matrices, out=wrong, **options)
    with pytest.raises(TypeError, match="out"):
        op.call(*matrices, out=before[0], **options)
    if "in_place" in op.forms:
        with pytest.raises(ValueError, match="not both"):
            op.call(*matrices, out=out, in_place=True, **options)
    agree(wrong, np.full(wrong.shape, 2.5))
    assert_unchanged(matrices, before)


def two_dimensional(expected: Any) -> Any:
    """Give what is expected in a matrix, be it a number."""
    if isinstance(expected, Values):
        return Values(two_dimensional(expected.value))
    if isinstance(expected, Near):
        return Near(two_dimensional(expected.value), expected.bound)
    return expected if np.ndim(expected) else np.reshape(expected, (1, 1))


REDUCTIONS = [op for op in OPS if op.where and op.name != "Matrix.topk"]


def test_the_reductions_are_all_there():
    assert len({op.name for op in REDUCTIONS}) == 20


@pytest.mark.parametrize("op", ids(REDUCTIONS))
@FEW
@given(data=st.data())
def test_a_reduction_with_a_mask_into_a_matrix(op, data):
    arrays, matrices, options = draw_call(data.draw, op)
    ours, theirs = draw_where(data.draw, arrays[0])
    positions = op.name in ("Matrix.argmin", "Matrix.argmax")
    asked = {**options, "as_matrix": True} if positions else options
    expected, refused = expectation(op, arrays, {**asked, **theirs})
    axis = options.get("axis")
    rows, columns = arrays[0].shape
    shape = (1, 1) if axis is None else (1, columns) if axis % 2 == 0 else (rows, 1)
    before = np.full(shape, 2.5)
    out = dressed(before, data.draw(st.sampled_from(KINDS)))
    if refused:
        with pytest.raises(kind_of(refused)):
            op.call(*matrices, out=out, **options, **ours)
        agree(out, before)
        return
    if shape == arrays[0].shape and data.draw(st.booleans()):
        out = matrices[0]
    assert op.call(*matrices, out=out, **options, **ours) is out
    agree(out, two_dimensional(expected))
    wrong = Matrix.full((shape[0] + 1, shape[1]), 2.5)
    with pytest.raises(ValueError, match=r"\(\d+, \d+\)"):
        op.call(*matrices, out=wrong, **options, **ours)
    agree(wrong, np.full(wrong.shape, 2.5))


@pytest.mark.parametrize("op", ids(OPS))
def test_what_is_no_operand_raises_and_changes_nothing(op):
    arrays = op.fill(op.shapes.at(3), 1)
    matrices = [Matrix(array) for array in arrays]
    for index in range(1, len(matrices)):
        for wrong in ("text", 1j, {1: 2}, [[1, 2, 3], [4, 5]], object()):
            if op.name in ("Matrix.__eq__", "Matrix.__ne__") and not isinstance(wrong, list):
                continue  # Python asks both sides, then compares identities
            operands = [*matrices[:index], wrong, *matrices[index + 1 :]]
            with pytest.raises((TypeError, ValueError)):
                op.call(*operands, **op.sample)
    if not op.name.rpartition(".")[2].startswith("__"):
        with pytest.raises(TypeError):
            op.call(*matrices, **op.sample, no_such_option=1)
    assert_unchanged(matrices, arrays)
