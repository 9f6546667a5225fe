"""Prime factors by Pollard's rho method, many walks at once.

    python -m bocmat.examples.prime_factor 1000000016000000063

A walk goes round modulo the number until two of its places differ by a multiple of a divisor. How
long that takes is chance, so several walks with different steps run beside each other. Each is a
row of behaviors over one cown; the first one to come across a divisor puts it on the noticeboard,
and every other walk stops at the next behavior, which finds it there.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Sequence
from typing import NamedTuple

from bocmat import Cown, notice_read, notice_update, quiesce, start, wait, when
from bocmat.examples.arguments import add_workers, whole_number

STEPS = 512
"""Of a walk in one behavior."""


class Walk(NamedTuple):
    """Where a walk modulo `number` stands: the slow and the fast place, and how it goes on."""

    number: int
    slow: int
    fast: int
    offset: int


def is_prime(number: int) -> bool:
    """Tell by Miller and Rabin's test: without error below 3.3e24, and hardly ever above."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if number < 2:
        return False
    for base in bases:
        if number % base == 0:
            return number == base
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    for base in bases:
        power = pow(base, (number - 1) >> twos, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def walked(walk: Walk, steps: int) -> tuple[Walk, int]:
    """Go on by so many steps; where that leads, and a divisor above 1 (the number itself: none)."""
    number, slow, fast, offset = walk
    for _ in range(steps):
        slow = (slow * slow + offset) % number
        fast = (fast * fast + offset) % number
        fast = (fast * fast + offset) % number
        divisor = math.gcd(slow - fast, number)
        if divisor > 1:
            return Walk(number, slow, fast, offset), divisor
    return Walk(number, slow, fast, offset), 1


def fresh_walk(number: int, seed: str) -> Walk:
    """Begin a walk somewhere, the same for the same seed."""
    stream = random.Random(seed)
    place = stream.randrange(number)
    return Walk(number, place, place, stream.randrange(1, number))


def key_of(number: int) -> str:
    """Give the noticeboard's key for a divisor of this number."""
    return f"divisor of {number}"


def go_on(place: Cown[Walk], seed: str) -> None:
    """Schedule the next part of a walk."""

    @when(place)
    def _(place: Cown[Walk]) -> None:
        number = place.value.number
        if notice_read(key_of(number)) is not None:
            return  # another walk was faster
        place.value, divisor = walked(place.value, STEPS)
        again = seed
        if 1 < divisor < number:
            notice_update(key_of(number), lambda first: first or divisor)
            return
        if divisor == number:  # round without finding anything
            again = seed + "'"
            place.value = fresh_walk(number, again)
        go_on(place, again)


def divide(numbers: Sequence[int], walks: int, seed: int) -> list[int]:
    """Give a divisor of each composite number, all searched for at the same time."""
    for number in dict.fromkeys(numbers):
        for walk in range(walks):
            start_of = f"{seed} {walk}"
            go_on(Cown(fresh_walk(number, start_of)), start_of)
    quiesce()
    return [notice_read(key_of(number)) for number in numbers]


def factors(number: int, walks: int = 4, seed: int = 1) -> list[int]:
    """Give the prime factors of a number above 1, ascending."""
    primes: list[int] = []
    while number % 2 == 0:
        primes.append(2)
        number //= 2
    left = [number] if number > 1 else []
    while left:
        primes += [part for part in left if is_prime(part)]
        composite = [part for part in left if not is_prime(part)]
        found = divide(composite, walks, seed)
        left = [
            part
            for whole, divisor in zip(composite, found, strict=True)
            for part in (divisor, whole // divisor)
        ]
    return sorted(primes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Prime factors by Pollard's rho method.")
    parser.add_argument(
        "numbers",
        type=whole_number(2),
        nargs="*",
        default=[1000000016000000063],
        metavar="number",
        help="to factor (1000000016000000063)",
    )
    parser.add_argument(
        "--walks", type=whole_number(1), default=4, metavar="N", help="at once, for each number (4)"
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the walks (1)")
    add_workers(parser)
    options = parser.parse_args(arguments)

    start(options.workers, options.backend)
    for number in options.numbers:
        found = factors(number, options.walks, options.seed)
        print(f"{number} = {' * '.join(map(str, found))}")
    wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
