"""The decorator: order, several cowns, duplicates, lists, and what it refuses at once."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import functools
import random

import pytest

from bocmat import Cown, read, wait, when, whencall


def test_the_name_becomes_the_cown_of_the_result(backend):
    @when()
    def answer():
        return 42

    assert isinstance(answer, Cown)
    wait()
    assert answer.value == 42


def test_a_behavior_without_cowns_runs_once(backend):
    counter = Cown(0)

    @when()
    def _():
        @when(counter)
        def _(counter):
            counter.value += 1

    wait()
    assert counter.value == 1


def test_behaviors_on_one_cown_run_in_the_order_of_scheduling(backend):
    log = Cown([])
    for index in range(500):

        @when(log)
        def _(log):
            log.value.append(index)

    wait()
    assert log.value == list(range(500))


def test_overlapping_sets_of_cowns_keep_the_order_of_scheduling(backend):
    cowns = [Cown([]) for _ in range(4)]
    chooser = random.Random(7)
    expected = [[] for _ in cowns]
    for index in range(300):
        chosen = chooser.sample(range(4), chooser.randint(1, 4))
        for place in chosen:
            expected[place].append(index)

        @when(*[cowns[place] for place in chosen])
        def _(*held):
            for cown in held:
                cown.value.append(index)

    wait()
    assert [cown.value for cown in cowns] == expected


def test_parameters_come_in_the_order_of_the_arguments(backend):
    cowns = [Cown(name) for name in "abc"]

    @when(cowns[2], cowns[0], cowns[1])
    def result(first, second, third):
        return first.value + second.value + third.value

    wait()
    assert result.value == "cab"


def test_transfers_between_random_accounts_conserve_the_sum(backend):
    accounts = [Cown(100) for _ in range(10)]
    chooser = random.Random(11)
    for _ in range(1000):
        source, target = chooser.sample(accounts, 2)
        amount = chooser.randint(1, 60)

        @when(source, target)
        def _(source, target):
            if source.value >= amount:
                source.value -= amount
                target.value += amount

    wait()
    balances = [account.value for account in accounts]
    assert sum(balances) == 1000
    assert min(balances) >= 0
    assert balances != [100] * 10


def test_opposite_orders_of_the_same_cowns_do_not_deadlock(backend):
    left, right = Cown(0), Cown(0)
    for index in range(400):
        pair = (left, right) if index % 2 else (right, left)

        @when(*pair)
        def _(one, other):
            one.value += 1
            other.value += 1

    wait()
    assert (left.value, right.value) == (400, 400)


def test_a_cown_named_twice_is_held_once_and_both_parameters_are_it(backend):
    cown = Cown(1)

    @when(cown, cown)
    def result(first, second):
        first.value += 1
        second.value += 1
        return first is second

    @when(cown)
    def after(cown):
        return cown.value

    wait()
    assert result.value is True
    assert after.value == 3


@pytest.mark.parametrize("reader_first", [True, False])
def test_read_and_write_of_one_cown_is_a_write(backend, reader_first):
    cown = Cown([1])
    arguments = (read(cown), cown) if reader_first else (cown, read(cown))

    @when(*arguments)
    def result(first, second):
        first.value.append(2)
        second.value = [*second.value, 3]
        return first is second

    wait()
    assert result.value is True
    assert cown.value == [1, 2, 3]


def test_a_list_of_cowns_arrives_as_a_list_of_cowns(backend):
    many = [Cown(i) for i in range(5)]
    one = Cown("one")

    @when(many, one)
    def result(many, one):
        for cown in many:
            cown.value *= 10
        return type(many), [cown.value for cown in many], one.value

    wait()
    assert result.value == (list, [0, 10, 20, 30, 40], "one")
    assert [cown.value for cown in many] == [0, 10, 20, 30, 40]


def test_lists_may_be_empty_may_repeat_and_may_overlap(backend):
    a, b = Cown(0), Cown(0)

    @when([], [a, a], b, [b, a])
    def result(nothing, twice, single, both):
        for cown in [*twice, single, *both]:
            cown.value += 1
        return nothing, twice[0] is twice[1], both[0] is single, both[1] is twice[0]

    wait()
    assert result.value == ([], True, True, True)
    assert (a.value, b.value) == (3, 2)


def test_a_list_may_mix_readers_and_writers(backend):
    a, b = Cown(1), Cown(2)

    @when([read(a), b])
    def _(both):
        both[1].value += both[0].value

    wait()
    assert (a.value, b.value) == (1, 3)


def test_only_an_empty_list(backend):
    @when([])
    def result(nothing):
        return nothing

    wait()
    assert result.value == []


def test_many_cowns_at_once(backend):
    cowns = [Cown(i) for i in range(300)]

    @when(*cowns)
    def total(*held):
        return sum(cown.value for cown in held)

    @when(cowns)
    def also(held):
        return sum(cown.value for cown in held)

    wait()
    assert total.value == also.value == sum(range(300))


def test_a_behavior_may_take_any_number_of_parameters(backend):
    cowns = [Cown(i) for i in range(3)]

    @when(*cowns)
    def everything(*held):
        return [cown.value for cown in held]

    @when(*cowns)
    def first_and_rest(first, *rest):
        return first.value, [cown.value for cown in rest]

    @when(cowns[0], cowns)
    def starred_list(first, *rest):
        return first.value, len(rest), [cown.value for cown in rest[0]]

    @when()
    def none(*held):
        return held

    wait()
    assert everything.value == [0, 1, 2]
    assert first_and_rest.value == (0, [1, 2])
    assert starred_list.value == (0, 1, [0, 1, 2])
    assert none.value == ()


def test_parameters_beyond_the_cowns_need_a_default(backend):
    cown = Cown(1)

    @when(cown)
    def result(cown, extra=10, *, keyword=100):
        return cown.value + extra + keyword

    wait()
    assert result.value == 111


def test_wrong_numbers_of_parameters_are_refused_at_the_decorator(backend):
    cown = Cown(0)

    def none():
        pass

    def two(a, b):
        pass

    def keyword(a, *, needed):
        pass

    for function in (none, two, keyword):
        with pytest.raises(TypeError, match=function.__name__):
            when(cown)(function)
    with pytest.raises(TypeError):
        when(cown, cown)(lambda only: None)
    with pytest.raises(TypeError):
        when([cown, cown])(two)

    @when(cown)
    def still_usable(cown):
        return cown.value

    wait()
    assert still_usable.value == 0


def test_coroutines_and_generators_are_refused_at_the_decorator(backend):
    async def coroutine(cown):
        return cown

    def generator(cown):
        yield cown

    async def asynchronous_generator(cown):
        yield cown

    for function in (coroutine, generator, asynchronous_generator):
        with pytest.raises(TypeError, match=function.__name__):
            when(Cown(0))(function)


def test_coroutines_and_generators_are_refused_however_they_are_wrapped(backend):
    class Worker:
        async def later(self, cown):
            return cown

        def several(self, cown):
            yield cown

        async def __call__(self, cown):
            return cown

        def plain(self, cown):
            return cown.value

    worker = Worker()
    partial = functools.partial(worker.later)
    for function in (worker.later, worker.several, worker, partial, functools.partial(partial)):
        with pytest.raises(TypeError, match=r"async|generator"):
            when(Cown(0))(function)
        with pytest.raises(TypeError, match=r"async|generator"):
            whencall(function, [], [1])
    with pytest.raises(TypeError, match="plain"):
        when(Cown(0), Cown(0))(worker.plain)
    result = when(Cown(3))(worker.plain)
    wait()
    assert result.value == 3


@pytest.mark.parametrize("argument", [5, "x", None, object(), (1,), [3], [None], {}])
def test_what_is_not_a_cown_is_refused(backend, argument):
    with pytest.raises(TypeError):
        when(argument)(lambda parameter: None)


def test_a_bare_decorator_is_refused(backend):
    with pytest.raises(TypeError):

        @when
        def _():
            pass


@pytest.mark.parametrize("thing", [5, None, "text", [1]])
def test_what_cannot_be_called_is_refused(backend, thing):
    with pytest.raises(TypeError):
        when()(thing)


def test_unknown_keywords_are_refused(backend):
    with pytest.raises(TypeError):
        when(Cown(1), unheard_of=3)


def test_a_lambda_is_a_behavior(backend):
    result = when(Cown(20))(lambda cown: cown.value + 1)
    wait()
    assert result.value == 21


def test_decorators_below_apply_to_the_behavior(backend):
    def doubled(function):
        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments) * 2

        return wrapper

    @when(Cown(20))
    @doubled
    @doubled
    def result(cown):
        return cown.value + 1

    wait()
    assert result.value == 84


def test_one_function_scheduled_many_times(backend):
    total = Cown(0)

    def add(total):
        total.value += 1

    results = [when(total)(add) for _ in range(100)]
    wait()
    assert total.value == 100
    assert len(set(results)) == 100


def test_scheduling_returns_before_the_behavior_runs_and_after_keeps_running(backend):
    order = Cown([])

    @when(order)
    def first(order):
        order.value.append("first")

    @when(order, first)
    def _(order, first):
        order.value.append(("second", first.value))

    @when(order)
    def _(order):
        order.value.append("third")

    wait()
    assert order.value == ["first", ("second", None), "third"]


def test_two_cowns_of_unrelated_work_and_a_join(backend):
    cowns = [Cown(i) for i in range(50)]
    for _ in range(4):
        for cown in cowns:

            @when(cown)
            def _(cown):
                cown.value += 1

    @when(cowns)
    def joined(cowns):
        return [cown.value for cown in cowns]

    wait()
    assert joined.value == [i + 4 for i in range(50)]
