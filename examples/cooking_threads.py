"""The omelette of `cooking_boc`, cooked by threads with locks, for comparison.

    python -m bocmat.examples.cooking_threads --cooks 2

What behaviors do by themselves is done by hand here. Whatever two steps could reach for has a lock,
and every step takes its locks in the same order, or two could wait for each other for ever. A step
that needs what another one prepares says so, and waits on a condition that the other must not
forget to notify. How many work at a time is up to a semaphore. And if a step failed, those behind
it would wait in vain.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from bocmat.examples.kitchen import Food, Pace, Pan, Say, pace, parse, report

THINGS = ("onion", "pepper", "eggs", "cheese", "knife", "whisk", "grater", "pan")


class Kitchen:
    """Where the steps of a recipe wait for each other."""

    def __init__(self, pace: Pace, cooks: int, say: Say) -> None:
        self.pace = pace
        self.say = say
        self.cooks = threading.Semaphore(cooks)
        self.locks = {name: threading.Lock() for name in THINGS}
        self.changed = threading.Condition()
        self.done: set[str] = set()
        self.threads: list[threading.Thread] = []

    def step(
        self, name: str, work: Callable[[], None], needs: Sequence[str], after: Sequence[str] = ()
    ) -> None:
        """Do a step in a thread of its own, when its time has come."""

        def run() -> None:
            with self.changed:
                self.changed.wait_for(lambda: self.done.issuperset(after))
            with ExitStack() as held:
                for thing in sorted(needs, key=THINGS.index):
                    held.enter_context(self.locks[thing])
                held.enter_context(self.cooks)
                with self.pace.step(name, self.say):
                    work()
            with self.changed:
                self.done.add(name)
                self.changed.notify_all()

        thread = threading.Thread(target=run, name=name)
        self.threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Wait until all is done."""
        for thread in self.threads:
            thread.join()


def cook(pace: Pace, cooks: int, say: Say) -> str:
    """Cook it; what there is to eat."""
    onion, pepper, eggs, cheese = Food("onion"), Food("pepper"), Food("eggs"), Food("cheese")
    pan = Pan()
    plate: list[str] = []

    def prepare(food: Food, state: str) -> Callable[[], None]:
        return lambda: setattr(food, "state", state)

    def fry() -> None:
        pan.add(onion, "diced")
        pan.add(pepper, "chopped")

    prepared = ("dice the onion", "chop the pepper")
    fried = ("fry onion and pepper",)
    poured = ("pour in the eggs",)
    sprinkled = ("sprinkle the cheese",)

    kitchen = Kitchen(pace, cooks, say)
    kitchen.step("dice the onion", prepare(onion, "diced"), ("knife", "onion"))
    kitchen.step("chop the pepper", prepare(pepper, "chopped"), ("knife", "pepper"))
    kitchen.step("beat the eggs", prepare(eggs, "beaten"), ("whisk", "eggs"))
    kitchen.step("grate the cheese", prepare(cheese, "grated"), ("grater", "cheese"))
    kitchen.step("fry onion and pepper", fry, ("pan", "onion", "pepper"), prepared)
    kitchen.step(
        "pour in the eggs",
        lambda: pan.add(eggs, "beaten"),
        ("pan", "eggs"),
        ("beat the eggs", *fried),
    )
    kitchen.step(
        "sprinkle the cheese",
        lambda: pan.add(cheese, "grated"),
        ("pan", "cheese"),
        ("grate the cheese", *poured),
    )
    kitchen.step("serve", lambda: plate.append(pan.empty()), ("pan",), sprinkled)
    kitchen.close()
    return plate[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    options = parse("An omelette, cooked by threads with locks.", arguments)
    steps = pace(options.pause, options.seed)
    printing = threading.Lock()

    def say(line: str) -> None:
        with printing:
            print(line, flush=True)

    began = time.monotonic()
    dish = cook(steps, options.cooks, say)
    report(dish, time.monotonic() - began, steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
