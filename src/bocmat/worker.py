"""What a worker's interpreter does for itself: its streams, and the main program's settings."""

from __future__ import annotations

import io
import sys

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []


class _Output(io.TextIOWrapper):
    """A standard stream that tells its worker to flush once the behavior has ended."""

    def write(self, text: str, /) -> int:
        _core._mark_output()
        return super().write(text)


def _replace_stream(name: str, encoding: str | None, errors: str | None) -> None:
    old = getattr(sys, name, None)
    buffer = getattr(old, "buffer", None)
    if old is None or buffer is None:
        return
    new = _Output(buffer, encoding or old.encoding, errors or old.errors, newline="\n")
    if old is not getattr(sys, f"__{name}__", None):
        old.detach()
    setattr(sys, name, new)


def current_settings() -> dict[str, Any]:
    """Collect what workers should see as the main program does."""
    main = sys.modules.get("__main__")
    return {
        "path": [entry for entry in sys.path if isinstance(entry, str)],
        "argv": list(getattr(sys, "argv", ())),
        "package": getattr(main, "__package__", None),
        "recursion": sys.getrecursionlimit(),
        "streams": {
            name: (getattr(stream, "encoding", None), getattr(stream, "errors", None))
            for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr))
        },
    }


def apply_settings(settings: dict[str, Any]) -> None:
    """Take over what the main program published, before the next behavior."""
    sys.path[:] = settings["path"]
    sys.argv[:] = settings["argv"]
    sys.modules["__main__"].__dict__["__package__"] = settings["package"]
    sys.setrecursionlimit(settings["recursion"])
    for name, (encoding, errors) in settings["streams"].items():
        _replace_stream(name, encoding, errors)


def tidy() -> None:
    """Let go of what would complain, at the interpreter's end, that its module is gone."""
    # 3.13 before 3.13.1: the mark that `threading` leaves on a thread that it did not start.
    local = getattr(sys.modules.get("threading"), "_thread_local_info", None)
    if local is not None:
        vars(local).clear()
