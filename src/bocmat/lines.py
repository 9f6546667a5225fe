"""Matrices as lines of text: what `Matrix.savetxt` and `Matrix.loadtxt` do."""

from __future__ import annotations

import importlib
import io
import os
from typing import Any

from ._core import Matrix, _lines, _of_lines

AT_ONCE = 1 << 16  # elements written in one piece
COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}


def save(values: Matrix, file: Any, delimiter: str = " ") -> None:
    """Write a line a row to a path or a file."""
    if not isinstance(delimiter, str):
        raise TypeError(f"a delimiter is a str, not {type(delimiter).__name__}")
    if hasattr(file, "write"):
        write(values, file, delimiter)
        return
    with open_bytes(file, "wb") as opened:
        write(values, opened, delimiter)


def load(file: Any, delimiter: str | None = None, skiprows: int = 0) -> Matrix:
    """Read the lines of a path or a file."""
    if delimiter is not None:
        if not isinstance(delimiter, str):
            raise TypeError(f"a delimiter is a str or None, not {type(delimiter).__name__}")
        if not delimiter or any(part in delimiter for part in "\n\r#"):
            raise ValueError(f"{delimiter!r} cannot stand between values")
    if skiprows < 0:
        raise ValueError(f"cannot skip {skiprows} lines")
    if hasattr(file, "read"):
        data = file.read()
    else:
        with open_bytes(file, "rb") as opened:
            data = opened.read()
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return _of_lines(bytes(data), delimiter, skiprows)


def open_bytes(file: Any, mode: str) -> Any:
    """Open a path, compressed if its ending says so."""
    path = os.fspath(file)
    ending = os.path.splitext(os.fsdecode(path))[1]
    if ending in COMPRESSED:
        return importlib.import_module(COMPRESSED[ending]).open(path, mode)
    return open(path, mode)


def write(values: Matrix, file: Any, delimiter: str) -> None:
    """Write the lines to a file of text or bytes."""
    text = isinstance(file, io.TextIOBase)
    rows = max(1, AT_ONCE // max(1, values.columns))
    for start in range(0, values.rows, rows):
        piece = _lines(values, start, start + rows, delimiter)
        file.write(piece if text else piece.encode())
