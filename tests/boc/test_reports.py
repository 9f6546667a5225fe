"""What wait() and quiesce() report: behaviors that failed and that nobody looked at."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import threading

import pytest

from bocmat import Cown, Matrix, quiesce, read, start, wait, when, whencall
from support.programs import run_program

SWEEPS_AFTER = 4096


@pytest.fixture
def reports(caplog):
    """Give the texts of what was reported since it was last asked."""
    wait(timeout=30)
    caplog.clear()

    def taken(ending=quiesce):
        ending(timeout=60)
        for record in caplog.records:
            assert (record.name, record.levelno) == ("bocmat", logging.ERROR)
        texts = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return texts

    return taken


def line_of(text):
    with open(__file__, encoding="utf-8") as file:
        return 1 + next(number for number, line in enumerate(file) if text in line)


@pytest.mark.parametrize("ending", [wait, quiesce])
def test_a_failure_is_reported_once_with_name_place_and_traceback(backend, reports, ending):
    def deep_inside():
        raise ValueError("bad", 42)  # the line of the error

    @when()  # the line of the behavior
    def fails_badly():
        deep_inside()

    (text,) = reports(ending)
    first, *rest = text.splitlines()
    assert "fails_badly" in first
    assert os.path.basename(__file__) in first
    assert re.search(rf"\b{line_of('# the line of the behavior')}\b", first)
    assert rest[0] == "Traceback (most recent call last):"
    assert any(
        f"line {line_of('# the line of the error')}, in deep_inside" in line for line in rest
    )
    assert rest[-1] == "ValueError: ('bad', 42)"
    assert reports(ending) == []


def test_the_given_name_is_used(backend, reports):
    @when(Cown(1), name="paying the rent")
    def function(cown):
        raise ValueError(cown.value)

    (text,) = reports()
    assert "paying the rent" in text.splitlines()[0]
    assert "function" not in text.splitlines()[0]


def test_reports_come_in_the_order_of_the_failures(backend, reports):
    order = Cown(None)
    for number in range(5):

        @when(order)
        def _(order):
            raise KeyError(number)

    assert [text.splitlines()[-1] for text in reports()] == [f"KeyError: {i}" for i in range(5)]


LOOKS = {
    "value": lambda result: result.value,
    "exception": lambda result: result.exception,
    "get": lambda result: result.get(timeout=60),
    "unwrap": lambda result: result.unwrap(),
}


@pytest.mark.parametrize("way", LOOKS)
@pytest.mark.parametrize("reading", [False, True], ids=["write", "read"])
def test_who_looks_in_a_behavior_is_not_told(backend, reports, way, reading):
    if reading and way == "unwrap":
        pytest.skip("a reader does not take the value out")

    @when()
    def result():
        raise ValueError("bad")

    @when(read(result) if reading else result)
    def _(result):
        with contextlib.suppress(ValueError):
            LOOKS[way](result)

    assert reports() == []


@pytest.mark.parametrize("way", ["get", "with"])
def test_who_looks_in_the_program_is_not_told(backend, reports, way):
    @when()
    def result():
        raise ValueError("bad")

    if way == "get":
        with pytest.raises(ValueError, match="bad"):
            result.get(timeout=60)
    else:
        with result as value:
            assert type(value) is ValueError
    assert reports() == []


def test_an_exception_that_a_later_behavior_replaced_is_not_reported(backend, reports):
    @when()
    def result():
        raise ValueError("bad")

    @when(result)
    def _(result):
        result.value = "other"

    assert reports() == []


def test_being_named_by_a_behavior_is_not_being_looked_at(backend, reports):
    @when()
    def result():
        raise ValueError("bad")

    @when(result)
    def _(result):
        pass

    assert len(reports()) == 1


def test_a_result_that_nobody_kept_is_reported(backend, reports):
    when()(lambda: 1 / 0)
    (text,) = reports()
    assert "<lambda>" in text
    assert text.endswith("ZeroDivisionError: division by zero")


def test_nested_behaviors_are_reported(backend, reports):
    @when()
    def _():
        @when()
        def inner():
            raise ValueError("from inside")

    (text,) = reports()
    assert "inner" in text.splitlines()[0]
    assert "from inside" in text


def test_causes_and_notes_are_shown(backend, reports):
    @when()
    def _():
        try:
            [][1]
        except IndexError as error:
            raise RuntimeError("outer") from error

    @when()
    def _():
        error = ValueError("noted")
        error.__dict__["__notes__"] = ["a note of mine"]
        raise error

    caused, noted = sorted(reports(), key=lambda text: "noted" in text)
    assert "IndexError: list index out of range" in caused
    assert "direct cause" in caused
    assert caused.endswith("RuntimeError: outer")
    assert noted.count("a note of mine") == 1
    assert noted.count("Traceback") == 1


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_exceptions_that_end_programs_are_reported_like_others(backend, reports, kind):
    @when()
    def _():
        raise kind(3)

    (text,) = reports()
    assert text.endswith(f"{kind.__name__}: 3")


def test_whatever_was_scheduled_has_a_name_and_a_place(backend, reports):
    class Worker:
        def fail(self, *arguments):
            raise ValueError("method")

        def __call__(self):
            raise ValueError("object")

    def decorated(function):
        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments)

        return wrapper

    @when()
    @decorated
    def wrapped():
        raise ValueError("wrapped")

    when()(Worker().fail)
    when()(functools.partial(Worker().fail, 1))
    when()(Worker())
    whencall(Worker().fail, [], [1])
    when()(functools.partial(int, "no number"))
    firsts = sorted(text.splitlines()[0] for text in reports())
    assert len(firsts) == 6
    assert sum("Worker.fail" in first for first in firsts) == 3
    assert sum(first.split(",")[0].endswith("Worker'") for first in firsts) == 1
    assert sum("wrapped" in first for first in firsts) == 1
    assert sum("int" in first for first in firsts) == 1
    assert sum(os.path.basename(__file__) in first for first in firsts) == 5


def test_an_exception_that_cannot_travel_is_reported(backend, reports):
    class Stubborn(Exception):
        def __reduce__(self):
            raise TypeError("will not move")

    @when()
    def failing():
        raise Stubborn("said so")

    @when()
    def silent():
        class Mute(Exception):
            def __str__(self):
                raise ValueError("no text")

        error = Mute()
        error.lock = threading.Lock()
        raise error

    texts = reports()
    assert len(texts) == 2
    assert any("said so" in text and "failing" in text for text in texts)
    assert any("Mute" in text and "silent" in text for text in texts)


def test_a_value_that_cannot_travel_is_reported_with_the_behavior_that_left_it(backend, reports):
    cown = Cown(1)

    @when(cown, name="the culprit")
    def _(cown):
        import threading

        cown.value = [threading.Lock(), Matrix.ones((2, 2))]

    (text,) = reports()
    assert "the culprit" in text
    assert "pickle" in text


def test_captures_that_cannot_be_decoded_are_reported_with_the_behavior(backend, reports):
    class Trap:
        def __reduce__(self):
            return int, ("not a number",)

    trap = Trap()

    @when()
    def the_victim():
        return trap

    (text,) = reports()
    assert "the_victim" in text
    assert os.path.basename(__file__) in text
    assert "not a number" in text


def test_text_of_any_kind_is_reported(backend, reports):
    @when(name="Tücke ✓")
    def _():
        raise ValueError("ein Ärgernis \ud800 100 %s %d")

    (text,) = reports()
    assert "Tücke ✓" in text
    assert "ein Ärgernis" in text
    assert "100 %s %d" in text


def test_a_timeout_reports_nothing_yet(backend, reports):
    source, sink = os.pipe()

    @when()
    def failed():
        raise ValueError("bad")

    @when()
    def _():
        os.read(source, 1)

    with pytest.raises(TimeoutError):
        reports(lambda timeout: quiesce(timeout=0))
    os.write(sink, b"x")
    assert len(reports()) == 1
    os.close(source)
    os.close(sink)


def test_many_that_were_looked_at_and_one_that_was_not(backend, reports):
    @when()
    def lonely():
        raise ValueError("the lonely one")

    def fail():
        raise ValueError("seen")

    @when()
    def schedule():
        for _ in range(SWEEPS_AFTER + 100):
            when(when()(fail))(lambda result: result.exception and None)

    (text,) = reports()
    assert text.endswith("the lonely one")


def test_quiesce_while_others_use_what_failed(backend, reports):
    """Reports are made while another thread goes on with the very cowns that failed."""
    ended = threading.Event()
    failures = []

    def schedule():
        try:
            for _ in range(300):
                result = when()(lambda: [][1])
                when(result)(lambda result: result.value.args)
        except BaseException as error:
            failures.append(error)
        ended.set()

    thread = threading.Thread(target=schedule)
    thread.start()
    while not ended.is_set():
        quiesce(timeout=60)
    thread.join(60)
    quiesce(timeout=60)
    assert failures == []


PROGRAM = """
import logging, sys
from bocmat import quiesce, wait, when
{setup}

@when(name="alone")
def _():
    raise ValueError("nobody sees me")

{ending}()
print("went on", flush=True)
wait()
"""


@pytest.mark.parametrize("ending", ["wait", "quiesce"])
def test_a_program_that_sets_nothing_up_sees_it_on_standard_error(backend_name, ending):
    program = PROGRAM.replace("{setup}", "").replace("{ending}", ending)
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert done.returncode == 0
    assert done.stdout == "went on\n"
    assert done.stderr.count("alone") == 1
    assert done.stderr.count("nobody sees me") >= 1
    assert 'File "<string>", line 8' in done.stderr


def test_a_logger_that_is_switched_off_is_silent(backend_name):
    setup = "logging.getLogger('bocmat').setLevel(logging.CRITICAL)"
    program = PROGRAM.replace("{setup}", setup).replace("{ending}", "wait")
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert (done.stdout, done.stderr) == ("went on\n", "")


def test_a_failure_of_one_start_is_not_reported_in_the_next(backend_name, reports):
    for _ in range(3):
        start(2, backend=backend_name)
        when()(lambda: 1 / 0)
        assert len(reports(wait)) == 1
