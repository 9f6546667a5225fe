"""Lunch from two counters at once: a cheese shop that may have none, and a café fond of one thing.

    python -m bocmat.examples.sketches --exclude spam

Asking at either counter takes a while, and nobody waits at one before going to the other: each is a
behavior over a cown of its own. What is done with the answers names both cowns and runs when both
are there; what is said afterwards names them too, so it comes second.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence

from bocmat import Cown, start, wait, when
from bocmat.examples.arguments import add_backend, seconds

CHEESES = (
    *("Wensleydale", "Red Leicester", "Caerphilly", "Bel Paese", "Stilton", "Gruyère", "Edam"),
    *("Emmental", "Lancashire", "Cheshire", "Dorset Blue Vinny", "Brie", "Cheddar", "Camembert"),
)

DISHES = (
    *("spam, egg and spam", "egg, bacon and spam", "spam, sausage, spam and spam"),
    *("lobster with a truffle sauce and spam", "egg and bacon", "spam, spam, beans and spam"),
)


def buy_cheese(seed: int, stock: float, pause: float) -> Cown[str | None]:
    """Ask for one cheese after the other; the first that the shop has, or None."""
    cheese: Cown[str | None] = Cown(None)

    @when(cheese)
    def _(cheese: Cown[str | None]) -> None:
        stream = random.Random(f"cheese {seed}")
        for name in stream.sample(CHEESES, len(CHEESES)):
            time.sleep(pause)
            if stream.random() < stock:
                cheese.value = name
                return

    return cheese


def order_meal(seed: int, exclude: str, pause: float) -> Cown[str | None]:
    """Listen to the menu; the first dish without what is to be left out, or None."""
    meal: Cown[str | None] = Cown(None)

    @when(meal)
    def _(meal: Cown[str | None]) -> None:
        stream = random.Random(f"meal {seed}")
        for dish in stream.sample(DISHES, len(DISHES)):
            time.sleep(pause)
            if exclude.lower() not in dish.lower():
                meal.value = dish
                return

    return meal


def lunch(
    seed: int, exclude: str, stock: float = 0.1, pause: float = 0.0
) -> tuple[Cown[str], Cown[str]]:
    """Schedule all of it: what is eaten, and what is said of it."""
    cheese = buy_cheese(seed, stock, pause)
    meal = order_meal(seed, exclude, pause)

    @when(cheese, meal)
    def eaten(cheese: Cown[str | None], meal: Cown[str | None]) -> str:
        if meal.value is not None:
            return f"Lunch is {meal.value}."
        if cheese.value is not None:
            return f"Lunch is some {cheese.value}."
        return "A stomach rumbles."

    @when(cheese, meal)
    def said(cheese: Cown[str | None], meal: Cown[str | None]) -> str:
        if meal.value is not None:
            return (
                "It would have been nicer with cheese." if cheese.value is None else "Cheese after?"
            )
        if cheese.value is not None:
            return "Cheese it is, then!"
        return "Back to the library."

    return eaten, said


def share(text: str) -> float:
    """Read a number from 0 to 1, for argparse."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Lunch from two counters at once.")
    parser.add_argument(
        "--exclude", default="spam", metavar="TEXT", help="what must not be in the meal (spam)"
    )
    parser.add_argument(
        "--stock", type=share, default=0.1, metavar="SHARE", help="the chance of each cheese (0.1)"
    )
    parser.add_argument(
        "--pause",
        type=seconds,
        default=0.05,
        metavar="SECONDS",
        help="that an answer takes (0.05)",
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the order of things (1)")
    add_backend(parser)
    options = parser.parse_args(arguments)

    start(2, options.backend)
    eaten, said = lunch(options.seed, options.exclude, options.stock, options.pause)
    print(eaten.get())
    print(said.get())
    wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
