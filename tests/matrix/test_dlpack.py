"""DLPack both ways: with NumPy, and with capsules made by hand as any other library would."""

from __future__ import annotations

import ctypes
import gc
import threading
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from bocmat import Cown, Matrix
from support.matrices import arrays, assert_same, operands

api = ctypes.pythonapi
api.PyCapsule_New.restype = ctypes.py_object
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
api.PyCapsule_GetPointer.restype = ctypes.c_void_p
api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
api.PyCapsule_GetName.restype = ctypes.c_char_p
api.PyCapsule_GetName.argtypes = [ctypes.py_object]
api.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]

PLAIN, VERSIONED = b"dltensor", b"dltensor_versioned"
USED = {PLAIN: b"used_dltensor", VERSIONED: b"used_dltensor_versioned"}
CODES = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6}


class Tensor(ctypes.Structure):
    _fields_: ClassVar = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Managed(ctypes.Structure):
    _fields_: ClassVar = [("tensor", Tensor), ("context", ctypes.c_void_p), ("deleter", DELETER)]


class Versioned(ctypes.Structure):
    _fields_: ClassVar = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    ]


class Producer:
    """Another library's tensor over an ndarray, which counts how often it was deleted."""

    def __init__(self, array, versioned=True, contiguous=False, **changes):
        self.array, self.deleted, self.asked = array, 0, []
        self.versioned, self.changes = versioned, changes
        self.managed = Versioned() if versioned else Managed()
        self.shape = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
        steps = [stride // array.itemsize for stride in array.strides]
        self.strides = (ctypes.c_int64 * max(1, array.ndim))(*steps)
        self.deleter = DELETER(self.delete)
        self.managed.deleter = self.deleter
        tensor = self.managed.tensor
        tensor.data = array.__array_interface__["data"][0]
        tensor.device_type, tensor.ndim, tensor.lanes = 1, array.ndim, 1
        tensor.code, tensor.bits = CODES[array.dtype.kind], array.itemsize * 8
        tensor.shape = self.shape
        tensor.strides = None if contiguous else self.strides
        if versioned:
            self.managed.major, self.managed.minor = 1, 1
        for name, value in changes.items():
            setattr(self.managed if hasattr(self.managed, name) else tensor, name, value)

    def delete(self, _):
        self.deleted += 1

    def __dlpack__(self, **options):
        self.asked.append(options)
        if not self.versioned and options:
            raise TypeError("an old library knows no options")
        name = VERSIONED if self.versioned else PLAIN
        return api.PyCapsule_New(ctypes.addressof(self.managed), name, None)

    def __dlpack_device__(self):
        return (self.managed.tensor.device_type, 0)


def managed_of(capsule):
    """Look into a capsule of ours."""
    name = api.PyCapsule_GetName(capsule)
    kind = Versioned if name == VERSIONED else Managed
    return kind.from_address(api.PyCapsule_GetPointer(capsule, name))


def consume(capsule):
    """Take the tensor of a capsule of ours; what deletes it."""
    managed, name = managed_of(capsule), api.PyCapsule_GetName(capsule)
    api.PyCapsule_SetName(capsule, USED[name])
    return lambda: managed.deleter(ctypes.addressof(managed))


# ---- out ----


@given(data=st.data(), array=arrays())
def test_numpy_takes_it_without_copying(data, array):
    window = data.draw(operands(array))
    shared = np.from_dlpack(window)
    assert_same(Matrix(shared), array)
    if array.size:
        shared[-1, 0] = 42.0
        assert_same(window, shared)
        copied = np.from_dlpack(window, copy=True)
        copied[-1, 0] = 43.0
        assert_same(window, shared)


@given(data=st.data(), array=arrays())
@pytest.mark.parametrize("version", [None, (0, 8), (1, 0), (1, 5), (2, 0)])
def test_the_tensor_describes_the_memory(version, data, array):
    window = data.draw(operands(array))
    capsule = window.__dlpack__(max_version=version)
    versioned = version is not None and version >= (1, 0)
    assert api.PyCapsule_GetName(capsule) == (VERSIONED if versioned else PLAIN)
    managed = managed_of(capsule)
    tensor = managed.tensor
    assert (tensor.device_type, tensor.device_id, tensor.ndim) == (1, 0, 2)
    assert (tensor.code, tensor.bits, tensor.lanes, tensor.byte_offset) == (2, 64, 1, 0)
    assert tuple(tensor.shape[:2]) == array.shape
    if versioned:
        assert (managed.major, managed.minor, managed.flags) == (1, 0, 0)
    if array.size:
        seen = np.asarray(window)
        assert tensor.data == seen.__array_interface__["data"][0]
        assert [step * 8 for step in tensor.strides[:2]] == list(seen.strides)
    assert window.__dlpack_device__() == (1, 0)


def test_flags():
    array = np.zeros((2, 3))
    array.flags.writeable = False
    fixed = Matrix.from_buffer(array)
    assert managed_of(fixed.__dlpack__(max_version=(1, 0))).flags == 1
    assert managed_of(fixed.__dlpack__(max_version=(1, 0), copy=True)).flags == 2
    assert not np.from_dlpack(fixed).flags.writeable
    for version in (None, (0, 9)):
        with pytest.raises(BufferError, match="read-only"):
            fixed.__dlpack__(max_version=version)
        assert fixed.__dlpack__(max_version=version, copy=True)
    view = Matrix(2, 3).row_view(0, read_only=True)
    assert managed_of(view.__dlpack__(max_version=(1, 0))).flags == 1


def test_misuse_raises():
    matrix = Matrix.eye(2)
    with pytest.raises(RuntimeError, match="stream"):
        matrix.__dlpack__(stream=1)
    for device in ((2, 0), (1, 1)):
        with pytest.raises(BufferError, match=rf"\({device[0]}, {device[1]}\)"):
            matrix.__dlpack__(dl_device=device)
    for options in ({"max_version": 1}, {"max_version": (1,)}, {"max_version": ("1", 0)}):
        with pytest.raises(TypeError):
            matrix.__dlpack__(**options)
    with pytest.raises(TypeError):
        matrix.__dlpack__(None)
    assert matrix.__dlpack__(stream=None, max_version=None, dl_device=(1, 0), copy=None)
    assert Cown(matrix)
    with pytest.raises(RuntimeError, match="held elsewhere"):
        matrix.__dlpack__()
    with pytest.raises(RuntimeError, match="held elsewhere"):
        matrix.__dlpack__(copy=True)


def test_a_capsule_that_nobody_takes_lets_go():
    for version in (None, (1, 0)):
        matrix = Matrix.ones((2, 2))
        capsule = matrix.__dlpack__(max_version=version)
        with pytest.raises(BufferError, match="in use"):
            Cown(matrix)
        del capsule
        gc.collect()
        assert Cown(matrix)


@pytest.mark.parametrize("version", [None, (1, 0)])
@pytest.mark.parametrize("where", ["here", "thread", "outside"])
def test_the_consumer_deletes_from_anywhere(version, where):
    matrix = Matrix.full((20, 20), 3.0)
    delete = consume(matrix.__dlpack__(max_version=version))
    gc.collect()
    with pytest.raises(BufferError, match="in use"):
        Cown(matrix)
    if where == "here":
        delete()
    elif where == "thread":
        thread = threading.Thread(target=delete)
        thread.start()
        thread.join()
    else:
        outside(matrix, version, delete)
    cown = Cown(matrix)
    with cown as value:
        assert value.sum() == 1200.0


def outside(matrix, version, delete):
    """Have a thread that never saw Python call the deleter."""
    managed = managed_of(matrix.__dlpack__(max_version=version))
    address = ctypes.cast(managed.deleter, ctypes.c_void_p).value
    identity = ctypes.c_ulong()
    start = ctypes.CDLL(None).pthread_create
    join = ctypes.CDLL(None).pthread_join
    join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
    start.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    tensor = delete.__closure__[0].cell_contents
    assert start(ctypes.addressof(identity), None, address, ctypes.addressof(tensor)) == 0
    assert join(identity.value, None) == 0


def test_a_tensor_keeps_its_matrix():
    shared = np.from_dlpack(Matrix.full((20, 20), 3.0))
    others = [Matrix.zeros((20, 20)) for _ in range(20)]
    assert shared.sum() == 1200.0 + len(others) * 0


def test_many_deleted_outside_are_let_go():
    matrix = Matrix.ones((20, 20))
    deletes = [consume(matrix.__dlpack__()) for _ in range(50)]
    threads = [threading.Thread(target=delete) for delete in deletes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Cown(matrix)


# ---- in ----


@given(array=arrays())
def test_a_tensor_of_doubles_is_shared(array):
    matrix = Matrix.from_dlpack(array)
    assert_same(matrix, array)
    if array.size:
        matrix[-1, 0] = 42.0
        assert array[-1, 0] == 42.0
        array[0, -1] = 43.0
        assert matrix[0, -1] == 43.0
        copied = Matrix.from_dlpack(array, copy=True)
        copied[-1, 0] = 0.0
        assert_same(matrix, array)
        assert Matrix.from_dlpack(array, device="cpu", copy=False)[0, -1] == 43.0


KINDS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]


@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_other_kinds_and_layouts_are_converted(kind, data):
    shape = data.draw(st.sampled_from([(), (0,), (5,), (2, 3), (0, 4), (17, 9)]))
    array = data.draw(nps.arrays(np.dtype(kind), shape))
    layout = data.draw(st.sampled_from(["C", "F", "strided", "contiguous"]))
    if layout == "F":
        array = np.asfortranarray(array)
    elif layout == "strided" and array.ndim:
        array = np.repeat(array, 2, -1)[..., ::-2]
    expected = np.atleast_2d(array).astype(float)
    assert_same(Matrix.from_dlpack(array), expected)
    producer = Producer(array, contiguous=layout == "contiguous" and array.flags.c_contiguous)
    matrix = Matrix.from_dlpack(producer)
    assert_same(matrix, expected)
    del matrix
    assert producer.deleted == 1


@pytest.mark.parametrize("versioned", [True, False])
def test_the_tensor_is_deleted_once_when_the_matrix_goes(versioned):
    producer = Producer(np.arange(6.0).reshape(2, 3), versioned)
    capsule = producer.__dlpack__()
    matrix = Matrix.from_dlpack(capsule)
    name = VERSIONED if versioned else PLAIN
    assert api.PyCapsule_GetName(capsule) == USED[name]
    with pytest.raises(ValueError, match="used_dltensor"):
        Matrix.from_dlpack(capsule)
    del capsule
    gc.collect()
    assert producer.deleted == 0
    assert matrix.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert matrix.read_only is not versioned
    alias = matrix.T
    del matrix
    gc.collect()
    assert producer.deleted == 1
    assert alias.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_deleter_may_be_missing():
    producer = Producer(np.arange(3.0), deleter=DELETER())
    assert Matrix.from_dlpack(producer).tolist() == [[0, 1, 2]]
    producer = Producer(np.arange(3), deleter=DELETER())
    assert Matrix.from_dlpack(producer).tolist() == [[0, 1, 2]]


def test_what_was_borrowed_is_copied_when_handed_over():
    producer = Producer(np.arange(400.0).reshape(20, 20))
    matrix = Matrix.from_dlpack(producer)
    cown = Cown(matrix)
    gc.collect()
    assert producer.deleted == 1
    producer.array[...] = 0.0
    with cown as value:
        assert value is matrix
        assert matrix[19, 19] == 399.0
        matrix += 1.0


def test_read_only_tensors_are_never_written():
    for producer in (Producer(np.zeros((2, 3)), flags=1), Producer(np.zeros((2, 3)), False)):
        matrix = Matrix.from_dlpack(producer)
        assert matrix.read_only
        with pytest.raises(RuntimeError, match="read-only"):
            matrix += 1.0
        assert producer.array.sum() == 0.0
    array = np.zeros((2, 3))
    array.flags.writeable = False
    assert Matrix.from_dlpack(array).read_only


def test_the_offset_counts():
    array = np.arange(10.0)
    producer = Producer(array[:4], byte_offset=16)
    assert Matrix.from_dlpack(producer).tolist() == [[2, 3, 4, 5]]


def test_producers_are_asked_for_what_they_know():
    producer = Producer(np.arange(3.0))
    Matrix.from_dlpack(producer)
    Matrix.from_dlpack(producer, copy=False)
    assert producer.asked == [{"max_version": (1, 0)}, {"max_version": (1, 0), "copy": False}]
    old = Producer(np.arange(3.0), False)
    assert Matrix.from_dlpack(old).tolist() == [[0, 1, 2]]
    assert old.asked == [{"max_version": (1, 0)}, {}]


@pytest.mark.parametrize(
    ("array", "changes", "error", "match"),
    [
        (np.zeros((1, 2, 3)), {}, ValueError, "3"),
        (np.zeros(2, complex), {}, TypeError, "real"),
        (np.zeros(2), {"lanes": 2}, TypeError, "lanes"),
        (np.zeros(2), {"bits": 4}, TypeError, "4 bits"),
        (np.zeros(2), {"bits": 128}, TypeError, "128 bits"),
        (np.zeros(2, "i2"), {"code": 4}, TypeError, "code 4"),
        (np.zeros(2), {"device_type": 2}, BufferError, "device"),
        (np.zeros(2), {"major": 2}, BufferError, "DLPack 2"),
        (np.zeros(2), {"ndim": -1}, ValueError, "-1"),
    ],
)
def test_what_makes_no_matrix_is_refused_and_left(array, changes, error, match):
    producer = Producer(array, **changes)
    with pytest.raises(error, match=match):
        Matrix.from_dlpack(producer)
    if "device_type" not in changes:
        capsule = producer.__dlpack__()
        with pytest.raises(error, match=match):
            Matrix.from_dlpack(capsule)
        assert api.PyCapsule_GetName(capsule) == VERSIONED
    assert producer.deleted == 0


def test_misuse_of_from_dlpack_raises():
    for wrong in (3, [1.0], "text", None):
        with pytest.raises(TypeError, match="__dlpack__"):
            Matrix.from_dlpack(wrong)
    with pytest.raises(ValueError, match="cpu"):
        Matrix.from_dlpack(np.zeros(3), device="cuda")
    with pytest.raises(BufferError, match="copy"):
        Matrix.from_dlpack(np.zeros((3, 3), "f4"), copy=False)
    with pytest.raises(TypeError):
        Matrix.from_dlpack(np.zeros(3), None)

    class Wrong:
        def __dlpack_device__(self):
            return (1, 0)

        def __dlpack__(self, **_):
            return 3

    with pytest.raises(TypeError, match="int, not a capsule"):
        Matrix.from_dlpack(Wrong())

    class Elsewhere:
        def __init__(self, device):
            self.device = device

        def __dlpack_device__(self):
            return self.device

        def __dlpack__(self, **_):
            raise ValueError("which stream?")

    with pytest.raises(BufferError, match=r"\(2, 1\)"):
        Matrix.from_dlpack(Elsewhere((2, 1)))
    for here in ((1, 0), "here"):
        with pytest.raises(ValueError, match="stream"):
            Matrix.from_dlpack(Elsewhere(here))
    with pytest.raises(ValueError, match="nothing"):
        Matrix.from_dlpack(api.PyCapsule_New(1, None, None))


@given(data=st.data(), array=arrays())
def test_there_and_back(data, array):
    window = data.draw(operands(array))
    back = Matrix.from_dlpack(window)
    assert_same(back, array)
    if array.size and memoryview(window).c_contiguous:
        back[-1, -1] = 42.0
        assert_same(window, np.asarray(back))
