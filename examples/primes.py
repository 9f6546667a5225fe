"""Count the primes below a limit with a sieve, one stretch of numbers after the other on all cores.

    python -m bocmat.examples.primes 1000000000

A number is prime if no prime up to its square root divides it. Those few are found first and put
into a cown. Every stretch of numbers is then a behavior that reads them, together with all others,
and strikes out their multiples; the last behavior adds up what the stretches found.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from bocmat import Cown, read, start, wait, when
from bocmat.examples.arguments import add_progress, add_workers, whole_number


class Primes(NamedTuple):
    """How many there are, and the greatest of them (0 where there are none)."""

    number: int
    last: int


def sieve(first: int, end: int, divisors: Sequence[int]) -> bytearray:
    """Give a 1 for each odd number from `first`, itself odd, that no divisor strikes out."""
    flags = bytearray(b"\1") * max((end - first + 1) // 2, 0)
    for prime in divisors:
        multiple = max(prime * prime, -(-first // prime) * prime)
        if multiple % 2 == 0:
            multiple += prime
        place = (multiple - first) // 2
        if place < len(flags):
            flags[place::prime] = bytes(len(range(place, len(flags), prime)))
    return flags


def odd_primes(end: int) -> list[int]:
    """List the odd primes below a number that is not large."""
    if end <= 3:
        return []
    divisors = odd_primes(math.isqrt(end - 1) + 1)
    flags = sieve(3, end, divisors)
    return [3 + 2 * place for place, flag in enumerate(flags) if flag]


def count_primes(limit: int, stretch: int) -> Cown[Primes]:
    """Schedule it all; what is found below the limit."""
    divisors = Cown(odd_primes(math.isqrt(max(limit - 1, 0)) + 1))
    found = []
    for first in range(3, limit, 2 * stretch):
        end = min(first + 2 * stretch, limit)

        @when(read(divisors))
        def part(divisors: Cown[list[int]], first: int = first, end: int = end) -> Primes:
            flags = sieve(first, end, divisors.value)
            number = flags.count(1)
            return Primes(number, first + 2 * flags.rfind(1) if number else 0)

        found.append(part)

    @when(found)
    def total(parts: list[Cown[Primes]]) -> Primes:
        two = Primes(1, 2) if limit > 2 else Primes(0, 0)
        numbers, lasts = zip(two, *(part.value for part in parts))
        return Primes(sum(numbers), max(lasts))

    return total


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Count the primes below a limit, on all cores.")
    parser.add_argument(
        "limit",
        type=whole_number(0),
        nargs="?",
        default=500_000_000,
        help="of the primes (500000000)",
    )
    parser.add_argument(
        "--stretch",
        type=whole_number(1),
        default=1_000_000,
        metavar="N",
        help="odd numbers that one behavior sieves (1000000)",
    )
    add_workers(parser)
    add_progress(parser)
    options = parser.parse_args(arguments)

    start(options.workers, options.backend)
    found = count_primes(options.limit, options.stretch)
    wait(progress=options.progress)
    number, last = found.value
    print(f"{number:,} primes below {options.limit:,}")
    if number:
        print(f"the greatest of them is {last:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
