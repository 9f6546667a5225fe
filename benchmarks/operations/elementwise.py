"""Element-wise functions, operators, comparisons and masks."""

from __future__ import annotations

from .entry import Entry, methods

OPERATORS = {
    "add": ("+", "add"),
    "subtract": ("-", "subtract"),
    "multiply": ("*", "multiply"),
    "divide": ("/", "divide"),
    "floor_divide": ("//", "floor_divide"),
    "remainder": ("%", "remainder"),
    "power": ("**", "power"),
}
SLOTS = dict(zip(OPERATORS, ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]))


def slots(name: str) -> tuple[str, ...]:
    slot = SLOTS[name]
    return methods(name, f"__{slot}__", f"__r{slot}__")


# The function of NumPy.
UNARY = {
    "negate": "negative",
    "abs": "abs",
    "sign": "sign",
    "reciprocal": "reciprocal",
    "sqrt": "sqrt",
    "cbrt": "cbrt",
    "square": "square",
    "exp": "exp",
    "exp2": "exp2",
    "expm1": "expm1",
    "log": "log",
    "log2": "log2",
    "log10": "log10",
    "log1p": "log1p",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "arcsin",
    "arccos": "arccos",
    "arctan": "arctan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "ceil": "ceil",
    "floor": "floor",
    "trunc": "trunc",
    "round": "rint",
    "isnan": "isnan",
    "isinf": "isinf",
    "isfinite": "isfinite",
    "logical_not": "logical_not",
}
SIGNED = {"negate", "abs", "sign", "ceil", "floor", "trunc", "round", "sin", "cos", "tanh"}
UNARY_SLOTS = {"negate": ("__neg__",), "abs": ("__abs__",)}
COMPARE = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
COMPARE_SLOTS = dict(zip(COMPARE, ["lt", "le", "gt", "ge", "eq", "ne"]))


def unary(name: str, numpy: str) -> Entry:
    operand = "signed" if name in SIGNED else "a"
    covers = methods(name, *UNARY_SLOTS.get(name, ()))
    return Entry(name, f"{operand}.{name}()", f"m.{numpy}({operand})", covers)


ENTRIES = [
    *(
        Entry(name, f"a {symbol} b", f"a {symbol} b", slots(name))
        for name, (symbol, _) in OPERATORS.items()
    ),
    Entry("add a scalar", "a + 1.5", "a + 1.5"),
    Entry("scalar minus", "1.5 - a", "1.5 - a"),
    Entry("add a row", "a + row", "a + row"),
    Entry("add a column", "a + column", "a + column"),
    Entry("square by **", "a ** 2", "a ** 2"),
    Entry("add in place", "a.__iadd__(zero)", "a.__iadd__(zero)", methods("__iadd__")),
    Entry("subtract in place", "a.__isub__(zero)", "a.__isub__(zero)", methods("__isub__")),
    Entry("multiply in place", "a.__imul__(1.0)", "a.__imul__(1.0)", methods("__imul__")),
    Entry("divide in place", "a.__itruediv__(1.0)", "a.__itruediv__(1.0)", methods("__itruediv__")),
    Entry(
        "floor_divide in place",
        "target.__ifloordiv__(3.0)",
        "target.__ifloordiv__(3.0)",
        methods("__ifloordiv__"),
    ),
    Entry(
        "remainder in place", "target.__imod__(3.0)", "target.__imod__(3.0)", methods("__imod__")
    ),
    Entry("power in place", "target.__ipow__(3.0)", "target.__ipow__(3.0)", methods("__ipow__")),
    Entry("add, out=", "a.add(b, out=target)", "m.add(a, b, out=target)"),
    Entry("sqrt, out=", "a.sqrt(out=target)", "m.sqrt(a, out=target)"),
    Entry("expression", "a + b * c - a", "a + b * c - a"),
    Entry("minimum", "a.minimum(b)", "m.minimum(a, b)", methods("minimum")),
    Entry("maximum", "a.maximum(b)", "m.maximum(a, b)", methods("maximum")),
    Entry("hypot", "a.hypot(b)", "m.hypot(a, b)", methods("hypot")),
    Entry("arctan2", "a.arctan2(b)", "m.arctan2(a, b)", methods("arctan2")),
    Entry("copysign", "a.copysign(signed)", "m.copysign(a, signed)", methods("copysign")),
    Entry("fma", "a.fma(b, c)", "a * b + c", methods("fma")),
    Entry("scaled_add", "a.scaled_add(2.5, b)", "a + 2.5 * b", methods("scaled_add")),
    *(unary(name, numpy) for name, numpy in UNARY.items()),
    Entry("positive", "+a", "+a", methods("__pos__")),
    Entry("sigmoid", "signed.sigmoid()", "1 / (1 + m.exp(-signed))", methods("sigmoid")),
    Entry("relu", "signed.relu()", "m.maximum(signed, 0)", methods("relu")),
    Entry("clip", "a.clip(0.2, 0.8)", "m.clip(a, 0.2, 0.8)", methods("clip")),
    *(
        Entry(name, f"a.{name}(b)", f"a {symbol} b", methods(name, f"__{COMPARE_SLOTS[name]}__"))
        for name, symbol in COMPARE.items()
    ),
    Entry(
        "logical_and",
        "mask.logical_and(other)",
        "m.logical_and(mask, other)",
        methods("logical_and"),
    ),
    Entry(
        "logical_or", "mask.logical_or(other)", "m.logical_or(mask, other)", methods("logical_or")
    ),
    Entry("where", "m.where(mask, a, b)", "m.where(mask, a, b)", methods("where")),
    Entry("where less", "m.where(a.less(b), a, b)", "m.where(a < b, a, b)"),
    Entry("array_equal", "m.array_equal(a, a)", "m.array_equal(a, a)", methods("array_equal")),
    Entry("allclose", "m.allclose(a, a)", "m.allclose(a, a)", methods("allclose")),
    Entry("truth", "bool(one)", "bool(one)", methods("__bool__"), largest=2),
]
