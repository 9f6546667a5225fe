"""The dining philosophers: everybody eats, and neighbours never at the same time."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest

from bocmat import wait
from bocmat.examples import dining_philosophers as dining
from bocmat.lifecycle import usable_backends


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_everybody_eats_and_no_fork_is_shared(backend, count):
    seats = dining.lay_table(count, 30)
    dining.dine(seats, 0.0)
    wait(60)
    for number, (left, right, philosopher) in enumerate(seats):
        me = philosopher.value  # the exception of a meal with a fork in use would be reported
        assert (me.number, me.hunger, len(me.meals)) == (number + 1, 0, 30)
        assert (left.value.holder, left.value.meals) == (None, 60)
        neighbour = seats[(number + 1) % count]
        assert right is neighbour[0]
        meals = sorted(me.meals + neighbour[2].value.meals)
        assert all(first[1] <= second[0] for first, second in pairwise(meals))


def test_neighbours_take_turns(backend):
    seats = dining.lay_table(6, 20)
    dining.dine(seats, 0.0)
    wait(60)
    for number, (_, _, philosopher) in enumerate(seats):
        neighbour = seats[(number + 1) % 6][2].value
        meals = [(began, "me") for began, _ in philosopher.value.meals]
        meals += [(began, "neighbour") for began, _ in neighbour.meals]
        order = [who for _, who in sorted(meals)]
        assert all(first != second for first, second in pairwise(order))


def test_a_fork_is_held_by_one():
    fork = dining.Fork()
    fork.take(3)
    with pytest.raises(RuntimeError, match="4 takes the fork that 3"):
        fork.take(4)
    fork.put_back()
    fork.take(4)
    assert (fork.holder, fork.meals) == (4, 1)


@pytest.mark.parametrize(
    ("meals", "most"),
    [
        ([(0.0, 1.0)], 1),
        ([(0.0, 1.0), (1.0, 2.0)], 1),
        ([(0.0, 1.0), (0.5, 2.0), (1.5, 3.0)], 2),
        ([(0.0, 5.0), (1.0, 2.0), (1.5, 3.0), (4.0, 6.0)], 3),
    ],
)
def test_how_many_eat_at_once(meals, most):
    assert dining.most_at_once(meals) == most


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    arguments = ["--philosophers", "4", "--meals", "3", "--pause", "0", "--backend", name]
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.dining_philosophers", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert lines == [
        f"Philosopher {number} ate 3 times; the fork to the left was used 6 times."
        for number in range(1, 5)
    ]
    assert re.fullmatch("At most [12] of 4 ate at the same time.", last)


def test_options(capsys):
    for wrong in (["--philosophers", "1"], ["--meals", "0"], ["--pause", "-1"], ["--pause", "inf"]):
        with pytest.raises(SystemExit) as caught:
            dining.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
