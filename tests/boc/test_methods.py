"""Globals that only the methods of a class name, however the class gets to a behavior."""

from __future__ import annotations

import os
import types

import pytest

from bocmat import Cown, Matrix, PinnedCown, quiesce, wait, when

MODULE = '''
from bocmat import Cown, when

SCALE = 3
NAMES = ["a"]
LATER = None


def helper(value):
    return ("old", value, SCALE)


class Base:
    def scaled(self):
        return SCALE * self.value


class Account(Base):
    """An account."""

    def __init__(self, value):
        self.value = value

    def told(self):
        return self.scaled(), helper(self.value), list(NAMES)

    def later(self):
        return LATER

    def summed(self):
        return LATER[0].sum(), LATER[1]

    @property
    def doubled(self):
        return SCALE * 2

    @staticmethod
    def fixed():
        return SCALE


def arriving(cown):
    @when(cown)
    def result(cown):
        return cown.value.told(), cown.value.doubled, cown.value.fixed()

    return result


def named():
    @when()
    def result():
        return Account(5).told()

    return result


def captured(account):
    @when()
    def result():
        return account.told()

    return result


def nested(cown):
    @when()
    def result():
        @when(cown)
        def inner(cown):
            return cown.value.told()

        return inner

    return result


def later(cown):
    @when(cown)
    def result(cown):
        return cown.value.later()

    return result


def summed(cown):
    @when(cown)
    def result(cown):
        return cown.value.summed()

    return result


def unrelated(level):
    @when()
    def result(SCALE=level):
        return SCALE

    return result


def made_there():
    @when()
    def result():
        class Other:
            value = 5

            def scaled(self):
                return SCALE * self.value

        return Other()

    return result


def named_by_a_function_too():
    @when()
    def result():
        return SCALE, Account(1).fixed()

    return result
'''


@pytest.fixture
def module():
    made = types.ModuleType("made_by_test_methods")
    exec(compile(MODULE, "made_by_test_methods.py", "exec"), made.__dict__)
    return made


def new_helper(value):
    return "new", value


def told_by_all(module, cown):
    results = [
        module.named(),
        module.captured(module.Account(5)),
        module.nested(cown),
    ]
    arrived = module.arriving(cown)
    quiesce()
    told = [result.get() for result in results]
    told[-1] = told[-1].get()
    assert arrived.get()[1:] == (module.SCALE * 2, module.SCALE)
    return [*told, arrived.get()[0]]


def test_a_rebound_global_is_seen_by_the_next_behavior(backend, module):
    cown = Cown(module.Account(5))
    assert told_by_all(module, cown) == [(15, ("old", 5, 3), ["a"])] * 4
    module.SCALE = 10
    assert told_by_all(module, cown) == [(50, ("old", 5, 10), ["a"])] * 4
    module.helper = new_helper
    assert told_by_all(module, cown) == [(50, ("new", 5), ["a"])] * 4
    module.SCALE = 3  # as at first
    assert told_by_all(module, cown) == [(15, ("new", 5), ["a"])] * 4


def test_a_global_that_grows_is_seen_by_the_next_behavior(backend, module):
    cown = Cown(module.Account(1))
    told_by_all(module, cown)
    module.NAMES.append("b")
    assert {tuple(told[2]) for told in told_by_all(module, cown)} == {("a", "b")}


def test_a_class_that_first_travels_late_has_what_is_there_then(backend, module):
    assert module.named_by_a_function_too().get() == (3, 3)
    module.SCALE = 4
    module.Fresh = type("Fresh", (module.Base,), {"value": 1, "__module__": module.__name__})
    cown = Cown(module.Fresh())

    @when(cown)
    def result(cown):
        return cown.value.scaled()

    assert result.get() == 4
    assert module.named_by_a_function_too().get() == (4, 4)


def test_a_global_that_is_gone_is_gone(backend, module):
    cown = Cown(module.Account(1))
    assert module.later(cown).get() is None
    del module.LATER
    with pytest.raises(NameError, match="LATER"):
        module.later(cown).get()


def test_a_global_is_gone_for_workers_that_meet_the_class_afterwards(backend, module):
    """What the definition brings along is older than what the behavior says."""
    (source, sink), (met, meeting) = os.pipe(), os.pipe()
    cowns = [Cown(module.Account(1)), Cown(module.Account(2))]

    @when(cowns[0])
    def _(cown):
        cown.value.later()
        os.write(meeting, b"x")
        os.read(source, 1)  # the other worker has not seen the class yet

    try:
        os.read(met, 1)
        del module.LATER
        result = module.later(cowns[1])
        with pytest.raises(NameError, match="LATER"):
            result.get(60)
    finally:
        os.write(sink, b"x")
        wait()
        for end in (source, sink, met, meeting):
            os.close(end)


@pytest.mark.parametrize("scheduled", ["here", "in a behavior"])
def test_a_pinned_behavior_leaves_the_globals_of_methods_as_they_are(backend, module, scheduled):
    account, pinned = Cown(module.Account(5)), PinnedCown([])
    told_by_all(module, account)

    @when(account)
    def _(account):
        if scheduled == "in a behavior":
            when(pinned)(lambda pinned: None)

    if scheduled == "here":
        when(pinned, account)(lambda pinned, account: None)
    quiesce()
    module.SCALE = 10
    assert told_by_all(module, account) == [(50, ("old", 5, 10), ["a"])] * 4


def test_a_class_of_a_behavior_leaves_the_globals_of_methods_as_they_are(backend, module):
    account = Cown(module.Account(5))
    told_by_all(module, account)
    assert module.made_there().get().scaled() == 15
    module.SCALE = 10
    assert told_by_all(module, account) == [(50, ("old", 5, 10), ["a"])] * 4


def test_what_cannot_travel_does_not_disturb_other_behaviors(backend, module):
    cown = Cown(module.Account(1))
    assert module.later(cown).get() is None
    module.LATER = (number for number in range(3))
    assert module.unrelated(7).get() == 7
    assert module.arriving(cown).get()[1] == 6


def test_matrices_and_cowns_among_the_globals(backend, module):
    cown, inner = Cown(module.Account(1)), Cown(5)
    assert module.later(cown).get() is None
    module.LATER = [Matrix.full((50, 50), 2.0), inner]
    for _ in range(3):
        assert module.summed(cown).get() == (5000.0, inner)
    wait()


# Threads: an object stays in its cown


class Holder:
    def __init__(self):
        self.items = []


CHANGES = {
    "list": (list, lambda value, matrix: value.append(matrix), lambda value: value[0]),
    "deep list": (lambda: [[[]]], lambda value, m: value[0][0].append(m), lambda v: v[0][0][0]),
    "dict": (dict, lambda value, matrix: value.update(a=matrix), lambda value: value["a"]),
    "attribute": (Holder, lambda v, matrix: setattr(v, "m", matrix), lambda value: value.m),
    "list of an object": (Holder, lambda v, m: v.items.append(m), lambda value: value.items[0]),
}


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("shape", [(2, 2), (60, 60)])
def test_a_matrix_put_into_a_value_leaves_its_name(backend, kind, shape):
    """It belongs to the cown then, on either backend, though the value was not assigned."""
    make, put, take = CHANGES[kind]
    cown, gate = Cown(make()), Cown(None)

    @when(cown, gate)
    def result(cown, gate):
        matrix = Matrix.ones(shape)
        put(cown.value, matrix)

        def look():
            try:
                return matrix.sum()
            except RuntimeError:
                return "refused"

        gate.value = look if gate.value else None
        return look()

    @when(cown)
    def after(cown):
        take(cown.value)[0, 0] = 5.0
        return take(cown.value).sum()

    wait()
    assert result.value == shape[0] * shape[1]
    assert after.value == shape[0] * shape[1] + 4
    assert take(cown.value)[0, 0] == 5.0


def test_the_name_of_a_matrix_put_into_a_held_value_refuses(backend):
    cown, matrix = Cown([1]), Matrix.ones((3, 3))
    with cown as value:
        value.append(matrix)
        assert matrix.sum() == 9.0
    with pytest.raises(RuntimeError):
        matrix.sum()
    wait()
    assert cown.value[1].sum() == 9.0
