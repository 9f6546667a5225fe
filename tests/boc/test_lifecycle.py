"""Starting, waiting, stopping and starting again."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import os
import sys
import sysconfig
import threading

import pytest

import bocmat
from bocmat import WORKER_COUNT, Cown, Matrix, quiesce, start, wait, when
from bocmat.lifecycle import usable_backends
from support.programs import output_of, run_program


@pytest.fixture(autouse=True)
def stopped():
    """Begin and end with nothing running."""
    wait(timeout=30)
    yield
    wait(timeout=30)


class Gate:
    """A pipe that behaviors on any backend can wait at until the main program opens it."""

    def __init__(self):
        self.source, self.sink = os.pipe()

    def open(self, times=1):
        os.write(self.sink, b"x" * times)

    def close(self):
        os.close(self.source)
        os.close(self.sink)


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.open(100)
    wait(timeout=30)
    made.close()


def test_worker_count_is_the_number_of_usable_processors():
    assert type(WORKER_COUNT) is int
    assert WORKER_COUNT >= 1
    if hasattr(os, "sched_getaffinity"):
        assert len(os.sched_getaffinity(0)) == WORKER_COUNT


def test_usable_backends_are_named():
    assert "threads" in usable_backends()
    assert set(usable_backends()) <= {"interpreters", "threads"}


def test_wait_and_quiesce_with_nothing_started():
    assert wait() is None
    assert quiesce() is None
    assert wait(timeout=0) is None


def test_when_starts_by_itself():
    @when()
    def result():
        return "ran"

    assert wait() is None
    assert result.value == "ran"


def test_start_again_with_the_same_or_no_arguments_does_nothing(backend_name):
    start(2, backend=backend_name)
    start(2, backend=backend_name)
    start()

    @when()
    def result():
        return 1

    wait()
    assert result.value == 1


def test_start_with_other_arguments_while_running_is_refused(backend_name):
    start(2, backend=backend_name)
    with pytest.raises(RuntimeError, match="3"):
        start(3, backend=backend_name)
    for other in set(usable_backends()) - {backend_name}:
        with pytest.raises(RuntimeError, match=other):
            start(2, backend=other)

    @when()
    def result():
        return 1

    wait()
    assert result.value == 1


@pytest.mark.parametrize("count", [0, -1, -(10**30), 1.5, "2", [2]])
def test_a_bad_count_is_refused(count):
    with pytest.raises((ValueError, TypeError)):
        start(count)
    assert wait() is None


@pytest.mark.parametrize("name", ["processes", "", "Threads"])
def test_an_unknown_backend_is_refused(name):
    with pytest.raises(ValueError, match="threads"):
        start(1, backend=name)
    with pytest.raises((ValueError, TypeError)):
        start(1, backend=5)


def test_a_backend_that_this_python_does_not_have_is_refused():
    if sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("both backends are here, for the asking at least")
    with pytest.raises((ValueError, RuntimeError), match="interpreters"):
        start(1, backend="interpreters")


@pytest.mark.skipif("interpreters" not in usable_backends(), reason="would crash, or is not there")
def test_interpreters_of_an_early_release_are_warned_of(monkeypatch):
    monkeypatch.setattr("bocmat.lifecycle._interpreters_sound", lambda: False)
    assert usable_backends() == ("threads",)
    with pytest.warns(RuntimeWarning, match=r"threads") as caught:
        start(1, backend="interpreters")
    assert caught[0].filename == __file__
    wait()
    start(1)
    with pytest.raises(RuntimeError, match="threads"):
        start(1, backend="interpreters")


def test_a_refused_start_leaves_everything_usable(backend_name):
    with pytest.raises(ValueError, match="0"):
        start(0, backend=backend_name)
    start(1, backend=backend_name)

    @when()
    def result():
        return 1

    wait()
    assert result.value == 1


def test_the_choice_ends_with_wait(backend_name):
    start(1, backend=backend_name)
    wait()
    start(2, backend=backend_name)
    wait()
    start(2, backend="threads")
    wait()


def test_one_to_eight_workers(backend_name):
    for count in (1, 2, 3, 8):
        start(count, backend=backend_name)
        cowns = [Cown(0) for _ in range(16)]
        for _ in range(10):
            for cown in cowns:

                @when(cown)
                def _(cown):
                    cown.value += 1

        wait()
        assert [cown.value for cown in cowns] == [10] * 16


def test_wait_that_runs_out_of_time_leaves_everything_running(backend_name, gate):
    start(2, backend=backend_name)
    source = gate.source
    cown = Cown(0)

    @when(cown)
    def _(cown):
        os.read(source, 1)
        cown.value += 1

    for ending in (wait, quiesce):
        with pytest.raises(TimeoutError):
            ending(timeout=0.05)
        with pytest.raises(TimeoutError):
            ending(0)

        @when(cown)
        def _(cown):
            cown.value += 10

    start(2, backend=backend_name)  # still the same runtime
    gate.open()
    wait(timeout=30)
    assert cown.value == 21


def test_quiesce_waits_and_the_workers_go_on(backend_name):
    start(2, backend=backend_name)
    total = Cown(0)
    for _ in range(5):
        for _ in range(100):

            @when(total)
            def _(total):
                total.value += 1

        assert quiesce(timeout=30) is None

        @when(total)
        def seen(total):
            return total.value

        quiesce()
        with pytest.raises(RuntimeError):
            start(5, backend=backend_name)  # it is running
    wait()
    assert total.value == seen.value == 500


def test_quiesce_waits_for_what_behaviors_schedule(backend_name):
    start(2, backend=backend_name)
    total = Cown(0)

    def again(total, left=20):
        total.value += 1
        if total.value < 20:
            when(total)(again)

    when(total)(again)
    quiesce()

    @when(total)
    def seen(total):
        return total.value

    wait()
    assert seen.value == 20


def test_waiting_inside_a_behavior_is_refused(backend_name):
    start(2, backend=backend_name)

    def tried(function):
        try:
            function()
        except RuntimeError:
            return True
        return False

    @when()
    def result():
        return tried(bocmat.wait), tried(bocmat.quiesce), tried(lambda: bocmat.wait(timeout=0))

    wait()
    assert result.value == (True, True, True)


def test_many_starts_and_waits(backend_name):
    cown = Cown(0)
    for round_ in range(60):
        start(1 + round_ % 3, backend=backend_name)

        @when(cown)
        def result(cown):
            cown.value += 1
            return cown.value

        wait()
        assert result.value == round_ + 1


def test_backends_in_turn_share_cowns():
    cown = Cown([0])
    matrix = Cown(Matrix.ones((50, 50)))
    for round_ in range(1, 7):
        start(2, backend=usable_backends()[round_ % len(usable_backends())])

        @when(cown, matrix)
        def _(cown, matrix):
            cown.value.append(round_)
            matrix.value += 1.0

        wait()
    assert cown.value == [0, 1, 2, 3, 4, 5, 6]
    assert matrix.value[0, 0] == 7.0


def test_wait_twice(backend_name):
    start(2, backend=backend_name)

    @when()
    def result():
        return 1

    wait()
    wait()
    assert result.value == 1


@pytest.mark.parametrize("timeout", [None, 30, 30.0, 1e300, float("inf")])
def test_long_timeouts(backend_name, timeout):
    start(2, backend=backend_name)

    @when()
    def result():
        return 1

    quiesce(timeout)
    wait(timeout=timeout)
    assert result.value == 1


@pytest.mark.parametrize("timeout", ["1", [], float("nan")])
def test_a_bad_timeout_is_refused(backend_name, timeout):
    start(2, backend=backend_name)
    with pytest.raises((TypeError, ValueError)):
        wait(timeout=timeout)
    with pytest.raises((TypeError, ValueError)):
        quiesce(timeout=timeout)


def test_several_threads_schedule_and_wait(backend_name):
    start(2, backend=backend_name)
    total, log = Cown(0), Cown([])
    failures = []

    def schedule(name):
        try:
            own = Cown([])
            for index in range(200):

                @when(total, own)
                def _(total, own):
                    total.value += 1
                    own.value.append(index)

            @when(own, log)
            def _(own, log):
                log.value.append((name, own.value == list(range(200))))

            quiesce(timeout=60)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=schedule, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    wait()
    assert failures == []
    assert total.value == 800
    assert sorted(log.value) == [(name, True) for name in "abcd"]


def test_waits_from_several_threads_all_return(backend_name, gate):
    start(2, backend=backend_name)
    source = gate.source

    @when()
    def result():
        return os.read(source, 1)

    ended = []
    threads = [
        threading.Thread(target=lambda ending=ending: ended.append(ending(timeout=60)))
        for ending in (wait, wait, quiesce)
    ]
    for thread in threads:
        thread.start()
    gate.open()
    for thread in threads:
        thread.join(90)
    assert ended == [None, None, None]
    wait()
    assert result.value == b"x"


def test_threads_that_start_and_wait_by_turns(backend_name):
    failures = []

    def cycle():
        try:
            for _ in range(10):
                cown = Cown(0)
                start(2, backend=backend_name)
                when(cown)(lambda cown: setattr(cown, "value", 1))
                wait(timeout=60)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=cycle) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


# Defaults from the environment, in processes of their own

REPORT = """
import sys, threading
from bocmat import Cown, start, wait, when

@when()
def result():
    import threading
    return threading.get_ident()

wait()
assert type(result.value) is int, result.value
print("ran")
start(int(sys.argv[1]), backend=sys.argv[2])   # after wait() the choice is free again
wait()

@when()
def _():
    pass

try:
    start(int(sys.argv[3]), backend=sys.argv[4])
except RuntimeError as error:
    print("other")
else:
    print("same")
wait()
"""


@pytest.mark.parametrize("name", usable_backends())
def test_the_environment_sets_the_defaults(name):
    changes = {"BOCMAT_WORKERS": "3", "BOCMAT_BACKEND": name}
    assert output_of(REPORT, "1", "threads", "3", name, **changes) == ["ran", "same"]
    assert output_of(REPORT, "1", "threads", "2", name, **changes) == ["ran", "other"]


def test_the_default_backend_is_the_best_there_is():
    best = "interpreters" if "interpreters" in usable_backends() else "threads"
    changes = {"BOCMAT_WORKERS": None, "BOCMAT_BACKEND": None}
    lines = output_of(REPORT, "1", "threads", str(WORKER_COUNT), best, **changes)
    assert lines == ["ran", "same"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("BOCMAT_WORKERS", "0"), ("BOCMAT_WORKERS", "many"), ("BOCMAT_BACKEND", "processes")],
)
def test_a_bad_environment_is_refused_with_its_value(variable, value):
    program = """
    try:
        from bocmat import start
        start()
    except (ValueError, TypeError) as error:
        print(error)
    """
    done = run_program(program, **{"BOCMAT_WORKERS": None, "BOCMAT_BACKEND": None, variable: value})
    assert done.returncode == 0, done.stderr
    assert value in done.stdout
