"""Every row of the catalogue on each set of kernels that this machine runs: one answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bocmat._core import _select_isa
from support.catalogue import OPS
from support.matrices import dressed
from support.operations import Check, Op, Ulps, agree, read

BEST_FIRST = ["avx512", "avx2", "plain"]
SIZES = [1, 2, 3, 5, 8, 17, 40]
AXES = [None, 0, 1]


@pytest.fixture(autouse=True)
def best_again() -> Iterator[None]:
    """Leave the kernels as they were found."""
    yield
    assert any(_select_isa(name) for name in BEST_FIRST)


def calls(op: Op) -> Iterator[tuple[tuple[np.ndarray, ...], list[Any], dict[str, Any]]]:
    """Give operands and options at sizes with every rest of a vector's width."""
    for size in SIZES:
        arrays = op.fill(op.shapes.at(size), size)
        for kind in ("own", "stepped") if op.on_views else ("own", "transposed"):
            for axis in AXES if op.has_axis else [None]:
                options = dict(op.sample) if axis is None else {**op.sample, "axis": axis}
                yield arrays, [dressed(array, kind) for array in arrays], options


def parts(result: Any) -> list[np.ndarray]:
    """Give what a result consists of as arrays."""
    if isinstance(result, (tuple, list)):
        return [part for one in result for part in parts(one)]
    return [np.frombuffer(result) if isinstance(result, bytes) else read(result)]


def test_the_switch():
    assert _select_isa("plain")
    assert not _select_isa("unheard of")


@pytest.mark.parametrize("op", [pytest.param(op, id=op.name) for op in OPS])
def test_every_set_gives_the_same_answer(op):
    answers: dict[int, list[np.ndarray]] = {}
    for isa in reversed(BEST_FIRST):
        if not _select_isa(isa):
            continue
        for index, (arrays, matrices, options) in enumerate(calls(op)):
            try:
                expected = op.expect(*arrays, **options)
            except (ValueError, IndexError):
                continue
            result = op.call(*matrices, **options)
            agree(result, expected)
            if not op.one_answer or isinstance(expected, (Ulps, Check)):
                continue
            found = parts(result)
            for one, other in zip(found, answers.setdefault(index, found)):
                assert np.array_equal(one, other, equal_nan=True), isa
