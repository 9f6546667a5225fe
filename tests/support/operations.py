"""What a row of the catalogue of operations is made of: operands, options, and what agrees.

A row (`Op`) says how an operation is called on matrices and what NumPy gives for the same values.
The NumPy side answers with an array or a number, which is then expected bit for bit, or wraps it
in one of `Values`, `Ulps`, `Near` and `Check`; where the operation has to raise, it raises.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import bocmat.linalg
from bocmat import Matrix

EPS = float(np.finfo(np.float64).eps)

# Around the sizes where the code takes another path: nothing, one, the nine values that a header
# holds itself, the widths of vectors, the blocks of 32.
LENGTHS = [0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 65]
# Past the blocks of 512, and where other threads are let run.
LONG = [(513, 9), (9, 513), (1030, 33), (33, 1030), (320, 321), (1, 100_001), (100_001, 1)]

Shape = tuple[int, int]
Values_of = Callable[[np.random.Generator, Shape], np.ndarray]


# ---- values ----


def sprinkled(rng: np.random.Generator, array: np.ndarray, special: list[float]) -> np.ndarray:
    """Put special values at random places: at none, at some, at many."""
    share = rng.choice([0.0, 0.05, 0.5])
    where = rng.random(array.shape) < share
    array[where] = rng.choice(special, int(where.sum()))
    return array


HUGE = [1.7e308, -1.7e308, 1e300, -1e300, 1e16, 2.0**53 + 2, 1e22]
TINY = [5e-324, -5e-324, -2.2e-308, 2.3e-308, 1e-300]
NOT_FINITE = [np.nan, np.inf, -np.inf]
ROUND = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, 2.5, 3.0, 100.0]


def anything(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    scale = 10.0 ** rng.choice([0, 0, 1, 3, 8])
    return sprinkled(rng, rng.normal(0, scale, shape), [*HUGE, *TINY, *NOT_FINITE, *ROUND, *ROUND])


def ordinary(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return sprinkled(rng, rng.normal(0, 10.0, shape), ROUND)


def summable(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """No partial sum or square overflows, whatever the order."""
    array = rng.normal(0, 10.0 ** rng.choice([0, 3, 9]), shape)
    return sprinkled(rng, array, [*ROUND, *NOT_FINITE, 1e16, -1e16, 1e-9])


def finite(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return sprinkled(rng, rng.normal(0, 10.0 ** rng.choice([0, 3, 9]), shape), [*ROUND, 1e16, 1e-9])


def near_one(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return sprinkled(rng, rng.uniform(0.9, 1.1, shape), [1.0, -1.0])


def whole(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Few different numbers, so that many are equal."""
    return sprinkled(rng, rng.integers(-4, 5, shape).astype(np.float64), [*NOT_FINITE, -0.0, 0.5])


def mask(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return sprinkled(rng, (rng.random(shape) < 0.5).astype(np.float64), [np.nan, -0.0, 3.0])


def regular(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Well conditioned where it is square."""
    return rng.uniform(-1, 1, shape) + max(shape) * np.eye(*shape)


def definite(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    half = rng.uniform(-1, 1, shape)
    return half @ half.T + shape[0] * np.eye(shape[0])


def symmetric(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    half = rng.uniform(-1, 1, shape)
    return half + half.T


# ---- shapes ----


@dataclass(frozen=True)
class Shapes:
    """How the shapes of operands belong together: drawn, and for one size."""

    draw: Callable[[Callable[[st.SearchStrategy[Any]], Any]], tuple[Shape, ...]]
    at: Callable[[int], tuple[Shape, ...]]
    long: bool = True  # may be drawn from LONG as well


LENGTH = st.sampled_from(LENGTHS)
SHORT = st.sampled_from([n for n in LENGTHS if n <= 17])


def one_shape(draw: Any) -> Shape:
    if draw(st.integers(0, 39)) == 39:
        return tuple(draw(st.sampled_from(LONG)))
    return draw(LENGTH), draw(LENGTH)


def broadcast(count: int) -> Shapes:
    """Give shapes that broadcast, now and then some that do not."""

    def drawn(draw: Any) -> tuple[Shape, ...]:
        rows, columns = one_shape(draw)
        full, other = [(rows, columns)], (draw(LENGTH), draw(LENGTH))
        full += [(rows, 1), (1, columns), (1, 1)]
        choices = st.sampled_from([full[0]] * 6 + full[1:] + ([other] if count > 1 else []))
        return tuple(draw(choices) for _ in range(count))

    return Shapes(drawn, lambda n: ((n, n),) * count)


ONE = Shapes(lambda draw: (one_shape(draw),), lambda n: ((n, n),))
TWO = broadcast(2)
THREE = broadcast(3)


def same(count: int) -> Shapes:
    return Shapes(lambda draw: (one_shape(draw),) * count, lambda n: ((n, n),) * count)


def product_shapes(draw: Any) -> tuple[Shape, ...]:
    inner = draw(LENGTH)
    other = inner if draw(st.integers(0, 9)) else draw(LENGTH)
    return (draw(LENGTH), inner), (other, draw(LENGTH))


PRODUCT = Shapes(product_shapes, lambda n: ((n, n), (n, n)))
SQUARE = Shapes(lambda draw: ((draw(LENGTH),) * 2,), lambda n: ((n, n),))
SMALL_SQUARE = Shapes(lambda draw: ((draw(SHORT),) * 2,), lambda n: ((n, n),))
SMALL_ONE = Shapes(lambda draw: ((draw(SHORT), draw(SHORT)),), lambda n: ((n, n),))
SMALL_TWO = Shapes(
    lambda draw: ((draw(SHORT), draw(SHORT)), (draw(SHORT), draw(SHORT))), lambda n: ((n, n),) * 2
)


def vector_shape(draw: Any) -> Shape:
    length = draw(st.sampled_from([*LENGTHS, 100, 513, 1030]))
    return draw(st.sampled_from([(1, length), (length, 1)]))


VECTOR = Shapes(lambda draw: (vector_shape(draw),), lambda n: ((1, n),))
VECTORS = Shapes(lambda draw: (vector_shape(draw), vector_shape(draw)), lambda n: ((1, n), (1, n)))


def system_shapes(draw: Any) -> tuple[Shape, ...]:
    n = draw(LENGTH)
    return (n, n), (n, draw(st.sampled_from([0, 1, 1, 2, 5, 17])))


SYSTEM = Shapes(system_shapes, lambda n: ((n, n), (n, 2)))


# ---- what agrees ----


@dataclass(frozen=True)
class Values:
    """Equal numbers; of two zeros either sign."""

    value: Any


@dataclass(frozen=True)
class Ulps:
    """So many units in the last place of a result in extended precision."""

    value: Any
    ulps: float = 4.0


@dataclass(frozen=True)
class Near:
    """No further away than a bound that comes with it; what is not finite is equal."""

    value: Any
    bound: Any


@dataclass(frozen=True)
class Check:
    """A property of the result, for what is not unique."""

    holds: Callable[[Any], None]


def read(actual: Any) -> np.ndarray:
    """Give a matrix's values as an array of its own; a number as an array without dimensions."""
    if isinstance(actual, (Matrix, bocmat.MatrixView)):
        return np.frombuffer(actual.tobytes(), np.float64).reshape(actual.shape).copy()
    assert isinstance(actual, (int, float)), f"{type(actual).__name__} is no matrix and no number"
    return np.array(float(actual))


def agree(actual: Any, expected: Any) -> None:
    """Assert that a result is what a row expects."""
    if isinstance(expected, Check):
        expected.holds(actual)
    elif isinstance(expected, (tuple, list)):
        assert type(actual) is type(expected), f"{type(actual)}, not {type(expected)}"
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected):
            agree(one, other)
    elif isinstance(expected, (str, bytes, type(None))) or (
        isinstance(expected, (bool, int)) and not isinstance(actual, (Matrix, float))
    ):
        assert actual == expected, f"{actual!r} is not {expected!r}"
    else:
        agree_values(read(actual), expected)


def agree_values(found: np.ndarray, expected: Any) -> None:
    if isinstance(expected, Ulps):
        precise = np.asarray(expected.value)
        with np.errstate(all="ignore"):
            wanted = precise.astype(np.float64)
            bound = expected.ulps * np.spacing(np.abs(wanted)).astype(np.longdouble)
        check(found, precise, wanted, bound)
    elif isinstance(expected, Near):
        wanted = np.asarray(expected.value)
        with np.errstate(all="ignore"):
            check(
                found,
                wanted,
                wanted.astype(np.float64),
                np.broadcast_to(expected.bound, wanted.shape),
            )
    elif isinstance(expected, Values):
        wanted = np.asarray(expected.value, dtype=np.float64)
        assert found.shape == wanted.shape, f"shape {found.shape}, not {wanted.shape}"
        wrong = ~((found == wanted) | (np.isnan(found) & np.isnan(wanted)))
        assert not wrong.any(), difference(found, wanted, wrong)
    else:
        wanted = np.ascontiguousarray(expected, dtype=np.float64).reshape(np.shape(expected))
        assert found.shape == wanted.shape, f"shape {found.shape}, not {wanted.shape}"
        wrong = (found != wanted) | (np.signbit(found) != np.signbit(wanted))
        wrong &= ~(np.isnan(found) & np.isnan(wanted))
        assert not wrong.any(), difference(found, wanted, wrong)


def check(found: np.ndarray, precise: np.ndarray, wanted: np.ndarray, bound: Any) -> None:
    assert found.shape == wanted.shape, f"shape {found.shape}, not {wanted.shape}"
    with np.errstate(all="ignore"):
        fits = np.array(np.abs(found.astype(np.longdouble) - precise) <= bound)
        # What rounds to infinity may stay just below it, within the same bound, and the reverse.
        edge = np.abs(wanted) >= 1.797693134862315e308
        fits |= edge & (np.abs(found) >= 1.797693134862315e308) & (found * wanted > 0)
    exact = ~np.isfinite(precise)
    fits[exact] = (found == wanted)[exact] | (np.isnan(found) & np.isnan(wanted))[exact]
    assert fits.all(), difference(found, wanted, ~fits)


def difference(found: np.ndarray, wanted: np.ndarray, wrong: np.ndarray) -> str:
    places = np.argwhere(wrong)[:5].tolist()
    shown = [(tuple(at), float(found[tuple(at)]), float(wanted[tuple(at)])) for at in places]
    return f"{int(wrong.sum())} of {wrong.size} wrong: (place, found, wanted) {shown}"


# ---- helpers of rows ----


def precisely(function: Callable[..., Any], ulps: float = 4.0) -> Callable[..., Any]:
    """Compute in extended precision, for a function that is right within some ULP."""

    def expected(*arrays: Any) -> Ulps:
        with np.errstate(all="ignore"):
            return Ulps(function(*(np.asarray(a).astype(np.longdouble) for a in arrays)), ulps)

    return expected


def values(function: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the sign of zero open."""
    return lambda *arrays, **options: Values(function(*arrays, **options))


def as_mask(array: np.ndarray) -> np.ndarray:
    return (array != 0).astype(np.float64)


def keep(axis: int | None) -> dict[str, Any]:
    return {"axis": axis, "keepdims": axis is not None}


def refuse_empty(array: np.ndarray) -> None:
    if not array.size:
        raise ValueError("empty")


def rounding(count: int) -> float:
    """The relative error of a pairwise sum of so many terms."""
    return (math.log2(max(count, 1)) + 8) * EPS


def option(**strategies: st.SearchStrategy[Any]) -> Callable[..., dict[str, Any]]:
    """Draw options that do not depend on the operands; each may be left out."""

    def drawn(draw: Any, arrays: tuple[np.ndarray, ...]) -> dict[str, Any]:
        names = [name for name in strategies if draw(st.integers(0, 4))]
        return {name: draw(strategies[name]) for name in names}

    return drawn


def fixed(**strategies: Any) -> Any:
    """Draw options that are always given."""
    return lambda draw, arrays: {name: draw(kind) for name, kind in strategies.items()}


NO_OPTIONS = option()
LINE_AXIS = st.sampled_from([0, 1, -1, -2])
AXIS = LINE_AXIS  # and none where it is left out


# ---- rows ----


@dataclass(frozen=True, repr=False)
class Op:
    """One operation: its name on the type or module, its call, and what NumPy gives."""

    name: str
    call: Callable[..., Any]
    numpy: Callable[..., Any]
    shapes: Shapes = ONE
    domains: tuple[Values_of, ...] = (anything,)
    options: Callable[..., dict[str, Any]] = NO_OPTIONS
    sample: Mapping[str, Any] = field(default_factory=dict)  # options for a call at a fixed size
    forms: frozenset[str] = frozenset()  # of out, in_place
    where: bool = False  # takes a mask of what takes part
    has_axis: bool = False
    writes: bool = False  # changes its first operand
    views: bool = True  # as far as a view has it at all
    one_answer: bool = True  # the same bits on every machine and in every run

    def __repr__(self) -> str:
        return self.name

    @property
    def on_views(self) -> bool:
        member = self.name.rpartition(".")[2]
        there = not self.name.startswith("Matrix.") or hasattr(bocmat.MatrixView, member)
        return self.views and there

    @property
    def exists(self) -> bool:
        owner, _, member = self.name.rpartition(".")
        holder: Any = bocmat
        for part in owner.split("."):
            holder = getattr(holder, part, None)
        return hasattr(holder, member)

    def domain(self, index: int) -> Values_of:
        return self.domains[min(index, len(self.domains) - 1)]

    def fill(self, shapes: tuple[Shape, ...], seed: int) -> tuple[np.ndarray, ...]:
        """Give operands of some shapes; the same seed gives the same values."""
        rng = np.random.default_rng(seed)
        filled = (self.domain(i)(rng, shape) for i, shape in enumerate(shapes))
        return tuple(np.ascontiguousarray(array) for array in filled)

    def expect(self, *arrays: np.ndarray, **options: Any) -> Any:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, about means of nothing
            return self.numpy(*arrays, **options)


OUT = frozenset({"out"})
BOTH = frozenset({"out", "in_place"})


def method(name: str) -> Callable[..., Any]:
    """Call a method of the first operand."""
    return lambda matrix, *others, **options: getattr(matrix, name)(*others, **options)
