"""Shared, read-only access."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import os
import select

import pytest

from bocmat import Cown, Matrix, read, wait, when
from support.buffers import address


def test_a_reader_sees_the_value(backend):
    cown = Cown({"a": 1})

    @when(read(cown))
    def result(cown):
        return cown.value["a"], cown.acquired

    wait()
    assert result.value == (1, True)


def test_readers_run_at_once(backend):
    """Each reader waits for a byte that only the other one writes: in turn they would never end."""
    pipes = [os.pipe(), os.pipe()]
    cown = Cown("shared")
    try:
        results = []
        for mine, other in ((0, 1), (1, 0)):
            source, sink = pipes[mine][0], pipes[other][1]

            @when(read(cown))
            def met(cown):
                os.write(sink, b"x")
                ready, _, _ = select.select([source], [], [], 30)
                return bool(ready), cown.value

            results.append(met)
        wait()
        assert [result.value for result in results] == [(True, "shared")] * 2
    finally:
        for source, sink in pipes:
            os.close(source)
            os.close(sink)


def test_readers_and_writers_keep_the_order_of_scheduling(backend):
    cown = Cown(0)
    seen = []
    for _ in range(60):

        @when(cown)
        def _(cown):
            cown.value += 1

        for _ in range(3):

            @when(read(cown))
            def look(cown):
                return cown.value

            seen.append(look)
    wait()
    assert [look.value for look in seen] == [i for i in range(1, 61) for _ in range(3)]
    assert cown.value == 60


def test_a_reader_does_not_assign_the_value(backend):
    cown = Cown([1])

    @when(read(cown))
    def result(cown):
        try:
            cown.value = [2]
        except Exception as error:
            return type(error).__name__, list(cown.value)

    wait()
    assert result.exception is False
    assert result.value is not None
    assert result.value[1] == [1]
    assert cown.value == [1]


def test_changes_inside_a_plain_value_are_not_kept(backend):
    cown = Cown({"list": [1]})

    @when(read(cown))
    def changed(cown):
        cown.value["list"].append(2)
        return cown.value["list"]

    @when(read(cown))
    def other(cown):
        return cown.value["list"]

    @when(cown)
    def writer(cown):
        return cown.value["list"]

    wait()
    assert changed.value == [1, 2]
    assert other.value == [1]
    assert writer.value == [1]
    assert cown.value == {"list": [1]}


def test_a_matrix_is_read_only_among_readers(backend):
    cown = Cown(Matrix(2, 2, [1.0, 2.0, 3.0, 4.0]))

    @when(read(cown))
    def result(cown):
        refused = []
        for name in ("item", "row", "in place", "assign"):
            try:
                if name == "item":
                    cown.value[0, 0] = 9.0
                elif name == "row":
                    cown.value[0] = [9.0, 9.0]
                elif name == "in place":
                    cown.value += 1.0
                else:
                    cown.value = Matrix(1, 1, 9.0)
            except Exception:
                refused.append(name)
        return refused, cown.value[0, 0], (cown.value + 1.0)[1, 1]

    wait()
    assert result.exception is False, result.value
    assert result.value == (["item", "row", "in place", "assign"], 1.0, 5.0)
    assert cown.value[0, 0] == 1.0


def test_a_matrix_can_be_written_again_after_readers(backend):
    cown = Cown(Matrix(2, 2, 1.0))

    @when(read(cown))
    def _(cown):
        return cown.value[0, 0]

    @when(cown)
    def _(cown):
        cown.value[0, 0] = 5.0
        cown.value += 1.0

    wait()
    assert cown.value[0, 0] == 6.0


def test_a_large_matrix_is_shared_with_readers_without_a_copy(backend):
    matrix = Matrix.ones((300, 300))
    where = address(matrix)
    cown = Cown(matrix)
    results = []
    for _ in range(4):

        @when(read(cown))
        def look(cown):
            return address(cown.value), cown.value.sum()

        results.append(look)
    wait()
    for look in results:
        place, total = look.value
        assert total == 90000.0
        assert place in (where, None)
    assert address(cown.value) == where


def test_a_result_computed_from_a_read_matrix_is_its_own(backend):
    cown = Cown(Matrix(1, 3, [1.0, 2.0, 3.0]))

    @when(read(cown))
    def result(cown):
        total = cown.value + cown.value
        total[0, 0] = 100.0
        return total

    wait()
    assert [result.value[0, column] for column in range(3)] == [100.0, 4.0, 6.0]
    assert cown.value[0, 0] == 1.0


def test_what_a_reader_returns_of_its_cown_is_no_alias(backend):
    cown = Cown(Matrix(1, 2, [1.0, 2.0]))

    @when(read(cown))
    def leaked(cown):
        return cown.value

    @when(cown, leaked)
    def after(cown, leaked):
        if not leaked.exception:
            cown.value[0, 0] = 50.0
            return leaked.value[0, 0]
        return 1.0

    wait()
    assert after.value == 1.0


def test_reading_one_and_writing_another(backend):
    source, target = Cown(Matrix.ones((50, 2))), Cown(Matrix.zeros((50, 2)))
    for _ in range(3):

        @when(read(source), target)
        def _(source, target):
            target.value += source.value

    wait()
    assert target.value.sum() == 300.0
    assert source.value.sum() == 100.0


def test_a_result_can_be_read(backend):
    @when()
    def first():
        return 5

    @when(read(first))
    def second(first):
        return first.value + 1

    wait()
    assert second.value == 6


def test_a_cown_read_twice_is_one_reader(backend):
    cown = Cown(3)

    @when(read(cown), read(cown))
    def result(one, two):
        return one is two, one.value + two.value

    wait()
    assert result.value == (True, 6)


@pytest.mark.parametrize("argument", [5, None, "x", object()])
def test_only_cowns_can_be_read(argument):
    with pytest.raises(TypeError):
        read(argument)
    with pytest.raises(TypeError):
        when([read(Cown(1)), argument])(lambda several: None)
