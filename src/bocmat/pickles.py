"""Pickles of what the native encoder cannot carry, and of classes of the running program.

They are read in the same process only, by other interpreters. What travels beside a pickle (a
matrix, a cown) is a handle in it.
"""

from __future__ import annotations

import _thread
import abc
import functools
import io
import pickle
import sys
import types

from . import _core
from ._core import Cown, Matrix, PinnedCown
from .travel import class_numbers, classify, find_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []

# ---- classes of the running program ----

# Definitions are written and read by one thread at a time. Classes refer to each other, so they get
# their numbers before they are done; what is not done yet is for the eyes of that thread only.
_lock = _thread.RLock()
_unready: dict[int, type] = {}
_ready: dict[int, type] = {}


class _Making:
    """Inside of it a definition is written or read; all see the classes when the outermost ends."""

    def __enter__(self) -> None:
        self.before = len(_unready)

    def __exit__(self, failed: Any, *_: Any) -> None:
        if failed:
            # Those made on the way may refer to the one that failed.
            for number in list(_unready)[self.before :]:
                del _unready[number]
        elif self.before == 0:
            for number, cls in _unready.items():
                _ready[number] = cls
                class_numbers[cls] = number
                _core._definition_here(number, cls)
            _unready.clear()


def _made(number: int) -> type | None:
    return _ready[number] if number in _ready else _unready.get(number)


def _no_subclass_hook(cls: type, /, **_: Any) -> None:
    """Stand in for an ``__init_subclass__`` that has run already, where the class was written."""


def _registered(number: int, make: Any, arguments: Any) -> Any:
    """Make the class, still without its attributes, so that these find it."""
    known = _made(number)
    if known is not None:  # a base that refers to it has made it already
        return known
    bases = dict.fromkeys(
        base for parent in arguments[2] for base in getattr(parent, "__mro__", ())
    )
    hooks = {
        base: base.__dict__["__init_subclass__"]
        for base in bases
        if "__init_subclass__" in base.__dict__
        and (base in class_numbers or any(base is made for made in _unready.values()))
    }
    for base in hooks:
        type.__setattr__(base, "__init_subclass__", classmethod(_no_subclass_hook))
    try:
        cls = make(*arguments)
    finally:
        for base, hook in hooks.items():
            type.__setattr__(base, "__init_subclass__", hook)
    _unready[number] = cls
    return cls


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

        def __init__(self, file: Any, top: type, number: int) -> None:
            super().__init__(file, protocol=5)
            self.top = top
            self.number = number

        def reducer_override(self, obj: Any) -> Any:
            if obj is self.top:
                make, arguments, *rest = super().reducer_override(obj)
                return (_registered, (self.number, make, _with_slots(obj, arguments)), *rest)
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
        _definer_class()(file, cls, number).dump(cls)
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    return file.getvalue()


def define(cls: type) -> int:
    """Give a class a number and a pickle of which every interpreter makes its own."""
    with _lock:
        if cls in class_numbers:
            return class_numbers[cls]
        for number, unready in _unready.items():
            if unready is cls:
                return number
        number = _core._definition_reserve()
        with _Making():
            _unready[number] = cls
            _core._definition_set(number, _pickle_class(cls, number))
        return number


def find_defined(number: int) -> Any:
    """Make the class of a definition here, unless it is there or about to be."""
    with _lock:
        known = _made(number)
        if known is not None:
            return known
        data = _core._definition_get(number)
        if data is None:
            raise RuntimeError(f"the definition of class number {number} failed where it was made")
        with _Making():
            return pickle.loads(data)


# ---- functions in pickles: made first, filled afterwards, so that cycles through them close ----


def _reduce_function(function: types.FunctionType, weak: bool) -> Any:
    if weak:
        _core._surround(function)
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
        if not (weak and (name in space or _core._brought(function, name))):
            space[name] = value
    if weak and not _core._is_main():
        _core._surround(function)


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


def _make_cached_property(function: Any, name: str | None) -> Any:
    """Make one with a lock of its own, which they have before 3.12."""
    made = functools.cached_property(function)
    made.attrname = name
    return made


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


# ---- instances ----

# Named in a class, they say that pickle is to treat its instances in some other way.
_SPECIAL = frozenset(
    (
        "__class__",
        "__getattr__",
        "__getattribute__",
        "__getnewargs__",
        "__getnewargs_ex__",
        "__getstate__",
        "__new__",
        "__reduce__",
        "__reduce_ex__",
        "__setstate__",
    )
)


class _Bare:
    """As large as an instance gets that has a ``__dict__`` and nothing else."""


def _is_weak_dict(cls: type) -> bool:
    names = ("WeakKeyDictionary", "WeakValueDictionary")
    return cls.__module__ == "weakref" and cls.__name__ in names


def is_plain(cls: type) -> bool:
    """Whether an instance is its class and the contents of its ``__dict__``, and nothing more.

    Pickle would carry just these, and make the instance of them without calling anything written
    in Python. Asked by the extension module, which remembers the answer until the class changes.
    """
    if type(cls) not in (type, abc.ABCMeta) or cls.__dictoffset__ == 0 or _is_weak_dict(cls):
        return False
    if cls in (functools.partialmethod, functools.cached_property):
        return False
    if cls.__itemsize__ or cls.__basicsize__ > _Bare.__basicsize__:
        return False
    for base in cls.__mro__[:-1]:
        attributes = base.__dict__
        if not _SPECIAL.isdisjoint(attributes) or attributes.get("__slots__"):
            return False
        if type(attributes.get("__dict__")) not in (type(None), types.GetSetDescriptorType):
            return False
    return True


def set_state(obj: Any, state: dict[str, Any]) -> None:
    """Fill an instance as pickle does, where its class is not plain here."""
    take = getattr(obj, "__setstate__", None)
    if take is not None:
        take(state)
    else:
        obj.__dict__.update(state)


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
    if cls is type and obj in class_numbers:
        return _core._defined, (class_numbers[obj],)
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
    if cls is functools.cached_property:
        return _make_cached_property, (obj.func, obj.attrname)
    if issubclass(cls, BaseException):
        return _reduce_exception(obj)
    if _is_weak_dict(cls):
        return _reduce_weak(obj)
    _ordinary.add(cls)
    return NotImplemented


def _reduce_named(obj: Any, weak: bool) -> Any:
    """Reduce a function, class or module."""
    found = classify(obj)
    if isinstance(found, type):
        found = define(found)
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
