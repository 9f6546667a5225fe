"""What the behaviors of soak.py are to do, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

COWNS = 12
FIRST_PINNED = 10  # of the cowns' numbers


@dataclass
class Plan:
    """One behavior: its cowns by number, what it adds to each (None: reads), how it ends."""

    cowns: list[int]
    amounts: list[int | None]
    fails: str
    tells: str
    answers: str
    style: int
    seed: int
    ticket: tuple[int, int] | None = None
    children: list[Plan] = field(default_factory=list)
    watched: bool = False

    @property
    def pinned(self) -> bool:
        """It runs in the main interpreter."""
        return any(number >= FIRST_PINNED for number in self.cowns)


def make_plan(choice: random.Random, depth: int, ticket: tuple[int, int] | None) -> Plan:
    """Draw a behavior and those that it schedules."""
    numbers = [choice.randrange(COWNS) for _ in range(choice.choice((0, 1, 1, 1, 2, 2, 3, 4)))]
    reads = choice.random() < 0.4
    amounts: list[int | None] = [
        None if reads or choice.random() < 0.2 else choice.randint(-9, 9) for _ in numbers
    ]
    children: list[Plan] = []
    if depth and choice.random() < 0.3:
        children = [make_plan(choice, depth - 1, None) for _ in range(choice.randint(1, 3))]
    return Plan(
        numbers,
        amounts,
        choice.choice(("before", "after", *[""] * 18)),
        choice.choice(("notice", "message", *[""] * 18)),
        choice.choice(("int", "int", "list", "matrix", "object", "cown", "none")),
        choice.randrange(4),
        choice.randrange(1000),
        ticket,
        children,
    )


def answer_of(plan: Plan) -> int:
    """Give the number that the result of a behavior stands for."""
    return plan.seed + sum(amount or 0 for amount in plan.amounts)


@dataclass
class Model:
    """What must have come out."""

    amounts: list[int] = field(default_factory=lambda: [0] * COWNS)
    behaviors: int = 0
    pinned: int = 0
    unwatched: int = 0
    watched: int = 0
    notices: int = 0
    messages: int = 0

    def include(self, plan: Plan) -> None:
        """Count what a plan and its children do."""
        self.behaviors += 1
        self.pinned += plan.pinned
        if plan.fails:
            self.watched += plan.watched
            self.unwatched += not plan.watched
        if plan.fails == "before":
            return
        self.notices += plan.tells == "notice"
        self.messages += plan.tells == "message"
        for number, amount in zip(plan.cowns, plan.amounts):
            self.amounts[number] += amount or 0
        for child in plan.children:
            self.include(child)
