"""Where an object that exports a buffer keeps its bytes, also seen from a sub-interpreter."""

from __future__ import annotations

from typing import Any


def address(exporter: Any) -> int | None:
    """Return the address of the first byte, or None in an interpreter that cannot import ctypes."""
    try:
        import ctypes
    except ImportError:
        return None

    class Buffer(ctypes.Structure):
        _fields_ = [
            ("buf", ctypes.c_void_p),
            ("obj", ctypes.py_object),
            ("len", ctypes.c_ssize_t),
            ("itemsize", ctypes.c_ssize_t),
            ("readonly", ctypes.c_int),
            ("ndim", ctypes.c_int),
            ("format", ctypes.c_char_p),
            ("shape", ctypes.c_void_p),
            ("strides", ctypes.c_void_p),
            ("suboffsets", ctypes.c_void_p),
            ("internal", ctypes.c_void_p),
        ]

    api = ctypes.pythonapi
    buffer = Buffer()
    full_read_only = 0x011C
    status = api.PyObject_GetBuffer(
        ctypes.py_object(exporter), ctypes.byref(buffer), ctypes.c_int(full_read_only)
    )
    if status != 0:
        raise BufferError("no buffer")
    try:
        return int(buffer.buf or 0)
    finally:
        api.PyBuffer_Release(ctypes.byref(buffer))
