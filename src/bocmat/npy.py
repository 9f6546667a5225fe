"""Matrices in `.npy` files: what `Matrix.save` and `Matrix.load` do.

The format is that of `numpy.lib.format`: a magic, a version, the length of a header, the header (a
dict of the element type, the order and the shape, as Python text) and the elements. Nothing in a
file is evaluated or unpickled.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import sys
from typing import Any, NoReturn

from ._core import Matrix, _read_numbers

MAGIC = b"\x93NUMPY"
ALIGNMENT = 64
AXIS_DIGITS = 21  # NumPy leaves room for the longest first axis, so that a file can grow in place
LONGEST_HEADER = 1 << 16
CHUNK = 1 << 20
TRUSTED = 1 << 26  # so much is reserved on the word of a header alone
NATIVE = "<" if sys.byteorder == "little" else ">"

# Element types by their descr without the byte order: the letter of the struct module.
LETTERS = {"b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}
LETTERS |= {"i8": "q", "u8": "Q", "f4": "f", "f8": "d"}

ENTRY = re.compile(
    r"""\s*(?P<quote>['"])(?P<key>\w*)(?P=quote)\s*:\s*
    (?:(?P<flag>True|False)|\((?P<shape>[0-9\sL,]*)\)
    |(?P<mark>['"])(?P<text>[^'"\\]*)(?P=mark))\s*(?:,|(?=\}))""",
    re.VERBOSE,
)
STRUCTURED = re.compile(r"""\s*['"]descr['"]\s*:\s*(?P<text>[^'"\s].*)""", re.DOTALL)
NEXT_ENTRY = r"""\s*,\s*['"](?:fortran_order|shape)['"]\s*:"""


def save(values: Matrix, file: Any) -> None:
    """Write a row-major matrix to a path or a binary file."""
    if hasattr(file, "write"):
        write(values, file)
        return
    path = os.fspath(file)
    ending = b".npy" if isinstance(path, bytes) else ".npy"
    with open(path if path.endswith(ending) else path + ending, "wb") as opened:
        write(values, opened)


def load(file: Any) -> Matrix:
    """Read a matrix from a path or a binary file."""
    if hasattr(file, "read"):
        return read(file)
    path = os.fspath(file)
    ending = b".npy" if isinstance(path, bytes) else ".npy"
    if not path.endswith(ending) and not os.path.exists(path):
        path += ending  # as it was saved
    with open(path, "rb") as opened:
        return read(opened)


# ---- writing ----


def write(values: Matrix, file: Any) -> None:
    """Write the header and the elements."""
    shape = values.shape
    header = f"{{'descr': '{NATIVE}f8', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (AXIS_DIGITS - len(repr(shape[0])))
    before = len(MAGIC) + 4
    padding = -(before + len(header) + 1) % ALIGNMENT
    text = (header + " " * padding + "\n").encode("latin1")
    write_all(file, MAGIC + b"\x01\x00" + struct.pack("<H", len(text)) + text)
    if values.size:
        write_all(file, memoryview(values).cast("B"))


def write_all(file: Any, data: bytes | memoryview) -> None:
    """Write everything, also to a raw file, which may take a part at a time."""
    done = 0
    while done < len(data):
        written = file.write(data[done:] if done else data)
        if not isinstance(file, io.RawIOBase):
            return
        done += written or 0


# ---- reading ----


def read(file: Any) -> Matrix:
    """Read one array, and nothing behind it."""
    form, fortran, shape = read_header(file)
    if len(shape) > 2:
        raise ValueError(f"a matrix has two dimensions, the file has {len(shape)}: {shape}")
    rows, columns = (1, 1, *shape)[-2:]
    fortran = fortran and len(shape) == 2
    if fortran:
        rows, columns = columns, rows
    size = rows * columns
    width = struct.calcsize(form)
    if max(rows, columns, size * 8) > sys.maxsize:
        raise ValueError(f"the shape {shape} of the file is too large to address")
    here = remaining(file)
    if here is None and size * width > TRUSTED:
        file = io.BytesIO(read_exactly(file, size * width, f"the values of {shape}"))
    elif here is not None and here < size * width:
        cut_short(here, f"the values of {shape}, {size * width} bytes,")
    values = Matrix.empty((rows, columns))
    if form == f"{NATIVE}d":
        if size:
            fill(file, memoryview(values).cast("B"), shape)
    else:
        convert(file, values, form, shape)
    return values.transpose(in_place=True) if fortran else values


def fill(file: Any, place: memoryview, shape: tuple[int, ...]) -> None:
    """Read until a piece of memory is full."""
    done = 0
    while done < len(place):
        if hasattr(file, "readinto"):
            count = file.readinto(place[done:])
        else:
            piece = file.read(min(CHUNK, len(place) - done))
            count = len(piece)
            place[done : done + count] = piece
        if not count:
            cut_short(done, f"the values of {shape}, {len(place)} bytes,")
        done += count


def convert(file: Any, values: Matrix, form: str, shape: tuple[int, ...]) -> None:
    """Read numbers of another type."""
    width = struct.calcsize(form)
    chunk = memoryview(bytearray(min(CHUNK, values.size * width)))
    for start in range(0, values.size, CHUNK // width):
        part = chunk[: (values.size - start) * width]
        fill(file, part, shape)
        _read_numbers(values, start, part, form, width)


def read_exactly(file: Any, count: int, what: str) -> bytes:
    """Read so many bytes; as many are reserved only as there are."""
    data = bytearray()
    while len(data) < count:
        piece = file.read(min(CHUNK, count - len(data)))
        if not piece:
            cut_short(len(data), what)
        data += piece
    return bytes(data)


def cut_short(found: int, what: str) -> NoReturn:
    """Refuse a file that ends too early."""
    raise ValueError(f"the file is cut short: {found} bytes where {what} should stand")


def read_header(file: Any) -> tuple[str, bool, tuple[int, ...]]:
    """Read up to the elements: gives what `parse_header` does."""
    start = read_exactly(file, len(MAGIC) + 2, "a magic string")
    if start[:-2] != MAGIC:
        raise ValueError(f"not a .npy file: it starts with {start!r}")
    version = (start[-2], start[-1])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"a .npy file of version {version}; 1.0, 2.0 and 3.0 can be read")
    form = "<H" if version == (1, 0) else "<I"
    (length,) = struct.unpack(form, read_exactly(file, struct.calcsize(form), "a header length"))
    if length > LONGEST_HEADER:
        raise ValueError(f"a .npy header of {length} bytes is too long")
    raw = read_exactly(file, length, "a header")
    try:
        text = raw.decode("utf-8" if version == (3, 0) else "latin1")
    except UnicodeDecodeError:
        raise ValueError(f"a .npy header that is no text: {shorten(repr(raw))}") from None
    return parse_header(text)


def parse_header(text: str) -> tuple[str, bool, tuple[int, ...]]:
    """Give the struct format of the elements, whether they stand column by column, the shape."""
    found: dict[str, Any] = {}
    body = text.strip()
    at = 1
    while body[at:].strip() != "}":
        entry = ENTRY.match(body, at)
        if not entry or entry["key"] in found:
            structured = STRUCTURED.match(body, at)
            if structured:
                refuse_type(shorten(re.split(NEXT_ENTRY, structured["text"])[0]))
            raise ValueError(f"not the header of a .npy file: {shorten(text)!r}")
        key, at = entry["key"], entry.end()
        if entry["flag"]:
            found[key] = entry["flag"] == "True"
        elif entry["mark"]:
            found[key] = entry["text"]
        else:
            found[key] = shape_of(entry["shape"], text)
    kinds = {key: type(value) for key, value in found.items()}
    if body[:1] != "{" or kinds != {"descr": str, "fortran_order": bool, "shape": tuple}:
        raise ValueError(f"not the header of a .npy file: {shorten(text)!r}")
    return format_of(found["descr"]), found["fortran_order"], found["shape"]


def shape_of(inside: str, text: str) -> tuple[int, ...]:
    """Read what stands between the brackets of a shape; Python 2 wrote an L after large numbers."""
    parts = [part.strip() for part in inside.split(",")]
    if parts[-1] == "" and (len(parts) > 1 or not inside.strip()):
        parts.pop()
    elif len(parts) == 1:
        raise ValueError(f"not the header of a .npy file: {shorten(text)!r}")
    if not all(re.fullmatch(r"[0-9]{1,30}L?", part) for part in parts):
        raise ValueError(f"not a shape in a .npy file: ({shorten(inside)})")
    return tuple(int(part.rstrip("L")) for part in parts)


def format_of(descr: str) -> str:
    """Translate an element type to a struct format with its byte order."""
    match = re.fullmatch(r"([<>|=]?)([a-z][0-9])", descr)
    letter = LETTERS.get(match[2]) if match else None
    if match is None or letter is None:
        refuse_type(repr(shorten(descr)))
    order = match[1] if match[1] in ("<", ">") else NATIVE
    return order + letter


def refuse_type(descr: str) -> NoReturn:
    """Refuse an element type."""
    raise ValueError(
        f"values of the descr {descr} do not become a matrix: float64, float32, integers and "
        "booleans do"
    )


def shorten(text: str) -> str:
    """Cut what an error quotes."""
    return text if len(text) <= 80 else f"{text[:77]}..."


def remaining(file: Any) -> int | None:
    """How many bytes a file still has, where that is known without reading it."""
    if type(file) is io.BytesIO:
        return max(0, file.getbuffer().nbytes - file.tell())
    raw = file.raw if type(file) in (io.BufferedReader, io.BufferedRandom) else file
    if type(raw) is io.FileIO:
        try:
            status = os.fstat(raw.fileno())
            if stat.S_ISREG(status.st_mode):
                return max(0, status.st_size - int(file.tell()))
        except OSError:
            pass
    return None
