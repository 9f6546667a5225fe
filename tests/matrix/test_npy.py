"""`.npy` files: what NumPy writes is read, what is written NumPy reads, nothing else gets in."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from bocmat import Matrix
from support.matrices import arrays, assert_same, operands

KINDS = ["f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8"]
TYPES = [f"{order}{kind}" for order in "<>" for kind in KINDS] + ["|i1", "|u1", "|b1"]


def numpy_file(array, version=None) -> io.BytesIO:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), version=version)
    file.seek(0)
    return file


def file_of(header: str | bytes, data: bytes = b"", version: bytes = b"\x01\x00") -> io.BytesIO:
    raw = header.encode() if isinstance(header, str) else header
    form = "<H" if version == b"\x01\x00" else "<I"
    return io.BytesIO(b"\x93NUMPY" + version + struct.pack(form, len(raw)) + raw + data)


class Trickle:
    """A file that gives and takes a few bytes at a time and knows nothing else."""

    def __init__(self, data=b""):
        self.inside = io.BytesIO(data)

    def read(self, count):
        return self.inside.read(min(count, 7))

    def write(self, data):
        return self.inside.write(data)


class TrickleRaw(io.RawIOBase):
    """A raw file, whose write may take less than it was given."""

    def __init__(self):
        self.taken = b""

    def writable(self):
        return True

    def write(self, data):
        piece = bytes(data)[:11]
        self.taken += piece
        return len(piece)


@given(data=st.data(), array=arrays())
def test_the_file_is_the_one_that_numpy_writes(data, array):
    matrix = data.draw(operands(array))
    ours, theirs, raw, trickle = io.BytesIO(), io.BytesIO(), TrickleRaw(), Trickle()
    np.save(theirs, array)
    for file in (ours, raw, trickle):
        matrix.save(file)
    assert ours.getvalue() == theirs.getvalue() == raw.taken == trickle.inside.getvalue()
    ours.seek(0)
    assert_same(Matrix.load(ours), array)


@given(data=st.data(), version=st.sampled_from([None, (1, 0), (2, 0), (3, 0)]))
@pytest.mark.parametrize("kind", TYPES)
def test_numbers_of_other_types_are_converted(kind, version, data):
    shape = data.draw(st.sampled_from([(), (0,), (3,), (1, 4), (5, 3), (0, 2), (2, 0), (40, 30)]))
    array = data.draw(nps.arrays(np.dtype(kind), shape))
    order = data.draw(st.sampled_from("CF"))
    file = numpy_file(np.asarray(array, order=order), version)
    file = data.draw(st.sampled_from([file, Trickle(file.getvalue())]))
    expected = np.atleast_2d(array).astype(float)
    assert_same(Matrix.load(file), expected)


def test_large_ones_are_read_in_pieces():
    array = np.arange(400_000, dtype=">i4").reshape(500, 800)
    assert_same(Matrix.load(numpy_file(array)), array)
    assert_same(Matrix.load(numpy_file(np.asfortranarray(array))), array)


@pytest.mark.parametrize(
    "make", [str, os.fsencode, lambda path: path], ids=["str", "bytes", "path"]
)
def test_paths(tmp_path, make):
    matrix = Matrix(2, 3, range(6))
    matrix.save(make(tmp_path / "with.npy"))
    matrix.save(make(tmp_path / "without"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["with.npy", "without.npy"]
    for name in ("with.npy", "without.npy", "without"):
        assert_same(Matrix.load(make(tmp_path / name)), np.asarray(matrix))
    assert np.load(tmp_path / "with.npy").tolist() == matrix.tolist()
    np.save(tmp_path / "other", np.float32([[1.5, 2.5]]))
    assert Matrix.load(tmp_path / "other.npy").tolist() == [[1.5, 2.5]]
    with pytest.raises(FileNotFoundError):
        Matrix.load(make(tmp_path / "nothing"))
    with pytest.raises(OSError, match="nowhere"):
        matrix.save(make(tmp_path / "nowhere" / "file.npy"))


def test_one_file_may_hold_several(tmp_path):
    with open(tmp_path / "several", "w+b") as file:
        for n in range(4):
            Matrix.full((n, 2), n).save(file)
        assert not file.closed
        file.seek(0)
        assert [Matrix.load(file).shape for _ in range(4)] == [(n, 2) for n in range(4)]
        with pytest.raises(ValueError, match="cut short"):
            Matrix.load(file)
    with gzip.open(tmp_path / "packed", "wb") as file:
        Matrix.eye(50).save(file)
    with gzip.open(tmp_path / "packed", "rb") as file:
        assert Matrix.load(file).sum() == 50


def test_saving_writes_what_was_there_when_it_began():
    matrix = Matrix.zeros((30, 30))

    class Meddling(io.BytesIO):
        def write(self, data):
            matrix[...] = 7.0
            return super().write(data)

    file = Meddling()
    matrix.save(file)
    file.seek(0)
    assert Matrix.load(file).sum() == 0
    assert matrix.sum() == 6300
    alias = matrix.T
    matrix.save(io.BytesIO())
    matrix += 1.0
    assert alias.sum() == 6300


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(3, complex),
        np.zeros(3, "f2"),
        np.array(["text"]),
        np.array([b"bytes"]),
        np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.zeros(2, "V8"),
    ],
    ids=lambda array: array.dtype.kind,
)
def test_other_types_are_refused_by_name(array):
    descr = np.lib.format.dtype_to_descr(array.dtype)
    with pytest.raises(ValueError, match="descr") as caught:
        Matrix.load(numpy_file(array))
    assert repr(descr) in str(caught.value)


def test_objects_are_never_unpickled():
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, ("must-not-exist",))

    file = io.BytesIO()
    np.save(file, np.array([[Bomb()]]), allow_pickle=True)
    file.seek(0)
    with pytest.raises(ValueError, match=r"\|O"):
        Matrix.load(file)
    with pytest.raises(ValueError, match=r"not a \.npy file"):
        Matrix.load(io.BytesIO(pickle.dumps(Bomb())))
    assert not os.path.exists("must-not-exist")


def test_three_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3, 4\)"):
        Matrix.load(numpy_file(np.zeros((2, 3, 4))))


@pytest.mark.parametrize("large", [False, True])
def test_what_is_cut_short_is_refused_at_every_byte(large):
    shape, kind = ((300, 300), "f8") if large else ((3, 4), "<i2")
    data = numpy_file(np.ones(shape, kind)).getvalue()
    for length in [*range(130), len(data) - 1] if large else range(len(data)):
        for file in (io.BytesIO(data[:length]), Trickle(data[:length])):
            if large and length > 130 and isinstance(file, Trickle):
                continue
            with pytest.raises(ValueError, match="cut short"):
                Matrix.load(file)


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }"


@pytest.mark.parametrize(
    "header",
    [
        GOOD,
        GOOD + "   \n",
        '{"shape": (1L, 1L), "fortran_order": True, "descr": "<f8"}',
        "{ 'shape':(1,),'descr':'=f8','fortran_order':False }",
        "{'descr': 'f8', 'fortran_order': False, 'shape': ()}",
    ],
)
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00"])
def test_headers_of_any_layout(header, version):
    assert Matrix.load(file_of(header, np.float64(2.5).tobytes(), version)).tolist() == [[2.5]]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{}",
        "[]",
        "{'descr': '<f8'}",
        GOOD[:-1],
        GOOD + "}",
        GOOD[:-1] + "'more': 1}",
        GOOD[:-1] + "'shape': (1, 1)}",
        GOOD.replace("False", "0"),
        GOOD.replace("(1, 1)", "[1, 1]"),
        GOOD.replace("(1, 1)", "(1)"),
        GOOD.replace("(1, 1)", "(-1, 1)"),
        GOOD.replace("(1, 1)", "(1.0, 1)"),
        GOOD.replace("(1, 1)", "(,)"),
        GOOD.replace("(1, 1)", "(1,,1)"),
        GOOD.replace("(1, 1)", "(1 1)"),
        GOOD.replace("(1, 1)", "(" * 5000 + ")" * 5000),
        GOOD.replace("(1, 1)", "(1" + "0" * 5000 + ",)"),
        GOOD.replace("(1, 1)", "(__import__('os').getcwd(),)"),
        GOOD.replace("'<f8'", "__import__('os')"),
        GOOD.replace("'<f8'", "'<f8\\x00'"),
        GOOD.replace("'<f8'", "'|O'"),
        GOOD.replace("(1, 1)", "(99999999999, 99999999999)"),
        GOOD.replace("(1, 1)", "(0, 9999999999999999999999)"),
        GOOD.replace("(1, 1)", "(2305843009213693952,)"),
        b"\xff\xfe" * 30,
    ],
)
def test_headers_that_are_none_are_refused(header):
    for version in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        with pytest.raises(ValueError, match=r".{10}"):
            Matrix.load(file_of(header, bytes(64), version))


def test_a_header_alone_reserves_no_memory():
    for shape in ("(100000, 10000000)", "(1, 999999999999)"):
        for kind in ("f8", "u1"):
            header = GOOD.replace("(1, 1)", shape).replace("f8", kind)
            data = file_of(header, bytes(640)).getvalue()
            for file in (io.BytesIO(data), Trickle(data)):
                with pytest.raises(ValueError, match="cut short"):
                    Matrix.load(file)


@pytest.mark.parametrize("version", [b"\x00\x00", b"\x04\x00", b"\x01\x01", b"\xff\xff"])
def test_other_versions_are_refused(version):
    with pytest.raises(ValueError, match="version"):
        Matrix.load(file_of(GOOD, bytes(8), version))
    with pytest.raises(ValueError, match=r"4294967295 bytes"):
        Matrix.load(io.BytesIO(b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100)))


@given(data=st.binary(max_size=200), at=st.integers(0, 200))
def test_a_damaged_file_is_refused_or_read(data, at):
    good = numpy_file(np.ones((3, 3))).getvalue()
    for damaged in (data, good[:at] + data + good[at + len(data) :]):
        with contextlib.suppress(ValueError):
            Matrix.load(io.BytesIO(damaged))


def test_what_is_no_file_is_refused():
    for wrong in (3, None, [1]):
        with pytest.raises(TypeError):
            Matrix.load(wrong)
        with pytest.raises(TypeError):
            Matrix.eye(2).save(wrong)
    with pytest.raises(TypeError):
        Matrix.load(io.StringIO("text"))
    with pytest.raises(TypeError):
        Matrix.eye(2).save(io.StringIO())
