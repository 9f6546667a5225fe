"""Sorting, positions that sort, the first few and the distinct, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from bocmat._core import _select_isa
from support.matrices import arrays, as_array, assert_same, operands

NAN = float("nan")
AXES = st.sampled_from([None, 0, 1, -1, -2])
# Many equal ones, zeros of both signs and what is no number.
FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.nan, np.inf, -np.inf, 5e-324])
MIXED = st.one_of(FEW, st.floats(-1e6, 1e6), st.floats())
# Past the tables that fit into registers, and past one split of what does not.
LONG = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 16, 17, 33, 64, 65, 127, 130, 257, 600])
ISAS = ["avx512", "avx2", "plain"]


@pytest.fixture(params=ISAS)
def isa(request):
    if not _select_isa(request.param):
        pytest.skip("not on this machine")
    yield request.param
    assert any(_select_isa(name) for name in ISAS)


def long_arrays():
    """Draw rows and columns that are long, a few of them."""
    return st.one_of(
        arrays(elements=MIXED),
        arrays(rows=LONG, columns=st.sampled_from([1, 2, 9]), elements=MIXED),
        arrays(rows=st.sampled_from([1, 3]), columns=LONG, elements=FEW),
    )


def descend(array, axis):
    """Sort as a stable sort from the greatest to the least would, NaN last."""
    return -np.sort(-array, axis=axis)


def stable_positions(array, axis, descending):
    """Order in NumPy's stable way; of negated values it is the stable descending one."""
    return np.argsort(-array if descending else array, axis=axis, kind="stable")


def like(array, axis):
    return array.reshape(1, -1) if axis is None else array


@given(data=st.data(), array=long_arrays(), axis=AXES, descending=st.booleans())
def test_sort_agrees_with_numpy(data, array, axis, descending):
    expected = like(descend(array, axis) if descending else np.sort(array, axis=axis), axis)
    found = as_array(data.draw(operands(array)).sort(axis, descending=descending))
    assert found.shape == expected.shape
    assert np.array_equal(found, expected, equal_nan=True)


@given(data=st.data(), array=long_arrays(), axis=st.sampled_from([0, 1]))
def test_sort_in_place_and_into_another(data, array, axis):
    expected = Matrix(array).sort(axis)
    other = data.draw(operands(np.full(array.shape, 7.0)))
    matrix = data.draw(operands(array))
    assert matrix.sort(axis, out=other) is other
    assert_same(other, as_array(expected))
    assert_same(matrix, array)
    assert matrix.sort(axis, in_place=True) is matrix
    assert_same(matrix, as_array(expected))


@given(array=arrays(elements=MIXED))
def test_zeros_are_in_one_order_and_nothing_is_lost(array):
    bits = as_array(Matrix(array).sort(None)).view(np.int64).ravel()
    wanted = array.ravel().view(np.int64)
    assert sorted(bits.tolist()) == sorted(wanted.tolist())
    zeros = bits[bits.view(np.float64) == 0]
    assert (np.diff(np.signbit(zeros.view(np.float64)).astype(int)) <= 0).all()


@given(data=st.data(), array=long_arrays(), axis=AXES, descending=st.booleans())
def test_argsort_is_numpys_stable_one(data, array, axis, descending):
    expected = like(stable_positions(array, axis, descending), axis)
    matrix = data.draw(operands(array))
    assert_same(matrix.argsort(axis, descending=descending), expected)
    out = data.draw(operands(np.zeros(expected.shape)))
    assert matrix.argsort(axis, descending=descending, out=out) is out
    assert_same(out, expected)


@given(array=arrays(elements=MIXED), axis=st.sampled_from([0, 1]))
def test_positions_are_a_key(array, axis):
    if not array.size:
        return
    matrix = Matrix(array)
    sorted_by_key = matrix.take_along_axis(matrix.argsort(axis), axis)
    assert np.array_equal(as_array(sorted_by_key), np.sort(array, axis=axis), equal_nan=True)


@given(array=long_arrays(), axis=st.sampled_from([0, 1]))
def test_argsort_over_its_own_values(array, axis):
    matrix = Matrix(array)
    expected = stable_positions(array, axis, False)
    assert_same(matrix.argsort(axis, out=matrix), expected)
    matrix = Matrix(array)
    if array.size and array.shape[0] == array.shape[1]:
        assert_same(matrix.argsort(axis, out=matrix.view[...].T), expected)


PATTERNS = {
    "random": lambda n: np.random.default_rng(n).standard_normal(n),
    "equal": lambda n: np.full(n, 3.0),
    "two values": lambda n: np.random.default_rng(n).integers(0, 2, n).astype(float),
    "ascending": lambda n: np.arange(float(n)),
    "descending": lambda n: np.arange(float(n), 0, -1),
    "organ pipe": lambda n: np.minimum(np.arange(float(n)), np.arange(float(n))[::-1]),
    "saw": lambda n: np.arange(float(n)) % 37,
    "nearly sorted": lambda n: np.arange(float(n)) + (np.arange(n) % 50 == 0) * 1000,
    "half not numbers": lambda n: np.where(np.arange(n) % 2, np.nan, np.arange(n) * 0.7 % 5),
    "infinities": lambda n: np.where(np.arange(n) % 3, np.inf, -np.inf),
    "denormal": lambda n: (np.arange(n) * 7919 % 1000) * 5e-324,
    "zeros of both signs": lambda n: np.where(np.arange(n) % 3, 0.0, -0.0),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_on_every_set_of_kernels(name, isa):
    for n in (100, 1000, 30001):
        array = PATTERNS[name](n)
        matrix = Matrix.vector(array)
        assert np.array_equal(as_array(matrix.sort())[0], np.sort(array), equal_nan=True)
        assert_same(matrix.argsort(), np.argsort(array, kind="stable")[None])
        values, positions = matrix.topk(20, largest=False, as_matrix=True)
        assert_same(positions, np.argsort(array, kind="stable")[None, :20])
        assert_same(values, array[np.argsort(array, kind="stable")][None, :20])
        assert np.array_equal(as_array(matrix.unique())[0], np.unique(array), equal_nan=True)


def test_every_length_on_every_set_of_kernels(isa):
    rng = np.random.default_rng(5)
    for n in range(300):
        array = rng.integers(-n, n + 1, (2, n)) * 0.5
        matrix = Matrix(array)
        assert np.array_equal(as_array(matrix.sort()), np.sort(array))
        assert_same(matrix.argsort(), np.argsort(array, kind="stable"))
        assert np.array_equal(as_array(Matrix(array.T).sort(0)), np.sort(array.T, axis=0))


def test_long_ones_run_without_the_lock_and_agree():
    array = np.random.default_rng(1).standard_normal((300, 400)) // 0.01
    matrix = Matrix(array)
    for axis in (None, 0, 1):
        assert np.array_equal(
            as_array(matrix.sort(axis)), like(np.sort(array, axis=axis), axis), equal_nan=True
        )
        assert_same(
            matrix.T.argsort(axis), like(np.argsort(array.T, axis=axis, kind="stable"), axis)
        )


# ---- topk ----


def first_few(line, k, largest, mask):
    """Take the first k of one line by a stable sort of those that take part."""
    at = np.flatnonzero(mask)
    order = at[np.argsort(-line[at] if largest else line[at], kind="stable")][:k]
    fill = k - len(order)
    values = np.concatenate([line[order], np.full(fill, np.nan)])
    return values, np.concatenate([order, np.full(fill, -1)]).astype(float)


@given(
    data=st.data(),
    array=long_arrays(),
    axis=AXES,
    largest=st.booleans(),
    masked=st.booleans(),
)
def test_topk_takes_the_first_of_a_stable_sort(data, array, axis, largest, masked):
    length = array.size if axis is None else array.shape[axis]
    if not length:
        return
    k = data.draw(st.integers(1, length))
    where = (np.arange(array.size).reshape(array.shape) * 7 % 3 > 0).astype(float)
    mask = where if masked else np.ones(array.shape)
    turn = axis is not None and axis % 2 == 0
    lines = array.ravel()[None] if axis is None else array.T if turn else array
    masks = mask.ravel()[None] if axis is None else mask.T if turn else mask
    few = [first_few(line, k, largest, chosen) for line, chosen in zip(lines, masks)]
    values = np.array([pair[0] for pair in few]).reshape(len(lines), k)
    positions = np.array([pair[1] for pair in few]).reshape(len(lines), k)
    matrix = data.draw(operands(array))
    options = {"where": Matrix(where)} if masked else {}
    found = matrix.topk(k, axis, largest, as_matrix=True, **options)
    assert_same(found[0], values.T if turn else values)
    assert_same(found[1], positions.T if turn else positions)
    listed = matrix.topk(k, axis, largest, **options)[1]
    assert listed == (positions[0].tolist() if axis is None else positions.tolist())
    assert all(type(one) is int for line in ([listed] if axis is None else listed) for one in line)


def test_topk_masks_broadcast_and_nan_takes_part():
    matrix = Matrix([[1, 5, 3], [7, NAN, 2]])
    assert matrix.topk(1, axis=1, where=[1, 0, 1])[1] == [[2], [0]]
    assert matrix.topk(2, axis=0, where=Matrix(2, 1, [0, NAN]))[1] == [
        [1, -1],
        [-1 + 2, -1],
        [1, -1],
    ]
    assert matrix.topk(6)[1] == [3, 1, 2, 5, 0, 4]


@pytest.mark.parametrize("k", [0, -1, 7])
def test_topk_of_too_many_or_none_raises(k):
    with pytest.raises(ValueError, match=rf"6.*{k}"):
        Matrix(2, 3).topk(k)


def test_topk_misuse():
    with pytest.raises(TypeError, match="k must be an int"):
        Matrix(2, 3).topk(1.5)
    with pytest.raises(ValueError, match=r"2, 3"):
        Matrix(2, 3).topk(1, where=Matrix(3, 2))
    with pytest.raises(ValueError, match=r"1, 3"):
        Matrix(1, 3).topk(1, where=Matrix(2, 3))
    with pytest.raises(ValueError, match="0 elements"):
        Matrix(0, 3).topk(1, axis=0)


# ---- unique ----


@given(data=st.data(), array=long_arrays())
def test_unique_agrees_with_numpy(data, array):
    matrix = data.draw(operands(array))
    expected = np.unique(array, return_index=True, return_inverse=True, return_counts=True)
    values, index, inverse, counts = matrix.unique(True, True, True)
    assert np.array_equal(as_array(values)[0], expected[0], equal_nan=True)
    assert_same(index, expected[1][None])
    assert_same(inverse, expected[2].reshape(array.shape))
    assert_same(counts, expected[3][None])
    assert_same(matrix.unique(), as_array(values))
    assert_same(matrix.unique(return_counts=True)[1], expected[3][None])
    assert_same(matrix.unique(return_inverse=True)[1], expected[2].reshape(array.shape))


def test_unique_keeps_the_first_zero():
    assert str(Matrix([[1, 0.0, -0.0]]).unique()[0, 0]) == "0.0"
    assert str(Matrix([[1, -0.0, 0.0]]).unique()[0, 0]) == "-0.0"


# ---- NumPy's functions ----


def test_numpy_sorts_a_matrix():
    matrix = Matrix([[3, 1, 2], [6, 5, 4]])
    array = np.asarray(matrix).copy()
    assert np.array_equal(np.sort(matrix), np.sort(array))
    assert np.array_equal(np.asarray(np.argsort(matrix, axis=0)), np.argsort(array, axis=0))
    assert np.array_equal(np.unique(matrix), np.unique(array))


# ---- misuse ----


@pytest.mark.parametrize("name", ["sort", "argsort"])
@pytest.mark.parametrize("axis", [2, -3, True, "a", 0.0])
def test_other_axes_raise(name, axis):
    with pytest.raises((ValueError, TypeError), match="axis"):
        getattr(Matrix(2, 2), name)(axis)


def test_what_cannot_be_sorted_in_place_is_left_alone():
    matrix = Matrix([[3, 1], [2, 0]])
    with pytest.raises(ValueError, match=r"\(1, 4\).*\(2, 2\)"):
        matrix.sort(None, in_place=True)
    with pytest.raises(ValueError, match="in_place or out"):
        matrix.sort(in_place=True, out=matrix)
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        matrix.argsort(out=Matrix(2, 3))
    with pytest.raises(TypeError, match="read-only"):
        matrix.row_view(0, read_only=True).sort(in_place=True)
    assert_same(matrix, [[3, 1], [2, 0]])
