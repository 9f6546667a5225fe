"""Linear algebra: LAPACK here and there."""

from __future__ import annotations

from .entry import Entry


def covers(*names: str) -> tuple[str, ...]:
    return tuple(f"linalg.{name}" for name in names)


SERIES = (
    "e = p = m.eye(n); h = a * 0.0625\n"
    "for k in range(1, 13):\n    p = p @ h / k; e = e + p\n"
    "for k in range(4): e = e @ e"
)
ENTRIES = [
    Entry("solve", "linalg.solve(regular, b)", "linalg.solve(regular, b)", covers("solve"), 1024),
    Entry("inv", "linalg.inv(regular)", "linalg.inv(regular)", covers("inv"), 1024),
    Entry("det", "linalg.det(a)", "linalg.det(a)", covers("det"), 1024),
    Entry("slogdet", "linalg.slogdet(a)", "linalg.slogdet(a)", covers("slogdet"), 1024),
    Entry(
        "cholesky",
        "linalg.cholesky(definite)",
        "linalg.cholesky(definite)",
        covers("cholesky"),
        1024,
    ),
    Entry("qr", "linalg.qr(a)", "linalg.qr(a)", covers("qr"), 1024),
    Entry("svd", "linalg.svd(a)", "linalg.svd(a)", covers("svd"), 256),
    Entry(
        "svdvals", "linalg.svdvals(a)", "linalg.svd(a, compute_uv=False)", covers("svdvals"), 256
    ),
    Entry("eigh", "linalg.eigh(symmetric)", "linalg.eigh(symmetric)", covers("eigh"), 256),
    Entry("eig", "linalg.eig(a)", "linalg.eig(a)", covers("eig"), 256),
    Entry("lstsq", "linalg.lstsq(a, column)", "linalg.lstsq(a, column)", covers("lstsq"), 256),
    Entry("pinv", "linalg.pinv(a)", "linalg.pinv(a)", covers("pinv"), 256),
    Entry(
        "matrix_rank", "linalg.matrix_rank(a)", "linalg.matrix_rank(a)", covers("matrix_rank"), 256
    ),
    Entry("norm", "linalg.norm(a)", "linalg.norm(a)", covers("norm")),
    Entry("norm, 1", "linalg.norm(a, 1)", "linalg.norm(a, 1)"),
    Entry("norm, 2", "linalg.norm(a, 2)", "linalg.norm(a, 2)", (), 256),
    Entry("cond", "linalg.cond(regular)", "linalg.cond(regular)", covers("cond"), 256),
    Entry("expm", "linalg.expm(a)", SERIES, covers("expm"), 256),
    Entry(
        "matrix_power",
        "linalg.matrix_power(a, 5)",
        "linalg.matrix_power(a, 5)",
        covers("matrix_power"),
        1024,
    ),
    Entry("kron", "linalg.kron(small, small)", "m.kron(small, small)", covers("kron"), 64),
]
