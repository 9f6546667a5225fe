"""Making matrices, looking at them, keys, gathering and shapes."""

from __future__ import annotations

from .entry import Entry, methods

MAKE = [
    Entry(
        "from a flat list", "m(n, n, values)", "m.array(values).reshape(n, n)", ("Matrix",), 1024
    ),
    Entry("from nested lists", "m(nested)", "m.array(nested)", (), 1024),
    Entry("zeros", "m.zeros((n, n))", "m.zeros((n, n))", methods("zeros")),
    Entry("ones", "m.ones((n, n))", "m.ones((n, n))", methods("ones")),
    Entry("full", "m.full((n, n), 2.5)", "m.full((n, n), 2.5)", methods("full")),
    Entry("empty", "m.empty((n, n))", "m.empty((n, n))", methods("empty")),
    Entry("eye", "m.eye(n)", "m.eye(n)", methods("eye")),
    Entry("diag", "m.diag(row)", "m.diag(row[0])", methods("diag")),
    Entry("arange", "m.arange(n * n)", "m.arange(float(n * n))", methods("arange")),
    Entry("linspace", "m.linspace(0, 1, n * n)", "m.linspace(0, 1, n * n)", methods("linspace")),
    Entry("vector", "m.vector(values)", "m.array([values])", methods("vector"), 1024),
    Entry("concat of rows", "m.concat([a, b])", "m.concatenate([a, b])", methods("concat")),
    Entry("concat of columns", "m.concat([a, b], 1)", "m.concatenate([a, b], 1)"),
]
LOOK = [
    Entry("shape", "a.shape", "a.shape", methods("shape"), 2),
    Entry("size", "a.size", "a.size", methods("rows", "columns", "size", "ndim", "nbytes"), 2),
    Entry("length", "len(a)", "len(a)", methods("length", "__len__"), 2),
    Entry("x", "a.x", "a.item(0)", methods("x", "y", "z", "w"), 2),
    Entry("acquired", "a.acquired", "a.flags.owndata", methods("acquired"), 2),
    Entry("read_only", "a.read_only", "a.flags.writeable", methods("read_only"), 2),
    Entry("item", "one.item()", "one.item()", methods("item"), 2),
    Entry("tolist", "a.tolist()", "a.tolist()", methods("tolist"), 1024),
    Entry("values", "list(a.values())", "a.ravel().tolist()", methods("values"), 1024),
    Entry("iterate rows", "for r in a: pass", "for r in a: r.copy()", methods("__iter__"), 1024),
    Entry("tobytes", "a.tobytes()", "a.tobytes()", methods("tobytes")),
    Entry("copy", "a.copy()", "a.copy()", methods("copy", "__copy__", "__deepcopy__")),
    Entry("str", "str(a)", "str(a)", methods("__str__"), 64),
    Entry("repr", "repr(a)", "repr(a)", methods("__repr__"), 64),
    Entry(
        "format",
        "format(small, '.3f')",
        "'\\n'.join(' '.join(format(x, '.3f') for x in r) for r in small.tolist())",
        methods("__format__"),
        64,
    ),
]
KEYS = [
    Entry("element", "a[1, 0]", "a[1, 0].item()", methods("__getitem__")),
    Entry("row", "a[1]", "a[1].copy()"),
    Entry("column", "a[:, 1]", "a[:, 1].copy()"),
    Entry("block", "a[0:n // 2, 1:n]", "a[0:n // 2, 1:n].copy()"),
    Entry("stepped block", "a[::2, ::-1]", "a[::2, ::-1].copy()"),
    Entry("list of rows", "a[indices]", "a[indices]"),
    Entry("pairs", "a[indices, indices]", "a[indices, indices]"),
    Entry("mask as key", "a[mask]", "a[mask]"),
    Entry("assign an element", "a[1, 0] = 2.5", "a[1, 0] = 2.5", methods("__setitem__")),
    Entry("assign a row", "a[1] = row", "a[1] = row"),
    Entry("assign a block", "target[0:n // 2] = 1.5", "target[0:n // 2] = 1.5"),
    Entry("assign by mask", "target[mask] = 1.5", "target[mask] = 1.5"),
    Entry("view of a block", "a.view[0:1, 1:n]", "a[0:1, 1:n]", methods("view", "from_view")),
    Entry("row_view", "a.row_view(1)", "a[1:2]", methods("row_view")),
    Entry("column_view", "a.column_view(1)", "a[:, 1:2]", methods("column_view")),
    Entry("row_views", "for r in a.row_views(): pass", "for r in a: pass", methods("row_views")),
    Entry(
        "column_views",
        "for r in a.column_views(): pass",
        "for r in a.T: pass",
        methods("column_views"),
    ),
]
SHAPE = [
    Entry("T", "a.T", "a.T", methods("T")),
    Entry("transposed copy", "a.transpose()", "a.T.copy()", methods("transpose")),
    Entry("add transposed", "a + b.T", "a + b.T"),
    Entry("take rows", "a.take(indices)", "a.take(indices, 0)", methods("take")),
    Entry("take columns", "a.take(indices, 1)", "a.take(indices, 1)"),
    Entry("put rows", "target.put(indices, 1.5)", "target[indices] = 1.5", methods("put")),
    Entry(
        "take_along_axis",
        "a.take_along_axis(positions)",
        "m.take_along_axis(a, positions, 0)",
        methods("take_along_axis"),
    ),
    Entry(
        "put_along_axis",
        "target.put_along_axis(positions, 1.5)",
        "m.put_along_axis(target, positions, 1.5, 0)",
        methods("put_along_axis"),
    ),
    Entry(
        "repeat_interleave",
        "a.repeat_interleave(2, 0)",
        "m.repeat(a, 2, 0)",
        methods("repeat_interleave"),
    ),
    Entry("tile", "a.tile(2, 1)", "m.tile(a, (2, 1))", methods("tile")),
    Entry("roll", "a.roll(1)", "m.roll(a, 1)", methods("roll")),
    Entry("roll rows", "a.roll(1, 0)", "m.roll(a, 1, 0)"),
    Entry("flip", "a.flip()", "m.flip(a).copy()", methods("flip")),
    Entry("flip columns", "a.flip(1)", "m.flip(a, 1).copy()"),
    Entry("reshape", "a.reshape(1, n * n)", "a.reshape(1, n * n).copy()", methods("reshape")),
    Entry("ravel", "a.ravel()", "a.flatten()", methods("ravel")),
    Entry("diagonal", "a.diagonal()", "a.diagonal().copy()", methods("diagonal")),
]
ENTRIES = [*MAKE, *LOOK, *KEYS, *SHAPE]
