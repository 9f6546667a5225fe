"""A bank: many transfers at once between accounts, and not a coin lost.

    python -m bocmat.examples.bank --accounts 5 --transfers 1000

A transfer needs two accounts at a time. It is a behavior over both: nobody else sees either of
them until it has ended, and no order of transfers can deadlock. Transfers that share an account
happen in the order in which they were scheduled, so the balances at the end do not depend on
timing, although some are refused for want of money. Now and then an auditor reads all accounts.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bocmat import Cown, read, start, wait, when
from bocmat.examples.arguments import add_progress, add_workers, whole_number


@dataclass
class Account:
    """What the bank knows of a customer."""

    owner: str
    balance: int


class Transfer(NamedTuple):
    """An order to the bank: from which account to which, and how much."""

    source: int
    target: int
    amount: int


def orders(accounts: int, count: int, most: int, seed: int) -> list[Transfer]:
    """Make up transfers between two different accounts, the same for the same seed."""
    stream = random.Random(seed)
    transfers = []
    for _ in range(count):
        source, target = stream.sample(range(accounts), 2)
        transfers.append(Transfer(source, target, stream.randint(1, most)))
    return transfers


def transfer(source: Cown[Account], target: Cown[Account], amount: int) -> Cown[bool]:
    """Schedule a transfer; whether there was enough money."""

    @when(source, target)
    def done(source: Cown[Account], target: Cown[Account]) -> bool:
        if source.value.balance < amount:
            return False
        source.value.balance -= amount
        target.value.balance += amount
        return True

    return done


def audit(accounts: list[Cown[Account]]) -> Cown[int]:
    """Schedule a count of all the money, between the transfers before and those after."""

    @when([read(account) for account in accounts])
    def total(accounts: list[Cown[Account]]) -> int:
        return sum(account.value.balance for account in accounts)

    return total


class Books(NamedTuple):
    """What is to be read when everything is done."""

    accounts: list[Cown[Account]]
    transfers: list[Cown[bool]]
    audits: list[Cown[int]]


def open_bank(accounts: int, balance: int, transfers: list[Transfer], audits: int) -> Books:
    """Open the accounts and schedule all transfers, with audits spread among them."""
    cowns = [Cown(Account(f"customer {number}", balance)) for number in range(1, accounts + 1)]
    books = Books(cowns, [], [])
    for number, (source, target, amount) in enumerate(transfers, 1):
        books.transfers.append(transfer(cowns[source], cowns[target], amount))
        if number * audits // len(transfers) > len(books.audits):
            books.audits.append(audit(cowns))
    return books


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Many transfers at once between bank accounts.")
    number = whole_number(1)
    parser.add_argument(
        "--accounts", type=whole_number(2), default=5, metavar="N", help="in the bank (5)"
    )
    parser.add_argument(
        "--transfers", type=number, default=1000, metavar="N", help="among them (1000)"
    )
    parser.add_argument(
        "--balance",
        type=whole_number(0),
        default=100,
        metavar="N",
        help="of each to begin with (100)",
    )
    parser.add_argument(
        "--most", type=number, default=100, metavar="N", help="money that a transfer moves (100)"
    )
    parser.add_argument(
        "--audits", type=whole_number(0), default=3, metavar="N", help="in between (3)"
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the transfers (1)")
    add_workers(parser)
    add_progress(parser)
    options = parser.parse_args(arguments)

    start(options.workers, options.backend)
    transfers = orders(options.accounts, options.transfers, options.most, options.seed)
    books = open_bank(options.accounts, options.balance, transfers, options.audits)
    wait(progress=options.progress)

    for account in books.accounts:
        print(f"{account.value.owner:<14}{account.value.balance:>8,}")
    print(f"{'together':<14}{sum(account.value.balance for account in books.accounts):>8,}")
    for total in books.audits:
        print(f"{'an audit found':<14}{total.value:>8,}")
    refused = sum(not done.value for done in books.transfers)
    print(f"{len(books.transfers):,} transfers, {refused:,} of them refused for want of money")
    return 0


if __name__ == "__main__":
    sys.exit(main())
