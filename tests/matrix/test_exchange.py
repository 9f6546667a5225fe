"""Buffers in and out, NumPy as a neighbour, pickle and copy."""

from __future__ import annotations

import array as array_module
import copy
import ctypes
import gc
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from bocmat import Cown, Matrix, wait, when
from support.matrices import arrays, as_array, assert_same, operands


@given(data=st.data(), array=arrays())
def test_arrays_share_memory_both_ways(data, array):
    matrix = data.draw(operands(array))
    shared = np.asarray(matrix)
    assert_same(matrix, shared)
    if array.size:
        shared[-1, -1] = 42.0
        assert as_array(matrix)[-1, -1] == 42.0
        matrix[0 : matrix.rows] = 17.0
        assert (shared == 17.0).all()


def test_memoryviews():
    matrix = Matrix(2, 3, [1, 2, 3, 4, 5, 6])
    view = memoryview(matrix)
    assert (view.format, view.shape, view.strides, view.readonly) == ("d", (2, 3), (24, 8), False)
    assert view.tolist() == matrix.tolist()
    view[1, 1] = 50.0
    assert matrix[1, 1] == 50.0
    assert bytes(matrix) == matrix.tobytes()
    large = Matrix(20, 3, range(60)).transpose(in_place=True)
    assert memoryview(large).strides == (8, 24)
    with pytest.raises(BufferError, match=r"order|contiguous"):
        np.frombuffer(large, dtype=float)


def test_an_alias_never_sees_a_write_through_an_export():
    matrix = Matrix(20, 20, 1.0)
    before = matrix.T
    shared = np.asarray(matrix)
    after = matrix.T
    shared[...] = 5.0
    assert before.sum() == after.sum() == 400.0
    assert matrix.sum() == 2000.0


def test_no_reshaping_while_exported():
    for matrix in (Matrix(2, 3), Matrix(20, 30)):
        shape, shared = matrix.shape, np.asarray(matrix)
        with pytest.raises(BufferError, match=rf"\({shape[0]}, {shape[1]}\)"):
            matrix.transpose(in_place=True)
        assert matrix.shape == shape
        del shared
        gc.collect()
        assert matrix.transpose(in_place=True) is matrix
        assert matrix.shape == shape[::-1]


def test_from_buffer_shares_doubles_in_c_order():
    array = np.arange(12.0).reshape(3, 4)
    matrix = Matrix.from_buffer(array)
    matrix += 1.0
    array[0, 0] = 99.0
    assert matrix[0, 0] == 99.0
    assert array[2, 3] == 12.0
    alias = matrix.T
    array[0, 0] = 7.0
    assert alias[0, 0] == 99.0
    assert Matrix.from_buffer(np.arange(3.0)).shape == (1, 3)
    growing = bytearray(16)
    held = Matrix.from_buffer(memoryview(growing).cast("d"))
    with pytest.raises(BufferError):
        growing.append(1)
    del held
    growing.append(1)


def test_from_buffer_of_read_only_memory_is_never_written():
    array = np.arange(6.0).reshape(2, 3)
    array.flags.writeable = False
    matrix = Matrix.from_buffer(array)
    assert matrix.read_only
    assert memoryview(matrix).readonly
    for write in (
        lambda: operator.iadd(matrix, 1.0),
        lambda: operator.setitem(matrix, 0, 1.0),
        lambda: operator.setitem(matrix.view[0], 0, 1.0),
        lambda: matrix.exp(in_place=True),
        lambda: Matrix.ones((2, 3)).add(1, out=matrix),
        lambda: matrix.transpose(in_place=True),
    ):
        with pytest.raises(RuntimeError, match="read-only"):
            write()
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert not matrix.T.read_only
    assert not (matrix + 0).read_only


@pytest.mark.parametrize("source", [3, [1, 2], "text", None])
def test_from_buffer_wants_a_buffer(source):
    with pytest.raises(TypeError, match="buffer"):
        Matrix.from_buffer(source)
    with pytest.raises(ValueError, match="3"):
        Matrix.from_buffer(np.zeros((1, 2, 3)))
    with pytest.raises(TypeError, match="real"):
        Matrix.from_buffer(np.zeros(3, complex))


@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_arrays_and_matrices_give_matrices(function):
    array, matrix = np.array([[1.0, 2.0], [3.0, 4.0]]), Matrix(2, 2, [5, 6, 7, 8])
    for left, right in ((array, matrix), (matrix, array), (array[0], matrix), (matrix, array[0])):
        found = function(left, right)
        assert type(found) is Matrix
        assert_same(found, function(np.asarray(left), np.asarray(right)))
    assert type(np.float64(2) * matrix) is Matrix
    assert type(np.int32(2) - matrix) is Matrix
    with pytest.raises(TypeError):
        function(array * 1j, matrix)


FORMATS = list("?bBhHiIlLqQfdgenN")


@given(data=st.data())
@pytest.mark.parametrize("form", FORMATS)
def test_every_real_format_is_converted(form, data):
    kind = np.dtype({"n": "p", "N": "P"}.get(form, form))
    order = data.draw(st.sampled_from("=" if form == "g" else "<>="))  # as NumPy exports it
    array = data.draw(nps.arrays(kind, nps.array_shapes(max_dims=2, min_side=0, max_side=20)))
    array = array.astype(kind.newbyteorder(order))[..., ::-1]
    expected = np.atleast_2d(array).astype(float)
    for taken in (Matrix.from_buffer(array), Matrix(array)):
        assert_same(taken, expected)
    flat = memoryview(np.ascontiguousarray(array.astype(kind)))
    if form not in "ge" and array.size:
        assert_same(Matrix.from_buffer(flat.cast("B").cast(form)), expected.reshape(1, -1))


def test_buffers_without_strides_or_of_no_dimension():
    doubles = (ctypes.c_double * 4)(1, 2, 3, 4)
    shared = Matrix.from_buffer(doubles)
    shared += 1.0
    assert list(doubles) == [2, 3, 4, 5]
    assert Matrix.from_buffer((ctypes.c_int * 2 * 3)((1, 2), (3, 4), (5, 6))).tolist() == [
        *([1, 2], [3, 4], [5, 6])
    ]
    assert Matrix.from_buffer((ctypes.c_long.__ctype_be__ * 2)(1, 2)).tolist() == [[1, 2]]
    assert Matrix.from_buffer(array_module.array("l", [1, -2])).tolist() == [[1, -2]]
    assert Matrix.from_buffer(np.array(2.5)).tolist() == [[2.5]]
    assert Matrix.from_buffer(bytes([1, 255])).tolist() == [[1, 255]]
    assert Matrix.from_buffer(np.array([2], "u1").view("?")).tolist() == [[1]]
    with pytest.raises(TypeError, match="real"):
        Matrix.from_buffer((ctypes.c_char * 2)())
    misaligned = np.frombuffer(bytes(17), dtype="u1")[1:].view(float)
    assert not Matrix.from_buffer(misaligned).read_only


@given(data=st.data(), array=arrays())
def test_bytes_are_exact(data, array):
    matrix = data.draw(operands(array))
    raw = matrix.tobytes()
    assert raw == array.tobytes()
    for given_ in (raw, bytearray(raw), memoryview(raw), np.frombuffer(raw)):
        back = Matrix.frombytes(given_, array.shape)
        assert_same(back, array)
        back[...] = 1.0
    assert raw == array.tobytes()
    assert_same(Matrix.frombytes(data=raw, shape=list(array.shape)), array)


def test_bytes_of_another_length_are_refused():
    for data, shape in ((bytes(15), (1, 2)), (b"", (1, 1)), (bytes(24), (2, 2))):
        with pytest.raises(ValueError, match=rf"{len(data)} bytes.*{shape[0]}, {shape[1]}"):
            Matrix.frombytes(data, shape)
    for data, shape in (("text", (1, 1)), (None, (1, 1)), (bytes(8), 1), (bytes(8), (1.0, 1))):
        with pytest.raises(TypeError):
            Matrix.frombytes(data, shape)
    with pytest.raises((BufferError, ValueError), match="contiguous"):
        Matrix.frombytes(np.zeros((4, 4))[:, ::2], (4, 2))
    with pytest.raises(ValueError, match="negative"):
        Matrix.frombytes(b"", (-1, 0))


@given(data=st.data(), array=arrays())
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_exact(protocol, data, array):
    matrix = data.draw(operands(array))
    matrix = matrix if isinstance(matrix, Matrix) else matrix.copy()
    assert_same(pickle.loads(pickle.dumps(matrix, protocol)), array)


def test_protocol_5_goes_out_of_band():
    for matrix in (Matrix(40, 50, range(2000)), Matrix(50, 40, range(2000)).T):
        buffers: list[pickle.PickleBuffer] = []
        data = pickle.dumps([matrix, matrix], 5, buffer_callback=buffers.append)
        assert len(data) < 300
        assert len(buffers) == 1
        first, second = pickle.loads(data, buffers=buffers)
        assert first is second
        assert_same(first, as_array(matrix))
        first += 1.0
        assert first[0, 1] == matrix[0, 1] + 1


def write_elsewhere(matrix):
    cown = Cown(matrix)

    @when(cown)
    def write(x):
        x.value[0, 0] = -1.0

    wait()


def write_a_part(matrix):
    matrix.view[0] += 1.0


def write_an_array(matrix):
    np.asarray(matrix)[...] = 7.0


@pytest.mark.parametrize(
    "use",
    [
        write_elsewhere,
        write_a_part,
        write_an_array,
        lambda matrix: matrix.__iadd__(1.0),
        lambda matrix: matrix.__setitem__((0, 0), -1.0),
        lambda matrix: matrix.__setattr__("x", -1.0),
        lambda matrix: matrix.abs(in_place=True),
        lambda matrix: matrix.transpose(in_place=True),
        lambda matrix: Matrix.ones(matrix.shape).add(1.0, out=matrix),
        lambda matrix: matrix.T.__iadd__(1.0),
        lambda matrix: matrix.put([0], 1.0),
        lambda matrix: pickle.loads(pickle.dumps(matrix, 5)).__iadd__(1.0),
        lambda matrix: matrix.__array_interface__,
    ],
)
def test_what_lies_in_the_bytes_of_a_pickle_is_copied_when_it_is_written(use):
    original = Matrix(60, 60, range(-1800, 1800))
    values = np.array(original)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(original, 5, buffer_callback=buffers.append)
    kept = [bytes(buffers[0])]
    one, two = pickle.loads(data, buffers=kept), pickle.loads(data, buffers=kept)
    alias = one.T
    use(one)
    use(pickle.loads(data, buffers=kept))
    assert_same(two, values)
    assert_same(alias, values.T)
    assert kept == [values.tobytes()]
    assert not one.read_only
    if one.acquired:
        one[...] = 2.0
    assert_same(pickle.loads(data, buffers=kept), values)
    with pytest.raises(ValueError, match="takes 28800"):
        pickle.loads(data, buffers=[bytes(28808)])


def test_a_pickle_out_of_band_stays_what_it_was():
    matrix = Matrix(60, 60, 1.0)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(matrix, 5, buffer_callback=buffers.append)
    matrix += 1.0
    assert_same(pickle.loads(data, buffers=buffers), np.ones((60, 60)))


def test_copies_share_nothing():
    matrix = Matrix(30, 30, 1.0)
    for twin in (copy.copy(matrix), copy.deepcopy(matrix), matrix.copy(), +matrix):
        twin += 1.0
        assert matrix.sum() == 900.0
    shared = [matrix, matrix]
    twins = copy.deepcopy(shared)
    assert twins[0] is twins[1]


@given(array=arrays())
def test_the_transpose_shares_until_written(array):
    matrix = Matrix(array)
    alias = matrix.T
    assert_same(alias, array.T)
    assert_same(alias.T, array)
    matrix[...] = 3.0
    assert_same(alias, array.T)
    other = alias.T
    alias[...] = 4.0
    assert_same(other, array)
    assert_same(matrix, np.full(array.shape, 3.0))
    assert matrix.transpose(in_place=True) is matrix
    assert matrix.shape == array.shape[::-1]
