"""Pinned cowns, and the behaviors that run in the main interpreter: in wait(), and in pump()."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import copy
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bocmat import (
    Cown,
    Matrix,
    PinnedCown,
    PumpResult,
    pump,
    quiesce,
    read,
    set_pump_watchdog,
    set_wait_pump_poll,
    start,
    wait,
    when,
)

LIMIT = 60.0


class Window:
    """Something that can be neither pickled nor copied, and remembers who touched it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.drawn = []
        self.threads = set()

    def draw(self, what):
        with self.lock:
            self.drawn.append(what)
            self.threads.add(threading.get_ident())

    def __reduce__(self):
        raise TypeError("a window stays where it is")

    def __deepcopy__(self, memo):
        raise TypeError("a window stays where it is")


@pytest.fixture
def window():
    return Window()


@pytest.fixture(autouse=True)
def no_watchdog():
    yield
    set_pump_watchdog(None)
    set_wait_pump_poll()


def in_thread(function: Callable[[], Any]) -> Any:
    """Call it on another thread: what it returns, or what it raises."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((function(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LIMIT)
    assert outcome, "the thread did not end"
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def until(condition: Callable[[], bool]) -> None:
    """Let other threads go on until something holds."""
    deadline = threading.Event()
    for _ in range(30000):
        if condition():
            return
        deadline.wait(0.002)
    raise AssertionError("it never came true")


def pump_until(condition: Callable[[], bool]) -> int:
    """Pump, as a program's own loop does, until something holds; how many behaviors ran."""
    executed = 0

    def turn() -> bool:
        nonlocal executed
        executed += pump().executed
        return condition()

    until(turn)
    return executed


# ---- the value ----


def test_the_value_is_the_very_object_at_every_acquisition(backend, window):
    cown = PinnedCown(window)

    def body(cown):
        cown.value.draw(id(cown.value))

    for _ in range(3):
        when(cown)(body)
        when(read(cown))(body)
    wait()
    assert window.drawn == [id(window)] * 6
    assert cown.value is window


@pytest.mark.parametrize(
    "value", [None, 5, "text", 10**400, [1], (1, [2]), {"a": {1}}, Matrix.ones((2, 2)), object()]
)
def test_any_value_is_kept_as_it_is(backend, value):
    cown = PinnedCown(value)
    seen = PinnedCown([])

    @when(cown, seen)
    def _(cown, seen):
        seen.value.append(cown.value)

    quiesce()
    with cown as held:
        assert held is value
    assert cown.get() is value
    wait()
    assert cown.value is value
    assert seen.value[0] is value


def test_numpy_arrays_stay_in_place(backend):
    numpy = pytest.importorskip("numpy")
    array = numpy.zeros(3)
    cown, amount = PinnedCown(array), Cown(2.5)

    @when(cown, amount)
    def _(cown, amount):
        cown.value[1] += amount.value

    wait()
    assert array.tolist() == [0.0, 2.5, 0.0]


def test_a_matrix_in_a_pinned_cown_stays_with_its_names(backend):
    matrix = Matrix.zeros((2, 2))
    cown = PinnedCown(matrix)

    @when(cown)
    def _(cown):
        cown.value[0, 1] = 3.0

    @when(read(cown))
    def total(cown):
        return cown.value.sum()

    quiesce()
    assert matrix[0, 1] == 3.0  # it did not leave
    wait()
    assert (cown.value is matrix, total.value, matrix.sum()) == (True, 3.0, 3.0)


def test_files_are_written_where_they_were_opened(backend, tmp_path):
    with (tmp_path / "lines").open("w") as file:
        cown = PinnedCown(file)
        for number in range(3):

            @when(cown)
            def _(cown):
                cown.value.write(f"{number}\n")

        wait()
    assert (tmp_path / "lines").read_text() == "0\n1\n2\n"


def test_assigning_the_value(backend, window):
    cown = PinnedCown(1)
    holder = PinnedCown(window)

    @when(cown, holder)
    def _(cown, holder):
        cown.value = holder.value

    @when(cown)
    def _(cown):
        cown.value.draw("assigned")

    wait()
    assert cown.value is window
    assert window.drawn == ["assigned"]
    cown.value = 7
    assert cown.value == 7
    assert cown.unwrap() == 7
    assert cown.value is None


def test_exception_can_be_set_and_is_cleared_by_a_value(backend):
    cown = PinnedCown(ValueError("kept"))

    @when(cown)
    def _(cown):
        assert cown.exception is False
        cown.exception = True

    @when(cown)
    def seen(cown):
        return cown.exception, str(cown.value)

    quiesce()
    with pytest.raises(ValueError, match="kept"):
        cown.get()

    @when(cown)
    def _(cown):
        cown.value = 1

    wait()
    assert seen.value == (True, "kept")
    assert (cown.exception, cown.value) == (False, 1)


def test_reading_does_not_allow_assigning(backend):
    cown = PinnedCown([1])

    @when(read(cown))
    def _(cown):
        cown.value.append(2)  # the object itself
        cown.value = 3

    wait()
    assert type(_.value) is RuntimeError
    assert cown.value == [1, 2]


def test_held_by_hand(backend, window):
    cown = PinnedCown(window)
    assert cown.acquired is False
    with cown as value:
        assert value is window
        assert cown.acquired is True
        assert cown.value is window
    cown.acquire()
    cown.value = 5
    cown.release()
    with pytest.raises(RuntimeError):
        _ = cown.value
    assert cown.get() == 5


def test_acquired_inside_a_behavior(backend):
    cown, other = PinnedCown(1), PinnedCown(2)

    @when(cown)
    def result(cown):
        return cown.acquired, other.acquired

    wait()
    assert result.value == (True, False)


# ---- the handle ----


def test_it_is_a_cown():
    cown = PinnedCown(3)
    assert isinstance(cown, Cown)
    assert issubclass(PinnedCown, Cown)
    assert type(cown) is PinnedCown
    assert PinnedCown[int].__origin__ is PinnedCown
    assert repr(cown).startswith("<PinnedCown ")
    with pytest.raises(TypeError):
        PinnedCown()
    with pytest.raises(TypeError):
        PinnedCown(1, 2)
    for base in (Cown, PinnedCown):
        with pytest.raises(TypeError):
            type("Own", (base,), {})


def test_order_hash_and_equality_are_a_cowns():
    cowns = [PinnedCown(0), Cown(1), PinnedCown(2)]
    assert cowns[0] < cowns[1] < cowns[2]
    assert sorted([cowns[2], cowns[0], cowns[1]]) == cowns
    assert len({*cowns, *cowns}) == 3
    assert cowns[0] != cowns[2]
    assert copy.copy(cowns[0]) is cowns[0]
    assert copy.deepcopy(cowns) == cowns


def test_a_pickle_of_the_handle_is_of_use_within_the_process(backend, window):
    cown = PinnedCown(window)
    again = pickle.loads(pickle.dumps([cown, {"b": cown}]))
    assert again[0] == cown
    assert type(again[0]) is PinnedCown

    @when(again[1]["b"])
    def _(cown):
        cown.value.draw("by pickle")

    wait()
    assert window.drawn == ["by pickle"]
    assert again[0].value is window


def test_the_handle_travels_to_workers_and_back(backend, window):
    pinned = PinnedCown(window)
    holder = Cown([pinned])

    class Scene:
        def __init__(self, canvas):
            self.canvas = canvas

    scene = Cown(Scene(pinned))

    @when(holder, scene)
    def result(holder, scene):
        kinds = {type(one).__name__ for one in (pinned, holder.value[0], scene.value.canvas)}
        for name, cown in (("capture", pinned), ("value", holder.value[0])):

            @when(cown)
            def _(cown):
                cown.value.draw(name)

        @when(scene.value.canvas)
        def last(canvas):
            canvas.value.draw("attribute")

        return kinds, pinned, pinned == holder.value[0]

    wait()
    assert sorted(window.drawn) == ["attribute", "capture", "value"]
    assert result.value == ({"PinnedCown"}, pinned, True)
    assert scene.value.canvas == pinned
    assert result.value[1].value is window


def test_a_worker_has_no_access_to_the_value(backend, window):
    pinned = PinnedCown(window)

    @when()
    def result():
        refused = []
        for use in (
            lambda: pinned.value,
            lambda: pinned.exception,
            lambda: pinned.get(),
            lambda: pinned.unwrap(),
            lambda: pinned.acquire(),
            lambda: pinned.__enter__(),
        ):
            try:
                use()
            except RuntimeError:
                refused.append(True)
        return refused

    wait()
    assert result.value == [True] * 6


def test_it_is_made_in_the_main_program_only(backend):
    @when()
    def result():
        return PinnedCown(1)

    wait()
    assert type(result.value) is RuntimeError
    assert "main" in str(result.value)


def test_a_pinned_behavior_may_make_one(backend):
    cown = PinnedCown([])

    @when(cown)
    def result(cown):
        inner = PinnedCown(cown.value)

        @when(inner)
        def _(inner):
            inner.value.append("inner")

        return inner

    wait()
    assert cown.value == ["inner"]
    assert result.value.value is cown.value


def test_cowns_in_a_pinned_value(backend):
    inner = PinnedCown([])
    outer = PinnedCown({"inner": inner})

    @when(outer)
    def _(outer):
        when(outer.value["inner"])(lambda inner: inner.value.append(1))

    wait()
    assert inner.value == [1]


def test_what_is_let_go_of_is_destroyed(backend):
    import gc
    import weakref

    window = Window()
    gone = weakref.ref(window)
    cown = PinnedCown(window)

    @when()
    def result():
        return cown  # noqa: F821 - deleted below

    wait()
    del window, cown, result

    def is_gone():
        gc.collect()

        @when()
        def _():
            pass

        quiesce()
        return gone() is None

    until(is_gone)


# ---- where it runs ----


def test_it_runs_on_the_thread_that_waits_and_others_do_not(backend, window):
    cown, plain = PinnedCown(window), Cown(0)

    def on_main():
        import threading

        return threading.get_ident()

    @when(plain)
    def elsewhere(plain):
        return on_main()

    @when(plain, cown)
    def here(plain, cown):
        cown.value.draw("here")
        plain.value += 1
        return on_main()

    wait()
    assert here.value == threading.get_ident()
    assert elsewhere.value != threading.get_ident()
    assert window.threads == {threading.get_ident()}
    assert plain.value == 1


@pytest.mark.parametrize("arrange", ["alone", "list", "read", "readlist", "behind", "twice"])
def test_any_pinned_cown_among_the_arguments_pins(backend, window, arrange):
    pinned, plain = PinnedCown(window), Cown(1)
    arguments = {
        "alone": [pinned],
        "list": [[plain, pinned]],
        "read": [plain, read(pinned)],
        "readlist": [read([plain, pinned])],
        "behind": [plain, [], [plain], pinned],
        "twice": [pinned, plain, read(pinned)],
    }[arrange]

    @when(*arguments)
    def result(*_):
        import threading

        return threading.get_ident()

    wait()
    assert result.value == threading.get_ident()


def test_other_cowns_and_captures_are_as_in_any_behavior(backend):
    pinned = PinnedCown([])
    number, matrix, items = Cown(5), Cown(Matrix.ones((30, 30))), Cown([1, 2])
    factor, taken = 3, [1]

    class Local:
        def __init__(self, value):
            self.value = value

    @when(pinned, number, matrix, items, read(number))
    def result(pinned, number, matrix, items, again):
        global_name = Local(number.value * factor)
        number.value += 1
        matrix.value += 1.0
        items.value.append(3)
        taken.append("own")
        pinned.value.append(again is number)
        return global_name

    taken.append("later")
    factor = 100

    @when(number, items)
    def after(number, items):
        return number.value, items.value

    wait()
    assert isinstance(result.value, Local)
    assert result.value.value == 15
    assert after.value == (6, [1, 2, 3])
    assert matrix.value[29, 29] == 2.0
    assert pinned.value == [True]
    assert taken == [1, "later"]


COUNTER = 0


def test_globals_of_the_program_are_not_written(backend):
    cown = PinnedCown(0)

    def count():
        global COUNTER
        COUNTER += 1
        return COUNTER

    @when(cown)
    def first(cown):
        return count(), count()

    @when(cown)
    def second(cown):
        return count()

    wait()
    assert (first.value, second.value, COUNTER) == ((1, 2), 1, 0)


def test_order_on_shared_cowns_is_that_of_scheduling(backend):
    pinned, plain = PinnedCown([]), Cown([])
    for number in range(50):
        if number % 3 == 0:

            @when(plain)
            def _(plain):
                plain.value.append(number)

        else:

            @when(plain, pinned)
            def _(plain, pinned):
                plain.value.append(number)
                pinned.value.append(number)

    wait()
    assert plain.value == list(range(50))
    assert pinned.value == [number for number in range(50) if number % 3]


def test_many_of_both_kinds(backend):
    pinned = PinnedCown([0])
    cowns = [Cown(0) for _ in range(8)]

    def spread(cown, left=3):
        cown.value += 1

        @when(pinned)
        def _(pinned):
            pinned.value[0] += 1

            @when(cown)
            def _(cown):
                cown.value += 1

    for _ in range(20):
        for cown in cowns:
            when(cown)(spread)
    wait()
    assert [cown.value for cown in cowns] == [40] * 8
    assert pinned.value == [160]


def test_waiting_threads_are_woken_at_once(backend):
    set_wait_pump_poll(10**9)  # no look in the lifetime of a test
    source, sink = os.pipe()
    cown = PinnedCown([])

    @when()
    def _():
        os.read(source, 1)

        @when(cown)
        def _(cown):
            cown.value.append("ran")

    timer = threading.Timer(0.05, os.write, (sink, b"x"))
    timer.start()
    wait(timeout=LIMIT)
    timer.join()
    assert cown.value == ["ran"]
    os.close(source)
    os.close(sink)


def test_get_runs_what_it_waits_for(backend, window):
    cown = PinnedCown(window)

    @when(cown)
    def first(cown):
        cown.value.draw(1)
        return "first"

    @when(first)
    def second(first):
        return first.value + " second"

    assert second.get(timeout=LIMIT) == "first second"
    with cown as held:
        assert held is window
        assert window.drawn == [1]
    assert window.threads == {threading.get_ident()}


def test_a_wait_that_runs_out_of_time_leaves_them_queued(backend):
    source, sink = os.pipe()
    cown = PinnedCown([])

    @when()
    def _():
        os.read(source, 1)

        @when(cown)
        def _(cown):
            cown.value.append(1)

    with pytest.raises(TimeoutError):
        wait(timeout=0.02)

    @when(cown)
    def _(cown):
        cown.value.append(0)

    with pytest.raises(TimeoutError):
        wait(timeout=0)  # only asks
    os.write(sink, b"x")
    wait(timeout=LIMIT)
    assert sorted(cown.value) == [0, 1]
    os.close(source)
    os.close(sink)


def test_statistics_are_of_workers_only(backend):
    cown = PinnedCown(0)
    for _ in range(5):
        when(cown)(lambda cown: None)
    rows = wait(stats=True)
    assert [row["worker"] for row in rows] == [0, 1]
    assert sum(row["executed"] for row in rows) == 0


# ---- threads ----


def test_any_thread_that_waits_runs_them(backend, window):
    cown = PinnedCown(window)

    @when(cown)
    def _(cown):
        cown.value.draw("elsewhere")

    def waiting():
        quiesce(timeout=LIMIT)
        return threading.get_ident()

    assert in_thread(waiting) in window.threads
    assert window.drawn == ["elsewhere"]


def test_the_main_thread_is_preferred(backend, window):
    cown = PinnedCown(window)
    source, sink = os.pipe()

    @when()
    def _():
        os.read(source, 1)

        def again(cown, left):
            cown.value.draw(left)
            if left:
                when(cown)(lambda cown, left=left - 1: again(cown, left))

        when(cown)(lambda cown: again(cown, 30))

    others = [threading.Thread(target=quiesce, args=(LIMIT,)) for _ in range(3)]
    for other in others:
        other.start()
    timer = threading.Timer(0.1, os.write, (sink, b"x"))
    timer.start()
    wait(timeout=LIMIT)
    for thread in (timer, *others):
        thread.join(LIMIT)
    assert window.drawn == list(range(30, -1, -1))
    assert threading.get_ident() in window.threads
    os.close(source)
    os.close(sink)


def test_several_waiting_threads_share_them_one_at_a_time(backend, window):
    cowns = [PinnedCown(window) for _ in range(10)]
    busy = PinnedCown([])
    inside = threading.Semaphore(1)
    guard = PinnedCown(inside)

    def body(cown):
        cown.value.draw("x")

    def exclusive(guard):
        assert guard.value.acquire(blocking=False)
        guard.value.release()

    def work():
        for cown in cowns:
            when(cown)(body)
            when(read(guard))(exclusive)
        quiesce(timeout=LIMIT)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    wait()
    assert window.drawn == ["x"] * 40
    assert busy.value == []


def test_a_second_pump_is_refused_and_names_the_reason(backend):
    cown = PinnedCown([])
    inside, leave = threading.Event(), threading.Event()
    events = PinnedCown((inside, leave))

    @when(cown, events)
    def _(cown, events):
        events.value[0].set()
        assert events.value[1].wait(60)
        cown.value.append("ran")

    thread = threading.Thread(target=pump)
    thread.start()
    assert inside.wait(LIMIT)
    try:
        with pytest.raises(RuntimeError, match="another thread"):
            pump()
        with pytest.raises(TimeoutError):
            quiesce(timeout=0.01)  # a second waiter simply waits
    finally:
        leave.set()
        thread.join(LIMIT)
    assert cown.get() == ["ran"]


# ---- pump ----


def test_pump_runs_what_is_ready(backend, window):
    cown = PinnedCown(window)
    for number in range(3):

        @when(cown)
        def _(cown):
            cown.value.draw(number)

    until(lambda: len(window.drawn) == 3 or pump() != (0, False, 0))
    assert window.drawn == [0, 1, 2]
    assert pump() == PumpResult(executed=0, deadline_reached=False, raised=0)
    assert window.threads == {threading.get_ident()}


def test_pump_gives_a_named_tuple(backend):
    cown = PinnedCown(0)
    when(cown)(lambda cown: 1)
    result = pump()
    assert type(result) is PumpResult
    assert result == (1, False, 0)
    assert (result.executed, result.deadline_reached, result.raised) == (1, False, 0)


def test_pump_leaves_ordinary_behaviors_to_workers(backend):
    source, sink = os.pipe()
    cown = Cown(0)

    @when(cown)
    def _(cown):
        os.read(source, 1)

    assert pump() == (0, False, 0)
    os.write(sink, b"x")
    wait()
    os.close(source)
    os.close(sink)


def test_a_program_with_a_loop_of_its_own(backend, window):
    canvas, results = PinnedCown(window), Cown([])
    for number in range(10):

        @when()
        def computed():
            return number * number

        @when(computed, canvas, results)
        def _(computed, canvas, results):
            canvas.value.draw(computed.value)
            results.value.append(computed.value)

    assert pump_until(lambda: len(window.drawn) == 10) == 10
    wait()
    assert sorted(window.drawn) == sorted(results.value) == [n * n for n in range(10)]


def test_pump_runs_what_becomes_ready_meanwhile(backend):
    cown = PinnedCown([])

    def again(cown):
        cown.value.append(1)
        if len(cown.value) < 10:
            when(cown)(again)

    when(cown)(again)
    assert pump() == (10, False, 0)
    assert pump() == (0, False, 0)
    wait()
    assert len(cown.value) == 10


def test_max_behaviors(backend):
    cowns = [PinnedCown(0) for _ in range(5)]
    for cown in cowns:

        @when(cown)
        def _(cown):
            cown.value += 1

    assert pump(max_behaviors=2) == (2, False, 0)
    assert pump(max_behaviors=2, deadline_ms=10**9) == (2, False, 0)
    assert pump(max_behaviors=2) == (1, False, 0)
    assert pump(max_behaviors=10**30) == (0, False, 0)
    wait()
    assert [cown.value for cown in cowns] == [1] * 5


def test_the_deadline_gates_the_start_of_the_next(backend):
    cowns = [PinnedCown([]) for _ in range(3)]

    def body(cown):
        import time

        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass
        cown.value.append(1)

    for cown in cowns:
        when(cown)(body)
    assert pump(deadline_ms=10) == (1, True, 0)
    assert pump(1, 1) == (1, False, 0)
    assert pump(deadline_ms=1) == (1, False, 0)
    wait()
    assert [cown.value for cown in cowns] == [[1]] * 3


@pytest.mark.parametrize("bound", [0, -1, -(10**30), True, False, 1.5, 2.0, "3", [4]])
def test_bad_bounds_are_refused(backend, bound):
    cown = PinnedCown(0)
    when(cown)(lambda cown: None)
    for keyword in ("deadline_ms", "max_behaviors"):
        with pytest.raises(TypeError, match=keyword):
            pump(**{keyword: bound})
    with pytest.raises(TypeError, match="warn_ms"):
        set_pump_watchdog(bound)
    with pytest.raises(TypeError, match="ms"):
        set_wait_pump_poll(bound)
    assert pump() == (1, False, 0)


def test_bounds_that_no_clock_reaches(backend):
    assert pump(deadline_ms=2**63 // 10**6 - 1) == (0, False, 0)
    for call in (pump, set_pump_watchdog, set_wait_pump_poll):
        with pytest.raises(OverflowError):
            call(10**18)
    with pytest.raises(TypeError):
        set_pump_watchdog(10, on_starve=3)


def test_pump_without_a_runtime():
    wait(timeout=LIMIT)
    with pytest.raises(RuntimeError, match="start"):
        pump()
    with pytest.raises(TypeError):
        pump(deadline_ms=0)


def test_pump_in_behaviors(backend):
    cown = PinnedCown(0)

    def tried():
        try:
            pump()
        except RuntimeError as error:
            return str(error)
        return None

    @when()
    def in_ordinary():
        return tried()

    @when(cown)
    def in_pinned(cown):
        return tried()

    wait()
    assert "behavior" in in_ordinary.value
    assert "nest" in in_pinned.value


def test_what_a_pinned_behavior_may_not_do(backend):
    cown, other = PinnedCown(0), Cown(1)

    @when(cown)
    def result(cown):
        refused = []
        for use in (
            wait,
            quiesce,
            lambda: wait(timeout=0),
            lambda: start(1),
            lambda: other.value,
            lambda: other.get(),
            lambda: other.acquire(),
        ):
            try:
                use()
            except RuntimeError:
                refused.append(True)
            else:
                refused.append(False)
        return refused

    wait()
    assert result.value == [True] * 7


# ---- bodies that raise ----


def test_an_exception_goes_to_the_result(backend, caplog):
    cown, plain = PinnedCown([]), Cown(0)

    @when(cown, plain)
    def failed(cown, plain):
        cown.value.append("before")
        plain.value = 1
        raise ValueError("refused", 5)

    @when(failed, cown)
    def after(failed, cown):
        return type(failed.value).__name__, failed.value.args, failed.exception, cown.value

    assert pump_until(lambda: bool(cown.get()) and len(cown.get()) == 1) >= 1
    wait()
    assert after.value == ("ValueError", ("refused", 5), True, ["before"])
    assert plain.value == 1
    assert caplog.records == []


def test_pump_counts_and_goes_on(backend, caplog):
    cowns = [PinnedCown(number) for number in range(4)]

    def body(cown):
        if cown.value % 2:
            raise ValueError(f"number {cown.value}")

    for cown in cowns:
        when(cown)(body)
    assert pump() == (4, False, 2)
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        wait()
    told = "".join(record.getMessage() for record in caplog.records)
    assert ("number 1" in told, "number 3" in told, len(caplog.records)) == (True, True, 2)


def test_raise_on_error_stops_at_the_first(backend, caplog):
    cowns = [PinnedCown([]) for _ in range(3)]
    results = []

    def body(cown, number):
        cown.value.append(number)
        if number == 1:
            raise LookupError("the second")

    for number, cown in enumerate(cowns):
        results.append(when(cown)(lambda cown, number=number: body(cown, number)))
    with pytest.raises(LookupError, match="the second"):
        pump(raise_on_error=True)
    assert [cown.get(timeout=LIMIT) for cown in cowns[:2]] == [[0], [1]]
    assert pump(raise_on_error=True) == (1, False, 0)
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        wait()
    assert [cown.value for cown in cowns] == [[0], [1], [2]]
    assert results[1].exception is True
    assert type(results[1].value) is LookupError
    assert caplog.records == []  # pump() told of it


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_comes_out_of_pump(backend, kind):
    cowns = [PinnedCown([]) for _ in range(3)]
    plain = Cown(0)
    results = []

    def body(cown, plain, number):
        cown.value.append(number)
        plain.value += 1
        if number == 1:
            raise kind(7)

    for number, cown in enumerate(cowns):
        results.append(
            when(cown, plain)(lambda cown, plain, number=number: body(cown, plain, number))
        )
    with pytest.raises(kind) as caught:
        pump()
    assert caught.value.args == (7,)
    assert in_thread(lambda: cowns[1].get(timeout=LIMIT)) == [1]  # released all the same
    assert pump() == (1, False, 0)  # what was left stayed queued
    wait()
    assert [cown.value for cown in cowns] == [[0], [1], [2]]
    assert results[1].exception is True
    assert type(results[1].value) is kind


def test_wait_keeps_a_system_exit_in_the_result(backend, caplog):
    cown = PinnedCown(0)

    @when(cown)
    def failed(cown):
        raise SystemExit(3)

    @when(cown)
    def after(cown):
        return "ran"

    wait()
    assert type(failed.value) is SystemExit
    assert after.value == "ran"


def test_an_interrupt_comes_out_of_wait_and_the_runtime_goes_on(backend):
    cown = PinnedCown([])

    @when(cown)
    def interrupted(cown):
        cown.value.append(1)
        raise KeyboardInterrupt

    @when(cown)
    def after(cown):
        cown.value.append(2)

    for ending in (wait, quiesce, wait, lambda: cown.get()):
        with pytest.raises(KeyboardInterrupt):
            ending()

        @when(cown)
        def _(cown):
            cown.value.append(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait()
    wait()
    assert cown.value == [1, 2, 3, 3, 3, 3]
    assert type(interrupted.value) is KeyboardInterrupt


def test_a_signal_while_a_body_runs(backend):
    import signal

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals go to the main thread")
    cown = PinnedCown([])

    @when(cown)
    def _(cown):
        import os
        import time

        cown.value.append("before")
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    @when(cown)
    def after(cown):
        return cown.value

    with pytest.raises(KeyboardInterrupt):
        wait()
    wait()
    assert after.value == ["before"]


def test_a_result_that_cannot_travel(backend, window):
    cown = PinnedCown(window)

    @when(cown)
    def result(cown):
        return cown.value

    wait()
    if backend == "interpreters":
        assert result.exception is True
    else:
        assert result.value is window
    assert cown.value is window


def test_a_body_that_blocks_blocks_only_the_pumper(backend):
    cown, plain = PinnedCown([]), Cown(0)
    source, sink = os.pipe()

    @when(cown)
    def blocked(cown):
        import os

        return os.read(source, 1)

    @when(plain)
    def free(plain):
        return "done"

    waiter = threading.Thread(target=quiesce, args=(LIMIT,))
    waiter.start()
    assert free.get(timeout=LIMIT) == "done"
    os.write(sink, b"y")
    waiter.join(LIMIT)
    wait()
    assert blocked.value == b"y"
    os.close(source)
    os.close(sink)


# ---- the watchdog ----


def test_the_watchdog_is_off_until_it_is_set(backend, caplog):
    cown = PinnedCown(0)
    when(cown)(lambda cown: None)
    threading.Event().wait(0.02)
    with caplog.at_level(logging.DEBUG, logger="bocmat"):
        assert pump().executed == 1
    assert caplog.records == []


def test_the_watchdog_calls(backend):
    calls = []
    set_pump_watchdog(5, on_starve=lambda severity, message: calls.append((severity, message)))
    cown = PinnedCown(0)
    assert pump() == (0, False, 0)
    for _ in range(2):
        when(cown)(lambda cown: None)
    threading.Event().wait(0.03)
    assert pump(max_behaviors=1).executed == 1
    assert pump().executed == 1
    assert len(calls) == 1  # reported once, not at every look
    severity, message = calls[0]
    assert severity == 0
    assert "ready" in message
    when(cown)(lambda cown: None)
    threading.Event().wait(0.03)
    wait()
    assert len(calls) == 2


def test_the_watchdog_logs(backend, caplog):
    set_pump_watchdog(warn_ms=1)
    cown = PinnedCown(0)
    when(cown)(lambda cown: None)
    threading.Event().wait(0.02)
    with caplog.at_level(logging.WARNING, logger="bocmat"):
        pump()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    set_pump_watchdog(None)
    when(cown)(lambda cown: None)
    threading.Event().wait(0.02)
    pump()
    assert len(caplog.records) == 1


def test_what_on_starve_raises_comes_out_and_nothing_is_lost(backend):
    def complain(severity, message):
        raise OSError("starved")

    set_pump_watchdog(1, on_starve=complain)
    cown = PinnedCown([])

    @when(cown)
    def _(cown):
        cown.value.append(1)

    threading.Event().wait(0.02)
    with pytest.raises(OSError, match="starved"):
        pump()
    set_pump_watchdog(None)
    wait()
    assert cown.value == [1]


# ---- starting again ----


def test_pinned_cowns_outlive_the_runtime(backend_name, window):
    cown = PinnedCown(window)
    for round_ in range(5):
        start(1 + round_ % 2, backend=backend_name)

        @when(cown)
        def result(cown):
            cown.value.draw(round_)
            return round_

        wait(timeout=LIMIT)
        assert cown.value is window
        assert result.value == round_
    assert window.drawn == list(range(5))


def test_one_pinned_cown_on_both_backends_in_turn(window):
    from bocmat.lifecycle import usable_backends

    cown = PinnedCown(window)
    for name in usable_backends() * 2:
        start(2, backend=name)

        @when(cown)
        def _(cown):
            cown.value.draw(1)

        wait(timeout=LIMIT)
    assert cown.value is window
    assert set(window.drawn) == {1}


@pytest.mark.skipif(sys.version_info < (3, 14), reason="concurrent.interpreters is of 3.14")
def test_another_interpreter_does_not_pump():
    interpreters = pytest.importorskip("concurrent.interpreters")
    interpreter = interpreters.create()
    try:
        with pytest.raises(interpreters.ExecutionFailed, match="main interpreter"):
            interpreter.exec("import bocmat; bocmat.pump()")
        with pytest.raises(interpreters.ExecutionFailed, match="main"):
            interpreter.exec("import bocmat; bocmat.PinnedCown(1)")
    finally:
        interpreter.close()
