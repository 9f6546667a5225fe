"""What messages and the noticeboard are not to be given, in the main program and in behaviors."""

from __future__ import annotations

import math

import pytest

from bocmat import (
    TIMEOUT,
    Cown,
    drain,
    notice_delete,
    notice_read,
    notice_update,
    notice_write,
    receive,
    send,
    set_tags,
    when,
)

NOTHING = (TIMEOUT, None)
NOT_STRINGS = [None, 5, b"bytes", ["unhashable"], {}]


@pytest.fixture(autouse=True)
def empty():
    """No test finds what another one left."""
    set_tags([])
    yield
    set_tags([])


def said(function, *arguments, **keywords):
    """Give the name of what a call raised, and its text."""
    try:
        function(*arguments, **keywords)
    except Exception as error:
        return type(error).__name__, str(error)
    return "nothing", ""


def everywhere(function, *arguments):
    """Give what a function returns in the main program and in a behavior."""

    @when(Cown(0))
    def result(_):
        return function(*arguments)

    return [function(*arguments), result.get()]


@pytest.mark.parametrize("tag", NOT_STRINGS, ids=repr)
def test_tags_that_are_no_strings(backend, tag):
    def calls(tag):
        yield said(send, tag, 1)
        for function in (receive, drain, set_tags):
            yield said(function, ["a", tag])

    for answers in everywhere(lambda: list(calls(tag))):
        for name, text in answers:
            assert name == "TypeError"
            assert f"a tag is a str, not {type(tag).__name__}" in text


@pytest.mark.parametrize("key", NOT_STRINGS, ids=repr)
def test_keys_that_are_no_strings(backend, key):
    def calls():
        yield said(notice_write, key, 1)
        yield said(notice_update, key, len)
        yield said(notice_delete, key)
        yield said(notice_read, key)

    for answers in everywhere(lambda: list(calls())):
        for name, text in answers:
            assert name == "TypeError"
            assert f"is a str, not {type(key).__name__}" in text


def test_contents_that_cannot_travel(backend):
    def calls():
        from bocmat import Matrix

        view = Matrix.ones((2, 2)).view[:1]
        return said(send, "refused", view), said(notice_write, "refused", [view])

    for sent, written in everywhere(calls):
        assert sent[0] == written[0] == "TypeError"
        assert "'refused'" in sent[1]
        assert "'refused'" in written[1]
    assert receive("refused", 0) == NOTHING
    assert notice_read("refused") is None


@pytest.mark.parametrize("timeout", [-1, -0.5, -math.inf, None])
def test_a_negative_time_has_no_end(backend, timeout):
    @when(Cown(0))
    def got(_):
        send("waits", None)
        return receive("late", timeout)

    assert receive("waits", timeout) == ("waits", None)
    send("late", 1)
    assert got.get() == ("late", 1)


def test_bad_times(backend):
    def calls():
        return [said(receive, "a", timeout) for timeout in (math.nan, "1", True, [])]

    for answers in everywhere(calls):
        assert [name for name, _ in answers] == ["ValueError", *["TypeError"] * 3]


def test_no_tags(backend):
    for name, text in everywhere(lambda: said(receive, [])):
        assert name == "ValueError"
        assert "no tags" in text


def test_set_tags_drops_what_waits(backend):
    for sender in (lambda function: function(), in_behavior):
        sender(lambda: send("old", 1))
        sender(lambda: set_tags(["new"]))
        assert receive(["old", "new"], 0) == NOTHING
        sender(lambda: send("old", 2))
        assert receive("old", 0) == ("old", 2)


def in_behavior(function):
    @when(Cown(0))
    def done(_):
        function()

    done.get()


def test_answers_near_and_far_apart(backend):
    """Whether a receiver has gone to sleep by then makes no difference to what it gets."""

    @when(Cown(0))
    def _(_cown):
        while (number := receive("there")[1]) >= 0:
            if number % 50 == 0:
                receive("never sent", 0.002)
            send("back", number)

    for number in range(300):
        send("there", number)
        if number % 70 == 0:
            receive("never sent", 0.002)
        assert receive(["back", "never sent"]) == ("back", number)
    send("there", -1)
