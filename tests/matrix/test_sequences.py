"""Sequences of operations on shared buffers, with arrays of NumPy beside them as the model.

Matrices, windows on them, transposes, arrays and memoryviews over their memory live together in a
pool. Whatever is written through one of them must show in all that share, and in nothing else.
"""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bocmat import Cown, Matrix
from support.operations import agree

SIDES = st.sampled_from([0, 1, 1, 2, 3, 3, 4, 9, 10, 17])
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e300, 5e-324, float("nan"), float("inf")])
PICKS = st.integers(0, 10**6)
POOL = 10
IN_PLACE = {
    operator.iadd: np.add,
    operator.isub: np.subtract,
    operator.imul: np.multiply,
    operator.itruediv: np.divide,
}
METHODS = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}


@dataclass(eq=False)
class Root:
    """One matrix, what its values are to be, and the cown that holds it."""

    matrix: Any
    model: np.ndarray
    borrowed: bool = False
    cown: Any = None


@dataclass(eq=False)
class Entry:
    """A way to look at a root: the matrix itself, a window, or another library's array."""

    actual: Any
    root: Root
    derive: Callable[[np.ndarray], np.ndarray]
    kind: str = "matrix"
    read_only: bool = False
    line: bool = False  # one row or column, which has one axis

    @property
    def model(self) -> np.ndarray:
        return self.derive(self.root.model)

    def __repr__(self) -> str:
        held = ", handed over" if self.root.cown else ""
        return f"<{self.kind} {self.model.shape}{held}>"


def itself(array: np.ndarray) -> np.ndarray:
    return array


def part(draw: Any, length: int) -> Any:
    """Draw a slice with any step, or an index of a line that is there."""
    if length and draw(st.booleans()):
        return draw(st.integers(-length, length - 1))
    bounds = st.one_of(st.none(), st.integers(-length - 2, length + 2))
    step = draw(st.sampled_from([None, 1, 2, 3, -1, -2]))
    return slice(draw(bounds), draw(bounds), step)


def window(array: np.ndarray, key: Any) -> np.ndarray:
    """Apply a key; what it takes one of keeps its dimension."""
    kept = [k if isinstance(k, slice) else slice(k, k + 1 or None) for k in key]
    return array[tuple(kept)]


class Sharing(RuleBasedStateMachine):
    """A pool of what shares memory, and rules that read and write it."""

    def __init__(self) -> None:
        super().__init__()
        self.pool: list[Entry] = []

    # ---- picking ----

    def pick(self, number: int, *kinds: str) -> Entry | None:
        fitting = [e for e in self.pool if e.kind in (kinds or ("matrix", "view"))]
        return fitting[number % len(fitting)] if fitting else None

    def add(self, entry: Entry) -> None:
        self.pool.append(entry)
        if len(self.pool) > POOL:
            del self.pool[0]

    def add_new(self, matrix: Any, model: np.ndarray) -> None:
        self.add(Entry(matrix, Root(matrix, np.array(model, dtype=np.float64)), itself))

    def exported(self, root: Root) -> bool:
        return any(e.root is root and e.kind == "array" for e in self.pool)

    def attempt(self, entries: list[Entry], written: Entry | None, call: Callable[[], Any]) -> bool:
        """Do it, or see that it raises because of who holds what; say whether it was done."""
        if any(entry.root.cown is not None for entry in entries):
            with pytest.raises(RuntimeError, match="held elsewhere"):
                call()
            return False
        if written is not None and written.read_only:
            with pytest.raises((TypeError, RuntimeError), match="read-only"):
                call()
            return False
        call()
        return True

    def write(self, entry: Entry, values: Any) -> None:
        with np.errstate(all="ignore"):
            entry.model[...] = values

    # ---- rules: what is new ----

    @rule(rows=SIDES, columns=SIDES, seed=st.integers(0, 99), borrowed=st.booleans())
    def make(self, rows, columns, seed, borrowed):
        values = np.random.default_rng(seed).integers(-9, 9, (rows, columns)).astype(np.float64)
        if not borrowed:
            self.add_new(Matrix(values), values)
            return
        source = values.copy()
        root = Root(Matrix.from_buffer(source), values, borrowed=True)
        self.add(Entry(root.matrix, root, itself))
        self.add(Entry(source, root, itself, "source"))

    @rule(a=PICKS, how=st.sampled_from(["copy", "copy.copy", "deepcopy", "pickle2", "pickle5"]))
    def copies(self, a, how):
        entry = self.pick(a)
        if entry is None:
            return
        if how.startswith("pickle") and entry.kind == "view":
            with pytest.raises((TypeError, RuntimeError)):
                pickle.dumps(entry.actual, int(how[-1]))
            return
        ways = {
            "copy": lambda: entry.actual.copy(),
            "copy.copy": lambda: copy.copy(entry.actual),
            "deepcopy": lambda: copy.deepcopy(entry.actual),
            "pickle2": lambda: pickle.loads(pickle.dumps(entry.actual, 2)),
            "pickle5": lambda: pickle.loads(pickle.dumps(entry.actual, 5)),
        }
        made: list[Any] = []
        if self.attempt([entry], None, lambda: made.append(ways[how]())):
            self.add_new(made[0], entry.model)

    @rule(a=PICKS)
    def transposed(self, a):
        entry = self.pick(a)
        if entry is None:
            return
        if entry.kind == "view":
            derive = entry.derive
            turned = Entry(
                entry.actual.T,
                entry.root,
                lambda array: derive(array).T,
                "view",
                entry.read_only,
                entry.line,
            )
            self.add(turned)
            return
        made: list[Any] = []
        if self.attempt([entry], None, lambda: made.append(entry.actual.T)):
            self.add_new(made[0], entry.model.T)

    @rule(a=PICKS, data=st.data(), read_only=st.booleans())
    def view(self, a, data, read_only):
        entry = self.pick(a)
        if entry is None:
            return
        if entry.line:
            return
        rows, columns = entry.model.shape
        key, derive = (part(data.draw, rows), part(data.draw, columns)), entry.derive
        made: list[Any] = []

        def look() -> None:
            if entry.kind == "matrix" and read_only and isinstance(key[0], int):
                made.append(entry.actual.row_view(key[0], read_only=True))
            elif entry.kind == "matrix":
                made.append(entry.actual.view[key])
            else:
                made.append(entry.actual[key])

        if not self.attempt([entry], None, look):
            return
        whole_row = entry.kind == "matrix" and read_only and isinstance(key[0], int)
        shown = (key[0], slice(None)) if whole_row else key
        if not (entry.kind == "view" and isinstance(made[0], float)):
            of_part = lambda array: window(derive(array), shown)  # noqa: E731
            self.add(
                Entry(
                    made[0],
                    entry.root,
                    of_part,
                    "view",
                    entry.read_only or whole_row,
                    any(isinstance(k, int) for k in shown),
                )
            )

    @rule(a=PICKS, b=PICKS, name=st.sampled_from(sorted(METHODS)))
    def combine(self, a, b, name):
        left, right = self.pick(a), self.pick(b)
        if left is None or right is None:
            return
        with np.errstate(all="ignore"):
            try:
                expected = METHODS[name](left.model, right.model)
            except ValueError:
                expected = None
        made: list[Any] = []
        call = lambda: made.append(getattr(left.actual, name)(right.actual))  # noqa: E731
        if expected is None:
            with pytest.raises((ValueError, RuntimeError)):
                call()
        elif self.attempt([left, right], None, call):
            agree(made[0], expected)
            self.add_new(made[0], expected)

    # ---- rules: what writes ----

    @rule(a=PICKS, b=PICKS, function=st.sampled_from(list(IN_PLACE)), number=NUMBERS)
    def in_place(self, a, b, function, number):
        left, right = self.pick(a), self.pick(b)
        if left is None or right is None:
            return
        fits = broadcasts_to(right.model.shape, left.model.shape)
        other = right.actual if fits else number
        operands = [left, right] if fits else [left]
        with np.errstate(all="ignore"):
            expected = IN_PLACE[function](left.model, right.model.copy() if fits else number)
        if self.attempt(operands, left, lambda: function(left.actual, other)):
            self.write(left, expected)

    @rule(a=PICKS, name=st.sampled_from(["negate", "abs", "sqrt"]))
    def alone(self, a, name):
        entry = self.pick(a)
        if entry is None:
            return
        with np.errstate(all="ignore"):
            expected = {"negate": np.negative, "abs": np.abs, "sqrt": np.sqrt}[name](entry.model)
        if self.attempt([entry], entry, lambda: getattr(entry.actual, name)(in_place=True)):
            self.write(entry, expected)

    @rule(a=PICKS, b=PICKS, c=PICKS, name=st.sampled_from(sorted(METHODS)))
    def out(self, a, b, c, name):
        left, right, out = self.pick(a), self.pick(b), self.pick(c)
        if left is None or right is None or out is None:
            return
        with np.errstate(all="ignore"):
            try:
                expected = METHODS[name](left.model, right.model)
            except ValueError:
                return
        call = lambda: getattr(left.actual, name)(right.actual, out=out.actual)  # noqa: E731
        if expected.shape != out.model.shape:
            with pytest.raises((ValueError, RuntimeError, TypeError)):
                call()
        elif self.attempt([left, right, out], out, call):
            self.write(out, expected)

    @rule(a=PICKS, b=PICKS, data=st.data(), number=NUMBERS)
    def assign(self, a, b, data, number):
        entry, source = self.pick(a), self.pick(b)
        if entry is None or source is None or entry.line:
            return
        rows, columns = entry.model.shape
        key = (part(data.draw, rows), part(data.draw, columns))
        if all(isinstance(k, int) for k in key):
            operands, values, written = [entry], number, np.float64(number)
        else:
            shape = window(entry.model, key).shape
            fits = broadcasts_to(source.model.shape, shape)
            operands = [entry, source] if fits else [entry]
            values, written = (source.actual, source.model.copy()) if fits else (number, number)
        if self.attempt(operands, entry, lambda: operator.setitem(entry.actual, key, values)):
            window(entry.model, key)[...] = written

    @rule(a=PICKS)
    def transpose_in_place(self, a):
        entry = self.pick(a, "matrix")
        if entry is None or entry.root.borrowed:
            return
        root = entry.root
        reshapes = len(set(root.model.shape)) > 1
        if root.cown is None and self.exported(root):
            with pytest.raises(BufferError):
                entry.actual.transpose(in_place=True)
        elif self.attempt([entry], entry, lambda: entry.actual.transpose(in_place=True)):
            root.model[...] = root.model.T.copy() if not reshapes else root.model
            if reshapes:
                # Windows made for the other shape are of no more use.
                self.pool = [e for e in self.pool if e.root is not root or e.kind == "matrix"]
                root.model = root.model.T.copy()

    # ---- rules: neighbours ----

    @rule(a=PICKS, as_memoryview=st.booleans())
    def export(self, a, as_memoryview):
        entry = self.pick(a)
        if entry is None:
            return
        made: list[Any] = []

        def call() -> None:
            shared = memoryview(entry.actual) if as_memoryview else entry.actual
            made.append(np.asarray(shared))

        if self.attempt([entry], None, call):
            assert made[0].flags.writeable is not entry.read_only
            derive = entry.derive
            self.add(Entry(made[0], entry.root, derive, "array", entry.read_only))

    @rule(a=PICKS, number=NUMBERS)
    def write_through_an_array(self, a, number):
        entry = self.pick(a, "array", "source")
        if entry is None or entry.read_only or entry.root.cown is not None:
            return
        entry.actual[...] = number
        self.write(entry, number)

    @rule(a=PICKS)
    def forget(self, a):
        if self.pool:
            del self.pool[a % len(self.pool)]

    # ---- rules: who holds it ----

    @rule(a=PICKS)
    def hand_over(self, a):
        entry = self.pick(a, "matrix")
        if entry is None:
            return
        root = entry.root
        if root.cown is not None:
            with pytest.raises(RuntimeError):
                Cown(entry.actual)
        elif self.exported(root):
            with pytest.raises(BufferError):
                Cown(entry.actual)
        else:
            root.cown = Cown(entry.actual)
            if root.borrowed:  # what was borrowed is copied: its source goes its own way
                root.borrowed = False
                for other in self.pool:
                    if other.root is root and other.kind == "source":
                        other.root = Root(None, root.model.copy(), borrowed=True)

    @rule(a=PICKS, number=NUMBERS)
    def hold(self, a, number):
        entry = self.pick(a, "matrix", "view")
        if entry is None or entry.root.cown is None:
            return
        held, entry.root.cown = entry.root.cown, None
        try:
            with held as value:
                assert value is entry.root.matrix
                self.values_are_the_model()
                value += number
                with np.errstate(all="ignore"):
                    entry.root.model += number
                self.values_are_the_model()
        finally:
            entry.root.cown = held

    @rule(a=PICKS)
    def unwrap(self, a):
        entry = self.pick(a, "matrix", "view")
        if entry is None or entry.root.cown is None:
            return
        assert entry.root.cown.unwrap() is entry.root.matrix
        entry.root.cown = None

    # ---- what always holds ----

    @precondition(lambda self: self.pool)
    @invariant()
    def values_are_the_model(self):
        for entry in self.pool:
            if entry.kind in ("array", "source"):
                same = np.array_equal(entry.actual, entry.model, equal_nan=True)
                assert same, f"{entry}: {entry.actual!r} is not {entry.model!r}"
            else:
                assert entry.actual.shape == entry.model.shape
                if entry.root.cown is None:
                    agree(entry.actual, entry.model)
                else:
                    with pytest.raises(RuntimeError, match="held elsewhere"):
                        entry.actual.tolist()


def broadcasts_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return all(have in (1, want) for have, want in zip(shape, target))


Sharing.TestCase.settings = settings(
    max_examples=max(settings().max_examples, 20),
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSharing = Sharing.TestCase
