"""What may stand on the noticeboard, and the functions that change it."""

from __future__ import annotations

import copy
import dataclasses
import functools
import logging
import operator
import pickle
import threading

import pytest

from bocmat import (
    REMOVED,
    Cown,
    Matrix,
    PinnedCown,
    notice_read,
    notice_seed,
    notice_update,
    notice_write,
    noticeboard,
    quiesce,
    when,
)

LIMIT = 60.0


@dataclasses.dataclass
class Settings:
    """A value that travels as a pickle."""

    name: str
    weights: Matrix


def board():
    """Give what is on the board once all that was scheduled is done."""
    return quiesce(LIMIT, noticeboard=True)


def in_behavior(function):
    """Run a function in a behavior of its own and give what it returns."""
    return when()(function).get(LIMIT)


# ---- updates ----


def test_update_takes_any_function(backend):
    more = 5
    notice_update("closure", lambda value: value + more, 1)
    notice_update("partial", functools.partial(operator.add, 10), default=1)
    notice_update("partial of a lambda", functools.partial(lambda a, b, c: (a, b, c), 1, c=more), 2)
    notice_update("builtin", abs, -3)
    notice_update("bound", [3, 4].__add__, [5])
    notice_update("default of None", lambda value: value is None)

    def named(value, scale=2):
        return value * scale

    notice_update("defaults", named, 21)
    assert board() == {
        "closure": 6,
        "partial": 11,
        "partial of a lambda": (1, 2, 5),
        "builtin": 3,
        "bound": [3, 4, 5],
        "default of None": True,
        "defaults": 42,
    }


def test_updates_are_atomic(backend):
    @when()
    def _():
        for _ in range(50):
            when()(lambda: notice_update("n", lambda n: n + 1, 0))

    for _ in range(50):
        notice_update("n", lambda n: n + 1, 0)
    assert board() == {"n": 100}


def test_a_failing_update_keeps_the_value_and_is_reported(backend, caplog):
    notice_seed("held", 1)

    def fail(value, more=0):
        raise LookupError(f"no more than {value}")

    notice_update("held", fail)
    notice_update("absent", functools.partial(fail, more=1), 5)
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        assert board() == {"held": 1}
    assert len(caplog.records) == 2
    first, second = (record.getMessage() for record in caplog.records)
    assert "LookupError: no more than 1" in first
    assert "notice_update of 'held'" in first
    assert "test_notice_values.py" in first
    assert "LookupError: no more than 5" in second
    assert "test_notice_values.py" in second.splitlines()[0]
    caplog.clear()
    quiesce(LIMIT)
    assert not caplog.records


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_an_update_that_exits_keeps_the_value(backend, caplog, error):
    notice_seed("held", 1)

    def fail(value):
        raise error

    notice_update("held", fail)
    notice_update("held", lambda value: value + 1)
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        assert board() == {"held": 2}
    assert type(error).__name__ in caplog.text


def test_an_update_that_gives_what_cannot_travel(backend, caplog):
    notice_seed("held", Matrix.ones((2, 2)))
    notice_update("held", lambda value: value.view[:])
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        assert board()["held"].sum() == 4
    assert "the value of key 'held'" in caplog.text


def test_what_does_not_return_deletes_nothing(backend):
    notice_seed("key", 1)
    notice_update("key", lambda value: None)
    assert board() == {"key": None}


def test_an_update_sees_the_board_before_it(backend):
    notice_seed("a", 1)
    notice_seed("b", 10)
    notice_update("a", lambda a: a + notice_read("a") + notice_read("b") + len(noticeboard()))
    assert board() == {"a": 14, "b": 10}


def test_what_an_update_writes_and_schedules_comes_after_it(backend):
    def update(value):
        notice_write("a", value * 100)
        notice_update("b", lambda b: b + 1, 0)
        when()(lambda: notice_write("c", "scheduled"))
        return value + 1

    notice_update("a", update, 1)
    assert board() == {"a": 100, "b": 1, "c": "scheduled"}


def test_seeding_or_waiting_in_an_update_is_refused(backend, caplog):
    notice_update("a", lambda a: notice_seed("a", 1))
    notice_update("a", lambda a: quiesce())
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        assert board() == {}
    assert "notice_seed() is for the main program" in caplog.text
    assert "cannot be called in one" in caplog.text


@pytest.mark.parametrize("function", [None, 3, "name"])
def test_update_needs_a_function(backend, function):
    with pytest.raises(TypeError, match=r"notice_update\('key', fn\)"):
        notice_update("key", function)


def test_update_needs_a_plain_function(backend):
    async def coroutine(value):
        return value

    def generator(value):
        yield value

    for function in (coroutine, generator):
        with pytest.raises(TypeError, match="plain function"):
            notice_update("key", function)
    assert board() == {}


def test_the_wrong_number_of_parameters_is_reported(backend, caplog):
    notice_update("key", lambda: 1)
    with caplog.at_level(logging.ERROR, logger="bocmat"):
        assert board() == {}
    assert "TypeError" in caplog.text


# ---- REMOVED ----


def test_removed_deletes(backend):
    notice_seed("a", 1)
    notice_seed("b", 2)
    notice_update("a", lambda value: REMOVED)
    notice_update("b", lambda value: REMOVED if value > 2 else value + 1)
    notice_update("never there", lambda value: REMOVED)
    assert board() == {"b": 3}


def test_removed_is_one(backend):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(REMOVED, protocol)) is REMOVED
    assert copy.copy(REMOVED) is copy.deepcopy(REMOVED) is REMOVED
    assert repr(REMOVED) == "REMOVED"
    with pytest.raises(TypeError):
        type(REMOVED)()
    held = [REMOVED]

    def same():
        return held[0] is REMOVED, Settings(REMOVED, None)

    is_same, settings = in_behavior(same)
    assert is_same
    assert settings.name is REMOVED


def test_removed_is_not_stored(backend):
    for function in (notice_write, notice_seed):
        with pytest.raises(ValueError, match=r"notice_delete\('key'\)"):
            function("key", REMOVED)
    assert board() == {}


# ---- values ----


def test_a_matrix_is_frozen_and_not_copied(backend):
    matrix = Matrix.ones((100, 100))
    notice_seed("m", matrix)
    matrix[0, 0] = 50  # the writer's own is another from now on

    def look():
        held = notice_read("m")
        for write in (
            lambda: held.__setitem__((0, 0), 2),
            lambda: held.negate(in_place=True),
            lambda: held.view[:].__setitem__((0, 0), 2),
        ):
            try:
                write()
            except RuntimeError:
                pass
            else:
                return None
        own = held.copy()
        own[0, 0] = 7
        return held.read_only, held.sum(), (held + 1).sum(), own.sum()

    for _ in range(3):
        assert in_behavior(look) == (True, 10_000, 20_000, 10_006)
    held = notice_read("m")
    with pytest.raises(RuntimeError, match="read-only"):
        held[0, 0] = 1
    assert noticeboard()["m"].sum() == 10_000
    assert matrix.sum() == 10_049


def test_reading_a_matrix_shares_its_values(backend):
    notice_seed("m", Matrix.ones((100, 100)))

    def address():
        return notice_read("m").__array_interface__["data"][0]

    assert len({in_behavior(address) for _ in range(4)}) == 1


def test_matrices_inside_values(backend):
    notice_seed("settings", Settings("a", Matrix.ones((4, 4))))
    notice_seed("list", [Matrix.ones((4, 4)), {"m": Matrix.zeros((4, 4))}])

    def look():
        settings, (ones, inner) = notice_read("settings"), noticeboard()["list"]
        flags = settings.weights.read_only, ones.read_only, inner["m"].read_only
        return flags, settings.name, settings.weights.sum() + ones.sum() + inner["m"].sum()

    assert in_behavior(look) == ((True, True, True), "a", 32)


def test_an_update_may_change_the_matrix_it_gets(backend):
    notice_seed("m", Matrix.zeros((20, 20)))
    before = notice_read("m")

    def add_one(matrix):
        matrix += 1
        return matrix

    for _ in range(3):
        notice_update("m", add_one)
    assert board()["m"].sum() == 1200
    assert before.sum() == 0


def test_an_update_that_fails_leaves_the_matrix(backend, caplog):
    notice_seed("m", Matrix.zeros((20, 20)))

    def spoil(matrix):
        matrix += 1
        raise ValueError

    notice_update("m", spoil)
    assert board()["m"].sum() == 0
    caplog.clear()


def test_a_matrix_held_elsewhere_is_refused(backend):
    matrix = Matrix.ones((3, 3))
    cown = Cown(matrix)
    with pytest.raises(RuntimeError, match="held elsewhere"):
        notice_write("m", matrix)
    assert board() == {}
    assert cown.get(LIMIT).sum() == 9


def test_a_view_is_refused(backend):
    view = Matrix.ones((3, 3)).view[:]
    for call in (
        lambda: notice_write("view", view),
        lambda: notice_seed("view", [view]),
    ):
        with pytest.raises(TypeError, match=r"key 'view'.*MatrixView"):
            call()
    with pytest.raises(TypeError, match=r"'view'.*MatrixView"):
        notice_update("view", lambda value: value, view)
    with pytest.raises(TypeError, match=r"'view'.*MatrixView"):
        notice_update("key", lambda value: view)


def test_a_value_that_cannot_travel(backend):
    lock = threading.Lock()
    if backend == "threads":  # there it is shared, as a capture is
        notice_seed("lock", [lock])
        assert notice_read("lock")[0] is lock
        assert in_behavior(lambda: notice_read("lock")[0].acquire(False))
        assert lock.locked()
        return
    with pytest.raises(TypeError, match=r"key 'lock'.*lock"):
        notice_write("lock", [lock])
    with pytest.raises(TypeError, match=r"key 'lock'.*lock"):
        notice_seed("lock", lock)
    with pytest.raises(TypeError, match="lock"):
        notice_update("key", lambda value: lock)
    with pytest.raises(TypeError, match=r"default of key 'key'.*lock"):
        notice_update("key", lambda value: value, lock)
    assert board() == {}


def test_a_cown_outlives_its_writer(backend):
    @when()
    def _():
        notice_write("cowns", [Cown(41), {"x": Cown([1])}])

    quiesce(LIMIT)

    @when()
    def _():
        first, rest = notice_read("cowns")

        @when(first, rest["x"])
        def _(first, other):
            first.value += 1
            other.value.append(2)

    quiesce(LIMIT)
    first, rest = notice_read("cowns")
    assert first.get(LIMIT) == 42
    assert rest["x"].get(LIMIT) == [1, 2]
    assert notice_read("cowns")[0] == first


def test_a_result_on_the_board(backend):
    @when()
    def _():
        notice_write("result", when()(lambda: 6 * 7))

    quiesce(LIMIT)
    assert notice_read("result").get(LIMIT) == 42


def test_functions_on_the_board(backend):
    scale = 3
    notice_seed("function", lambda value: value * scale)
    notice_seed("class", Settings)
    assert in_behavior(lambda: notice_read("function")(5)) == 15
    assert notice_read("function")(5) == 15
    assert in_behavior(lambda: notice_read("class")("a", None).name) == "a"


def test_a_pinned_behavior_sees_the_board(backend):
    notice_seed("n", 1)
    cown = PinnedCown(object())

    @when(cown)
    def result(_):
        notice_write("n", 2)
        try:
            notice_seed("n", 3)
        except RuntimeError as error:
            return notice_read("n"), noticeboard()["n"], str(error)
        return None

    seen = board()
    assert seen == {"n": 2}
    assert result.get(LIMIT)[:2] == (1, 1)
