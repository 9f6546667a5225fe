"""Functions, classes and objects of every make, named by behaviors or scheduled as such."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import operator
import pathlib
import random
import re
import sys
import types
import typing
import uuid
import weakref

import pytest

from bocmat import Cown, Matrix, wait, when

T = typing.TypeVar("T")


def announced(function):
    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        return ["called", function(*arguments, **keywords)]

    return wrapper


class Box:
    """Has one of everything a class can have."""

    shared = Cown("of the class")
    matrix = Matrix.full((50, 50), 2.0)

    def __init__(self, value):
        self.value = value

    def add(self, cown):
        return self.value + cown.value

    @announced
    def decorated(self):
        return self.value

    @staticmethod
    def static(cown):
        return cown.value

    @classmethod
    def named(cls, cown):
        return cls.__name__, cown.value

    @property
    def doubled(self):
        return self.value * 2

    @functools.cached_property
    def tripled(self):
        return self.value * 3

    plus = functools.partialmethod(lambda self, a, b: self.value + a + b, 10)


class Meta(type):
    def __new__(mcs, name, bases, namespace):
        made = super().__new__(mcs, name, bases, namespace)
        made.tag = name.lower()
        return made


class WithMeta(metaclass=Meta):
    pass


class Plugin:
    known: typing.ClassVar[list[str]] = []

    def __init_subclass__(cls, level=0, **keywords):
        super().__init_subclass__(**keywords)
        cls.known.append(cls.__name__)
        cls.level = level


class First(Plugin, level=3):
    pass


class Outer:
    class Inner:
        value = 1

    def make(self):
        return self.Inner()


class Field:
    def __set_name__(self, owner, name):
        self.name = f"_{name}"

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name, None)

    def __set__(self, instance, value):
        setattr(instance, self.name, value)


class WithField:
    field = Field()


class Generic(typing.Generic[T]):
    def __init__(self, item: T):
        self.item = item


class Singleton:
    instance = None

    def __new__(cls):
        if cls.instance is None:
            cls.instance = super().__new__(cls)
        return cls.instance


class Slotted:
    __slots__ = ("__dict__", "left", "right")

    def __init__(self):
        self.left, self.other = 1, 2


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Point:
    x: int
    tags: list = dataclasses.field(default_factory=list)


class Color(enum.Flag):
    RED = enum.auto()
    GREEN = enum.auto()

    @classmethod
    def usual(cls):
        return cls.GREEN

    @property
    def label(self):
        return self.name.lower()


class Refused(Exception):
    def __init__(self, reason, *, code):
        super().__init__(reason)
        self.code = code


class Worse(Refused):
    pass


@functools.singledispatch
def kind(value):
    return "object"


@kind.register(int)
def _(value):
    return "int"


@contextlib.contextmanager
def opened(value):
    yield value + 1


def counted(number):
    yield from range(number)


async def later(value):
    await asyncio.sleep(0)
    return value


def even(number):
    return number == 0 or odd(number - 1)


def odd(number):
    return number != 0 and even(number - 1)


def read_generator():
    with opened(1) as value:
        return value, list(counted(3))


def match(value):
    try:
        raise Worse("no", code=value)
    except Refused as error:
        return error.code, isinstance(error, Worse), error.args


Pair = collections.namedtuple("Pair", "left right", defaults=[2])
box = Box(3)
ring = Box(1)
ring.me, ring.items = ring, [ring]
table = {box: None}
table[box] = table
weak = weakref.WeakKeyDictionary({box: 5})
space = types.SimpleNamespace(a=[1])

# Each is called in a behavior; what it gives is what it gives here.
NAMED = {
    "property": lambda: (box.doubled, box.tripled, box.plus(1)),
    "decorated method": lambda: box.decorated(),
    "matrix of a class": lambda: (box.matrix.sum(), Box.matrix.shape),
    "dispatch": lambda: (kind(1), kind("text")),
    "generators": read_generator,
    "coroutine": lambda: asyncio.run(later(4)),
    "metaclass": lambda: (WithMeta.tag, type(WithMeta).__name__, type(WithMeta()).tag),
    "subclass hook": lambda: (Plugin.known, First.level),
    "nested class": lambda: (Outer.Inner.value, type(Outer().make()) is Outer.Inner),
    "descriptor": lambda: (WithField.field.name, WithField().field),
    "generic": lambda: (Generic[int](4).item, Generic("a").item),
    "singleton": lambda: Singleton() is Singleton(),
    "slots": lambda: (Slotted().left, Slotted().other),
    "dataclass": lambda: (Point(1) < Point(2), dataclasses.asdict(Point(1)), Point(3).x),
    "flag": lambda: (Color.usual().label, Color(3) is Color.RED | Color.GREEN),
    "mutual recursion": lambda: (even(10), odd(10)),
    "exceptions": lambda: match(3),
    "cycle of an object": lambda: ring.items[0] is ring.me is ring,
    "cycle through a key": lambda: next(iter(table.values())) is table,
    "weak keys": lambda: weak.get(box),
    "getter": lambda: operator.attrgetter("value")(box),
    "namespace": lambda: space.a,
    "standard library": lambda: (
        decimal.Decimal("1.5") + 1,
        datetime.date(2020, 1, 1).isoformat(),
        hashlib.sha256(b"x").hexdigest(),
        str(uuid.UUID(int=5)),
        str(pathlib.PurePath("a") / "b"),
        re.compile("a+").match("aab").group(),
        random.Random(1).random(),
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_a_behavior_calls_gives_what_it_gives_here(backend, name):
    function = NAMED[name]
    expected = function()
    results = [when()(function) for _ in range(3)]
    wait()
    for result in results:
        assert not result.exception, result.value
        assert result.value == expected


SCHEDULED = {
    "bound method": (box.add, 4),
    "static method": (Box.static, 1),
    "class method": (Box.named, ("Box", 1)),
    "partial": (functools.partial(lambda a, cown, b: (a, cown.value, b), 5, b=6), (5, 1, 6)),
    "cached": (functools.cache(lambda cown: cown.value + 6), 7),
    "decorated": (announced(lambda cown: cown.value), ["called", 1]),
    "twice decorated": (announced(announced(lambda cown: cown.value)), ["called", ["called", 1]]),
    "dispatching": (kind, "object"),
    "built in": (id, None),
}


@pytest.mark.parametrize("name", SCHEDULED)
def test_whatever_can_be_called_can_be_scheduled(backend, name):
    function, expected = SCHEDULED[name]
    result = when(Cown(1))(function)
    wait()
    assert not result.exception, result.value
    assert expected is None or result.value == expected


def test_a_class_can_be_scheduled(backend):
    result = when()(functools.partial(Box, 5))
    wait()
    assert type(result.value) is Box
    assert result.value.value == 5


def test_objects_come_back_as_instances_of_their_classes(backend):
    @when()
    def result():
        return [box, Point(1, ["a"]), Color.GREEN, Pair(1), First(), WithMeta(), Generic(1), ring]

    wait()
    kinds = [Box, Point, Color, Pair, First, WithMeta, Generic, Box]
    assert [type(value) for value in result.value] == kinds
    assert result.value[2] is Color.GREEN
    assert result.value[3] == (1, 2)
    assert result.value[-1].me is result.value[-1].items[0] is result.value[-1]
    assert Plugin.known == ["First"]


def test_the_cown_of_a_class_is_the_same_everywhere(backend):
    @when()
    def scheduled():
        @when(Box.shared)
        def _(shared):
            shared.value = "changed"

        return Box.shared

    wait()
    assert scheduled.value == Box.shared
    assert Box.shared.value == "changed"
    Box.shared.value = "of the class"


def test_local_functions_that_call_each_other(backend):
    def first(number):
        return number == 0 or second(number - 1)

    def second(number):
        return number != 0 and first(number - 1)

    again = lambda: again  # noqa: E731

    @when()
    def result():
        return first(10), second(10), again() is again

    wait()
    assert result.value == (True, False, True)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with 3.12")
def test_type_parameters(backend):
    namespace = {"__name__": __name__}
    exec("class Stack[T]:\n    def __init__(self, item: T): self.item = item\n", namespace)
    exec("def same[T](value: T) -> T: return value\n", namespace)
    stack, same = namespace["Stack"], namespace["same"]

    @when()
    def result():
        return stack[int](4), same(5)

    wait()
    assert (type(result.value[0]) is stack, result.value[0].item, result.value[1]) == (True, 4, 5)
