"""The cown of a behavior's result, and exceptions as values."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import sys

import pytest

from bocmat import Cown, Matrix, wait, when


def test_nothing_returned_is_none(backend):
    @when()
    def result():
        pass

    wait()
    assert result.value is None
    assert result.exception is False


def test_results_of_results(backend):
    @when()
    def one():
        return 1

    @when(one)
    def two(one):
        one.value += 10
        return one.value + 1

    @when(one, two)
    def three(one, two):
        return one.value, two.value

    wait()
    assert three.value == (11, 12)
    assert one.value == 11


def test_a_result_reused_under_the_same_name(backend):
    @when()
    def value():
        return [0]

    for step in range(1, 20):

        @when(value)
        def value(before):
            return [*before.value, step]

    wait()
    assert value.value == list(range(20))


def test_a_result_may_be_a_cown(backend):
    @when()
    def outer():
        @when()
        def inner():
            return "innermost"

        return inner

    @when(outer)
    def after(outer):
        @when(outer.value)
        def last(inner):
            return inner.value + "!"

        return last

    wait()
    assert outer.value.value == "innermost"
    assert after.value.value == "innermost!"


def test_an_exception_becomes_the_value_with_the_flag(backend):
    cown = Cown([1])

    @when(cown)
    def result(cown):
        cown.value.append(2)
        raise ValueError("bad", 42)

    @when(cown, result)
    def after(cown, result):
        cown.value.append(3)
        return result.exception, type(result.value) is ValueError, result.value.args

    wait()
    assert result.exception is True
    assert type(result.value) is ValueError
    assert result.value.args == ("bad", 42)
    assert after.value == (True, True, ("bad", 42))
    assert cown.value == [1, 2, 3]
    assert cown.exception is False


def test_a_handled_exception_can_be_replaced(backend):
    @when()
    def result():
        raise ValueError("bad")

    @when(result)
    def _(result):
        if result.exception:
            result.value = "repaired"

    wait()
    assert result.exception is False
    assert result.value == "repaired"


def test_a_returned_exception_is_a_plain_value(backend):
    @when()
    def result():
        return KeyError("not raised")

    wait()
    assert result.exception is False
    assert type(result.value) is KeyError
    assert result.value.args == ("not raised",)


def test_attributes_survive(backend):
    class Detailed(Exception):
        pass

    @when()
    def result():
        error = Detailed("message", [1, 2])
        error.code = 17
        error.more = {"a": (1,)}
        raise error

    wait()
    assert type(result.value) is Detailed
    assert result.value.args == ("message", [1, 2])
    assert result.value.code == 17
    assert result.value.more == {"a": (1,)}


class Awkward(Exception):
    """Its arguments are not those of its constructor, so that plain unpickling fails."""

    def __init__(self, left, right):
        super().__init__(f"{left} against {right}")
        self.left, self.right = left, right


class KeywordOnly(Exception):
    def __init__(self, *, reason):
        super().__init__()
        self.reason = reason

    def __str__(self):
        return f"because {self.reason}"


def test_exceptions_with_constructors_of_their_own(backend):
    @when()
    def awkward():
        raise Awkward(1, [2])

    @when()
    def keyword():
        raise KeywordOnly(reason="of this")

    wait()
    assert type(awkward.value) is Awkward
    assert awkward.value.args == ("1 against [2]",)
    assert (awkward.value.left, awkward.value.right) == (1, [2])
    assert type(keyword.value) is KeywordOnly
    assert str(keyword.value) == "because of this"


def test_exceptions_of_the_language(backend):
    def name():
        return undefined_name  # noqa: F821

    def division():
        return 1 / 0

    def index():
        return [][1]

    def key():
        return {}["missing"]

    def attribute():
        return object().missing

    def decoding():
        return b"\xff".decode("utf-8")

    def system():
        with open("/nonexistent/file") as file:
            return file

    def recursion():
        return recursion()

    def importing():
        import no_such_module_anywhere

        return no_such_module_anywhere

    def stop():
        raise StopIteration(5)

    def syntax():
        compile("1 +", "typed.py", "eval")

    expected = {
        name: NameError,
        division: ZeroDivisionError,
        index: IndexError,
        key: KeyError,
        attribute: AttributeError,
        decoding: UnicodeDecodeError,
        system: FileNotFoundError,
        recursion: RecursionError,
        importing: ModuleNotFoundError,
        stop: StopIteration,
        syntax: SyntaxError,
    }
    results = {function: when()(function) for function in expected}
    wait()
    for function, kind in expected.items():
        assert results[function].exception is True, function
        assert type(results[function].value) is kind, function
    assert results[key].value.args == ("missing",)
    assert results[decoding].value.start == 0
    assert results[system].value.errno == 2
    assert results[system].value.filename == "/nonexistent/file"
    assert results[importing].value.name == "no_such_module_anywhere"
    assert results[stop].value.value == 5
    assert results[syntax].value.filename == "typed.py"


def test_the_cause_survives(backend):
    class Inner(Exception):
        pass

    @when()
    def result():
        try:
            raise Inner("deep")
        except Inner as error:
            raise RuntimeError("outer") from error

    @when()
    def suppressed():
        try:
            raise Inner("deep")
        except Inner:
            raise RuntimeError("outer") from None

    wait()
    assert type(result.value) is RuntimeError
    assert type(result.value.__cause__) is Inner
    assert result.value.__cause__.args == ("deep",)
    assert suppressed.value.__cause__ is None
    assert suppressed.value.__suppress_context__ is True


def test_the_traceback_of_the_worker_comes_as_a_note(backend):
    def deep_down():
        raise ValueError("bad")

    @when()
    def result():
        deep_down()

    wait()
    text = "\n".join(result.value.__notes__)
    assert "Traceback" in text
    assert "deep_down" in text
    assert "test_results.py" in text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="add_note came with 3.11")
def test_notes_survive_and_the_traceback_is_added_once(backend):
    @when()
    def result():
        error = ValueError("bad")
        error.add_note("first note")
        raise error

    @when(result)
    def seen(result):
        return list(result.value.__notes__)

    wait()
    assert result.value.__notes__ == seen.value
    assert seen.value[0] == "first note"
    assert sum("Traceback" in note for note in seen.value) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="add_note came with 3.11")
def test_an_exception_raised_again_keeps_its_notes(backend):
    @when()
    def result():
        error = ValueError("bad")
        error.add_note("first note")
        raise error

    @when(result)
    def passed_on(result):
        raise result.value

    wait()
    assert type(passed_on.value) is ValueError
    assert passed_on.value.__notes__[0] == "first note"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="ExceptionGroup came with 3.11")
def test_exception_groups_survive(backend):
    @when()
    def result():
        raise ExceptionGroup("several", [ValueError(1), KeyError("k")])  # noqa: F821

    wait()
    assert type(result.value).__name__ == "ExceptionGroup"
    assert result.value.message == "several"
    assert [(type(error), error.args) for error in result.value.exceptions] == [
        (ValueError, (1,)),
        (KeyError, ("k",)),
    ]


def test_an_exception_that_cannot_travel_still_says_what_happened(backend):
    @when()
    def result():
        import threading

        error = ValueError("said so")
        error.lock = threading.Lock()
        raise error

    wait()
    assert result.exception is True
    assert isinstance(result.value, Exception)
    assert "said so" in "\n".join([repr(result.value), *getattr(result.value, "__notes__", [])])


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_exceptions_that_end_programs_are_captured(backend, kind):
    cown = Cown(0)

    @when(cown)
    def result(cown):
        cown.value = 1
        raise kind(3)

    @when(cown)
    def after(cown):
        return cown.value

    wait()
    assert result.exception is True
    assert type(result.value) is kind
    assert result.value.args == (3,)
    assert after.value == 1


def test_sys_exit_in_a_behavior_is_captured(backend):
    @when()
    def result():
        sys.exit(5)

    wait()
    assert type(result.value) is SystemExit
    assert result.value.code == 5


def test_cowns_are_usable_after_a_raise(backend):
    left, right = Cown(Matrix.ones((3, 3))), Cown([0])
    for index in range(30):

        @when(left, right)
        def result(left, right):
            left.value += 1.0
            right.value.append(index)
            if index % 2:
                raise ValueError(index)
            return index

    wait()
    assert left.value[0, 0] == 31.0
    assert right.value == [0, *range(30)]
    assert result.value.args == (29,)


def test_every_result_of_many_raising_behaviors(backend):
    results = []
    for index in range(200):

        @when()
        def result():
            if index % 3 == 0:
                raise IndexError(index)
            return index

        results.append(result)
    wait()
    for index, result in enumerate(results):
        assert result.exception is (index % 3 == 0)
        assert (result.value.args[0] if result.exception else result.value) == index


def test_an_exception_that_carries_a_matrix(backend):
    class Diverged(Exception):
        pass

    @when()
    def result():
        raise Diverged("at", Matrix.full((60, 60), 2.0))

    wait()
    assert type(result.value) is Diverged
    assert result.value.args[0] == "at"
    assert result.value.args[1].sum() == 7200.0


def test_results_nobody_keeps(backend):
    done = Cown(0)
    for _ in range(100):
        when(done)(lambda done: setattr(done, "value", done.value + 1))
    wait()
    assert done.value == 100
