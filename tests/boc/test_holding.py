"""Cowns held by threads of the main program: several at once, across starts and stops."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest

from bocmat import Cown, Matrix, quiesce, start, wait, when
from bocmat.lifecycle import usable_backends


@pytest.fixture(autouse=True)
def stopped():
    """Begin and end with nothing running."""
    wait(timeout=30)
    yield
    wait(timeout=60)


def in_threads(*functions):
    """Run functions in threads of their own; what one of them raises is raised here."""
    failures = []

    def guarded(function):
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]


def test_behaviors_wait_for_a_cown_that_was_held_before_the_start(backend_name):
    cown = Cown([1])
    with cown as value:
        start(2, backend=backend_name)

        @when(cown)
        def result(cown):
            return list(cown.value)

        value.append(2)
        with pytest.raises(TimeoutError):
            result.get(timeout=0.1)
        assert cown.value == [1, 2]
        cown.value.append(3)
    assert result.get(timeout=60) == [1, 2, 3]


def test_waiting_while_holding_is_refused_and_leaves_all_as_it_was(backend_name):
    start(2, backend=backend_name)
    cown = Cown(1)
    with cown:
        for ending in (wait, quiesce):
            with pytest.raises(RuntimeError, match="release"):
                ending()
        cown.value = 2
    wait()
    assert cown.value == 2
    with cown:
        assert wait() is None  # nothing runs


def test_a_thread_does_not_acquire_what_it_holds(backend_name):
    cown = Cown(1)
    for _ in range(2):
        with cown, pytest.raises(RuntimeError, match="already"):
            cown.acquire()
        start(2, backend=backend_name)


def test_threads_hold_a_cown_one_after_the_other(backend_name):
    start(2, backend=backend_name)
    cown = Cown(0)

    def add():
        for _ in range(100):
            with cown as value:
                cown.value = value + 1

    in_threads(add, add, add)
    wait()
    assert cown.value == 300


def test_a_thread_waits_for_one_that_holds_while_nothing_runs(backend_name, monkeypatch):
    monkeypatch.setenv("BOCMAT_BACKEND", backend_name)
    cown, held = Cown([]), threading.Event()

    def first():
        with cown as value:
            held.set()
            threading.Event().wait(0.1)
            value.append("first")

    def second():
        held.wait(60)
        with cown as value:
            value.append("second")

    def third():
        held.wait(60)
        assert cown.get(timeout=60)[0] == "first"

    in_threads(first, second, third)
    wait()
    assert cown.value == ["first", "second"]


@pytest.mark.parametrize("way", ["acquire", "with", "get", "unwrap"])
def test_holding_while_another_thread_starts_and_stops(backend_name, way):
    """Whoever comes just as the runtime stops has it start again, as who schedules does."""
    cown = Cown(5)
    ended = threading.Event()

    def hold():
        try:
            for _ in range(60):
                if way == "acquire":
                    cown.acquire()
                    cown.value = 5
                    cown.release()
                elif way == "with":
                    with cown as value:
                        assert value == 5
                elif way == "get":
                    assert cown.get(timeout=60) == 5
                else:
                    cown.unwrap()
        finally:
            ended.set()

    def cycle():
        while not ended.is_set():
            start(2, backend=backend_name)
            when()(lambda: None)
            wait(timeout=60)

    def patient():
        while not ended.is_set():
            try:
                cycle()
            except RuntimeError as error:  # another start with the defaults came first
                if "runs already" not in str(error):
                    raise
                wait(timeout=60)

    in_threads(hold, patient)


def test_scheduling_while_the_backend_changes():
    """What was encoded for one backend is not run by another."""
    names = usable_backends()
    done, ended = Cown(0), threading.Event()
    lock = threading.Lock() if len(names) == 1 else [1]

    def schedule():
        try:
            for _ in range(200):
                when(done)(lambda done: setattr(done, "value", done.value + len([lock])))
        finally:
            ended.set()

    def cycle():
        for turn in range(10**6):
            if ended.is_set():
                return
            with contextlib.suppress(RuntimeError):
                start(2, backend=names[turn % len(names)])
            wait(timeout=60)

    in_threads(schedule, cycle)
    wait()
    assert done.value == 200


# unwrap() while the runtime runs


def test_unwrap_after_quiesce(backend):
    cown, matrix = Cown([1]), Cown(Matrix.full((40, 40), 2.0))

    @when(cown)
    def failed(cown):
        raise ValueError("bad")

    @when()
    def result():
        return "fine"

    quiesce()
    assert cown.unwrap() == [1]
    assert cown.unwrap() is None
    taken = matrix.unwrap()
    taken += 1.0
    assert (taken.sum(), matrix.unwrap()) == (4800.0, None)
    assert result.unwrap() == "fine"
    with pytest.raises(ValueError, match="bad"):
        failed.unwrap()
    assert failed.unwrap() is None

    @when(cown)
    def after(cown):
        return cown.value

    wait()
    assert after.value is None
    assert taken.sum() == 4800.0
    assert matrix.value is None


def test_unwrap_refuses_while_the_cown_is_used(backend):
    source, sink = os.pipe()
    cown, other = Cown(1), Cown(2)

    @when(cown)
    def result(cown):
        os.read(source, 1)
        return cown.value

    for used in (cown, result):
        with pytest.raises(RuntimeError, match="in flight"):
            used.unwrap()
    assert other.unwrap() == 2
    os.write(sink, b"x")
    wait()
    assert (cown.unwrap(), result.unwrap()) == (1, 1)
    os.close(source)
    os.close(sink)


def test_unwrap_of_a_held_cown(backend):
    cown = Cown([1])
    with cown:
        assert cown.unwrap() == [1]
        assert cown.value is None
        cown.value = [2]
    assert cown.get() == [2]
