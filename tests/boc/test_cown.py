"""A cown by itself: identity, its handle as a value, what it refuses, who reads it when."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import concurrent.futures
import copy
import itertools
import os
import pickle

import pytest

from bocmat import Cown, Matrix, start, wait, when

needs_get = pytest.mark.skipif(not hasattr(Cown, "get"), reason="Cown.get is not there yet")
needs_unwrap = pytest.mark.skipif(
    not hasattr(Cown, "unwrap"), reason="Cown.unwrap is not there yet"
)
needs_with = pytest.mark.skipif(
    not hasattr(Cown, "acquire"), reason="Cown.acquire is not there yet"
)


def test_a_fresh_cown_is_not_acquired(backend):
    assert Cown(1).acquired is False


def test_a_running_program_does_not_read_a_cown_it_does_not_hold(backend):
    cown = Cown(5)
    with pytest.raises(RuntimeError):
        _ = cown.value
    with pytest.raises(RuntimeError):
        cown.value = 6
    wait()
    assert cown.value == 5


def test_every_cown_can_be_read_after_wait_wherever_it_is_kept(backend):
    kept = {"a": [Cown(1)], "b": Cown([Cown(2)])}

    @when(kept["a"][0])
    def result(cown):
        cown.value += 10
        return "done"

    wait()
    assert kept["a"][0].value == 11
    assert kept["b"].value[0].value == 2
    assert result.value == "done"
    assert result.exception is False


def test_acquired_says_whether_this_behavior_holds_it(backend):
    held, other = Cown(1), Cown(2)

    @when(held)
    def result(cown):
        return cown.acquired, other.acquired

    wait()
    assert result.value == (True, False)


def test_a_behavior_does_not_touch_a_cown_it_does_not_hold(backend):
    other = Cown("secret")

    @when()
    def reading():
        return other.value

    @when()
    def writing():
        other.value = "changed"

    wait()
    for result in (reading, writing):
        assert result.exception is True
        assert type(result.value) is RuntimeError
    assert other.value == "secret"


def test_the_captured_name_of_a_held_cown_is_that_cown(backend):
    cown = Cown([1])

    @when(cown)
    def result(parameter):
        cown.value.append(2)
        parameter.value.append(3)
        return cown == parameter, cown.acquired, list(cown.value), list(parameter.value)

    wait()
    assert result.value == (True, True, [1, 2, 3], [1, 2, 3])
    assert cown.value == [1, 2, 3]


def test_equality_and_hash_are_those_of_identity():
    first, second = Cown(1), Cown(1)
    assert first == first
    assert first != second
    assert hash(first) == hash(first)
    assert len({first, second, first}) == 2
    assert first != 1
    assert (first == "x") is False


def test_cowns_have_a_total_order():
    cowns = [Cown(i) for i in range(20)]
    ordered = sorted(cowns)
    assert set(ordered) == set(cowns)
    shuffled = [*cowns[7:], *cowns[:7]]
    assert sorted(shuffled) == ordered
    for left, right in itertools.pairwise(ordered):
        assert left < right
        assert right > left
        assert left <= right
        assert right >= left
        assert not right < left
    with pytest.raises(TypeError):
        _ = cowns[0] < 3


def test_order_equality_and_hash_are_the_same_inside_a_behavior(backend):
    cowns = [Cown(i) for i in range(5)]
    place = {cown: index for index, cown in enumerate(cowns)}

    @when(cowns)
    def result(held):
        return (
            [place[cown] for cown in held],
            [cowns.index(cown) for cown in sorted(held, reverse=True)],
        )

    wait()
    places = [cowns.index(cown) for cown in sorted(cowns, reverse=True)]
    assert result.value == ([0, 1, 2, 3, 4], places)


def test_a_handle_comes_back_equal_from_pickle_and_copy(backend):
    cown = Cown(1)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(cown, protocol)) == cown
    assert copy.copy(cown) == cown
    again = pickle.loads(pickle.dumps([cown, cown]))
    assert again[0] == again[1] == cown

    @when(again[0])
    def _(cown):
        cown.value += 1

    wait()
    assert cown.value == 2


def test_a_cown_can_hold_cowns(backend):
    inner = [Cown(i) for i in range(3)]
    outer = Cown({"inner": inner})

    @when(outer)
    def _(outer):
        for cown in outer.value["inner"]:

            @when(cown)
            def _(cown):
                cown.value += 100

    wait()
    assert [cown.value for cown in inner] == [100, 101, 102]
    assert outer.value["inner"] == inner


def test_a_cown_made_in_a_behavior_outlives_it(backend):
    holder = Cown(None)

    @when(holder)
    def _(holder):
        holder.value = Cown([1, 2])

    @when(holder)
    def result(holder):
        made = holder.value

        @when(made)
        def _(made):
            made.value.append(3)

        return made

    wait()
    assert holder.value.value == [1, 2, 3]
    assert result.value == holder.value


def test_the_type_can_be_subscripted_in_annotations():
    def transfer(source: Cown[int], target: Cown[list[int]]) -> Cown[int]:
        return [source, target][0]

    assert transfer.__annotations__
    assert Cown[int] is not None


def test_repr_does_not_need_the_value(backend):
    cown = Cown("a value that is held elsewhere")
    assert "Cown" in repr(cown)
    assert "Cown" in str(cown)


@pytest.mark.parametrize("arguments", [(), (1, 2)])
def test_a_cown_takes_one_value(arguments):
    with pytest.raises(TypeError):
        Cown(*arguments)


def test_the_exception_flag_can_be_set_and_writing_the_value_clears_it(backend):
    flagged, cleared = Cown(None), Cown(None)

    @when(flagged)
    def _(cown):
        cown.value = ValueError("kept")
        cown.exception = True

    @when(cleared)
    def seen(cown):
        cown.value = ValueError("kept")
        cown.exception = True
        before = cown.exception
        cown.value = "plain"
        return before, cown.exception

    wait()
    assert flagged.exception is True
    assert str(flagged.value) == "kept"
    assert seen.value == (True, False)
    assert cleared.exception is False
    assert cleared.value == "plain"


def test_cowns_live_on_after_wait(backend_name):
    cown = Cown(0)
    for round_ in range(3):
        start(2, backend=backend_name)

        @when(cown)
        def _(cown):
            cown.value += 1

        wait()
        assert cown.value == round_ + 1


def test_many_handles_of_one_cown_come_and_go(backend):
    cown = Cown(0)
    for _ in range(200):

        @when(cown)
        def result(parameter):
            again = [parameter] * 3
            parameter.value += len(again)
            return again

    wait()
    assert cown.value == 600
    assert result.value == [cown] * 3


@needs_get
def test_get_gives_the_value_after_everything_scheduled_before(backend):
    cown = Cown([])
    for index in range(50):

        @when(cown)
        def _(cown):
            cown.value.append(index)

    assert cown.get() == list(range(50))
    assert cown.get(timeout=30) == list(range(50))
    wait()
    assert cown.get() == list(range(50))


@needs_get
def test_get_raises_what_the_behavior_raised_every_time(backend):
    @when()
    def result():
        raise LookupError("nothing there")

    for _ in range(2):
        with pytest.raises(LookupError, match="nothing there"):
            result.get(timeout=30)


@needs_get
def test_get_with_a_timeout_polls_and_gives_up(backend):
    source, sink = os.pipe()
    try:

        @when()
        def result():
            return os.read(source, 1)

        with pytest.raises((TimeoutError, concurrent.futures.TimeoutError)):
            result.get(timeout=0)
        with pytest.raises((TimeoutError, concurrent.futures.TimeoutError)):
            result.get(timeout=0.02)
        os.write(sink, b"x")
        assert result.get(timeout=30) == b"x"
        assert result.get(timeout=0) == b"x"
        with pytest.raises(ValueError, match=r"(?i)nan"):
            result.get(timeout=float("nan"))
    finally:
        os.write(sink, b"x")
        wait(timeout=30)
        os.close(source)
        os.close(sink)


@needs_get
def test_get_of_a_matrix_is_a_copy_of_its_own(backend):
    cown = Cown(Matrix(1, 2, [1.0, 2.0]))
    first = cown.get()
    first[0, 0] = 9.0
    assert cown.get()[0, 0] == 1.0
    assert first[0, 0] == 9.0


@needs_get
def test_get_inside_a_behavior_of_something_unfinished_raises(backend):
    cown = Cown(1)

    @when(cown)
    def result(cown):
        @when(cown)
        def later(cown):
            return 1

        later.get()

    wait()
    assert result.exception is True
    assert type(result.value) is RuntimeError


@needs_unwrap
def test_unwrap_takes_the_value_out(backend):
    matrix = Matrix(1, 2, [1.0, 2.0])
    cown = Cown(matrix)
    wait()
    taken = cown.unwrap()
    taken[0, 0] = 5.0
    assert taken[0, 0] == 5.0
    assert cown.unwrap() is None


@needs_unwrap
def test_unwrap_raises_the_exception_once(backend):
    @when()
    def result():
        raise KeyError("k")

    wait()
    with pytest.raises(KeyError, match="k"):
        result.unwrap()
    assert result.exception is False
    assert result.unwrap() is None


@needs_unwrap
def test_unwrap_refuses_while_behaviors_on_it_are_in_flight(backend):
    source, sink = os.pipe()
    try:
        cown = Cown(1)

        @when(cown)
        def _(cown):
            os.read(source, 1)

        with pytest.raises(RuntimeError):
            cown.unwrap()
        os.write(sink, b"x")
        wait(timeout=30)
        assert cown.unwrap() == 1
    finally:
        os.close(source)
        os.close(sink)


@needs_with
def test_with_holds_the_cown_and_gives_the_value(backend):
    cown = Cown([1])
    with cown as value:
        assert cown.acquired is True
        value.append(2)
        assert cown.value == [1, 2]

        @when(cown)
        def result(cown):
            return list(cown.value)

        value.append(3)
    assert cown.acquired is False
    wait()
    assert result.value == [1, 2, 3]


@needs_with
def test_a_cown_read_after_wait_can_still_be_held(backend):
    cown = Cown([1])
    wait()
    assert cown.value == [1]
    with cown as value:
        value.append(2)
    assert cown.value == [1, 2]


@needs_with
def test_the_maker_of_a_matrix_uses_it_while_it_holds_the_cown(backend):
    matrix = Matrix(1, 2, [1.0, 2.0])
    cown = Cown(matrix)
    with cown as value:
        value[0, 0] = 7.0
        assert matrix[0, 0] == 7.0
        assert matrix.acquired is True
    with pytest.raises(RuntimeError):
        _ = matrix[0, 0]
