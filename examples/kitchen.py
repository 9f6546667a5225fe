"""What both cooking programs cook with: food, tools, and how long each step takes."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bocmat.examples.arguments import seconds, whole_number

Say = Callable[[str], None]

STEPS = (
    *("dice the onion", "chop the pepper", "beat the eggs", "grate the cheese"),
    *("fry onion and pepper", "pour in the eggs", "sprinkle the cheese", "serve"),
)


@dataclass
class Food:
    """Something to cook, and what has been done to it."""

    name: str
    state: str = "raw"


@dataclass
class Pan:
    """Takes what has been prepared."""

    contents: list[str] = field(default_factory=list)

    def add(self, food: Food, state: str) -> None:
        """Put something in, which has to be ready for it."""
        if food.state != state:
            raise ValueError(f"{food.name} must be {state}, not {food.state}")
        self.contents.append(f"{food.state} {food.name}")
        food.state = "in the pan"

    def empty(self) -> str:
        """Give what has become of it all."""
        *others, last = self.contents
        dish = f"an omelette of {', '.join(others)} and {last}"
        self.contents.clear()
        return dish


@dataclass(frozen=True)
class Pace:
    """How long each step takes, in seconds."""

    lengths: Mapping[str, float]

    @contextmanager
    def step(self, name: str, say: Say) -> Iterator[None]:
        """Take the time for a step, and tell when it begins and ends."""
        say(f"{name} ...")
        time.sleep(self.lengths[name])
        yield
        say(f"{name}: done")


def pace(longest: float, seed: int) -> Pace:
    """Choose the lengths of the steps, the same for the same seed."""
    stream = random.Random(seed)
    return Pace({name: longest * stream.uniform(0.3, 1.0) for name in STEPS})


def parse(
    description: str,
    arguments: Sequence[str] | None,
    more: Callable[[argparse.ArgumentParser], None] = lambda parser: None,
) -> argparse.Namespace:
    """Read the command line of either program."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--cooks", type=whole_number(1), default=2, metavar="N", help="who share the work (2)"
    )
    parser.add_argument(
        "--pause", type=seconds, default=0.5, metavar="SECONDS", help="the longest step (0.5)"
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses how long each step takes (1)")
    more(parser)
    return parser.parse_args(arguments)


def report(dish: str, took: float, pace: Pace) -> None:
    """Say what there is to eat, and what the cooks gained by not working one after the other."""
    print(f"There is {dish}.")
    alone = sum(pace.lengths.values())
    print(f"It took {took:.1f} s; one step after the other takes {alone:.1f} s.")
