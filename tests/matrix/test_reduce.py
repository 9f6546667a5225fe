"""Reductions: masks, axes, types, targets and shapes, against NumPy group by group."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from support.matrices import AXES, FINITE, KINDS, arrays, assert_same, dressed, operands
from support.operations import agree, read
from support.reducing import (
    DTYPES,
    FEW,
    NO_AXES,
    OTHER_DTYPES,
    POSITIONS,
    REDUCTIONS,
    WITHOUT_IDENTITY,
    as_matrix,
    draw_filled,
    draw_mask,
    room_within,
)

ALL = sorted(REDUCTIONS)
TYPED = sorted(set(ALL) - {*POSITIONS, "median"})


# ---- masks, keepdims, out ----


@pytest.mark.parametrize("name", ALL)
@FEW
@given(data=st.data())
def test_a_mask_of_any_form_chooses_what_is_reduced(name, data):
    op = REDUCTIONS[name]
    array, matrix = draw_filled(data.draw, op)
    axis = data.draw(AXES)
    mask, chosen = draw_mask(data.draw, array.shape)
    expected = op.expect(array, axis=axis, where=chosen)
    agree(getattr(matrix, name)(axis, where=mask), expected)
    kept = as_matrix(expected, array, axis)
    agree(getattr(matrix, name)(axis=axis, where=mask, keepdims=True), kept)
    if name in POSITIONS and axis is not None:
        agree(getattr(matrix, name)(axis, True, where=mask), kept)
    agree(matrix, array)


@pytest.mark.parametrize("name", ALL)
@FEW
@given(data=st.data())
def test_out_takes_the_result_and_may_be_part_of_the_operand_or_the_mask(name, data):
    op = REDUCTIONS[name]
    array, matrix = draw_filled(data.draw, op)
    axis = data.draw(AXES)
    options, given_mask = {}, {}
    if data.draw(st.booleans()):
        options["where"], given_mask["where"] = draw_mask(data.draw, array.shape)
    expected = as_matrix(op.expect(array, axis=axis, **given_mask), array, axis)
    kind = data.draw(st.sampled_from(["new", "operand", "mask"]))
    out = dressed(np.full(np.shape(expected.value), 2.5), data.draw(st.sampled_from(KINDS)))
    if kind == "operand":
        out = room_within(matrix, axis)
    elif kind == "mask" and isinstance(options.get("where"), Matrix):
        if options["where"].shape == array.shape:
            out = room_within(options["where"], axis)
    assert getattr(matrix, name)(axis, out=out, **options) is out
    agree(out, expected)
    assert kind == "operand" or np.array_equal(read(matrix), array, equal_nan=True)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", KINDS)
def test_out_that_does_not_fit_is_refused_and_untouched(name, kind):
    matrix = dressed(np.arange(12.0).reshape(3, 4) + 1, kind)
    method = getattr(matrix, name)
    for axis, shape in ((None, (3, 4)), (None, (0, 0)), (0, (4, 1)), (1, (1, 3)), (0, (1, 5))):
        out = Matrix.full(shape, 2.5)
        with pytest.raises(ValueError, match=rf"\({shape[0]}, {shape[1]}\)"):
            method(axis, out=out)
        agree(out, np.full(shape, 2.5))
    for out in (np.zeros((1, 4)), [0.0] * 4, 1.0, "out"):
        with pytest.raises(TypeError, match="out"):
            method(0, out=out)
    out = Matrix.full((1, 4), 2.5)
    for wrong in ({"axis": True}, {"where": [1, 1]}, {"where": "mask"}, {"where": 1j}):
        with pytest.raises((TypeError, ValueError)):
            method(**{"axis": 0, "out": out, **wrong})
    agree(out, np.full((1, 4), 2.5))
    shared = memoryview(np.zeros((1, 4))).toreadonly()
    with pytest.raises(RuntimeError, match="read-only"):
        method(0, out=Matrix.from_buffer(shared))
    agree(matrix, np.arange(12.0).reshape(3, 4) + 1)


@pytest.mark.parametrize("name", ALL)
def test_a_mask_that_does_not_fit_is_refused(name):
    method = getattr(Matrix(3, 4, range(12)), name)
    for shape in ((4, 3), (3, 3), (0, 4), (2, 1), (1, 3), (6, 4)):
        with pytest.raises(ValueError, match=rf"\({shape[0]}, {shape[1]}\).*\(3, 4\)"):
            method(where=Matrix(*shape, 1.0))
    for wrong in ("1111", 1j, {1: 2}, object(), [[1, 1, 1, 1], [1]], [[1, "a", 1, 1]]):
        with pytest.raises((TypeError, ValueError)):
            method(where=wrong)
    for axis in (None, 0, 1):
        agree(method(axis, where=None), getattr(Matrix(3, 4, range(12)), name)(axis))


@pytest.mark.parametrize("name", ALL)
def test_a_mask_that_is_the_matrix_itself(name):
    array = np.array([[0.0, 2.0, -1.0], [3.0, 0.0, 0.0]])
    matrix = Matrix(array)
    expected = REDUCTIONS[name].expect(array, axis=1, where=array != 0)
    agree(getattr(matrix, name)(1, where=matrix), expected)
    agree(getattr(matrix, name)(1, where=matrix.view[:]), expected)


# ---- axes and types ----


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("axis", NO_AXES, ids=repr)
def test_other_axes_raise(name, axis):
    with pytest.raises((ValueError, TypeError), match="axis"):
        getattr(Matrix(2, 2), name)(axis)


@pytest.mark.parametrize("name", ALL)
def test_axes_are_whole_numbers_of_any_type(name):
    matrix = Matrix(2, 3, range(6))
    for axis in (0, 1, -1, -2):
        agree(getattr(matrix, name)(np.int8(axis)), getattr(matrix, name)(axis=axis))


@pytest.mark.parametrize("name", TYPED)
def test_the_only_type_is_float64(name):
    matrix = Matrix(2, 3, range(6))
    for dtype in DTYPES:
        agree(getattr(matrix, name)(0, dtype=dtype), getattr(matrix, name)(0))
    for dtype in OTHER_DTYPES:
        with pytest.raises(TypeError, match="float64"):
            getattr(matrix, name)(0, dtype=dtype)


@pytest.mark.parametrize("name", ALL)
def test_what_it_takes_and_gives(name):
    matrix = Matrix(2, 3, range(6))
    kinds = {"any": bool, "all": bool, "count_nonzero": int, "argmin": int, "argmax": int}
    assert type(getattr(matrix, name)()) is kinds.get(name, float)
    assert type(getattr(matrix, name)(0)) is (list if name in POSITIONS else Matrix)
    for call in (
        lambda m: m(0, 0, 0),
        lambda m: m(0, axis=0),
        lambda m: m(initial=1.0),
        lambda m: m(in_place=True),
    ):
        with pytest.raises(TypeError, match=name):
            call(getattr(matrix, name))


# ---- nothing ----


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (0, 20), (20, 0)])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
def test_empty_matrices(name, shape, axis):
    out = Matrix.full((1, 1) if axis is None else (1, shape[1]), 2.5)
    matrix = Matrix(*shape)
    if name in WITHOUT_IDENTITY:
        for options in ({}, {"where": True}, {"keepdims": True}, {"out": out}):
            with pytest.raises(ValueError, match=rf"empty.*\({shape[0]}, {shape[1]}\)"):
                getattr(matrix, name)(axis, **options)
        assert (read(out) == 2.5).all()
        return
    expected = REDUCTIONS[name].expect(np.zeros(shape), axis=axis)
    for empty in (matrix, Matrix(*shape[::-1]).T, matrix.view[:]):
        agree(getattr(empty, name)(axis), expected)
        agree(getattr(empty, name)(axis, where=False), expected)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("mask", [False, 0.0, [0, 0, 0], Matrix(2, 3), Matrix(2, 1)], ids=repr)
def test_a_mask_without_a_true_element(name, mask):
    matrix = Matrix(2, 3, [5, 1, 4, 0, 2, 3])
    nothing = {"sum": 0.0, "prod": 1.0, "any": 0.0, "all": 1.0, "count_nonzero": 0.0}
    nothing |= {"magnitude": 0.0, "magnitude_squared": 0.0, "nansum": 0.0, "argmin": -1.0}
    value = {**nothing, "argmax": -1.0}.get(name, np.nan)
    method = getattr(matrix, name)
    assert np.array_equal(float(method(where=mask)), value, equal_nan=True)
    agree(method(0, where=mask, keepdims=True), np.full((1, 3), value))
    agree(method(1, where=mask, keepdims=True), np.full((2, 1), value))


# ---- values ----


@given(data=st.data(), array=arrays(elements=FINITE), axis=AXES)
def test_sum_and_mean_are_as_near_as_pairwise_sums(data, array, axis):
    matrix = data.draw(operands(array))
    count = array.size if axis is None else array.shape[axis]
    groups = {None: [array.ravel()], 0: array.T, 1: array}[axis if axis is None else axis % 2]
    exact = np.array([math.fsum(group) for group in groups])
    # Pairwise: an error of eps for each of log2(n) levels, and a few for the loop at the leaves.
    bound = np.array([math.fsum(abs(group)) for group in groups])
    bound *= (math.log2(count + 1) + 4) * np.finfo(float).eps
    found = read(matrix.sum(axis, keepdims=True)).ravel()
    assert found.shape == exact.shape
    assert (np.abs(found - exact) <= bound).all()
    if array.size:
        mean = read(matrix.mean(axis, keepdims=True)).ravel()
        assert (np.abs(mean - exact / count) <= bound / count + 1e-300).all()


@pytest.mark.parametrize("name", ["sum", "mean", "min", "max", "argmin", "argmax", "prod"])
@given(data=st.data(), array=arrays(), axis=AXES)
def test_what_is_not_finite(name, data, array, axis):
    if name in ("sum", "mean", "prod"):
        array = np.where(np.isfinite(array), np.sign(array), array)
    if not array.size and name in WITHOUT_IDENTITY:
        return
    matrix = data.draw(operands(array))
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(np, name)(array, axis=axis, keepdims=True), float)
    found = read(getattr(matrix, name)(axis, keepdims=True))
    assert np.allclose(found, expected, rtol=1e-14, atol=0, equal_nan=True)


def test_sums_of_negative_zeros_are_what_numpy_says():
    array = np.full((2, 3), -0.0)
    for name in ("sum", "mean", "nansum", "prod"):
        assert_same(getattr(Matrix(array), name)(0), getattr(np, name)(array, 0, keepdims=True))
        assert_same(getattr(Matrix(array), name)(1), getattr(np, name)(array, 1, keepdims=True))


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200, 2.0**1000, 5e-324, 1e150])
@given(data=st.data(), array=arrays(elements=st.floats(-99, 99)), axis=AXES)
def test_magnitudes_neither_overflow_nor_vanish(scale, data, array, axis):
    array = array * scale
    matrix = data.draw(operands(array))
    groups = {None: [array.ravel()], 0: array.T, 1: array}[axis if axis is None else axis % 2]
    exact = np.array([math.hypot(*group) for group in groups])
    found = read(matrix.magnitude(axis, keepdims=True)).ravel()
    assert found.shape == exact.shape
    assert (np.abs(found - exact) <= 16 * np.spacing(exact)).all()
    if axis is None and hasattr(matrix, "length"):
        assert matrix.length == matrix.magnitude()
    squares = read(matrix.magnitude_squared(axis, keepdims=True)).ravel()
    with np.errstate(over="ignore", under="ignore"):
        expected = np.array([(group * group).sum() for group in groups])
    assert np.allclose(squares, expected, rtol=1e-13, atol=1e-320)


@pytest.mark.parametrize("values", [[np.inf, 1.0], [-np.inf, np.inf], [np.inf, np.nan], [np.nan]])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_magnitudes_of_what_is_not_finite(values, axis):
    whole = np.array([values + [0.0] * (2 - len(values)), [1e300, 2e300]])
    array = whole if axis == 1 else whole[:1] if axis is None else whole[:, :1]
    with np.errstate(all="ignore"):
        expected = np.atleast_2d(np.linalg.norm(array / 1e300, axis=axis))
    found = read(Matrix(array).magnitude(axis, keepdims=True)) / 1e300
    assert np.allclose(found.ravel(), expected.ravel(), rtol=1e-15, equal_nan=True)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_line_that_goes_into_itself_or_its_mask(axis):
    shape = (1, 3) if axis == 0 else (3, 1)
    values, mask = np.array([1e200, -3.0, 2.0]), [0.0, 1.0, 0.0]
    for name in ALL:
        alone = getattr(Matrix(*shape, values), name)(axis, keepdims=True)
        matrix = Matrix(*shape, values)
        agree(getattr(matrix, name)(axis, out=matrix), read(alone))
        chosen, matrix = Matrix(*shape, mask), Matrix(*shape, values)
        alone = getattr(matrix, name)(axis, where=chosen, keepdims=True)
        agree(getattr(matrix, name)(axis, where=chosen, out=chosen), read(alone))
    assert Matrix(*shape, 1e200).magnitude(axis, keepdims=True)[0, 0] == 1e200


def test_large_ones_run_without_the_lock_and_agree():
    array = np.arange(400.0 * 300).reshape(400, 300) % 977
    matrix, mask = Matrix(array), Matrix(array % 3)
    for name in ("sum", "min", "max"):
        function = getattr(np, name)
        assert getattr(matrix, name)() == function(array)
        assert_same(getattr(matrix, name)(0), function(array, axis=0, keepdims=True))
        assert_same(getattr(matrix.T, name)(0), function(array.T, axis=0, keepdims=True))
        where = {"where": array % 3 != 0, "initial": np.inf if name == "min" else 0.0}
        found = getattr(matrix, name)(0, where=mask)
        assert_same(found, function(array, axis=0, keepdims=True, **where))
    assert matrix.argmax() == array.argmax()
    assert matrix.argmin(1) == array.argmin(1).tolist()
    out = matrix.view[0:1]
    assert_same(matrix.sum(0, out=out), array.sum(0, keepdims=True))
    assert_same(matrix[1:], array[1:])


@pytest.mark.parametrize("length", [1, 7, 8, 33, 511, 512, 513])
def test_places_of_every_line(length):
    rng = np.random.default_rng(length)
    for count in (1, 2, 3, 4, 5, 9):
        array = rng.integers(-50, 50, (count, length)).astype(float)
        array[count // 2, rng.integers(length)] = np.nan
        for kind in KINDS:
            matrix = dressed(array, kind)
            assert matrix.argmin(1) == array.argmin(1).tolist()
            assert matrix.argmax(1) == array.argmax(1).tolist()
