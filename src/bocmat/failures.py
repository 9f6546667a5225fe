"""What becomes of an exception that a behavior raised: a report, and a form that travels."""

from __future__ import annotations

import sys

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []

_UNIMPORTABLE = (
    " (it does not import in a sub-interpreter: use start(backend='threads'), or a PinnedCown for "
    "what needs it)"
)
_TRACEBACK = "Traceback in the behavior (most recent call last):\n"


def _inner(function: Any) -> Any:
    """Give what a partial, a bound method or a decorated function is made of; None if nothing."""
    for name in ("__wrapped__", "__func__", "func"):
        inner = getattr(function, name, None)
        if callable(inner):
            return inner
    return None


def _place_of(function: Any) -> tuple[str, str, int]:
    """Give name, file and line of what was scheduled, through whatever is wrapped around it."""
    name = getattr(function, "__qualname__", None)
    for _ in range(100):
        inner = _inner(function)
        if inner is None:
            break
        function = inner
        name = name or getattr(function, "__qualname__", None)
    code = getattr(function, "__code__", None) or getattr(
        vars(type(function)).get("__call__"), "__code__", None
    )
    return (
        name if isinstance(name, str) else type(function).__qualname__,
        getattr(code, "co_filename", ""),
        getattr(code, "co_firstlineno", 0),
    )


def _heading(source: tuple[str | None, Any, str | None, str, int]) -> str:
    given, function, name, file, line = source
    if function is not None:
        name, file, line = _place_of(function)
    said = "a behavior" if given is None and name is None else f"behavior {given or name!r}"
    return f'{said}, file "{file}", line {line},' if file else said


def _add_note(exc: BaseException, note: str) -> None:
    if sys.version_info >= (3, 11):
        exc.add_note(note)
    else:
        exc.__dict__.setdefault("__notes__", []).append(note)


def _explain(exc: BaseException) -> None:
    """Say what to do about a package that does not import in a sub-interpreter."""
    if isinstance(exc, ImportError) and exc.args and not _core._is_main():
        text = str(exc).lower()
        if "interpreter" in text or "numpy" in text:
            exc.args = (f"{exc.args[0]}{_UNIMPORTABLE}", *exc.args[1:])
            exc.msg = exc.args[0]


def _text(exc: BaseException) -> tuple[str, str]:
    """Give the traceback as Python prints it, and the lines of its stack alone."""
    import traceback

    try:
        shown = traceback.TracebackException(type(exc), exc, exc.__traceback__)
    except Warning:  # of linecache, about a module's loader, where warnings are errors
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shown = traceback.TracebackException(type(exc), exc, exc.__traceback__)
    text = "".join(shown.format())
    if sys.version_info < (3, 11):
        # Unless a backport of exception groups is there, which has added them.
        notes = [str(note) for note in getattr(exc, "__notes__", ())]
        text += "".join(f"{note}\n" for note in notes if note not in text)
    return text.rstrip(), "".join(shown.stack.format()).rstrip()


def pack(exc: BaseException, source: Any) -> tuple[BaseException, str]:
    """Make a raised exception ready to travel, its traceback in a note; give it and a report."""
    _explain(exc)
    text, stack = _text(exc)
    if stack:
        _add_note(exc, _TRACEBACK + stack)
    seen: BaseException | None = exc
    while seen is not None and seen.__traceback__ is not None:
        seen.__traceback__ = None
        seen = seen.__cause__ or seen.__context__
    return exc, f"{_heading(source)} failed and nobody looked at it\n{text}"


def plain(exc: BaseException, source: Any) -> tuple[BaseException, str]:
    """Stand in with what can always travel for an exception that cannot."""
    try:
        text = str(exc)
    except Exception:
        text = "(it has no text)"
    notes = [note for note in getattr(exc, "__notes__", ()) if isinstance(note, str)]
    stand_in = RuntimeError(f"{type(exc).__qualname__}: {text}")
    for note in notes:
        _add_note(stand_in, note)
    return stand_in, "\n".join(
        [f"{_heading(source)} failed and nobody looked at it", str(stand_in), *notes]
    )
