"""Pinned cowns: their values, their handles, and where the behaviors over them run."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import copy
import os
import pickle
import sys
import threading

import pytest

from bocmat import (
    Cown,
    Matrix,
    PinnedCown,
    notice_read,
    notice_write,
    pump,
    quiesce,
    read,
    set_wait_pump_poll,
    start,
    wait,
    when,
    whencall,
)
from support.pinned import LIMIT, Window, in_thread, open_pipe, until

pipe = pytest.fixture(open_pipe)


@pytest.fixture
def window():
    return Window()


@pytest.fixture(autouse=True)
def usual_poll():
    yield
    set_wait_pump_poll()


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


def test_the_handle_on_the_noticeboard(backend, window):
    notice_write("window", PinnedCown(window))
    notice_write("what", "seen")
    quiesce()

    @when()
    def _():
        @when(notice_read("window"))
        def _(cown):
            cown.value.draw(notice_read("what"))

    wait()
    assert window.drawn == ["seen"]


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


def test_whencall_pins_too(backend, window):
    def body(cown, what):
        cown.value.draw(what)
        return what

    results = [whencall(body, [PinnedCown(window)], [what]) for what in "ab"]
    wait()
    assert [result.value for result in results] == ["a", "b"]
    assert window.threads == {threading.get_ident()}


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


def test_waiting_threads_are_woken_at_once(backend, pipe):
    set_wait_pump_poll(10**9)  # no look in the lifetime of a test
    source, sink = pipe
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


def test_a_wait_that_runs_out_of_time_leaves_them_queued(backend, pipe):
    source, sink = pipe
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
    main = threading.get_ident()

    window.enough = threading.Event()

    def again(cown, number):
        cown.value.draw(number)
        if main not in cown.value.threads and not cown.value.enough.is_set():
            when(cown)(lambda cown: again(cown, number + 1))

    others = [threading.Thread(target=quiesce, args=(LIMIT,)) for _ in range(3)]
    when(cown)(lambda cown: again(cown, 0))
    for other in others:
        other.start()
    try:
        until(lambda: len(window.drawn) > 0)
        wait(timeout=LIMIT)  # from here on they leave them to this thread
    finally:
        window.enough.set()
        for other in others:
            other.join(LIMIT)
    assert main in window.threads
    assert window.drawn == list(range(len(window.drawn)))


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
