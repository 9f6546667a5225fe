"""An omelette, cooked by behaviors.

    python -m bocmat.examples.cooking_boc --cooks 2

Food and tools are cowns. Each step of the recipe is a behavior over what it needs, and the recipe
is written down in the order in which one cook would do it. Steps that share nothing are done at the
same time by as many cooks as there are; those that share something, in the order of the recipe.
`cooking_threads` cooks the same with threads and locks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from bocmat import Cown, PinnedCown, start, wait, when
from bocmat.examples.arguments import add_backend
from bocmat.examples.kitchen import Food, Pace, Pan, pace, parse, report


def tell(log: PinnedCown[list[str]], line: str) -> None:
    """Print a line. The log stays in the main program, which prints while it waits."""

    @when(log)
    def _(log: PinnedCown[list[str]]) -> None:
        log.value.append(line)
        print(line, flush=True)


def cook(pace: Pace, log: PinnedCown[list[str]]) -> Cown[str]:
    """Schedule the recipe; what there is to eat."""
    onion, pepper = Cown(Food("onion")), Cown(Food("pepper"))
    eggs, cheese = Cown(Food("eggs")), Cown(Food("cheese"))
    knife, whisk, grater = Cown("knife"), Cown("whisk"), Cown("grater")
    pan = Cown(Pan())

    def say(line: str) -> None:
        tell(log, line)

    @when(knife, onion)
    def _(_knife: Cown[str], onion: Cown[Food]) -> None:
        with pace.step("dice the onion", say):
            onion.value.state = "diced"

    @when(knife, pepper)
    def _(_knife: Cown[str], pepper: Cown[Food]) -> None:
        with pace.step("chop the pepper", say):
            pepper.value.state = "chopped"

    @when(whisk, eggs)
    def _(_whisk: Cown[str], eggs: Cown[Food]) -> None:
        with pace.step("beat the eggs", say):
            eggs.value.state = "beaten"

    @when(grater, cheese)
    def _(_grater: Cown[str], cheese: Cown[Food]) -> None:
        with pace.step("grate the cheese", say):
            cheese.value.state = "grated"

    @when(pan, onion, pepper)
    def _(pan: Cown[Pan], onion: Cown[Food], pepper: Cown[Food]) -> None:
        with pace.step("fry onion and pepper", say):
            pan.value.add(onion.value, "diced")
            pan.value.add(pepper.value, "chopped")

    @when(pan, eggs)
    def _(pan: Cown[Pan], eggs: Cown[Food]) -> None:
        with pace.step("pour in the eggs", say):
            pan.value.add(eggs.value, "beaten")

    @when(pan, cheese)
    def _(pan: Cown[Pan], cheese: Cown[Food]) -> None:
        with pace.step("sprinkle the cheese", say):
            pan.value.add(cheese.value, "grated")

    @when(pan)
    def dish(pan: Cown[Pan]) -> str:
        with pace.step("serve", say):
            return pan.value.empty()

    return dish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    options = parse("An omelette, cooked by behaviors.", arguments, add_backend)
    steps = pace(options.pause, options.seed)

    start(options.cooks, options.backend)
    log = PinnedCown[list[str]]([])
    began = time.monotonic()
    dish = cook(steps, log)
    wait()
    report(dish.value, time.monotonic() - began, steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
