"""The rows of linear algebra. Results are checked by what defines them, or against NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bocmat import linalg
from support.operations import (
    EPS,
    SQUARE,
    SYSTEM,
    Check,
    Near,
    Op,
    Shape,
    Shapes,
    Values_of,
    definite,
    option,
    ordinary,
    read,
    regular,
    symmetric,
)

SMALL = st.sampled_from([1, 2, 3, 4, 5, 8, 9, 17, 33, 65])
ANY_SHAPE = Shapes(lambda draw: ((draw(SMALL), draw(SMALL)),), lambda n: ((n, n),))
TALL_SYSTEM = Shapes(
    lambda draw: (lambda rows: ((rows, draw(SMALL)), (rows, 2)))(draw(SMALL)),
    lambda n: ((n, n), (n, 2)),
)


def tame(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.uniform(-1, 1, shape)


def slack(array: np.ndarray) -> float:
    """The error that LAPACK's backward stable algorithms may make, times a margin."""
    return 200 * EPS * max(array.shape, default=1)


def near(value: Any, array: np.ndarray) -> Near:
    value = np.asarray(value, dtype=np.float64)
    size = np.abs(value).max() if value.size else 0.0
    return Near(value, np.full(value.shape, slack(array) * max(size, 1e-300) * 10))


def close(actual: np.ndarray, expected: np.ndarray, array: np.ndarray) -> None:
    assert actual.shape == expected.shape
    scale = max(float(np.abs(expected).max()), 1.0) if expected.size else 1.0
    assert (np.abs(actual - expected) <= slack(array) * scale).all()


def against(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compare with NumPy's result for operands in good condition."""
    return lambda *arrays: near(function(*arrays), arrays[0])


def slogdet(a: np.ndarray) -> tuple[Any, Any]:
    sign, logarithm = np.linalg.slogdet(a)
    return float(sign), Near(logarithm, slack(a) * (1 + abs(logarithm)))


def qr(a: np.ndarray) -> Check:
    def holds(found: Any) -> None:
        q, r = map(read, found)
        k = min(a.shape)
        assert q.shape == (a.shape[0], k)
        assert r.shape == (k, a.shape[1])
        assert (np.tril(r, -1) == 0).all()
        close(q @ r, a, a)
        close(q.T @ q, np.eye(k), a)

    return Check(holds)


def svd(a: np.ndarray) -> Check:
    def holds(found: Any) -> None:
        u, s, v = map(read, found)
        k = min(a.shape)
        assert s.shape == (1, k)
        assert (np.diff(s[0]) <= 0).all()
        close(u * s @ v, a, a)
        close(u.T @ u, np.eye(k), a)
        close(v @ v.T, np.eye(k), a)

    return Check(holds)


def eigh(a: np.ndarray) -> Check:
    def holds(found: Any) -> None:
        w, v = map(read, found)
        assert w.shape == (1, len(a))
        assert (np.diff(w[0]) >= 0).all()
        close(a @ v, v * w, a)
        close(v.T @ v, np.eye(len(a)), a)

    return Check(holds)


def eig(a: np.ndarray) -> Check:
    def holds(found: Any) -> None:
        real, imaginary, _ = map(read, found)
        values = np.sort_complex((real + 1j * imaginary).ravel())
        # Sums of powers do not depend on the order in which close ones come.
        for power in (1, 2, 3):
            mine, others = (values**power).sum(), np.trace(np.linalg.matrix_power(a, power))
            assert abs(mine - others) <= slack(a) * 10 * (1 + np.abs(values) ** power).sum()

    return Check(holds)


def rank(a: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(a))


def expm(a: np.ndarray) -> Near:
    # Scaling and squaring of the plain series in extended precision.
    steps = max(0, int(np.ceil(np.log2(max(np.abs(a).sum(), 1e-9))))) + 6
    scaled = a.astype(np.longdouble) / 2**steps
    total = term = np.eye(len(a), dtype=np.longdouble)
    for k in range(1, 16):
        term = term @ scaled / k
        total = total + term
    for _ in range(steps):
        total = total @ total
    return near(total, a)


def lstsq(a: np.ndarray, b: np.ndarray) -> Near:
    return near(np.linalg.lstsq(a, b, rcond=None)[0], a)


def row(name: str, expected: Any, domain: Values_of, shapes: Shapes = SQUARE, **more: Any) -> Op:
    call = getattr(linalg, name)
    return Op(f"linalg.{name}", call, expected, shapes, (domain, tame), one_answer=False, **more)


def powers(a: np.ndarray, n: int) -> Near:
    return near(np.linalg.matrix_power(a, n), a)


def norms(a: np.ndarray, ord: Any = None) -> Near:
    # A singular value may be off by a share of the largest, not of its own size.
    largest = float(np.sqrt(np.square(a).sum())) if a.size else 0.0
    return Near(np.linalg.norm(a, ord), slack(a) * max(largest, 1e-300) * 10)


POWER = {"options": lambda draw, arrays: {"n": draw(st.integers(-2, 6))}, "sample": {"n": 3}}
ORDERS = option(ord=st.sampled_from([None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]))
TINY_PAIR = Shapes(
    lambda draw: tuple((draw(st.integers(0, 5)), draw(st.integers(0, 5))) for _ in "ab"),
    lambda n: ((n, n), (n, n)),
)
ROWS = [
    row("solve", against(np.linalg.solve), regular, SYSTEM),
    row("inv", against(np.linalg.inv), regular),
    row("det", against(np.linalg.det), regular),
    row("slogdet", slogdet, regular),
    row("cholesky", against(np.linalg.cholesky), definite),
    row("qr", qr, tame, ANY_SHAPE),
    row("svd", svd, tame, ANY_SHAPE),
    row(
        "svdvals",
        lambda a: near(np.linalg.svd(a, compute_uv=False).reshape(1, -1), a),
        tame,
        ANY_SHAPE,
    ),
    row("eigh", eigh, symmetric),
    row("eig", eig, tame),
    row("lstsq", lstsq, regular, TALL_SYSTEM),
    row("pinv", against(np.linalg.pinv), regular, ANY_SHAPE),
    row("matrix_rank", rank, regular, ANY_SHAPE),
    row("norm", norms, ordinary, ANY_SHAPE, options=ORDERS),
    row("cond", against(np.linalg.cond), regular, ANY_SHAPE),
    row("expm", expm, tame),
    row("matrix_power", powers, regular, **POWER),
    Op("linalg.kron", linalg.kron, np.kron, TINY_PAIR, (ordinary,)),
]
