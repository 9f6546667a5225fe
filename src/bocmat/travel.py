"""How Python values and functions leave one interpreter and arrive in another.

The native encoder (``binding/payload.c``) carries plain values, matrices, cowns and functions by
itself. It asks this module what goes by name and what has to be defined anew in every interpreter,
and `pickles` for a pickle of everything else. Every worker imports this one before its first
behavior, so it imports next to nothing.
"""

from __future__ import annotations

import builtins
import sys
import types

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []

# Numbers of the classes that have a definition, which every interpreter can read.
class_numbers: dict[type, int] = {}

# ---- what goes by name ----

_STANDARD_LOADERS = ("_frozen_importlib", "importlib", "zipimport", "_imp")
_importable: dict[str, bool] = {"__main__": False, "__mp_main__": False, "builtins": True}


def _standard_loader(spec: Any) -> bool:
    """Whether another interpreter has the loader too (a test runner's own loader it has not)."""
    loader = spec.loader
    kind = loader if isinstance(loader, type) else type(loader)
    return loader is None or kind.__module__.startswith(_STANDARD_LOADERS)


def _found_again(name: str, spec: Any) -> bool:
    """Whether importing the name afresh would find the same file."""
    path = None
    if "." in name:
        parent = name.rpartition(".")[0]
        if not module_importable(parent):
            return False
        path = getattr(sys.modules[parent], "__path__", None)
    for finder in sys.meta_path:
        if not getattr(finder, "__module__", type(finder).__module__).startswith("_pytest"):
            found = finder.find_spec(name, path, None)
            if found is not None:
                return bool(found.origin == spec.origin)
    return False


def module_importable(name: str) -> bool:
    """Whether every interpreter can import the module of that name and gets the same one.

    A module that asks while its own top level still runs is part of the running program: a worker
    that imported it would do again what it is doing.
    """
    known = _importable.get(name)
    if known is not None:
        return known
    module = sys.modules.get(name)
    if module is None:
        return False
    spec = getattr(module, "__spec__", None)
    if spec is None:
        answer = name in sys.builtin_module_names
    elif getattr(spec, "_initializing", False):
        answer = False
    elif spec.origin in ("built-in", "frozen"):
        answer = True
    else:
        answer = spec.name == name and _standard_loader(spec) and _found_again(name, spec)
    _importable[name] = answer
    return answer


def _under_name(module: str, qualified_name: str) -> object:
    """Look a dotted name up in a module that is imported already; None if it is not there."""
    found: object = sys.modules.get(module)
    for part in qualified_name.split("."):
        if part == "<locals>":
            return None
        found = getattr(found, part, None)
    return found


def classify(obj: Any) -> tuple[str, str | None] | int | type | None:
    """How a class, function or module travels.

    ``(module, name)`` if it can be imported (name None: the module itself), the number of its
    definition if it is a class of the running program, or the class itself if it has yet to get
    one; None if neither.
    """
    if isinstance(obj, types.ModuleType):
        name = obj.__name__
        return (name, None) if sys.modules.get(name) is obj and module_importable(name) else None
    if isinstance(obj, type) and obj in class_numbers:
        return class_numbers[obj]
    module = getattr(obj, "__module__", None)
    qualified_name = getattr(obj, "__qualname__", None)
    if (
        isinstance(module, str)
        and isinstance(qualified_name, str)
        and module_importable(module)
        and _under_name(module, qualified_name) is obj
    ):
        return (module, qualified_name)
    if isinstance(obj, type) and module != "builtins":
        return obj
    return None


def find_named(module: str, qualified_name: str | None) -> object:
    """Look a name up here, importing its module if need be."""
    __import__(module)
    found: object = sys.modules[module]
    for part in qualified_name.split(".") if qualified_name else ():
        found = getattr(found, part)
    return found


# ---- functions ----


_GLOBAL_OPERATIONS = (
    "LOAD_GLOBAL",
    "STORE_GLOBAL",
    "DELETE_GLOBAL",
    "LOAD_NAME",
    "LOAD_FROM_DICT_OR_GLOBALS",
)


def _global_names(code: types.CodeType, names: dict[str, None]) -> None:
    """Collect the names that code, and the code inside it, looks up in its globals."""
    import opcode

    operations = {opcode.opmap[name] for name in _GLOBAL_OPERATIONS if name in opcode.opmap}
    # The lowest bit of this one's argument says how to call, not what.
    shifted = opcode.opmap["LOAD_GLOBAL"] if sys.version_info >= (3, 11) else -1
    instructions = code.co_code
    extended = 0
    for at in range(0, len(instructions), 2):
        operation = instructions[at]
        argument = instructions[at + 1] | extended
        extended = argument << 8 if operation == opcode.EXTENDED_ARG else 0
        if operation in operations:
            names[code.co_names[argument >> 1 if operation == shifted else argument]] = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _global_names(constant, names)


def describe(function: types.FunctionType) -> tuple[str, str, str, tuple[str, ...], int]:
    """Give module, file and qualified name of a function, the globals it names, and its line."""
    code = function.__code__
    module = function.__globals__.get("__name__")
    file = function.__globals__.get("__file__")
    names: dict[str, None] = {}
    _global_names(code, names)
    return (
        module if isinstance(module, str) else "<unnamed>",
        file if isinstance(file, str) else code.co_filename,
        getattr(code, "co_qualname", function.__qualname__),
        tuple(names),
        code.co_firstlineno,
    )


def make_space(module: str, file: str) -> dict[str, Any]:
    """Make the globals that functions of a module of the running program find around them."""
    if module == "__main__" and not _core._is_main():
        space = sys.modules["__main__"].__dict__
    else:
        space = {"__name__": module, "__doc__": None, "__package__": None}
    space["__builtins__"] = builtins
    if not (module == "__main__" and file.startswith("<")):
        space["__file__"] = file
    if space.get("__package__") is None:
        is_package = file.rpartition("/")[2].startswith("__init__.")
        space["__package__"] = module if is_package else module.rpartition(".")[0]
    return space


def with_captures(function: Any, captures: tuple[Any, ...]) -> Any:
    """Make a function of cowns that calls another one with the captures behind them."""

    def behavior(*cowns: Any) -> Any:
        return function(*cowns, *captures)

    behavior.__name__ = getattr(function, "__name__", type(function).__name__)
    behavior.__qualname__ = getattr(function, "__qualname__", type(function).__qualname__)
    behavior.__wrapped__ = function  # type: ignore[attr-defined]
    return behavior
