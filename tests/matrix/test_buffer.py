"""Every way to ask for a matrix's memory, and what holds while it is given out."""

from __future__ import annotations

import ctypes
import gc
import itertools
import operator
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Cown, Matrix, MatrixView, read, wait, when
from bocmat._core import _split
from support.matrices import arrays, assert_same, operands

WRITABLE, FORMAT, ND, STRIDES = 0x1, 0x4, 0x8, 0x18
C_ORDER, FORTRAN, ANY_ORDER, INDIRECT = 0x38, 0x58, 0x98, 0x118
LAYOUTS = [0, ND, STRIDES, C_ORDER, FORTRAN, ANY_ORDER, INDIRECT]


class Buffer(ctypes.Structure):
    """CPython's Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


def request(exporter, flags):
    """Ask for a buffer; give what the answer says, and release it."""
    buffer = Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(exporter), ctypes.byref(buffer), flags)
    shape = buffer.shape[: buffer.ndim] if buffer.shape else None
    strides = buffer.strides[: buffer.ndim] if buffer.strides else None
    found = (buffer.len, buffer.itemsize, buffer.readonly, buffer.ndim, buffer.format, shape)
    address = buffer.buf
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
    return address, found, strides


def suits(array, layout):
    """Whether NumPy would give an array out in that layout."""
    flags = array.flags
    if layout == FORTRAN:
        return flags.f_contiguous
    if layout == ANY_ORDER:
        return flags.forc
    return layout in (STRIDES, INDIRECT) or flags.c_contiguous


def windows():
    own = Matrix(4, 6, range(24))
    turned = Matrix(6, 4, range(24)).transpose(in_place=True)
    small = Matrix(2, 3, range(6))
    for matrix in (own, turned, small):
        yield matrix
        yield matrix.view[:]
        yield matrix.view[::-1]
        yield matrix.view[1:2]
        yield matrix.view[:, 1:2]
        yield matrix.view[:, ::2].T
        yield matrix.view[:0]
        yield matrix.row_view(1)
        yield matrix.column_view(-1)


@pytest.mark.parametrize("writable", [0, WRITABLE])
@pytest.mark.parametrize("form", [0, FORMAT])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_combination_of_flags(layout, form, writable):
    for window in windows():
        array = np.asarray(window)
        address = array.__array_interface__["data"][0]
        if not suits(array, layout):
            with pytest.raises(BufferError, match="order"):
                request(window, layout | form | writable)
            continue
        where, found, strides = request(window, layout | form | writable)
        if array.size:
            assert where == address
        shape = list(array.shape) if layout else None
        text = b"d" if form else None
        assert found == (array.nbytes, 8, 0, 2 if layout else 1, text, shape)
        if layout in (0, ND):
            assert strides is None
        elif array.size:
            wanted = zip(array.shape, strides, array.strides)
            assert all(length == 1 or ours == theirs for length, ours, theirs in wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_read_only_is_given_out_so(layout):
    array = np.zeros((3, 4))
    array.flags.writeable = False
    matrix = Matrix.from_buffer(array)
    for window in (matrix, matrix.view[:], Matrix(3, 4).row_view(0, read_only=True)):
        if suits(np.asarray(window), layout):
            assert request(window, layout)[1][2] == 1
        with pytest.raises(BufferError, match="read-only"):
            request(window, layout | WRITABLE)


def test_inside_read_exports_are_read_only():
    cown = Cown(Matrix.ones((20, 20)))

    @when(read(cown))
    def looked(x):
        memory = memoryview(x.value)
        return memory.readonly, memoryview(x.value.view[::2]).readonly, memory[3, 3]

    wait()
    assert looked.value == (True, True, 1.0)


@given(data=st.data(), array=arrays())
def test_a_view_exports_its_strided_window(data, array):
    matrix = data.draw(operands(array))
    window = matrix.view[::2, ::-1] if isinstance(matrix, Matrix) else matrix[::2, ::-1]
    assert isinstance(window, MatrixView)
    shared = np.asarray(window)
    assert_same(window, array[::2, ::-1])
    assert_same(Matrix(shared), array[::2, ::-1])
    if shared.size:
        shared[...] = 3.0
        assert_same(window, np.full(shared.shape, 3.0))


@pytest.mark.parametrize("n", [2, 3, 4, 30])
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("export", [memoryview, np.asarray, np.from_dlpack, Matrix.from_buffer])
def test_no_alias_sees_a_write_through_an_export(n, before, export):
    for source in (Matrix.ones((n, n)), Matrix.ones((n, n)).T):
        if export == Matrix.from_buffer and memoryview(source).strides[0] == 8:
            continue  # in another order than a matrix borrows
        alias = source.T if before else None
        shared = export(source)
        alias = alias if before else source.T
        shared[0, n - 1] = 5.0
        assert source[0, n - 1] == 5.0
        assert alias.tolist() == [[1.0] * n] * n
        alias[0, 0] = 7.0
        assert source[0, 0] == shared[0, 0] == 1.0


EXPORTS = {
    "memoryview": memoryview,
    "view": lambda m: memoryview(m.view[::2]),
    "array": np.asarray,
    "__array__": lambda m: m.__array__(),
    "interface": lambda m: m.__array_interface__,
    "dlpack": np.from_dlpack,
    "capsule": lambda m: m.__dlpack__(),
    "from_buffer": Matrix.from_buffer,
    "from_dlpack": Matrix.from_dlpack,
    "iterator": lambda m: iter(memoryview(m.view[0]).cast("B").cast("d")),
}


@pytest.mark.parametrize("n", [2, 20])
@pytest.mark.parametrize("name", EXPORTS)
def test_an_exported_matrix_cannot_change_hands(name, n):
    matrix = Matrix.ones((n, n))
    first, second = EXPORTS[name](matrix), EXPORTS[name](matrix)
    for move in (Cown, lambda m: _split(m, 1, 1)):
        with pytest.raises(BufferError, match=rf"\({n}, {n}\).*in use"):
            move(matrix)
    del first
    gc.collect()
    with pytest.raises(BufferError, match="in use"):
        Cown(matrix)
    assert matrix.acquired
    assert matrix.sum() == n * n
    del second
    gc.collect()
    cown = Cown(matrix)
    assert not matrix.acquired
    with cown as value:
        assert value is matrix
        assert matrix.sum() == n * n


@pytest.mark.parametrize(
    "make",
    [
        *(np.asarray, np.array, memoryview, np.from_dlpack, Matrix.from_buffer, Matrix.from_dlpack),
        *(operator.methodcaller("__array__"), operator.attrgetter("__array_interface__")),
    ],
)
def test_what_is_held_elsewhere_gives_no_memory(make):
    for n in (2, 20):
        matrix = Matrix.ones((n, n))
        window = matrix.view
        held = Cown(matrix)
        for source in (matrix, window):
            with pytest.raises(RuntimeError, match="held elsewhere"):
                make(source)
        with held:
            assert np.asarray(matrix).sum() == n * n


# ---- __array__ ----


def test_array_shares_unless_it_must_not():
    for matrix in (Matrix(2, 3, range(6)), Matrix(20, 30, range(600))):
        for shared in (matrix.__array__(), matrix.__array__(float), matrix.__array__(copy=False)):
            shared[0, 0] += 1.0
            assert matrix[0, 0] == shared[0, 0]
        copied = matrix.__array__(copy=True)
        copied[0, 0] = 99.0
        assert matrix[0, 0] == 3.0
        for dtype in ("f4", int, np.dtype(">f8"), complex):
            assert matrix.__array__(dtype).dtype == np.dtype(dtype)
            assert matrix.__array__(dtype, copy=True).tolist() == matrix.tolist()
            with pytest.raises(ValueError, match="copy"):
                matrix.__array__(dtype, copy=False)
        with pytest.raises(TypeError):
            matrix.__array__("no type")
    assert matrix.view[::2, 1:].__array__().tolist() == np.asarray(matrix)[::2, 1:].tolist()


# ---- __array_interface__ ----


class Proxy:
    """What knows an address and keeps nothing else."""

    def __init__(self, source):
        self.source = source

    @property
    def __array_interface__(self):
        return self.source.__array_interface__


@given(data=st.data(), array=arrays())
def test_the_interface_describes_the_memory(data, array):
    window = data.draw(operands(array))
    interface = window.__array_interface__
    assert interface["shape"] == array.shape
    assert np.dtype(interface["typestr"]) == np.float64
    assert interface["version"] == 3
    if array.size:
        assert interface["data"] == (np.asarray(window).__array_interface__["data"][0], False)
        seen = np.asarray(Proxy(window))
        assert_same(window, seen)
        seen[-1, -1] = 42.0
        assert_same(window, seen)


@pytest.mark.parametrize("n", [2, 20])
def test_an_address_stays_good_as_long_as_its_matrix(n):
    matrix = Matrix.ones((n, n))
    seen = np.asarray(Proxy(matrix))
    alias = matrix.T
    seen[0, 0] = 5.0
    assert alias[0, 0] == 1.0
    cown = Cown(matrix)  # nobody can say whether the address is still known: the values are copied
    others = [Matrix.full((n, n), 7.0) for _ in range(50)]
    assert seen[0, 0] == 5.0
    assert seen.sum() == n * n + 4

    with cown as value:
        value += 1.0
    assert seen[0, 0] == 6.0
    with cown as value:
        assert value is matrix
        assert_same(matrix, seen)
        assert seen[0, 0] == 6.0
        matrix[0, 1] = 9.0
        assert seen[0, 1] == 9.0
    assert len(others) == 50
    del matrix, value, cown
    gc.collect()
    assert seen[0, 1] == 9.0


def test_an_address_forbids_what_would_move_the_values():
    matrix = Matrix.ones((20, 20))
    assert matrix.__array_interface__["data"][1] is False
    with pytest.raises(BufferError, match="address"):
        _split(matrix, 5, 5)
    array = np.ones((20, 20))
    borrowed = Matrix.from_buffer(array)
    assert borrowed.__array_interface__["strides"] is None
    with pytest.raises(BufferError, match="address"):
        Cown(borrowed)
    assert borrowed.sum() == 400
    with Cown(borrowed.copy()) as value:
        assert value.sum() == 400


def test_addresses_of_tiles():
    whole = Matrix(20, 20, range(400))
    tiles = _split(whole, 10, 10)
    seen = np.asarray(Proxy(tiles[0][0]))
    assert seen.strides == (160, 8)
    from bocmat._core import _join

    tiles[0][0] += 1.0
    _join(whole, tiles)
    assert whole[0, 0] == seen[0, 0] == 1.0
    whole[...] = 0.0
    assert seen.shape == (10, 10)


def test_read_only_interfaces_say_so():
    array = np.zeros((3, 4))
    array.flags.writeable = False
    matrix = Matrix.from_buffer(array)
    assert matrix.__array_interface__["data"][1] is True
    assert not np.asarray(Proxy(matrix)).flags.writeable
    cown = Cown(Matrix.ones((20, 20)))

    @when(read(cown))
    def look(x):
        return x.value.__array_interface__["data"][1]

    wait()
    assert look.value is True
    assert cown.value.sum() == 400


@given(sizes=st.lists(st.sampled_from([1, 2, 3, 4, 20]), min_size=1, max_size=4), data=st.data())
def test_sequences_of_sharing_and_writing(sizes, data):
    """Any order of exports, aliases, writes and releases: an export and its matrix stay one, an
    alias stays what it was.
    """
    matrices = [(Matrix.full((n, n), n), np.full((n, n), float(n)), []) for n in sizes]
    steps = data.draw(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 99)), max_size=12))
    for count, (step, which) in zip(itertools.count(100.0), steps):
        matrix, model, exports = matrices[which % len(matrices)]
        if step == 0:
            exports.append(np.asarray(matrix))
        elif step == 1:
            matrices.append((matrix.T, model.T.copy(), []))
        elif step == 2:
            matrix[0, -1] = model[0, -1] = count
        elif step == 3 and exports:
            exports[-1][-1, 0] = model[-1, 0] = count
        elif step == 4:
            exports.clear()
        elif step == 5 and memoryview(matrix).c_contiguous:  # otherwise it copies
            exports.append(Matrix.from_buffer(matrix))
        elif step == 6:
            matrix += 1.0
            model += 1.0
        elif step == 7 and not exports:
            matrix.transpose(in_place=True)
            model[...] = model.T.copy()
        for one, expected, shared in matrices:
            assert_same(one, expected)
            assert all(Matrix.array_equal(export, expected) for export in shared)


def test_how_many_bytes_a_matrix_takes():
    assert sys.getsizeof(Matrix(2, 2)) <= 112 + object().__sizeof__()
    assert sys.getsizeof(Matrix(3, 3)) <= 112 + object().__sizeof__()
    for shape in ((4, 4), (16, 16), (64, 64), (512, 512)):
        matrix = Matrix.zeros(shape)
        assert 0 <= sys.getsizeof(matrix) - matrix.nbytes <= 256
        assert sys.getsizeof(Matrix.from_buffer(matrix)) <= 300  # the values are another's
    for n in range(10, 3000, 7):  # size classes lie a quarter of a power of two apart
        matrix = Matrix(1, n)
        assert matrix.nbytes <= sys.getsizeof(matrix) <= 1.25 * matrix.nbytes + 256
