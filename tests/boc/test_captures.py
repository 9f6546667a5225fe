"""What a behavior's function brings along: closures, globals, defaults, functions and classes."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled: that is the subject here

from __future__ import annotations

import abc
import collections
import dataclasses
import enum
import fractions
import functools
import importlib
import math
import operator
import os.path
import sys
import textwrap
import threading
import types
import typing

import pytest

import bocmat
from bocmat import Cown, Matrix, read, start, wait, when

COUNTER = 10
TABLE = {"one": 1, "two": [2, 2]}
FRACTION = fractions.Fraction(1, 3)


def helper(value):
    return other_helper(value) + COUNTER


def other_helper(value):
    return value * 2


def even(number):
    return True if number == 0 else odd(number - 1)


def odd(number):
    return False if number == 0 else even(number - 1)


class ModuleAccount:
    kind = "account"

    def __init__(self, balance):
        self.balance = balance

    def pay(self, amount):
        self.balance -= helper(amount) - COUNTER
        return self


# Scheduled by importing this module's text again, below: a loop at module level.
MODULE_LOOP = """
from bocmat import Cown, when

results = []
for index in range(5):
    text = "x" * index

    @when()
    def result():
        return index, text

    results.append(result)
"""


def run(function, *cowns):
    """Schedule a function, wait, and give what it returned."""
    result = when(*cowns)(function)
    wait()
    if result.exception:
        raise result.value
    return result.value


# Variables


def test_a_closure_is_taken_when_the_behavior_is_scheduled(backend):
    value = 1

    @when()
    def first():
        return value

    value = 2

    @when()
    def second():
        return value

    value = 3
    wait()
    assert (first.value, second.value) == (1, 2)


def test_loop_variables_in_a_function(backend):
    results = []
    for index in range(20):
        for letter in "ab":

            @when()
            def result():
                return index, letter

            results.append(result)
    wait()
    assert [result.value for result in results] == [(i, s) for i in range(20) for s in "ab"]


def test_loop_variables_at_module_level(backend):
    module = types.ModuleType("made_by_a_test")
    exec(compile(MODULE_LOOP, "made_by_a_test.py", "exec"), module.__dict__)
    wait()
    assert [result.value for result in module.results] == [(i, "x" * i) for i in range(5)]


def test_globals_are_taken_when_the_behavior_is_scheduled(backend, monkeypatch):
    module = sys.modules[__name__]

    @when()
    def first():
        return COUNTER, TABLE

    monkeypatch.setattr(module, "COUNTER", 77)
    monkeypatch.setitem(TABLE, "one", "changed")

    @when()
    def second():
        return COUNTER, TABLE["one"]

    wait()
    assert first.value == (10, {"one": 1, "two": [2, 2]})
    assert second.value == (77, "changed")


def test_globals_used_by_nested_functions_only(backend):
    def body():
        def inner():
            return [COUNTER + extra for extra in range(2)]

        return inner()

    assert run(body) == [10, 11]


def test_a_list_changed_after_scheduling_is_not_seen(backend):
    items, nested = [1], {"deep": [[1]]}

    @when()
    def result():
        return items, nested

    items.append(2)
    nested["deep"][0].append(2)
    wait()
    assert result.value == ([1], {"deep": [[1]]})


def test_changes_made_by_a_behavior_are_its_own(backend):
    items = [1]
    results = []
    for _ in range(3):

        @when()
        def result():
            items.append(2)
            return items

        results.append(result)
    wait()
    assert [result.value for result in results] == [[1, 2]] * 3
    assert items == [1]


def test_writing_a_nonlocal_stays_in_the_behavior(backend):
    count = 0
    results = []
    for _ in range(3):

        @when()
        def result():
            nonlocal count
            count += 1
            return count

        results.append(result)
    wait()
    assert [result.value for result in results] == [1, 1, 1]
    assert count == 0


def test_writing_a_global_stays_in_the_behavior(backend):
    def body():
        global COUNTER
        COUNTER += 5
        return COUNTER

    results = [when()(body) for _ in range(4)]
    wait()
    assert [result.value for result in results] == [15] * 4
    assert COUNTER == 10


def test_a_global_made_by_a_behavior_is_not_seen_outside(backend):
    def body():
        global MADE_IN_A_BEHAVIOR
        MADE_IN_A_BEHAVIOR = 1
        return MADE_IN_A_BEHAVIOR

    assert run(body) == 1
    assert "MADE_IN_A_BEHAVIOR" not in globals()


def test_sharing_inside_one_capture_is_kept(backend):
    shared = [0]
    pair = (shared, [shared], {"again": shared})

    def body():
        pair[0].append(1)
        return pair[1][0] is pair[0], pair[2]["again"] is pair[0], pair[2]["again"]

    assert run(body) == (True, True, [0, 1])


def test_sharing_between_two_variables_is_kept(backend):
    one = [0]
    two = {"one": one}

    def body():
        one.append(1)
        return two["one"] is one, two

    assert run(body) == (True, {"one": [0, 1]})


def test_cycles_inside_a_capture(backend):
    ring = [1]
    ring.append(ring)
    table = {}
    table["self"] = table

    class Node:
        def __init__(self):
            self.me = self

    node = Node()

    def body():
        return ring[1] is ring, table["self"] is table, node.me is node

    assert run(body) == (True, True, True)


def test_an_unset_variable_is_an_error_in_the_behavior_only(backend):
    if backend == "never":
        later = 1

    @when()
    def local():
        return later

    @when()
    def module():
        return a_name_nobody_defines  # noqa: F821

    wait()
    assert type(local.value) is NameError
    assert type(module.value) is NameError
    assert "a_name_nobody_defines" in str(module.value)


def test_a_name_defined_only_later_in_the_behavior(backend):
    def body():
        value = [len(text) for text in ("a", "bb")]
        del value[0]
        return value

    assert run(body) == [2]


# Defaults


def test_defaults_are_taken_when_the_function_is_defined(backend):
    results = []
    for index in range(5):

        @when(Cown(100))
        def result(cown, index=index, *, doubled=2 * index):
            return cown.value + index + doubled

        results.append(result)
    wait()
    assert [result.value for result in results] == [100 + 3 * i for i in range(5)]


def test_defaults_may_be_functions_and_mutable(backend):
    @when()
    def first(function=lambda value: value + 1, box=[1]):  # noqa: B006
        box.append(function(1))
        return box

    @when()
    def second(*, table={"a": 1}):  # noqa: B006
        table["b"] = 2
        return table

    wait()
    assert first.value == [1, 2]
    assert second.value == {"a": 1, "b": 2}


def test_a_mutable_default_does_not_carry_over_between_behaviors(backend):
    def body(box=[]):  # noqa: B006
        box.append(1)
        return len(box)

    results = [when()(body) for _ in range(6)]
    wait()
    assert [result.value for result in results] == [1] * 6


# Functions


def test_modules_and_their_functions(backend):
    def body():
        return math.floor(2.5), os.path.join("a", "b"), operator.add(1, 2), len([1])

    assert run(body) == (2, os.path.join("a", "b"), 3, 1)


def test_an_import_inside_the_behavior(backend):
    def body():
        import colorsys
        from string import ascii_lowercase as letters

        return colorsys.rgb_to_hsv(0, 0, 0)[2], letters[:3]

    assert run(body) == (0, "abc")


def test_functions_of_the_module_that_call_each_other(backend):
    def body():
        return helper(4), even(10), odd(10), FRACTION * 3

    assert run(body) == (18, True, False, 1)


def test_local_functions_with_closures(backend):
    factor = 3

    def inner(value):
        return value * factor

    def outer(value):
        return inner(value) + 1

    def body():
        return outer(5)

    assert run(body) == 16


def test_a_local_function_takes_its_variables_when_the_behavior_is_scheduled(backend):
    factor = 2

    def scaled(value):
        return value * factor

    @when()
    def first():
        return scaled(10)

    factor = 3

    @when()
    def second():
        return scaled(10)

    wait()
    assert (first.value, second.value) == (20, 30)


def test_recursive_local_functions(backend):
    def factorial(number):
        return 1 if number == 0 else number * factorial(number - 1)

    def ping(number):
        return "ping" if number == 0 else pong(number - 1)

    def pong(number):
        return "pong" if number == 0 else ping(number - 1)

    def body():
        return factorial(20), ping(5)

    assert run(body) == (math.factorial(20), "pong")


def test_a_behavior_that_names_itself_as_a_function(backend):
    def countdown(number=3):
        return [] if number == 0 else [number, *countdown(number - 1)]

    assert run(countdown) == [3, 2, 1]


def test_lambdas_partials_and_bound_methods_as_values(backend):
    class Adder:
        def __init__(self, base):
            self.base = base

        def add(self, value):
            return self.base + value

    square = lambda value: value * value  # noqa: E731
    tripled = functools.partial(operator.mul, 3)
    added = Adder(10).add
    chained = [square, tripled, added, "{:>4}".format, str.upper]

    def body():
        return chained[0](3), chained[1](3), chained[2](3), chained[3](3), chained[4]("x")

    assert run(body) == (9, 9, 13, "   3", "X")


def test_a_cached_function_travels(backend):
    @functools.cache
    def fibonacci(number):
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    def body():
        return fibonacci(60)

    assert run(body) == 1548008755920


def test_a_wrapped_function_travels(backend):
    def announced(function):
        @functools.wraps(function)
        def wrapper(*arguments, **keywords):
            return ["called", function(*arguments, **keywords)]

        return wrapper

    @announced
    def add(a, b=1):
        """Add."""
        return a + b

    def body():
        return add(1, b=5), add.__name__, add.__doc__

    assert run(body) == (["called", 6], "add", "Add.")


def test_a_function_can_be_returned_and_called(backend):
    base = 7

    def body():
        return lambda value: value + base

    assert run(body)(1) == 8


def test_a_function_keeps_name_defaults_and_attributes(backend):
    def noted(value, extra=4, *, more=5):
        """Say something."""
        return value + extra + more

    noted.label = "kept"

    def body():
        return noted.__name__, noted.__doc__, noted.label, noted(1), noted.__kwdefaults__

    assert run(body) == ("noted", "Say something.", "kept", 10, {"more": 5})


def test_an_iterator_of_a_list_travels_with_its_position(backend):
    items = iter([1, 2, 3])
    next(items)

    def body():
        return list(items)

    assert run(body) == [2, 3]
    assert list(items) == [2, 3]


# Classes


def test_a_class_of_the_module(backend):
    account = ModuleAccount(100)

    def body():
        return account.pay(5), ModuleAccount(1), isinstance(account, ModuleAccount)

    paid, fresh, same = run(body)
    assert same is True
    assert type(paid) is ModuleAccount
    assert paid.balance == 90
    assert type(fresh) is ModuleAccount
    assert account.balance == 100


def test_a_local_class_and_its_instances(backend):
    class Base:
        limit = 3

        def describe(self):
            return f"{type(self).__name__} {self.value} of {self.limit}"

    class Derived(Base):
        __slots__ = ("value",)

        def __init__(self, value):
            super().__init__()
            self.value = value

        @property
        def doubled(self):
            return self.value * 2

        @classmethod
        def make(cls):
            return cls(8)

        @staticmethod
        def constant():
            return "constant"

    one = Derived(5)

    def body():
        return [
            one,
            Derived.make(),
            one.describe(),
            one.doubled,
            Derived.constant(),
            [Derived, Base],
        ]

    first, second, text, doubled, constant, classes = run(body)
    assert type(first) is Derived
    assert type(second) is Derived
    assert isinstance(second, Base)
    assert (first.value, second.value, text, doubled, constant) == (
        5,
        8,
        "Derived 5 of 3",
        10,
        "constant",
    )
    assert classes == [Derived, Base]


def test_a_local_class_is_one_class_in_all_behaviors(backend):
    class Token:
        pass

    box = Cown(Token())

    results = []
    for _ in range(10):

        @when(box)
        def result(box):
            same = type(box.value) is Token and isinstance(box.value, Token)
            box.value = Token()
            return same

        results.append(result)
    wait()
    assert [result.value for result in results] == [True] * 10
    assert type(box.value) is Token


def test_a_class_made_in_a_behavior_comes_back(backend):
    def body():
        class Made:
            def hello(self):
                return "hello"

        return Made()

    assert run(body).hello() == "hello"


def test_dataclasses(backend):
    @dataclasses.dataclass
    class Point:
        x: int
        y: int = 2
        tags: list[str] = dataclasses.field(default_factory=list)

    @dataclasses.dataclass(frozen=True)
    class Frozen:
        point: Point

    point = Point(1, tags=["a"])
    frozen = Frozen(point)

    def body():
        return dataclasses.replace(point, y=5), frozen, frozen.point is point, Point(3)

    replaced, back, shared, made = run(body)
    assert replaced == Point(1, 5, ["a"])
    assert back == frozen
    assert shared is True
    assert made == Point(3)


def test_enums_keep_their_members(backend):
    class Color(enum.Enum):
        RED = 1
        BLUE = "blue"

    class Mode(enum.IntFlag):
        A = 1
        B = 2

    color, mode = Color.RED, Mode.A | Mode.B

    def body():
        return color is Color.RED, Color.BLUE, mode, Color("blue") is Color.BLUE, [*Color]

    same, blue, back, looked_up, members = run(body)
    assert (same, looked_up) == (True, True)
    assert blue is Color.BLUE
    assert back == Mode.A | Mode.B
    assert members[0] is Color.RED
    assert members[1] is Color.BLUE


def test_named_tuples(backend):
    Pair = collections.namedtuple("Pair", "left right")
    pair = Pair(1, [2])

    def body():
        return pair._replace(left=9), Pair("a", "b")

    back, made = run(body)
    assert type(back) is Pair
    assert back == (9, [2])
    assert made == Pair("a", "b")


def test_classes_with_bases_of_typing_and_abc(backend):
    T = typing.TypeVar("T")

    class Recipe(typing.NamedTuple):
        name: str
        needs: tuple = ()

        def label(self):
            return f"{self.name} of {len(self.needs)}"

    class Box(typing.Generic[T]):
        def __init__(self, value: T):
            self.value = value

    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self): ...

    class Square(Shape):
        def area(self):
            return 4

    class Options(typing.TypedDict):
        depth: int

    recipe, box, square = Recipe("omelette", ("egg",)), Box([1]), Square()
    options: Options = {"depth": 2}

    def body():
        try:
            Shape()
        except TypeError:
            refused = True
        return [recipe, recipe.label(), box, square.area(), options, refused, Options(depth=3)]

    made, label, boxed, area, back, refused, more = run(body)
    assert type(made) is Recipe
    assert made == recipe
    assert label == "omelette of 1"
    assert type(boxed) is Box
    assert (boxed.value, area, back, refused, more) == ([1], 4, {"depth": 2}, True, {"depth": 3})


def test_exceptions_defined_in_the_test(backend):
    class Refused(Exception):
        def __init__(self, reason, code):
            super().__init__(reason)
            self.code = code

    def check(value):
        if value > 3:
            raise Refused("too large", value)

    def body():
        try:
            check(4)
        except Refused as error:
            return error.code
        check(5)

    assert run(body) == 4

    @when()
    def result():
        check(9)

    wait()
    assert type(result.value) is Refused
    assert result.value.code == 9


def test_special_methods_and_subclasses_of_containers(backend):
    class Bag(dict):
        def __missing__(self, key):
            return f"no {key}"

    class Money(int):
        def __add__(self, other):
            return Money(int(self) + int(other))

    bag, money = Bag(a=1), Money(5)

    def body():
        return bag, bag["zzz"], money + 1

    back, missing, total = run(body)
    assert type(back) is Bag
    assert back == {"a": 1}
    assert missing == "no zzz"
    assert type(total) is Money
    assert total == 6


def test_a_class_that_reduces_itself(backend):
    class Odd:
        def __init__(self, value):
            self.value = value

        def __reduce__(self):
            return Odd, (self.value + 1,)

    odd = Odd(1)

    def body():
        return type(odd) is Odd

    assert run(body) is True


def test_an_object_of_the_standard_library(backend):
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    queue = collections.deque([1, 2], maxlen=3)
    counted = collections.Counter("aab")
    grouped = collections.defaultdict(list, {"x": [1]})

    def body():
        grouped["y"].append(2)
        queue.extend([3, 4])
        return (
            ordered,
            queue,
            counted,
            grouped,
            FRACTION,
            range(3),
            slice(1, 2),
            Ellipsis,
            NotImplemented,
        )

    back = run(body)
    assert list(back[0]) == ["b", "a"]
    assert back[1] == collections.deque([2, 3, 4], maxlen=3)
    assert back[1].maxlen == 3
    assert back[2] == {"a": 2, "b": 1}
    assert back[3] == {"x": [1], "y": [2]}
    assert back[4:7] == (fractions.Fraction(1, 3), range(3), slice(1, 2))
    assert back[7] is Ellipsis
    assert back[8] is NotImplemented


def test_super_and_class_cells(backend):
    class Parent:
        def name(self):
            return "parent"

    class Child(Parent):
        def name(self):
            return "child of " + super().name() + " " + __class__.__name__

    def body():
        return Child().name()

    assert run(body) == "child of parent Child"


# Cowns, behaviors and the library itself


def test_cowns_are_captured_as_handles(backend):
    total = Cown(0)
    table = {"total": [total]}

    def body():
        cown = table["total"][0]

        @when(cown)
        def _(held):
            held.value += 5

        return cown == total

    result = when()(body)
    wait()
    assert result.value is True
    assert total.value == 5


def test_the_decorator_and_the_library_are_names_like_any_other(backend):
    schedule, shared, library = when, read, bocmat
    cown = Cown(4)

    @when()
    def _():
        @schedule(shared(cown))
        def _(cown):
            assert library.Matrix.ones((1, 1)) is not None

    @when()
    def result():
        return library.Matrix(1, 1, 3.0)[0, 0], Matrix.__name__

    wait()
    assert result.value == (3.0, "Matrix")


# Matrices


def test_a_captured_matrix_is_a_snapshot(backend):
    matrix = Matrix(2, 2, [1.0, 2.0, 3.0, 4.0])

    @when()
    def first():
        matrix[1, 1] = 50.0
        return matrix[0, 0], matrix[1, 1]

    matrix[0, 0] = 9.0

    @when()
    def second():
        return matrix[0, 0], matrix[1, 1]

    wait()
    assert first.value == (1.0, 50.0)
    assert second.value == (9.0, 4.0)
    assert matrix[0, 0] == 9.0
    assert matrix[1, 1] == 4.0


def test_a_large_captured_matrix_is_a_snapshot_too(backend):
    matrix = Matrix.ones((200, 200))
    nested = {"deep": [matrix]}

    @when()
    def first():
        nested["deep"][0][0, 0] = 5.0
        return matrix[0, 0], nested["deep"][0].sum(), nested["deep"][0] is matrix

    matrix[0, 0] = 2.0

    @when()
    def second():
        return matrix[0, 0]

    wait()
    assert first.value == (5.0, 40004.0, True)
    assert second.value == 2.0
    assert matrix.sum() == 40001.0


def test_a_captured_view_is_refused(backend):
    if not hasattr(Matrix, "row_view"):
        pytest.skip("views are not there yet")
    view_of_matrix = Matrix.ones((2, 2)).row_view(0)
    with pytest.raises(TypeError, match="copy"):

        @when()
        def _():
            return view_of_matrix


def test_a_matrix_that_a_cown_holds_cannot_be_captured(backend):
    matrix = Matrix.ones((2, 2))
    cown = Cown(matrix)
    with pytest.raises(RuntimeError):

        @when()
        def _():
            return matrix[0, 0]

    wait()
    assert cown.value[0, 0] == 1.0


# What cannot travel


def unsendable():
    """Return a generator: something that neither pickles nor copies."""
    return (number for number in range(3))


def test_what_cannot_travel_is_refused_with_its_name(backend):
    if backend == "threads":
        pytest.skip("the threads backend shares what it cannot copy")
    the_culprit = unsendable()
    innocent = [1]
    with pytest.raises(TypeError, match="the_culprit"):

        @when()
        def _():
            return next(the_culprit), innocent

    deep = {"a": [1, {"b": threading.Lock()}]}
    with pytest.raises(TypeError, match="deep"):

        @when()
        def _():
            return deep

    with pytest.raises(TypeError, match="the_default"):

        @when()
        def _(the_default=threading.Lock()):  # noqa: B008
            return the_default

    with pytest.raises(TypeError, match="the_keyword"):

        @when()
        def _(*, the_keyword=threading.Lock()):  # noqa: B008
            return the_keyword


def test_a_global_that_cannot_travel_is_refused_with_its_name(backend, monkeypatch):
    if backend == "threads":
        pytest.skip("the threads backend shares what it cannot copy")
    monkeypatch.setitem(globals(), "COUNTER", threading.Lock())
    with pytest.raises(TypeError, match="COUNTER"):

        @when()
        def _():
            return COUNTER


def test_a_refused_behavior_leaves_everything_as_it_was(backend):
    if backend == "threads":
        pytest.skip("the threads backend shares what it cannot copy")
    matrix = Matrix.ones((100, 100))
    lock = threading.Lock()
    cown = Cown(1)
    with pytest.raises(TypeError, match="lock"):

        @when(cown)
        def _(cown):
            return matrix, lock

    matrix[0, 0] = 2.0

    @when(cown)
    def result(cown):
        return cown.value + matrix[0, 0]

    wait()
    assert result.value == 3.0


def test_what_cannot_be_copied_is_shared_on_the_threads_backend(backend):
    if backend != "threads":
        pytest.skip("interpreters refuse it")
    lock = threading.Lock()
    event = threading.Event()
    box = {"lock": lock, "items": []}

    @when()
    def result():
        event.set()
        box["items"].append(1)
        return lock

    wait()
    assert result.value is lock
    assert event.is_set()
    assert box["items"] == [1], (
        "an object that contains something that cannot be copied is shared whole"
    )


def test_an_error_while_a_capture_is_taken_names_the_variable(backend):
    class Stubborn:
        def __reduce_ex__(self, protocol):
            raise ValueError("will not move")

        def __deepcopy__(self, memo):
            raise ValueError("will not move")

    stubborn_one = Stubborn()
    if backend == "threads":
        result = when()(lambda: stubborn_one)
        wait()
        assert result.value is stubborn_one
        return
    with pytest.raises(TypeError, match="stubborn_one"):

        @when()
        def _():
            return stubborn_one


# Modules of the program


def write_module(directory, name, text):
    (directory / f"{name}.py").write_text(textwrap.dedent(text))


MODULE_WITH_A_BEHAVIOR = """
from bocmat import when

where = __name__


def schedule(value):
    @when()
    def result():
        return value, where, __name__, __file__

    return result


def fail():
    @when()
    def result():
        raise ValueError("on line 17")

    return result
"""


def test_modules_with_the_same_text_see_their_own_globals(backend, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = []
    for name in ("boc_twin_one", "boc_twin_two"):
        write_module(tmp_path, name, MODULE_WITH_A_BEHAVIOR)
        modules.append(importlib.import_module(name))
    try:
        results = [module.schedule(index) for index, module in enumerate(modules)]
        wait()
        assert [result.value for result in results] == [
            (index, name, name, str(tmp_path / f"{name}.py"))
            for index, name in enumerate(("boc_twin_one", "boc_twin_two"))
        ]
    finally:
        for module in modules:
            del sys.modules[module.__name__]


def test_the_traceback_of_a_behavior_names_the_file_and_line(backend, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    write_module(tmp_path, "boc_fails", MODULE_WITH_A_BEHAVIOR)
    module = importlib.import_module("boc_fails")
    try:
        result = module.fail()
        wait()
        notes = "\n".join(result.value.__notes__)
        assert "boc_fails.py" in notes
        lines = MODULE_WITH_A_BEHAVIOR.splitlines()
        number = 1 + next(i for i, line in enumerate(lines) if "raise" in line)
        assert f"line {number}" in notes
    finally:
        del sys.modules["boc_fails"]


def test_a_change_of_a_module_function_is_seen_by_the_next_behavior(backend, monkeypatch):
    def body():
        return helper(1)

    first = when()(body)
    monkeypatch.setitem(globals(), "helper", lambda value: "replaced")
    second = when()(body)
    wait()
    assert first.value == 12
    assert second.value == "replaced"


def test_the_same_captures_many_times_and_across_restarts(backend_name):
    constant = ("a", 1, [2])
    counter = Cown(0)

    def body(counter):
        counter.value += constant[1]
        return constant

    for _ in range(3):
        start(2, backend=backend_name)
        results = [when(counter)(body) for _ in range(20)]
        wait()
        assert all(result.value == constant for result in results)
    assert counter.value == 60
