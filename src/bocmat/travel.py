"""How Python values and functions leave one interpreter and arrive in another.

The native encoder (``binding/payload.c``) carries plain values, matrices, cowns and functions by
itself. It asks this module what goes by name, what has to be defined anew in every interpreter, and
for a pickle of everything else.
"""

from __future__ import annotations

import _thread
import builtins
import functools
import io
import pickle
import sys
import types
from typing import Any

from . import _core
from ._core import Cown, Matrix, PinnedCown

__all__: list[str] = []

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


def classify(obj: Any) -> tuple[str, str | None] | int | None:
    """How a class, function or module travels.

    ``(module, name)`` if it can be imported (name None: the module itself), the number of its
    definition if it is a class of the running program, None if neither.
    """
    if isinstance(obj, types.ModuleType):
        name = obj.__name__
        return (name, None) if sys.modules.get(name) is obj and module_importable(name) else None
    if isinstance(obj, type) and obj in _numbers:
        return _numbers[obj]
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
        return _define(obj)
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


# ---- classes of the running program ----

# Numbers of the classes that have a definition, or are about to: their pickles refer to each other.
_numbers: dict[type, int] = {}
_lock = _thread.RLock()


def _no_subclass_hook(cls: type, **_: Any) -> None:
    """Stand in for an ``__init_subclass__`` that has run already, where the class was written."""


def _registered(number: int, make: Any, arguments: Any) -> Any:
    """Make the class, still without its attributes, and make it known, so that these find it."""
    bases = dict.fromkeys(
        base for parent in arguments[2] for base in getattr(parent, "__mro__", ())
    )
    hooks = {
        base: base.__dict__["__init_subclass__"]
        for base in bases
        if base in _numbers and "__init_subclass__" in base.__dict__
    }
    for base in hooks:
        type.__setattr__(base, "__init_subclass__", classmethod(_no_subclass_hook))
    try:
        cls = make(*arguments)
    finally:
        for base, hook in hooks.items():
            type.__setattr__(base, "__init_subclass__", hook)
    return _core._definition_here(number, cls)


def _with_slots(cls: type, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Add its slots to what cloudpickle makes the bare class of: they must be there at birth."""
    slots = cls.__dict__.get("__slots__")
    if not slots or not (len(arguments) > 3 and type(arguments[3]) is dict):
        return arguments
    namespace = {**arguments[3], "__slots__": slots}
    return (*arguments[:3], namespace, *arguments[4:])


def _definer_class() -> Any:
    import cloudpickle

    class Definer(cloudpickle.Pickler):  # type: ignore[misc]
        """Pickles one class by value; everything else as any value."""

        def __init__(self, file: Any, top: type) -> None:
            super().__init__(file, protocol=5)
            self.top = top

        def reducer_override(self, obj: Any) -> Any:
            if obj is self.top:
                make, arguments, *rest = super().reducer_override(obj)
                return (_registered, (_numbers[obj], make, _with_slots(obj, arguments)), *rest)
            if type(obj) is Cown or type(obj) is Matrix:
                return NotImplemented  # as itself: the definition is loaded more than once
            reduced = _reduce(obj, [], weak=True)
            return super().reducer_override(obj) if reduced is NotImplemented else reduced

    return Definer


def _pickle_class(cls: type, number: int) -> bytes:
    import cloudpickle

    module = sys.modules.get(cls.__module__)
    by_value = (
        module is not None
        and cls.__module__ != "__main__"
        and cls.__module__ not in cloudpickle.list_registry_pickle_by_value()
    )
    file = io.BytesIO()
    if by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        _definer_class()(file, cls).dump(cls)
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    return file.getvalue()


def _define(cls: type) -> int:
    """Give a class a number and a pickle of which every interpreter makes its own."""
    with _lock:
        before = len(_numbers)
        number = _core._definition_reserve()
        _numbers[cls] = number
        try:
            _core._definition_set(number, _pickle_class(cls, number))
        except BaseException:
            # Those made on the way may refer to this one.
            for other in list(_numbers)[before:]:
                del _numbers[other]
            raise
        _core._definition_here(number, cls)
        return number


def find_defined(number: int) -> Any:
    """Make the class of a definition here."""
    data = _core._definition_get(number)
    if data is None:
        raise RuntimeError(f"the definition of class number {number} failed where it was made")
    try:
        cls = pickle.loads(data)
    except BaseException:
        _core._definition_forget(number)  # what stands there has only some of its attributes
        raise
    _numbers[cls] = number
    return cls


# ---- functions in pickles: made first, filled afterwards, so that cycles through them close ----


def _reduce_function(function: types.FunctionType, weak: bool) -> Any:
    number, names = _core._template_of(function)
    values = function.__globals__
    state = (
        function.__name__,
        function.__qualname__,
        function.__doc__,
        function.__defaults__,
        function.__kwdefaults__,
        function.__dict__,
        function.__closure__,
        {name: values[name] for name in names if name in values},
        weak,
    )
    return _core._function_make, (number,), state, None, None, _fill_function


def _fill_function(function: types.FunctionType, state: tuple[Any, ...]) -> None:
    (
        function.__name__,
        function.__qualname__,
        function.__doc__,
        function.__defaults__,
        function.__kwdefaults__,
        attributes,
        cells,
        values,
        weak,
    ) = state
    function.__dict__.update(attributes)
    if cells is not None:
        _core._function_close(function, cells)
    space = function.__globals__
    for name, value in values.items():
        # What a definition brought along does not replace what a behavior captured since.
        if not (weak and name in space):
            space[name] = value


def _cell_state(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return (None, "empty")


def _fill_cell(cell: types.CellType, state: tuple[Any, ...]) -> None:
    if len(state) == 1:
        cell.cell_contents = state[0]


def _reduce_weak(table: Any) -> Any:
    """Reduce a dict with weak references: what nobody else holds there goes again on arrival."""
    return type(table), (dict(table),)


def _make_partial(
    kind: Any, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    return kind(function, *arguments, **keywords)


def _reduce_partial(partial: Any) -> Any:
    return _make_partial, (type(partial), partial.func, partial.args, partial.keywords)


_CachedFunction = type(functools.lru_cache(lambda: None))


def _reduce_cached(cached: Any) -> Any:
    if isinstance(classify(cached), tuple):
        return NotImplemented
    parameters = cached.cache_parameters()
    arguments = (parameters["maxsize"], parameters["typed"], cached.__wrapped__)
    return _make_cached, arguments


def _make_cached(maxsize: int | None, typed: bool, function: Any) -> Any:
    return functools.lru_cache(maxsize, typed)(function)


# ---- exceptions ----


def _make_exception(cls: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """Make an exception with these arguments, without an ``__init__`` written in Python."""
    made = cls.__new__(cls, *arguments)
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is not None and not isinstance(init, types.FunctionType):
            init(made, *arguments)
            break
    made.args = arguments
    return made


def _fill_exception(exc: BaseException, state: tuple[Any, Any, bool]) -> None:
    attributes, cause, suppress = state
    if attributes:
        exc.__setstate__(attributes)
    exc.__cause__ = cause
    exc.__suppress_context__ = suppress


def _reduce_exception(exc: BaseException) -> Any:
    reduced = exc.__reduce_ex__(4)
    if isinstance(reduced, str) or len(reduced) > 3:
        return NotImplemented
    make, arguments, state = (*reduced, None)[:3]
    if make is type(exc) and isinstance(type(exc).__init__, types.FunctionType):
        make, arguments = _make_exception, (type(exc), arguments)
    cause = exc.__cause__
    return make, arguments, (state, cause, exc.__suppress_context__), None, None, _fill_exception


# ---- pickles ----


def _handle(index: int) -> Any:
    """Stands for what travels beside a pickle; Decoder puts it in place."""
    raise pickle.UnpicklingError(f"handle {index} of a bocmat value outside of bocmat")


# Types met so far whose instances pickle reduces best by itself: most objects end here.
_ordinary: set[type] = set()


def _reduce(obj: Any, handles: list[Any], weak: bool = False) -> Any:
    """Reduce what pickle alone would not, or not as well; NotImplemented for all else."""
    cls = type(obj)
    if cls in _ordinary:
        return NotImplemented
    if cls is type and obj in _numbers:
        return _core._defined, (_numbers[obj],)
    if cls is Matrix or cls is Cown or cls is PinnedCown:
        handles.append(obj)
        return _handle, (len(handles) - 1,)
    if issubclass(cls, (types.FunctionType, type, types.ModuleType)):
        return _reduce_named(obj, weak)
    if cls is types.CellType:
        return types.CellType, (), _cell_state(obj), None, None, _fill_cell
    if cls is _CachedFunction:
        return _reduce_cached(obj)
    if cls is functools.partialmethod:
        return _reduce_partial(obj)
    if issubclass(cls, BaseException):
        return _reduce_exception(obj)
    if cls.__module__ == "weakref" and cls.__name__ in ("WeakKeyDictionary", "WeakValueDictionary"):
        return _reduce_weak(obj)
    _ordinary.add(cls)
    return NotImplemented


def _reduce_named(obj: Any, weak: bool) -> Any:
    """Reduce a function, class or module."""
    found = classify(obj)
    if isinstance(found, int):
        return _core._defined, (found,)
    if isinstance(obj, types.ModuleType) and found is not None:
        return find_named, found
    if isinstance(obj, types.FunctionType) and found is None:
        return _reduce_function(obj, weak)
    return NotImplemented  # by name, as pickle does


class _Encoder(pickle.Pickler):
    def __init__(self, file: Any, handles: list[Any]) -> None:
        super().__init__(file, protocol=5)
        self.handles = handles

    def reducer_override(self, obj: Any) -> Any:
        return _reduce(obj, self.handles)


class _Decoder(pickle.Unpickler):
    def __init__(self, file: Any, handles: list[Any]) -> None:
        super().__init__(file)
        self.handles = handles

    def find_class(self, module: str, name: str) -> Any:
        if name == "_handle" and module == __name__:
            return self.handles.__getitem__
        return super().find_class(module, name)


def _dumps_by_value(value: Any, handles: list[Any]) -> bytes:
    """With cloudpickle, which knows more kinds of objects (and is slower to import)."""
    import cloudpickle

    class Encoder(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            reduced = _reduce(obj, handles)
            return super().reducer_override(obj) if reduced is NotImplemented else reduced

    file = io.BytesIO()
    Encoder(file, protocol=5).dump(value)
    return file.getvalue()


def dumps(value: Any, handles: list[Any]) -> bytes:
    """Pickle a value; matrices and cowns go into `handles` and are referred to by index.

    Raises
    ------
    TypeError
        If something in it cannot be pickled.
    """
    file = io.BytesIO()
    try:
        _Encoder(file, handles).dump(value)
        return file.getvalue()
    except (pickle.PicklingError, TypeError, AttributeError):
        del handles[:]
    try:
        return _dumps_by_value(value, handles)
    except (pickle.PicklingError, AttributeError) as error:
        raise TypeError(str(error)) from error


def loads(data: bytes, handles: list[Any]) -> Any:
    """Read a pickle made by `dumps`."""
    return _Decoder(io.BytesIO(data), handles).load() if handles else pickle.loads(data)
