"""Random programs of behaviors, round after round, held to a model that says what must come out.

    PYTHONPATH=src python tools/soak.py [MINUTES] [--backend threads|interpreters] [--seed N]
    tools/sanitized.sh asan tools/soak.py [MINUTES] ...

Cowns of numbers, text, lists, dicts, objects and matrices hold amounts, each amount twice; some
are pinned, and the main thread pumps while others schedule. Behaviors over up to four of them,
scheduled by several threads and by other behaviors, read them or add what their plan says; some
fail before they have added, some after, some leave a notice or send a message. From the plans
follows what every cown must hold, what results are, how many behaviors must have run, what must
have been noted and received, and how many failures must be reported; each round ends by comparing.
Prints its seed, a line a minute, and ends with status 1 at the first discrepancy.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import logging
import os
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from soak_plans import COWNS, FIRST_PINNED, Model, Plan, answer_of, make_plan

from bocmat import (
    TIMEOUT,
    Cown,
    Matrix,
    PinnedCown,
    notice_update,
    noticeboard,
    pump,
    quiesce,
    read,
    receive,
    send,
    start,
    wait,
    when,
    whencall,
)

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 3
SETTLED_SECONDS = 60.0
SLACK_MEBIBYTES = 64.0
PATIENCE_SECONDS = 120.0


def discrepancy(text: str) -> NoReturn:
    """End the process at once, from whichever interpreter and thread."""
    os.write(2, f"DISCREPANCY: {text}\n".encode())
    os._exit(1)


# ---- values: an amount held twice, and the last ticket of every scheduling thread ----


@dataclass
class Account:
    """A value of a class of the running program."""

    amount: int
    again: int
    tickets: list[int] = field(default_factory=lambda: [0] * THREADS)


class Window(Account):
    """What stays where it was made: the very object is seen again, or there is a discrepancy."""

    def __init__(self, amount: int, again: int) -> None:
        super().__init__(amount, again)
        self.lock = threading.Lock()
        self.address = id(self)

    def __reduce__(self) -> NoReturn:  # noqa: D105
        discrepancy("a pinned value travels")


class Planned(Exception):
    """What a behavior raises because its plan says so."""


KINDS: dict[str, Callable[[], Any]] = {
    "int": lambda: 0,
    "str": lambda: "0 0",
    "tuple": lambda: (0, 0),
    "list": lambda: [0, 0, [0] * THREADS],
    "object": lambda: Account(0, 0),
    "matrix": lambda: Matrix.zeros((3, THREADS)),
    "large": lambda: Matrix.zeros((3, 500)),
    "dict": lambda: {"matrices": [Matrix.zeros((1, 2)), Matrix.zeros((1, 40))], "n": 0},
}
PINNED_KINDS = {"window": lambda: Window(0, 0), **KINDS}


def new_cown(choice: random.Random, number: int) -> Cown[Any]:
    """Make the cown of a number, pinned or not, of any kind of value."""
    if number >= FIRST_PINNED:
        return PinnedCown(PINNED_KINDS[choice.choice(list(PINNED_KINDS))]())
    return Cown(KINDS[choice.choice(list(KINDS))]())


def amount_of(value: Any) -> int:
    """Give the amount in a value, which must be the same in both places."""
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        one, two = (int(part) for part in value.split())
    elif isinstance(value, Account):
        one, two = value.amount, value.again
        if isinstance(value, Window) and value.address != id(value):
            discrepancy("a pinned value has been copied")
    elif isinstance(value, Matrix):
        one, two = int(value[0].sum()), int(value[1].sum())
    elif isinstance(value, dict):
        one, two = (int(matrix.sum()) for matrix in value["matrices"])
    else:
        one, two = value[:2]
    if one != two:
        discrepancy(f"{type(value).__name__} seen half changed: {one}, {two}")
    return one


def tickets_of(value: Any) -> Any:
    """Give what holds the last ticket of each thread, or None where the kind has none."""
    if isinstance(value, Account):
        return value.tickets
    if isinstance(value, list):
        return value[2]
    return None


def check_order(value: Any, ticket: tuple[int, int] | None, write: bool) -> None:
    """A thread's behaviors on one cown run in the order in which it scheduled them."""
    tickets = tickets_of(value)
    if ticket is None or tickets is None:
        return
    thread, number = ticket
    if tickets[thread] >= number:
        discrepancy(f"thread {thread}: {number} comes after {tickets[thread]}")
    if write:
        tickets[thread] = number


def add(cown: Cown[Any], amount: int) -> None:
    """Add to both halves of a held cown's value, one after the other."""
    value = cown.value
    if isinstance(value, int):
        cown.value = value + amount
    elif isinstance(value, str):
        one, two = value.split()
        cown.value = f"{int(one) + amount} {int(two) + amount}"
    elif isinstance(value, tuple):
        cown.value = (value[0] + amount, value[1] + amount)
    elif isinstance(value, Account):
        value.amount += amount
        value.again += amount
    elif isinstance(value, Matrix):
        column = amount % value.shape[1]
        value[0, column] += amount
        value[1, column] += amount
    elif isinstance(value, dict):
        value["n"] += 1
        for matrix in value["matrices"]:
            matrix[0, value["n"] % 2] += amount
    else:
        value[0] += amount
        value[1] += amount


# ---- behaviors ----


class Captured:
    """A capture that shares and contains itself."""

    def __init__(self, number: int) -> None:
        self.items = [number, f"text {number}", {"number": number}]
        self.again = self.items
        self.me = self

    def check(self, number: int) -> None:
        """It has arrived as it was."""
        same = self.me is self and self.items is self.again
        if not same or self.items != [number, f"text {number}", {"number": number}]:
            discrepancy(f"a capture has changed: {self.items}")


def wrapped(answers: str, number: int) -> Any:
    """Make the value of a result."""
    if answers == "list":
        return [number]
    if answers == "matrix":
        return Matrix(5, 5, float(number))
    if answers == "object":
        return Account(number, number)
    if answers == "cown":
        return Cown(number)
    return number if answers == "int" else None


def check_answer(plan: Plan, value: Any) -> None:
    """See whether a result is what its plan says; nobody holds the cown that it may be."""
    expected = answer_of(plan)
    seen: Any = value
    if plan.fails:
        if not isinstance(value, Planned) or value.args != (plan.fails, plan.seed):
            discrepancy(f"{value!r} instead of a failure")
        return
    if isinstance(value, list):
        seen = value[0]
    elif isinstance(value, Matrix):
        seen = value[4, 4]
    elif isinstance(value, Account):
        seen = amount_of(value)
    elif isinstance(value, Cown):

        def compare(held: Cown[int]) -> None:
            if held.value != expected:
                discrepancy(f"a cown in a result holds {held.value}, not {expected}")

        whencall(compare, [value], [])
        return
    if seen != (None if plan.answers == "none" else expected):
        discrepancy(f"a result is {value!r}, and should stand for {expected}")


def perform(plan: Plan, held: list[Cown[Any]], cowns: list[Cown[Any]]) -> Any:
    """Do what a plan says, in a behavior."""
    for cown, amount in zip(held, plan.amounts):
        amount_of(cown.value)
        writes = any(a is not None for c, a in zip(plan.cowns, plan.amounts) if cown == cowns[c])
        if amount is None and not writes:
            check_order(cown.value, plan.ticket, False)
    seen = set()
    for number, cown, amount in zip(plan.cowns, held, plan.amounts):
        if amount is not None and number not in seen:
            seen.add(number)
            check_order(cown.value, plan.ticket, True)
    if plan.fails == "before":
        raise Planned("before", plan.seed)
    for child in plan.children:
        schedule(child, cowns)
    if plan.tells == "notice":
        notice_update("notices", lambda count: count + 1, 0)
    if plan.tells == "message":
        send("soak", (Matrix(2, 7, float(plan.seed)), plan.seed))
    before = {number: amount_of(cown.value) for number, cown in zip(plan.cowns, held)}
    for number, cown, amount in zip(plan.cowns, held, plan.amounts):
        if amount is not None:
            add(cown, amount)
            before[number] += amount
    for number, cown in zip(plan.cowns, held):
        if amount_of(cown.value) != before[number]:
            discrepancy(f"changed under its holder: {cown.value!r}, not {before[number]}")
    if plan.fails == "after":
        raise Planned("after", plan.seed)
    return wrapped(plan.answers, answer_of(plan))


def schedule(plan: Plan, cowns: list[Cown[Any]]) -> Cown[Any]:
    """Schedule what a plan says, in one of the ways there are."""
    arguments = [
        read(cowns[number]) if amount is None else cowns[number]
        for number, amount in zip(plan.cowns, plan.amounts)
    ]
    if plan.style == 0:

        @when(*arguments, name="decorated")
        def result(*held: Cown[Any]) -> Any:
            return perform(plan, list(held), cowns)

        return result
    if plan.style == 1:
        matrix, captured, number = Matrix(3, 4, float(plan.seed)), Captured(plan.seed), plan.seed

        @when(arguments)
        def result_of_list(held: list[Cown[Any]]) -> Any:
            captured.check(number)
            if matrix.sum() != 12.0 * number:
                discrepancy(f"a captured matrix has changed: {matrix}")
            if number % 2:
                matrix[0, 0] = -1.0
            return perform(plan, held, cowns)

        return result_of_list
    if plan.style == 2:

        def body(*held_and_captures: Any) -> Any:
            *held, its_plan, its_cowns = held_and_captures
            return perform(its_plan, held, its_cowns)

        return whencall(body, arguments, [plan, cowns])
    first, rest = arguments[:1], arguments[1:]

    @when(first, rest)
    def result_of_two(one: list[Cown[Any]], others: list[Cown[Any]]) -> Any:
        return perform(plan, [*one, *others], cowns)

    return result_of_two


def watch(plans: list[Plan], results: list[Cown[Any]], model: Model, reads: bool) -> None:
    """Schedule a behavior on results, which looks at them."""
    for plan in plans:
        plan.watched = True
        model.behaviors += plan.answers == "cown" and not plan.fails
    model.behaviors += 1

    @when(read(results) if reads else results)
    def _(held: list[Cown[Any]]) -> None:
        for plan, result in zip(plans, held):
            if result.exception != bool(plan.fails):
                discrepancy(f"exception is {result.exception}: {result.value!r}")
            check_answer(plan, result.value)


# ---- rounds ----


def be_scheduler(
    cowns: list[Cown[Any]], model: Model, seed: int, thread: int, tickets: list[int]
) -> None:
    """Schedule a few hundred behaviors, from a thread of the program."""
    choice = random.Random(seed)
    waiting: list[tuple[Plan, Cown[Any]]] = []
    for _ in range(choice.randint(1, 250)):
        tickets[thread] += 1
        plan = make_plan(choice, 3, (thread, tickets[thread]))
        result = schedule(plan, cowns)
        if choice.random() < 0.5:
            waiting.append((plan, result))
            if len(waiting) >= choice.randint(1, 4):
                watch(
                    [p for p, _ in waiting], [r for _, r in waiting], model, choice.random() < 0.5
                )
                for watched, _ in waiting:
                    model.include(watched)
                waiting.clear()
        else:
            model.include(plan)
        if choice.random() < 0.02:
            hold(cowns, model, choice)
        if choice.random() < 0.02:
            with_timeout(choice)
    for plan, _ in waiting:
        model.include(plan)


def hold(cowns: list[Cown[Any]], model: Model, choice: random.Random) -> None:
    """Change a cown, or read it, from ordinary code."""
    number = choice.randrange(COWNS)
    if number < FIRST_PINNED and choice.random() < 0.3:
        amount_of(cowns[number].get(timeout=PATIENCE_SECONDS))
        return
    with cowns[number] as value:
        before = amount_of(value)
        add(cowns[number], 5)
        if amount_of(cowns[number].value) != before + 5:
            discrepancy("changed under the program that holds it")
    model.amounts[number] += 5


def with_timeout(choice: random.Random) -> None:
    """Wait for a moment of quiet that may not come."""
    with contextlib.suppress(TimeoutError):
        quiesce(timeout=choice.choice((0, 0.0001, 0.01)))


def receive_one(timeout: float) -> int:
    """Look at a message, should there be one: how many there were."""
    tag, contents = receive("soak", timeout)
    if tag == TIMEOUT:
        return 0
    matrix, number = contents
    if matrix.sum() != 14.0 * number:
        discrepancy(f"a message has changed: {matrix}, {number}")
    return 1


def serve(threads: list[threading.Thread], choice: random.Random) -> int:
    """Be the program's own loop until the threads have ended; how many messages came."""
    received = 0
    while any(thread.is_alive() for thread in threads):
        try:
            most = choice.choice((1, 3, 1000))
            done = pump(choice.choice((None, 1, 20)), most)
        except RuntimeError as error:
            # Another thread's quiesce() runs them, or nothing has been scheduled yet.
            if "another thread" not in str(error) and "running runtime" not in str(error):
                discrepancy(f"pump() raised {error}")
        else:
            if done.executed > most:
                discrepancy(f"pump({most}) ran {done.executed} behaviors")
        received += receive_one(0.001)
        if choice.random() < 0.01:
            with_timeout(choice)
    return received


class Reports(logging.Handler):
    """Counts what is reported, and knows what must not be."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Take a report."""
        text = record.getMessage()
        if "Planned: " not in text.splitlines()[-1]:
            discrepancy(f"a failure that was not planned:\n{text}")
        self.count += 1


@dataclass
class Soak:
    """The state between rounds."""

    choice: random.Random
    backend: str | None
    reports: Reports
    cowns: list[Cown[Any]]
    amounts: list[int]
    tickets: list[int] = field(default_factory=lambda: [0] * THREADS)
    behaviors: int = 0
    since_start: int = 0
    pinned_since_start: int = 0
    notices: int = 0
    messages: int = 0

    def compare(self, label: str, models: list[Model], board: Any) -> None:
        """All is quiet: hold everything to the models."""
        for model in models:
            self.since_start += model.behaviors
            self.pinned_since_start += model.pinned
            self.notices += model.notices
            self.messages -= model.messages
            for number, amount in enumerate(model.amounts):
                self.amounts[number] += amount
        least = sum(model.unwatched for model in models)
        most = least + sum(model.watched for model in models)
        # A moment of quiet before somebody has looked: reported, and rightly.
        if not least <= self.reports.count <= most:
            discrepancy(
                f"{label}: {self.reports.count} failures reported, {least} to {most} planned"
            )
        self.reports.count = 0
        while receive_one(0):
            self.messages += 1
        if self.messages:
            discrepancy(f"{label}: {self.messages} messages more than were sent")
        if board.get("notices", 0) != self.notices:
            discrepancy(f"{label}: {dict(board)}, and {self.notices} notices planned")

    def round(self) -> None:
        """Schedule from several threads, wait for all of it, compare."""
        choice = self.choice
        models = [Model() for _ in range(choice.randint(1, THREADS))]
        threads = [
            threading.Thread(
                target=be_scheduler,
                args=(self.cowns, model, choice.getrandbits(32), number, self.tickets),
            )
            for number, model in enumerate(models)
        ]
        for thread in threads:
            thread.start()
        self.messages += serve(threads, choice)
        if choice.random() < 0.5:
            quiesce(timeout=PATIENCE_SECONDS)
            self.compare("quiesce", models, noticeboard())
            seen = [amount_of(cown.get(timeout=PATIENCE_SECONDS)) for cown in self.cowns]
        else:
            done = wait(timeout=PATIENCE_SECONDS, stats=True, noticeboard=True)
            self.compare("wait", models, done.noticeboard)
            executed = sum(worker["executed"] for worker in done.stats)
            # An update of the noticeboard runs on a worker too.
            scheduled = self.since_start - self.pinned_since_start + self.notices
            if executed != scheduled:
                discrepancy(f"{executed} behaviors have run on workers, of {scheduled}")
            self.behaviors += self.since_start
            self.since_start = self.pinned_since_start = self.notices = 0
            seen = [amount_of(cown.value) for cown in self.cowns]
        if seen != self.amounts:
            discrepancy(f"amounts are {seen}, and should be {self.amounts}")
        if self.since_start == 0:
            self.begin()

    def begin(self) -> None:
        """Change some of the cowns; start again, or leave that to the first behavior."""
        choice = self.choice
        for number in range(COWNS):
            if choice.random() < 0.2:
                self.cowns[number] = new_cown(choice, number)
                self.amounts[number] = 0
        if self.backend or choice.random() < 0.7:
            start(choice.randint(1, 4), backend=self.backend or "auto")


def resident_mebibytes() -> float:
    """How much memory this process has, 0 where nobody says."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def soak(minutes: float, backend: str | None, seed: int) -> None:
    """Run rounds until the time is up."""
    began = told = time.monotonic()
    end = began + 60 * minutes
    reports = Reports()
    logger = logging.getLogger("bocmat")
    logger.addHandler(reports)
    logger.propagate = False
    choice = random.Random(seed)
    cowns = [new_cown(choice, number) for number in range(COWNS)]
    state = Soak(choice, backend, reports, cowns, [0] * COWNS)
    rounds, settled = 0, 0.0
    state.begin()
    while time.monotonic() < end or rounds < 3:
        # The latest moment at which somebody asks where every thread is.
        faulthandler.dump_traceback_later(3 * PATIENCE_SECONDS, exit=True)
        state.round()
        rounds += 1
        now = time.monotonic()
        memory = resident_mebibytes()
        if now - began < min(SETTLED_SECONDS, 20 * minutes):
            settled = max(settled, memory)
        elif memory > settled + SLACK_MEBIBYTES:
            discrepancy(f"memory has grown from {settled:.0f} to {memory:.0f} MiB")
        if now - told >= 60:
            told = now
            done = state.behaviors + state.since_start
            minute = round((now - began) / 60)
            print(f"{minute} min: {rounds} rounds, {done} behaviors, {memory:.0f} MiB", flush=True)
    faulthandler.cancel_dump_traceback_later()
    wait(timeout=PATIENCE_SECONDS)
    done = state.behaviors + state.since_start
    print(f"{rounds} rounds, {done} behaviors, {resident_mebibytes():.0f} MiB, nothing found")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("minutes", nargs="?", type=float, default=1.0)
    parser.add_argument("--backend", choices=("interpreters", "threads"))
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}, backend {arguments.backend or 'of choice'}", flush=True)
    soak(arguments.minutes, arguments.backend, seed)


if __name__ == "__main__":
    main()
