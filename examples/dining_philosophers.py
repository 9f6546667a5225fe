"""The dining philosophers: as many forks as philosophers, and each needs two of them to eat.

    python -m bocmat.examples.dining_philosophers --philosophers 5 --meals 20

With locks this is where programs deadlock: everybody takes the left fork and waits for the right
one. Here a meal is a behavior over both forks and the philosopher, and it begins once it has all
three. At its end it schedules the next meal, behind those of the neighbours, so nobody starves.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bocmat import Cown, start, wait, when
from bocmat.examples.arguments import add_workers, seconds, whole_number


@dataclass
class Fork:
    """Knows who eats with it, and how often somebody has."""

    holder: int | None = None
    meals: int = 0

    def take(self, philosopher: int) -> None:
        """Begin to eat with it."""
        if self.holder is not None:
            raise RuntimeError(f"{philosopher} takes the fork that {self.holder} eats with")
        self.holder = philosopher

    def put_back(self) -> None:
        """Be done with it for now."""
        self.holder = None
        self.meals += 1


@dataclass
class Philosopher:
    """Thinks, unless eating."""

    number: int
    hunger: int
    meals: list[tuple[float, float]] = field(default_factory=list)
    """When each of them began and when it ended."""


Seat = tuple[Cown[Fork], Cown[Fork], Cown[Philosopher]]


def eat(seat: Seat, pause: float) -> None:
    """Schedule the next meal of a philosopher, and there all that follow."""

    @when(*seat)
    def _(left: Cown[Fork], right: Cown[Fork], philosopher: Cown[Philosopher]) -> None:
        me = philosopher.value
        began = time.monotonic()
        left.value.take(me.number)
        right.value.take(me.number)
        time.sleep(pause)
        left.value.put_back()
        right.value.put_back()
        me.meals.append((began, time.monotonic()))
        me.hunger -= 1
        if me.hunger:
            eat((left, right, philosopher), pause)


def lay_table(philosophers: int, meals: int) -> list[Seat]:
    """Put a fork between each two of them."""
    forks = [Cown(Fork()) for _ in range(philosophers)]
    return [
        (forks[number - 1], forks[number], Cown(Philosopher(number + 1, meals)))
        for number in range(philosophers)
    ]


def dine(seats: list[Seat], pause: float) -> None:
    """Schedule it all: everybody's first meal.

    Of two neighbours the one that is scheduled first eats first, and from then on they take turns.
    Every second one begins, so that those can eat together. Round the table one after the other,
    each would wait for the one before, now and for ever. Whoever lays the table holds all forks,
    so nobody eats before everybody is seated.
    """

    @when([fork for fork, _, _ in seats])
    def _(_forks: list[Cown[Fork]]) -> None:
        for seat in (*seats[::2], *seats[1::2]):
            eat(seat, pause)


def most_at_once(meals: list[tuple[float, float]]) -> int:
    """Count how many meals took place at one moment, at the busiest of them."""
    changes = sorted((when, change) for meal in meals for when, change in zip(meal, (1, -1)))
    eating = most = 0
    for _, change in changes:
        eating += change
        most = max(most, eating)
    return most


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="The dining philosophers, without a deadlock.")
    parser.add_argument(
        "--philosophers", type=whole_number(2), default=5, metavar="N", help="at the table (5)"
    )
    parser.add_argument(
        "--meals", type=whole_number(1), default=20, metavar="N", help="for each of them (20)"
    )
    parser.add_argument(
        "--pause", type=seconds, default=0.005, metavar="SECONDS", help="that a meal takes (0.005)"
    )
    add_workers(parser)
    options = parser.parse_args(arguments)

    start(options.workers, options.backend)
    seats = lay_table(options.philosophers, options.meals)
    dine(seats, options.pause)
    wait()

    eaten = []
    for left, _, philosopher in seats:
        me = philosopher.value
        eaten += me.meals
        print(
            f"Philosopher {me.number} ate {len(me.meals)} times; "
            f"the fork to the left was used {left.value.meals} times."
        )
    print(f"At most {most_at_once(eaten)} of {len(seats)} ate at the same time.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
