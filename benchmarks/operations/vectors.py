"""Products, vectors and batches of them, pairs."""

from __future__ import annotations

from .entry import Entry, methods

ENTRIES = [
    Entry(
        "matmul",
        "a @ b",
        "a @ b",
        methods("__matmul__", "__rmatmul__", "dot"),
        bocpy_largest=1024,
    ),
    Entry("matmul, right transposed", "a @ b.T", "a @ b.T", (), 1024),
    Entry("matmul, left transposed", "a.T @ b", "a.T @ b", (), 1024),
    Entry("matmul with a column", "a @ column", "a @ column"),
    Entry("vecdot", "a.vecdot(b)", "m.vdot(a, b)", methods("vecdot")),
    Entry("vecdot of rows", "a.vecdot(b, 1)", "m.vecdot(a, b, axis=1)"),
    Entry("outer", "row.outer(row)", "m.outer(row, row)", methods("outer")),
    Entry("cross", "points3.cross(others3)", "m.cross(points3, others3)", methods("cross")),
    Entry(
        "normalize",
        "a.normalize(1)",
        "a / linalg.norm(a, axis=1, keepdims=True)",
        methods("normalize"),
    ),
    Entry(
        "perpendicular",
        "points2.perpendicular()",
        "m.stack([-points2[:, 1], points2[:, 0]], 1)",
        methods("perpendicular"),
    ),
    Entry("angle", "points2.angle()", "m.arctan2(points2[:, 1], points2[:, 0])", methods("angle")),
    Entry("trace", "a.trace()", "a.trace()", methods("trace")),
    Entry(
        "cdist",
        "m.cdist(points3, others3)",
        "m.sqrt(((points3[:, None] - others3[None]) ** 2).sum(2))",
        methods("cdist"),
        1024,
    ),
]
