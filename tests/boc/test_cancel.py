"""Cown.cancel(): what was cancelled does not run, and what depends on it hears of it."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import CancelledError

import pytest

from bocmat import (
    Cown,
    PinnedCown,
    pump,
    quiesce,
    read,
    receive,
    send,
    start,
    wait,
    when,
)

SOON = 30.0


@pytest.fixture
def gate(backend):
    """Hold a cown, so that what is scheduled on it is known to be waiting."""
    cown = Cown(0)
    cown.acquire()
    yield cown
    if cown.acquired:
        cown.release()


def executed():
    return sum(worker["executed"] for worker in quiesce(stats=True))


# ---- what it answers ----


def test_a_waiting_behavior_does_not_run(gate):
    @when(gate)
    def late(gate):
        gate.value = 1

    assert late.cancel() is True
    assert late.cancel() is True
    gate.release()
    assert gate.get() == 0
    assert executed() == 0
    assert late.cancel() is True
    wait()
    assert late.cancel() is True


def test_one_that_has_ended_cannot_be_cancelled(backend):
    @when(Cown(20))
    def result(cown):
        return cown.value + 1

    quiesce()
    assert result.cancel() is False
    assert result.get() == 21
    assert result.cancel() is False
    wait()
    assert result.cancel() is False
    assert result.value == 21


def test_one_that_failed_cannot_be_cancelled(backend):
    @when(Cown(0))
    def result(cown):
        raise KeyError("x")

    with pytest.raises(KeyError):
        result.get()
    assert result.cancel() is False


def test_one_that_has_started_cannot_be_cancelled(backend):
    @when(Cown(0))
    def result(cown):
        send("cancel-started", True)
        return receive("cancel-go")[1]

    assert receive("cancel-started", SOON)[1]
    assert result.cancel() is False
    send("cancel-go", 7)
    assert result.get() == 7


def test_what_is_no_result_cannot_be_cancelled(backend):
    assert Cown(1).cancel() is False
    assert PinnedCown(1).cancel() is False

    @when(Cown(3))
    def inside(cown):
        return cown.cancel(), cown.value

    assert inside.get() == (False, 3)


def test_without_a_runtime():
    assert Cown(1).cancel() is False


# ---- the cancelled result ----


def test_get_and_unwrap_raise_at_once(gate):
    @when(gate)
    def late(gate):
        return 1

    late.cancel()
    for _ in range(2):
        with pytest.raises(CancelledError):
            late.get(timeout=SOON)
    with pytest.raises(CancelledError):
        late.unwrap()
    assert late.get(timeout=SOON) is None  # unwrap took it out


def test_after_wait_it_can_be_looked_at(gate):
    @when(gate)
    def late(gate):
        return 1

    late.cancel()
    gate.release()
    wait()
    assert late.exception is True
    assert isinstance(late.value, CancelledError)
    with pytest.raises(CancelledError):
        late.get()


def test_what_depends_on_it_runs_and_hears_of_it(gate):
    @when(gate)
    def late(gate):
        return 1

    @when(late)
    def after(late):
        return late.exception, type(late.value).__name__

    @when([read(late), after])
    def last(both):
        return [cown.exception for cown in both]

    late.cancel()
    # At once: they do not wait for what the cancelled one would have waited for.
    assert after.get(timeout=SOON) == (True, "CancelledError")
    assert last.get(timeout=SOON) == [True, False]


def test_what_depends_on_it_may_put_a_value_there(gate):
    @when(gate)
    def late(gate):
        return 1

    late.cancel()

    @when(late)
    def _(late):
        late.value = "instead"

    assert late.get(timeout=SOON) == "instead"
    assert late.cancel() is True


def test_nobody_is_told_of_it_as_of_a_failure(gate, caplog):
    @when(gate)
    def late(gate):
        return 1

    late.cancel()
    gate.release()
    quiesce()
    wait()
    assert not caplog.records


def test_only_that_one_is_dropped(gate):
    results = []
    for number in range(10):

        @when(gate)
        def late(gate, number=number):
            gate.value += number
            return number

        results.append(late)
    assert [late.cancel() for late in results[::2]] == [True] * 5
    gate.release()
    assert gate.get() == 1 + 3 + 5 + 7 + 9
    assert [late.get() for late in results[1::2]] == [1, 3, 5, 7, 9]
    assert executed() == 5


def test_readers_among_others(gate):
    @when(gate)
    def before(gate):
        gate.value = 5

    @when(read(gate))
    def one(gate):
        return gate.value

    @when(read(gate))
    def other(gate):
        return gate.value

    @when(gate)
    def behind(gate):
        gate.value += 1
        return gate.value

    assert one.cancel()
    gate.release()
    assert other.get(SOON) == 5
    assert behind.get(SOON) == 6


def test_waiting_comes_after_what_was_cancelled(gate):
    other = Cown(0)

    @when(gate, other)
    def late(gate, other):
        other.value = 1

    @when(other)
    def behind(other):
        other.value += 10

    late.cancel()
    # Its place in the queues stays: who came later does not get ahead of it.
    with pytest.raises(TimeoutError):
        behind.get(timeout=0)
    gate.release()
    assert other.get(SOON) == 10


def test_what_it_captured_is_let_go_of(gate):
    class Thing:
        pass

    def schedule():
        thing = Thing()
        holder = PinnedCown(thing)

        @when(gate)
        def late(gate):
            return holder

        return late, weakref.ref(thing)

    late, alive = schedule()
    gc.collect()
    assert alive() is not None
    late.cancel()
    gc.collect()
    assert alive() is None


# ---- from elsewhere ----


def test_a_behavior_may_cancel(gate):
    @when(gate)
    def late(gate):
        gate.value = 1

    @when(Cown(0))
    def canceller(cown):
        return late.cancel(), late.cancel()

    assert canceller.get(SOON) == (True, True)
    gate.release()
    assert gate.get(SOON) == 0


def test_a_behavior_may_cancel_what_it_scheduled(backend):
    @when(Cown(0))
    def outer(cown):
        @when(cown)
        def inner(cown):
            cown.value = 1

        return inner.cancel(), cown

    cancelled, cown = outer.get(SOON)
    assert cancelled
    assert cown.get(SOON) == 0


def test_pinned_behaviors_are_cancelled_too(backend):
    ran = []
    pinned = PinnedCown(ran)
    results = []
    for number in range(6):

        @when(pinned)
        def late(pinned, number=number):
            pinned.value.append(number)

        results.append(late)
    assert [late.cancel() for late in results[1::2]] == [True] * 3
    assert [late.cancel() for late in results[1::2]] == [True] * 3
    wait()
    assert ran == [0, 2, 4]
    assert [late.cancel() for late in results] == [False, True] * 3


def test_pump_passes_over_what_was_cancelled(backend):
    ran = []
    pinned = PinnedCown(ran)

    @when(pinned)
    def first(pinned):
        pinned.value.append(1)

    @when(pinned)
    def second(pinned):
        pinned.value.append(2)

    assert first.cancel()
    executed = 0
    while not ran:
        executed += pump().executed
    assert ran == [2]
    assert executed == 1
    assert second.cancel() is False


def test_a_pinned_behavior_may_cancel_the_next(backend):
    ran = []
    pinned = PinnedCown(ran)
    place = PinnedCown([])
    place.acquire()

    @when(pinned, place)
    def first(pinned, place):
        pinned.value.append(place.value[0].cancel())

    @when(pinned)
    def second(pinned):
        pinned.value.append("second")

    place.value.append(second)
    place.release()
    wait()
    assert ran == [True]


def test_cancelling_while_they_run(backend):
    """Whatever each hears, it is what happened."""
    count = 1500
    cown = Cown(0)
    heard = [[None, None] for _ in range(count)]
    results = []
    for _ in range(count):

        @when(cown)
        def late(cown):
            cown.value += 1
            return "ran"

        results.append(late)

    def cancel_all(which):
        for place, late in enumerate(results):
            heard[place][which] = late.cancel()

    threads = [threading.Thread(target=cancel_all, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ran = 0
    for late, (one, other) in zip(results, heard):
        assert one is other
        if one:
            with pytest.raises(CancelledError):
                late.get(SOON)
        else:
            assert late.get(SOON) == "ran"
            ran += 1
    assert cown.get(SOON) == ran
    assert executed() == ran


def test_the_next_runtime_is_none_the_wiser(gate):
    @when(gate)
    def late(gate):
        return 1

    late.cancel()
    gate.release()
    wait()
    start(2)

    @when(late)
    def again(late):
        return late.exception

    assert again.get(SOON) is True
