"""Behaviors that hold or capture a value of each kind."""

from __future__ import annotations

from .figure import Figure

# Reads and writes the value: it goes to the worker and back.
HELD = """
class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance
        self.history = []


if __name__ == "__main__":
    start(1)
    cowns = [Cown(eval(MAKE)) for _ in range(4)]

    def schedule(count):
        for index in range(count):
            @when(cowns[index % 4])
            def _(cown):
                CHANGE

    saturated(COUNT, schedule)
"""

CAPTURED = """
class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance
        self.history = []


if __name__ == "__main__":
    start(1)
    cown = Cown(0)
    value = eval(MAKE)

    def schedule(count):
        for index in range(count):
            @when(cown)
            def _(cown, value=GIVEN):
                cown.value = USE

    saturated(COUNT, schedule)
"""

DEFAULTS = """
if __name__ == "__main__":
    start(1)
    cown = Cown(0)

    def schedule(count):
        for index in range(count):
            @when(cown)
            def _(cown, index=index, scale=0.5, name="some text", pair=(1, 2)):
                cown.value += index * scale

    saturated(20000, schedule)
"""

MATRIX_PAIR = """
if __name__ == "__main__":
    start(2)
    left, right = Cown(Matrix.ones((50, 2))), Cown(Matrix.ones((50, 2)))

    def schedule(count):
        for index in range(count):
            @when(left, right)
            def _(left, right):
                left.value += right.value

    saturated(12000, schedule)
"""

ACCOUNT = "Account('Alice', 100)"
ONES = "Matrix.ones(({n}, {n}))"
# name, how it is made, how a behavior changes it, how it uses it, how often
KINDS = [
    ("int", "7", "cown.value += 1", "value", 20000),
    ("str", "'some text' * 3", "cown.value = cown.value[1:] + 'x'", "len(value)", 20000),
    ("list", "list(range(20))", "cown.value[0] += 1", "value[0]", 10000),
    ("object", ACCOUNT, "cown.value.balance += 1", "value.balance", 4000),
    ("matrix-2", ONES.format(n=2), "cown.value[0, 0] = 2.0", "value[0, 0]", 20000),
    ("matrix-512", ONES.format(n=512), "cown.value[0, 0] = 2.0", "value[0, 0]", 10000),
]


def given(make: str) -> str:
    return "value.copy() if LIBRARY == 'bocpy' else value" if "Matrix" in make else "value"


def values() -> list[Figure]:
    held = [
        Figure(
            f"held-{name}",
            "values",
            "us",
            f"a behavior that changes its cown's {name}",
            HELD.replace("CHANGE", change),
            constants={"MAKE": make, "COUNT": count},
        )
        for name, make, change, _, count in KINDS
    ]
    # A matrix that bocpy captures leaves its name, so each behavior is given a copy there.
    captured = [
        Figure(
            f"captured-{name}",
            "values",
            "us",
            f"a behavior with a default: {name}",
            CAPTURED.replace("USE", use).replace("GIVEN", given(make)),
            constants={"MAKE": make, "COUNT": count if name != "matrix-512" else count // 10},
        )
        for name, make, _, use, count in KINDS
    ]
    return [
        *held,
        Figure("held-pair", "values", "us", "left += right, matrices of 50x2", MATRIX_PAIR),
        *captured,
        Figure("captured-four", "values", "us", "a behavior with four defaults", DEFAULTS),
    ]
