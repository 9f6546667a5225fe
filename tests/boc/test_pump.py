"""pump() and the watchdog; what becomes of a pinned behavior that raises."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import logging
import os
import signal
import threading
import time

import pytest

from bocmat import (
    Cown,
    Matrix,
    PinnedCown,
    PumpResult,
    pump,
    quiesce,
    set_pump_watchdog,
    set_wait_pump_poll,
    start,
    wait,
    when,
)
from support.pinned import LIMIT, Window, in_thread, open_pipe, pump_until, until

pipe = pytest.fixture(open_pipe)


@pytest.fixture
def window():
    return Window()


@pytest.fixture(autouse=True)
def no_watchdog():
    yield
    set_pump_watchdog(None)


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


def test_pump_leaves_ordinary_behaviors_to_workers(backend, pipe):
    source, sink = pipe
    cown = Cown(0)

    @when(cown)
    def _(cown):
        os.read(source, 1)

    assert pump() == (0, False, 0)
    os.write(sink, b"x")
    wait()


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
    cowns = [PinnedCown(value) for value in ([0.35], [], [])]

    def body(cown):
        import time

        if cown.value:
            time.sleep(cown.value.pop())
        cown.value.append(1)

    for cown in cowns:
        when(cown)(body)
    assert pump(deadline_ms=300) == (1, True, 0)
    assert pump(10**6, 1) == (1, False, 0)
    assert pump(deadline_ms=10**6) == (1, False, 0)
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


@pytest.fixture
def interrupts():
    """Let SIGINT interrupt, though a background job of a shell begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_signal_while_a_body_runs(backend, interrupts):
    cown = PinnedCown([])

    @when(cown)
    def interrupted(cown):
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
    assert type(interrupted.value) is KeyboardInterrupt


class Slow:
    """Its pickling is interrupted the first time."""

    interrupted = False

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        if not Slow.interrupted:
            Slow.interrupted = True
            raise KeyboardInterrupt
        return Slow, (self.number,)


@pytest.mark.parametrize("where", ["result", "cown"])
def test_an_interrupt_while_values_are_put_away_costs_none(backend, where):
    cown, plain = PinnedCown([]), Cown(None)
    Slow.interrupted = False

    @when(cown, plain)
    def result(cown, plain):
        value = [Slow(5), Matrix.ones((2, 2))]  # encoded on both backends
        cown.value.append(where)
        if where == "cown":
            plain.value = value
            return None
        return value

    with pytest.raises(KeyboardInterrupt):
        wait()
    wait()
    kept = (result if where == "result" else plain).value
    assert kept[0].number == 5
    assert kept[1].sum() == 4.0
    assert cown.value == [where]
    assert result.exception is False


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


def test_a_body_that_blocks_blocks_only_the_pumper(backend, pipe):
    begun = threading.Event()
    cown, plain = PinnedCown(begun), Cown(0)
    source, sink = pipe

    @when(cown)
    def blocked(cown):
        import os

        cown.value.set()
        return os.read(source, 1)

    @when(plain)
    def free(plain):
        return "done"

    waiter = threading.Thread(target=quiesce, args=(LIMIT,))
    waiter.start()
    assert begun.wait(LIMIT)  # before this thread waits, for it would come first
    assert free.get(timeout=LIMIT) == "done"
    os.write(sink, b"y")
    waiter.join(LIMIT)
    wait()
    assert blocked.value == b"y"


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
    set_pump_watchdog(250, on_starve=lambda severity, message: calls.append((severity, message)))
    cown = PinnedCown(0)
    assert pump() == (0, False, 0)
    for _ in range(2):
        when(cown)(lambda cown: None)
    threading.Event().wait(0.3)
    assert pump(max_behaviors=1).executed == 1
    assert pump().executed == 1
    assert len(calls) == 1  # reported once, not at every look
    severity, message = calls[0]
    assert severity == 0
    assert "ready" in message
    when(cown)(lambda cown: None)
    threading.Event().wait(0.3)
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
