"""Writes docs/api.md: every public name, with its signature and first sentence.

PYTHONPATH=src python tools/api_page.py
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
HEAD = """# Names

Every public name, by family. `help(Matrix.sum)` shows parameters, results, errors and an example.
"""
FAMILIES = """
Make: Matrix: zeros ones full empty eye diag arange linspace vector concat uniform normal
    integers permutation seed from_view from_buffer from_dlpack frombytes load loadtxt
Look: Matrix: rows columns shape size ndim nbytes T view length x y z w acquired read_only
    values tolist tobytes item copy save savetxt
View: Matrix: row_view column_view row_views column_views
Arithmetic: Matrix: add subtract multiply divide floor_divide remainder power minimum maximum
    hypot arctan2 copysign fma scaled_add
Element by element: Matrix: negate abs sign reciprocal sqrt cbrt square exp exp2 expm1 log log2
    log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh ceil floor trunc round clip
    sigmoid relu
Masks: Matrix: less less_equal greater greater_equal equal not_equal isnan isinf isfinite
    logical_and logical_or logical_xor logical_not where array_equal allclose
Reduce: Matrix: sum prod mean var std min max argmin argmax any all count_nonzero median
    quantile magnitude magnitude_squared nansum nanmean nanmin nanmax
Order: Matrix: cumsum cumprod diff sort argsort topk unique searchsorted digitize bin histogram
Shape: Matrix: transpose reshape ravel diagonal repeat_interleave tile roll flip
Gather and scatter: Matrix: take put take_along_axis put_along_axis
Vectors: Matrix: vecdot dot outer cross normalize perpendicular angle trace cdist
A view has besides: MatrixView: is_row
Linear algebra: linalg: solve inv det slogdet cholesky qr svd svdvals eigh eig lstsq pinv
    matrix_rank norm cond expm matrix_power kron LinAlgError
Behaviors: bocmat: Cown when read whencall start wait quiesce WaitResult WORKER_COUNT
A cown has: Cown: value exception acquired get unwrap acquire release cancel
Pinned to the main interpreter: bocmat: PinnedCown pump PumpResult set_pump_watchdog
    set_wait_pump_poll
Noticeboard and messages: bocmat: notice_write notice_seed notice_update notice_delete REMOVED
    notice_read noticeboard send receive TIMEOUT drain set_tags
Tiles: bocmat: TiledMatrix
A tiled matrix has: TiledMatrix: grid shape tile tiles to_matrix T map reduce stencil sum mean min
    max cholesky solve qr svdvals
"""
CONSTANTS = {  # whose docstrings are those of their types
    "TIMEOUT": "What `receive` gives in the place of a tag when its time is over.",
    "WORKER_COUNT": "How many workers there are by default: the processors this process may use.",
}


def signature(name: str, value: Any) -> str:
    """Give a name as it is called; an attribute or an exception as it is."""
    if not callable(value) or (inspect.isclass(value) and issubclass(value, BaseException)):
        return name
    parts = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind == parameter.KEYWORD_ONLY and not any(p.startswith("*") for p in parts):
            parts.append("*")
        parts.append(str(parameter.replace(annotation=parameter.empty)))
    return f"{name}({', '.join(parts)})"


def sentence(value: Any) -> str:
    """Give the first line of a docstring, in a cell of a table."""
    text = inspect.cleandoc(value.__doc__ or "").partition("\n\n")[0]
    return " ".join(text.split()).replace("|", "\\|")


def page() -> str:
    """Give the text of the page."""
    package = importlib.import_module("bocmat")
    importlib.import_module("bocmat.linalg")
    parts = [HEAD]
    for line in FAMILIES.replace("\n    ", " ").strip().splitlines():
        family, owner, names = line.split(": ")
        lines = [f"## {family}\n", "| name | what |", "| --- | --- |"]
        for name in names.split():
            value = getattr(package if owner == "bocmat" else getattr(package, owner), name)
            full = signature(name if owner == "bocmat" else f"{owner}.{name}", value)
            lines.append(f"| `{full}` | {CONSTANTS.get(name) or sentence(value)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
