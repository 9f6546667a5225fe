"""A calculator that is sent its operations by many clients at once.

    python -m bocmat.examples.calculator

Each client is a behavior: it sends operations under the tag ``calculator`` and is done. The main
program receives them one by one, in the order of their arrival, and computes. It stops when the
last client has asked it to print, or when nothing has come for a while.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from typing import NamedTuple

from bocmat import Cown, receive, send, set_tags, start, wait, when
from bocmat.examples.arguments import add_workers, seconds, whole_number

TAG = "calculator"

Operation = tuple[str, float]


class Outcome(NamedTuple):
    """What the calculator did."""

    value: float
    operations: list[Operation]
    """In the order in which they arrived."""
    timed_out: bool


def operations_of(client: int, count: int, seed: int) -> list[Operation]:
    """Give the operations that one client sends, the same for the same seed."""
    stream = random.Random(f"{seed} {client}")
    operations: list[Operation] = []
    while len(operations) < count:
        symbol, number = stream.choice("+-*"), stream.randint(1, 9)
        operations.append((symbol, number))
        if symbol == "*":  # taken back, so that the value does not grow without bounds
            operations.append(("/", number))
    return operations[:count]


def calculate(timeout: float, value: float = 0.0) -> Outcome:
    """Compute with what is received until somebody asks to print."""

    def after() -> tuple[str, tuple[str, bool]]:
        return TAG, ("print", True)

    operations: list[Operation] = []
    while True:
        match receive(TAG, timeout, after):
            case [_, ("+", x)]:
                operations.append(("+", x))
                value += x
            case [_, ("-", x)]:
                operations.append(("-", x))
                value -= x
            case [_, ("*", x)]:
                operations.append(("*", x))
                value *= x
            case [_, ("/", x)]:
                operations.append(("/", x))
                value /= x
            case [_, ("print", timed_out)]:
                return Outcome(value, operations, timed_out)
            case [_, unknown]:
                raise ValueError(f"the calculator was sent {unknown!r}")


def schedule_clients(clients: int, count: int, seed: int) -> None:
    """Let so many behaviors send, and one ask for the outcome when they are done."""
    done: list[Cown[None]] = []
    for client in range(clients):

        @when()
        def sent(client: int = client) -> None:
            for operation in operations_of(client, count, seed):
                send(TAG, operation)

        done.append(sent)

    @when(done)
    def _(_done: list[Cown[None]]) -> None:
        send(TAG, ("print", False))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="A calculator that is sent its operations.")
    number = whole_number(1)
    parser.add_argument(
        "--clients", type=number, default=8, metavar="N", help="behaviors that send (8)"
    )
    parser.add_argument(
        "--operations", type=number, default=1000, metavar="N", help="that each sends (1000)"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
        help="without a message, until it gives up (10)",
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the operations (1)")
    add_workers(parser)
    options = parser.parse_args(arguments)

    set_tags([TAG])
    start(options.workers, options.backend)
    schedule_clients(options.clients, options.operations, options.seed)
    outcome = calculate(options.timeout)
    if outcome.timed_out:
        print("Timed out")
    print("Total operations:", len(outcome.operations))
    print("Final value:", outcome.value)
    wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
