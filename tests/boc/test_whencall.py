"""Scheduling without the decorator, and the names of behaviors."""

from __future__ import annotations

import functools
import threading

import pytest

import bocmat
from bocmat import Cown, Matrix, read, wait, when, whencall

FACTOR = 3


def scaled(cown, by):
    return cown.value * by * FACTOR


def test_the_trailing_parameters_are_the_captures(backend):
    first = whencall(scaled, [Cown(2)], [5])
    second = whencall(func=scaled, args=(Cown("a"),), captures=(2,))
    wait()
    assert isinstance(first, Cown)
    assert (first.value, second.value) == (30, "aaaaaa")


def test_what_the_decorator_takes_may_stand_in_the_list(backend):
    log, numbers = Cown([]), [Cown(index) for index in range(3)]

    def body(log, shared, numbers, nothing, word):
        log.value.append((word, shared.value, [number.value for number in numbers], nothing))

    whencall(body, [log, read(numbers[1]), numbers[1:], []], ["word"])
    wait()
    assert log.value == [("word", 1, [1, 2], [])]


def test_no_cowns_and_no_captures(backend):
    results = [whencall(lambda: 1, [], []), whencall(lambda a, b: a + b, [], [1, 2])]
    wait()
    assert [result.value for result in results] == [1, 3]


def test_captures_come_before_the_defaults_behind_them(backend):
    def body(cown, a, b=10, c=20, *, d=30):
        return cown.value, a, b, c, d

    results = [whencall(body, [Cown(1)], list(range(count))) for count in (1, 2, 3)]
    wait()
    assert [result.value for result in results] == [
        (1, 0, 10, 20, 30),
        (1, 0, 1, 20, 30),
        (1, 0, 1, 2, 30),
    ]


def test_the_function_itself_is_unchanged(backend):
    def body(a, b=[1]):  # noqa: B006
        """Say."""
        return a, b, body.__doc__

    body.label = "kept"
    results = [whencall(body, [], [1, [2]]), whencall(body, [], [3])]
    wait()
    assert [result.value for result in results] == [(1, [2], "Say."), (3, [1], "Say.")]
    assert body.__defaults__ == ([1],)


def test_closures_attributes_and_names_come_along(backend):
    base = 100

    def body(cown, more):
        return cown.value + base + more

    body.label = "kept"
    renamed = functools.wraps(scaled)(lambda cown, more: (cown.value, more, base))
    results = [whencall(function, [Cown(1)], [10]) for function in (body, renamed)]
    wait()
    assert [result.value for result in results] == [111, (1, 10, 100)]


def test_captures_are_snapshots_and_keep_what_they_share(backend):
    items, matrix = [1], Matrix.ones((30, 30))

    def body(first, second, matrix):
        first.append(2)
        return second["items"] is first, second, matrix.sum()

    result = whencall(body, [], [items, {"items": items}, matrix])
    items.append("later")
    matrix[0, 0] = 7.0
    wait()
    assert result.value == (True, {"items": [1, 2]}, 900.0)


def test_functions_that_take_any_number(backend):
    def everything(*values):
        return [getattr(value, "value", value) for value in values]

    def some(first, *rest, word="w"):
        return first.value, rest, word

    results = [
        whencall(everything, [Cown(1), Cown(2)], ["a", "b"]),
        whencall(some, [Cown(1)], ["a", "b"]),
        whencall(some, [Cown(1)], []),
    ]
    wait()
    assert [result.value for result in results] == [
        [1, 2, "a", "b"],
        (1, ("a", "b"), "w"),
        (1, (), "w"),
    ]


def test_partials_bound_methods_and_objects_that_can_be_called(backend):
    class Adder:
        def __init__(self, base):
            self.base = base

        def add(self, cown, more):
            return self.base + cown.value + more

        def __call__(self, cown, more):
            return self.add(cown, more) + 0.5

    results = [
        whencall(functools.partial(scaled, by=2), [Cown(1)], []),
        whencall(functools.partial(lambda a, b, c: (a, b.value, c), "a"), [Cown("b")], ["c"]),
        whencall(Adder(100).add, [Cown(10)], [1]),
        whencall(Adder(100), [Cown(10)], [1]),
        whencall(dict, [], [[("a", 1)]]),
    ]
    wait()
    assert [result.value for result in results] == [6, ("a", "b", "c"), 111, 111.5, {"a": 1}]


def test_a_name_instead_of_the_function_is_refused(backend):
    with pytest.raises(TypeError, match="scaled"):
        whencall("scaled", [Cown(1)], [2])


@pytest.mark.parametrize("function", [5, None, [1]])
def test_what_cannot_be_called_is_refused(backend, function):
    with pytest.raises(TypeError, match=type(function).__name__):
        whencall(function, [Cown(1)], [2])


def test_numbers_that_do_not_fit_are_refused(backend):
    def two(a, b):
        return a, b

    def keyword(a, *, needed):
        return a, needed

    async def coroutine(a, b):
        return a, b

    def generator(*a):
        yield a

    for captures in ([], [1, 2], [1, 2, 3]):
        with pytest.raises(TypeError, match="two"):
            whencall(two, [Cown(1)], captures)
    for function in (keyword, coroutine, generator):
        with pytest.raises(TypeError, match=function.__name__):
            whencall(function, [], [1, 2][: 1 if function is keyword else 2])


@pytest.mark.parametrize("arguments", [5, "ab", None, {1: 2}, Cown(1), [5], [[5]]])
def test_what_is_no_list_of_cowns_is_refused(backend, arguments):
    with pytest.raises(TypeError):
        whencall(scaled, arguments, [1])


@pytest.mark.parametrize("captures", [5, "ab", None, {1: 2}])
def test_captures_are_a_list(backend, captures):
    with pytest.raises(TypeError, match=type(captures).__name__):
        whencall(scaled, [Cown(1)], captures)


def test_missing_and_unknown_arguments_are_named(backend):
    with pytest.raises(TypeError, match="captures"):
        whencall(scaled, [Cown(1)])
    with pytest.raises(TypeError, match="unheard_of"):
        whencall(scaled, [Cown(1)], [1], unheard_of=1)


def test_a_capture_that_cannot_travel_names_its_parameter(backend):
    lock = threading.Lock()
    if backend == "threads":
        result = whencall(lambda by: by, [], [lock])
        wait()
        assert result.value is lock
        return
    with pytest.raises(TypeError, match="by"):
        whencall(scaled, [Cown(1)], [lock])


def test_it_may_be_called_in_a_behavior(backend):
    total = Cown(0)

    def add(total, more):
        total.value += more

    @when()
    def _():
        for more in range(5):
            bocmat.whencall(add, [total], [more])

    wait()
    assert total.value == 10


# Names


@pytest.mark.parametrize("name", ["pay", "with spaces, ✓ and ü", "", None, "x" * 5000])
def test_a_behavior_may_have_a_name(backend, name):
    cown = Cown(1)

    @when([cown, cown], name=name)
    def result(both, more=2):
        return both[0].value + more

    wait()
    assert result.value == 3


@pytest.mark.parametrize("name", [5, b"pay", ["pay"], True, object()])
def test_a_name_is_text(backend, name):
    with pytest.raises(TypeError, match=type(name).__name__):
        when(Cown(1), name=name)


def test_a_name_that_is_no_c_string_is_refused(backend):
    with pytest.raises(ValueError, match="null"):
        when(name="a\0b")(lambda: None)
    with pytest.raises(UnicodeEncodeError):
        when(name="\ud800")(lambda: None)


@pytest.mark.parametrize("keywords", [{"unheard_of": 3}, {"name": "a", "unheard_of": 3}])
def test_unknown_keywords_are_named(backend, keywords):
    with pytest.raises(TypeError, match="unheard_of"):
        when(Cown(1), **keywords)
