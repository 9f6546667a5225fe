"""Running sums, sorting, searching and counting."""

from __future__ import annotations

from .entry import Entry, methods

ENTRIES = [
    Entry("cumsum", "a.cumsum()", "a.cumsum()", methods("cumsum")),
    Entry("cumsum down", "a.cumsum(0)", "a.cumsum(0)"),
    Entry("cumsum along", "a.cumsum(1)", "a.cumsum(1)"),
    Entry("cumprod", "a.cumprod(1)", "a.cumprod(1)", methods("cumprod")),
    Entry("diff", "a.diff(axis=1)", "m.diff(a, axis=1)", methods("diff")),
    Entry("sort rows", "a.sort(1)", "m.sort(a, 1)", methods("sort"), 1024),
    Entry("sort columns", "a.sort(0)", "m.sort(a, 0)", (), 1024),
    Entry("argsort rows", "a.argsort(1)", "m.argsort(a, 1)", methods("argsort"), 1024),
    Entry("argsort columns", "a.argsort(0)", "m.argsort(a, 0)", (), 1024),
    Entry(
        "topk of rows",
        "a.topk(2, 1)",
        "i = m.argpartition(-a, 1, 1)[:, :2]; v = m.take_along_axis(a, i, 1); "
        "o = m.argsort(-v, 1); v = m.take_along_axis(v, o, 1); "
        "i = m.take_along_axis(i, o, 1).tolist()",
        methods("topk"),
        1024,
    ),
    Entry("unique", "whole.unique()", "m.unique(whole)", methods("unique"), 1024),
    Entry(
        "searchsorted",
        "edges.searchsorted(a)",
        "m.searchsorted(edges[0], a)",
        methods("searchsorted"),
        1024,
    ),
    Entry("digitize", "a.digitize(edges)", "m.digitize(a, edges[0])", methods("digitize"), 1024),
    Entry(
        "bin",
        "a.bin(16)",
        "low, high = a.min(), a.max(); m.clip(m.floor((a - low) * (16 / (high - low))), 0, 15)",
        methods("bin"),
        1024,
    ),
    Entry("histogram", "a.histogram(16)", "m.histogram(a, 16)", methods("histogram"), 1024),
]
