"""Behaviors that schedule behaviors."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import pytest

from bocmat import Cown, Matrix, read, start, wait, when


def test_a_behavior_inside_a_behavior(backend):
    log = Cown([])

    @when(log)
    def _(log):
        log.value.append("outer")

        @when(log)
        def _(log):
            log.value.append("inner")

            @when(log)
            def _(log):
                log.value.append("innermost")

        log.value.append("outer ends")

    wait()
    assert log.value == ["outer", "outer ends", "inner", "innermost"]


def test_nested_behaviors_capture_what_the_outer_one_knows(backend):
    log = Cown([])
    base = 100

    @when()
    def _():
        local = [1]
        for index in range(5):
            local.append(index)

            @when(log)
            def _(log):
                log.value.append((base, index, list(local)))

    wait()
    assert log.value == [(100, i, [1, *range(i + 1)]) for i in range(5)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_chain_of_ten_thousand(backend_name, workers):
    start(workers, backend=backend_name)
    counter = Cown(0)

    def step(counter):
        counter.value += 1
        if counter.value < 10_000:
            when(counter)(step)

    when(counter)(step)
    wait()
    assert counter.value == 10_000


def test_a_chain_written_with_the_decorator(backend):
    counter = Cown(0)

    def schedule(left):
        @when(counter)
        def _(counter):
            counter.value += 1
            if left > 1:
                schedule(left - 1)

    schedule(1000)
    wait()
    assert counter.value == 1000


def test_chains_side_by_side(backend):
    counters = [Cown(0) for _ in range(8)]

    def step(counter):
        counter.value += 1
        if counter.value < 500:
            when(counter)(step)

    for counter in counters:
        when(counter)(step)
    wait()
    assert [counter.value for counter in counters] == [500] * 8


def test_a_ring(backend):
    """Every member hands a token to the next one, round after round."""
    members = [Cown(0) for _ in range(5)]

    def visit(place, left):
        @when(members[place])
        def _(member):
            member.value += 1
            if left:
                visit((place + 1) % len(members), left - 1)

    visit(0, 499)
    wait()
    assert [member.value for member in members] == [100] * 5


def test_fibonacci(backend):
    def fibonacci(number):
        if number < 2:

            @when()
            def leaf():
                return number

            return leaf

        @when(fibonacci(number - 1), fibonacci(number - 2))
        def total(left, right):
            return left.value + right.value

        return total

    result = fibonacci(13)
    wait()
    assert result.value == 233


def test_a_recursion_that_runs_in_behaviors(backend):
    """Each behavior splits its range and adds up what the halves find, in a cown of its own."""

    def add_up(low, high, into):
        @when(into)
        def _(into):
            if high - low == 1:
                into.value += low
                return
            middle = (low + high) // 2
            add_up(low, middle, into)
            add_up(middle, high, into)

    answer = Cown(0)
    add_up(0, 200, answer)
    wait()
    assert answer.value == sum(range(200))


def test_fan_out_and_fan_in(backend):
    @when()
    def root():
        parts = []
        for index in range(100):

            @when()
            def part():
                return index * index

            parts.append(part)

        @when(parts)
        def total(parts):
            return sum(part.value for part in parts)

        return total

    wait()
    assert root.value.value == sum(i * i for i in range(100))


def test_a_tree_of_behaviors(backend):
    leaves = Cown(0)

    def grow(depth):
        @when()
        def _():
            if depth:
                grow(depth - 1)
                grow(depth - 1)
            else:

                @when(leaves)
                def _(leaves):
                    leaves.value += 1

    grow(8)
    wait()
    assert leaves.value == 256


def test_a_behavior_schedules_on_the_cowns_it_holds(backend):
    left, right = Cown([]), Cown([])

    @when(left, right)
    def _(left, right):
        @when(right, left)
        def _(right, left):
            left.value.append("inner")
            right.value.append(list(left.value))

        left.value.append("outer")

    wait()
    assert left.value == ["outer", "inner"]
    assert right.value == [["outer", "inner"]]


def test_matrices_captured_by_nested_behaviors(backend):
    total = Cown(0.0)

    @when()
    def _():
        matrix = Matrix.ones((60, 60))
        for index in range(5):
            matrix[0, 0] = float(index)

            @when(total)
            def _(total):
                total.value += matrix[0, 0] + matrix[1, 1]

    wait()
    assert total.value == 15.0


def test_classes_travel_on_from_worker_to_worker(backend):
    class Step:
        def __init__(self, number):
            self.number = number

        def next(self):
            return Step(self.number + 1)

    box = Cown(Step(0))

    def advance(box):
        box.value = box.value.next()
        if box.value.number < 50:
            when(box)(advance)

    when(box)(advance)
    wait()
    assert type(box.value) is Step
    assert box.value.number == 50


def test_many_readers_scheduled_by_a_writer(backend):
    source, sum_ = Cown(5), Cown(0)

    @when(source)
    def _(source):
        for _ in range(50):

            @when(read(source), sum_)
            def _(source, sum_):
                sum_.value += source.value

        source.value = 6

    wait()
    assert sum_.value == 300
