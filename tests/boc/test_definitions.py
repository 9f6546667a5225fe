"""Classes of the running program that several threads send, or get, for the first time at once."""

from __future__ import annotations

import threading

import pytest

from bocmat import Cown, when
from support import meeting

LIMIT = 60.0


def beside(function):
    """Start a function in another thread; call what this gives for the function's result."""
    outcome = []

    def run():
        try:
            outcome.append((function(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()

    def finish():
        thread.join(LIMIT)
        assert outcome, "the thread did not end"
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    return finish


def test_a_class_that_another_thread_is_sending_for_the_first_time(backend):
    meeting.leaving.__init__()

    class Part:
        pass

    class Whole:
        leaving = meeting.Leaving()
        part = Part

    def second():
        meeting.leaving.join()

        @when()
        def result():
            return Whole(), Whole.part()

        answer = result.get(timeout=LIMIT)
        meeting.leaving.passed.set()
        return answer

    finish = beside(second)

    @when()
    def first():
        return Whole(), Whole.part()

    meeting.leaving.begun.set()  # should it never have been pickled
    for whole, part in (first.get(timeout=LIMIT), finish()):
        assert (type(whole), type(part)) == (Whole, Part)


def test_a_class_that_refers_to_one_that_another_thread_is_sending(backend):
    meeting.leaving.__init__()

    class Part:
        pass

    class Whole:
        part = Part
        leaving = meeting.Leaving()

    Part.whole = Whole

    def second():
        meeting.leaving.join()

        @when()
        def result():
            return Part.whole.part.__name__

        answer = result.get(timeout=LIMIT)
        meeting.leaving.passed.set()
        return answer

    finish = beside(second)

    @when()
    def first():
        return Whole.part.whole.__name__

    meeting.leaving.begun.set()
    assert first.get(timeout=LIMIT) == "Whole"
    assert finish() == "Part"


def test_a_class_that_another_thread_is_getting_for_the_first_time(backend):
    meeting.arriving.__init__()

    def make():
        class Made:
            arriving = meeting.Arriving()

            def answer(self):
                return 42

        return Made()

    @when()
    def both():
        made = make()
        return Cown(made), Cown(made)

    one, other = both.get(timeout=LIMIT)

    def second():
        meeting.arriving.join()
        answer = other.get(timeout=LIMIT).answer()
        meeting.arriving.passed.set()
        return answer

    finish = beside(second)
    answer = one.get(timeout=LIMIT).answer()
    meeting.arriving.begun.set()  # should nothing have been unpickled
    assert (answer, finish()) == (42, 42)
    assert type(one.get(timeout=LIMIT)) is type(other.get(timeout=LIMIT))


def test_a_class_whose_definition_fails_can_be_sent_once_it_does_not(backend):
    class Part:
        pass

    class Whole:
        part = Part
        bad = (number for number in range(3))

    Part.whole = Whole

    def send():
        @when()
        def result():
            return Part.whole is Whole and Whole.part is Part

        return result

    if backend == "interpreters":
        with pytest.raises(TypeError, match="generator"):
            send()
    Whole.bad = None
    assert send().get(timeout=LIMIT) is True
