"""Reductions: of everything, of columns, of rows, of what a mask lets take part."""

from __future__ import annotations

from .entry import Entry, methods

# What NumPy runs where its method has another name; the operand where it is not `a`.
NAMES = {
    "sum": ("a.sum({})", "a"),
    "mean": ("a.mean({})", "a"),
    "prod": ("a.prod({})", "a"),
    "var": ("a.var({})", "a"),
    "std": ("a.std({})", "a"),
    "min": ("a.min({})", "a"),
    "max": ("a.max({})", "a"),
    "argmin": ("a.argmin({})", "a"),
    "argmax": ("a.argmax({})", "a"),
    "any": ("zero.any({})", "zero"),
    "all": ("a.all({})", "a"),
    "count_nonzero": ("m.count_nonzero(mask{})", "mask"),
    "median": ("m.median(a{})", "a"),
    "magnitude": ("linalg.norm(a{})", "a"),
    "nansum": ("m.nansum(gaps{})", "gaps"),
    "nanmean": ("m.nanmean(gaps{})", "gaps"),
    "nanmin": ("m.nanmin(gaps{})", "gaps"),
    "nanmax": ("m.nanmax(gaps{})", "gaps"),
}
SLOW = {"median": 1024}


def reduction(name: str, axis: int | None) -> Entry:
    numpy, operand = NAMES[name]
    suffix = {None: "", 0: " of columns", 1: " of rows"}[axis]
    given = "" if axis is None else f"axis={axis}, keepdims=True"
    if numpy.startswith(("m.", "linalg.")) and given:
        given = ", " + given
    ours = f"{operand}.{name}({'' if axis is None else axis})"
    return Entry(name + suffix, ours, numpy.format(given), methods(name), SLOW.get(name, 4096))


ENTRIES = [
    *(reduction(name, axis) for name in NAMES for axis in (None, 0, 1)),
    Entry(
        "magnitude_squared",
        "a.magnitude_squared()",
        "m.vdot(a, a)",
        methods("magnitude_squared"),
    ),
    Entry("quantile", "a.quantile(0.3)", "m.quantile(a, 0.3)", methods("quantile"), 1024),
    Entry(
        "quantile of columns",
        "a.quantile(0.3, 0)",
        "m.quantile(a, 0.3, axis=0, keepdims=True)",
        methods("quantile"),
        1024,
    ),
    Entry("sum, where=", "a.sum(where=mask)", "a.sum(where=mask)"),
    Entry("mean of rows, where=", "a.mean(1, where=mask)", "a.mean(1, keepdims=True, where=mask)"),
    Entry("max, where=", "a.max(where=mask)", "a.max(where=mask, initial=-m.inf)"),
]
