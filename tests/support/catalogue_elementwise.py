"""The rows of element-wise operations, comparisons and masks."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bocmat import Matrix
from support.operations import (
    BOTH,
    OUT,
    THREE,
    TWO,
    Op,
    anything,
    as_mask,
    mask,
    method,
    near_one,
    option,
    ordinary,
    precisely,
    same,
    values,
    whole,
)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def unit(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    array = rng.uniform(-1.05, 1.05, shape)
    array[rng.random(shape) < 0.1] = rng.choice([0.0, -0.0, 1.0, -1.0, np.nan, 2.0, 1e-300])
    return array


def unary(name: str, function: Any, *domains: Any) -> Op:
    return Op(f"Matrix.{name}", method(name), function, domains=domains or (anything,), forms=BOTH)


EXACT = {
    "negate": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "reciprocal": lambda x: 1 / x,
    "sqrt": np.sqrt,
    "square": np.square,
    "ceil": np.ceil,
    "floor": np.floor,
    "trunc": np.trunc,
    "round": np.rint,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "logical_not": np.logical_not,
}
CLOSE = {
    name: getattr(np, name)
    for name in (
        *("cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan"),
        *("arctan", "sinh", "cosh", "tanh"),
    )
}
UNARY = [
    *(unary(name, function) for name, function in EXACT.items()),
    *(unary(name, precisely(function)) for name, function in CLOSE.items()),
    unary("arcsin", precisely(np.arcsin), unit),
    unary("arccos", precisely(np.arccos), unit),
    unary("sigmoid", precisely(sigmoid)),
    unary("relu", values(lambda x: np.maximum(x, 0.0))),
    Op("Matrix.__neg__", operator.neg, np.negative),
    Op("Matrix.__pos__", operator.pos, np.positive),
    Op("Matrix.__abs__", operator.abs, np.abs),
]


BINARY_METHODS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "copysign": np.copysign,
    "minimum": values(np.minimum),
    "maximum": values(np.maximum),
    "hypot": precisely(np.hypot),
    "arctan2": precisely(np.arctan2),
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
OPERATORS = {
    "add": (operator.add, np.add),
    "sub": (operator.sub, np.subtract),
    "mul": (operator.mul, np.multiply),
    "truediv": (operator.truediv, np.divide),
    "floordiv": (operator.floordiv, np.floor_divide),
    "mod": (operator.mod, np.remainder),
    "pow": (operator.pow, precisely(np.power)),
    "lt": (operator.lt, np.less),
    "le": (operator.le, np.less_equal),
    "gt": (operator.gt, np.greater),
    "ge": (operator.ge, np.greater_equal),
    "eq": (operator.eq, np.equal),
    "ne": (operator.ne, np.not_equal),
}
IN_PLACE = {
    "iadd": (operator.iadd, np.add),
    "isub": (operator.isub, np.subtract),
    "imul": (operator.imul, np.multiply),
    "itruediv": (operator.itruediv, np.divide),
    "ifloordiv": (operator.ifloordiv, np.floor_divide),
    "imod": (operator.imod, np.remainder),
    "ipow": (operator.ipow, precisely(np.power)),
}
REFLECTED = ["radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rpow"]


def left_shape_stays(function: Any) -> Any:
    """Write the first operand, whose shape must not change."""

    def expected(a: np.ndarray, b: np.ndarray) -> Any:
        if np.broadcast_shapes(a.shape, b.shape) != a.shape:
            raise ValueError("the left shape would change")
        return function(a, b)

    return expected


def reflected(name: str) -> Op:
    function, numpy = OPERATORS[name[1:]]
    return Op(
        f"Matrix.__{name}__",
        lambda matrix: function(1.75, matrix),
        lambda array: numpy(np.float64(1.75), array),
        domains=(ordinary,),
    )


def both(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.floor_divide(a, b), np.remainder(a, b)


BINARY = [
    Op("Matrix.__divmod__", divmod, both, TWO, (anything, ordinary)),
    Op(
        "Matrix.__rdivmod__",
        lambda matrix: divmod(1.75, matrix),
        lambda array: both(np.float64(1.75), array),
        domains=(ordinary,),
    ),
    *(
        Op(f"Matrix.{name}", method(name), function, TWO, (anything,), forms=OUT)
        for name, function in BINARY_METHODS.items()
    ),
    Op("Matrix.power", method("power"), precisely(np.power), TWO, (anything, ordinary), forms=OUT),
    *(
        Op(f"Matrix.__{name}__", function, numpy, TWO, (anything, ordinary))
        for name, (function, numpy) in OPERATORS.items()
    ),
    *(
        Op(f"Matrix.__{name}__", function, left_shape_stays(numpy), TWO, (ordinary,), writes=True)
        for name, (function, numpy) in IN_PLACE.items()
    ),
    *(reflected(name) for name in REFLECTED),
]


def fused(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Round a * b + c once, in whole numbers."""
    a, b, c = np.broadcast_arrays(a, b, c)
    found = a * b + c
    for at in np.ndindex(found.shape):
        x, y, z = float(a[at]), float(b[at]), float(c[at])
        if np.isfinite([x, y, z]).all():
            exact = Fraction(x) * Fraction(y) + Fraction(z)
            if exact:
                found[at] = rounded(exact)
    return found


def rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else -float("inf")


def clip(a: np.ndarray, low: np.ndarray, high: np.ndarray) -> Any:
    if (high < low).any():
        raise ValueError("max below min")
    if np.broadcast_shapes(a.shape, low.shape, high.shape) != a.shape:
        raise ValueError("the shape would change")
    return np.minimum(np.maximum(a, low), high)


def lower(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.uniform(-5, 0, shape)


def upper(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.uniform(0, 5, shape)


TOLERANCES = option(
    rtol=st.sampled_from([0.0, 1e-5, 0.5]),
    atol=st.sampled_from([0.0, 1e-8, 1.0]),
    equal_nan=st.booleans(),
)


def allclose(a: np.ndarray, b: np.ndarray, **options: Any) -> bool:
    np.broadcast_shapes(a.shape, b.shape)
    return bool(np.allclose(a, b, **options))


TERNARY = [
    Op("Matrix.fma", method("fma"), fused, THREE, (ordinary,), forms=BOTH),
    Op(
        "Matrix.scaled_add",
        method("scaled_add"),
        lambda a, s, x: a + s * x,
        THREE,
        (anything,),
        forms=BOTH,
    ),
    Op("Matrix.clip", method("clip"), values(clip), THREE, (anything, lower, upper), forms=BOTH),
    Op(
        "Matrix.where",
        Matrix.where,
        lambda m, a, b: np.where(as_mask(m), a, b),
        THREE,
        (mask, anything, anything),
        forms=OUT,
    ),
    Op("Matrix.allclose", Matrix.allclose, allclose, TWO, (near_one,), TOLERANCES),
    Op(
        "Matrix.array_equal",
        Matrix.array_equal,
        lambda a, b, **options: bool(np.array_equal(a, b, **options)),
        same(2),
        (whole,),
        option(equal_nan=st.booleans()),
    ),
]

ROWS = [*UNARY, *BINARY, *TERNARY]
