"""Fibonacci numbers the slow way, on all cores.

    python -m bocmat.examples.fibonacci 33

Every number is the sum of the two before it. Each sum is a behavior over the results of two others:
what `@when` gives is a cown too, and a behavior over it runs once it has its value. Nobody waits in
between. Small numbers are computed inside a single behavior, as a sum alone is too little work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

from bocmat import Cown, start, wait, when
from bocmat.examples.arguments import add_progress, add_workers, whole_number


def alone(n: int) -> int:
    """Compute a Fibonacci number by its definition, in ever more steps."""
    return n if n < 2 else alone(n - 1) + alone(n - 2)


class Scheduled(NamedTuple):
    """The number to come, and how many behaviors it takes."""

    result: Cown[int]
    behaviors: int


def fibonacci(n: int, leaf: int) -> Scheduled:
    """Schedule a Fibonacci number; what is up to `leaf` is a single behavior."""
    if n <= max(leaf, 1):

        @when()
        def number() -> int:
            return alone(n)

        return Scheduled(number, 1)

    before, second = fibonacci(n - 1, leaf), fibonacci(n - 2, leaf)

    @when(before.result, second.result)
    def total(left: Cown[int], right: Cown[int]) -> int:
        return left.value + right.value

    return Scheduled(total, before.behaviors + second.behaviors + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Fibonacci numbers as a tree of behaviors.")
    parser.add_argument(
        "n",
        type=whole_number(0),
        nargs="?",
        default=30,
        help="which one (30); the next takes 1.6 times as long",
    )
    parser.add_argument(
        "--leaf",
        type=whole_number(1),
        default=18,
        metavar="N",
        help="up to which a number is a single behavior (18)",
    )
    add_workers(parser)
    add_progress(parser)
    options = parser.parse_args(arguments)

    start(options.workers, options.backend)
    result, behaviors = fibonacci(options.n, options.leaf)
    wait(progress=options.progress)
    print(f"fibonacci({options.n}) = {result.value:,}")
    print(f"{behaviors:,} behaviors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
