"""Logarithm, hyperbolic tangent and power: where their ranges are reduced, and where they end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import Matrix
from bocmat._core import _select_isa
from support.matrices import as_array, assert_same, assert_ulps

BEST_FIRST = ["avx512", "avx2", "plain"]
SPECIAL = [0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 0.5, -0.5, 2, -2, 3, -3, 1e300, -1e300]
SPECIAL += [
    5e-324,
    -5e-324,
    2.0**53,
    2.0**53 + 2,
    1 - 2.0**53,
    4503599627370497.5,
    4503599627370497,
]
SPECIAL += [-4503599627370497, np.finfo(float).max, 1 + 2.0**-52, 1 - 2.0**-53, 2.0**-1022]
# Around every multiple of 1/20 and half way between them a logarithm changes its table entry.
STEPS = np.concatenate([np.nextafter(np.arange(29, 61) / 40, side) for side in (0, 1, 2)])
# The worst found among millions.
HARD_LOGS = [float.fromhex(x) for x in ("0x1.f2db3a64560eep-1", "0x1.067f188056da0p+0")]
HARD_TANH = ["0x1.76a23b132ed80p-3", "-0x1.7be4650d07d00p-3", "0x1.c2666f0a585b0p-3"]
HARD_POWERS = [
    ("0x1.f31bf3ec21f1ep-1", "0x1.24cdac18c430ap+14"),
    ("0x1.0687e423eb1eep+0", "0x1.5cfd3db47e0d1p+14"),
    ("0x1.0000000010decp+0", "-0x1.501ac25716c13p+45"),
    ("0x1.3f57af0312a3ap+553", "-0x1.d91733bacbebbp+0"),
    ("0x0.3375371eb8859p-1022", "0x1.ff1cb478492f8p-1"),
    ("0x1.064f0b7fb4833p+0", "-0x1.bede30ac07a1ep+14"),
    ("0x1.05b0ec67e7db6p+0", "0x1.f85b9e98e9098p+14"),
]


@pytest.fixture(autouse=True)
def best_again() -> Iterator[None]:
    """Leave the kernels as they were found."""
    yield
    assert any(_select_isa(name) for name in BEST_FIRST)


def wide(function, *values):
    """Give what long double gives, in doubles."""
    with np.errstate(all="ignore"):
        return function(*(np.asarray(v).astype(np.longdouble) for v in values)).astype(np.float64)


def on_each(call):
    """Give the answer of each set of kernels, and assert that those with fused operations agree."""
    fused = []
    for isa in BEST_FIRST:
        if _select_isa(isa):
            answer = as_array(call())
            if isa != "plain":
                fused.append(answer)
            yield Matrix(answer)
    for answer in fused:
        assert_same(Matrix(answer), fused[0])


def test_logarithms_where_the_table_changes():
    powers = np.exp2(np.array([[-1074.0, -1030, -1022, -1, 0, 1, 52, 1023]]).T)
    x = np.concatenate([(STEPS * powers).ravel(), HARD_LOGS, SPECIAL]).reshape(1, -1)
    for found in on_each(Matrix(x).log):
        assert_ulps(found, wide(np.log, x), 2)


def test_hyperbolic_tangents_where_they_are_reduced():
    halves = np.arange(-130, 131) * np.log(2) / 4
    x = np.concatenate(
        [
            np.nextafter(halves, -np.inf),
            np.nextafter(halves, np.inf),
            np.geomspace(5e-324, 30, 2001),
            [float.fromhex(x) for x in HARD_TANH],
            [21.999, 22, 22.001, -22, 1e300],
            SPECIAL,
        ]
    ).reshape(1, -1)
    for found in on_each(Matrix(x).tanh):
        assert_ulps(found, wide(np.tanh, x), 3)
        assert np.array_equal(
            np.signbit(as_array(found))[~np.isnan(x)], np.signbit(x)[~np.isnan(x)]
        )


def test_powers_of_special_values():
    x, y = (np.ascontiguousarray(v) for v in np.meshgrid(SPECIAL, SPECIAL))
    with np.errstate(all="ignore"):
        signs = np.signbit(np.power(x, y))
    expected = wide(np.power, x, y)
    for found in on_each(lambda: Matrix(x).power(Matrix(y))):
        assert_ulps(found, expected, 1)
        numbers = ~np.isnan(expected)
        assert np.array_equal(np.signbit(as_array(found))[numbers], signs[numbers])


def test_powers_up_to_the_ends_of_the_range():
    bases = np.concatenate([STEPS, STEPS * 2.0**-1030, STEPS * 2.0**900, HARD_LOGS])
    bases = bases[bases != 1]
    ends = np.array(
        [[-746, -745.1, -744.4, -708.4, -708.3, -1, 1, 709.7, 709.78, 709.8, 760, 1e6]]
    ).T
    x, y = (v.ravel() for v in np.broadcast_arrays(bases, ends / np.log(bases)))
    hard = np.array([[float.fromhex(number) for number in pair] for pair in HARD_POWERS]).T
    x, y = np.append(x, hard[0]).reshape(1, -1), np.append(y, hard[1]).reshape(1, -1)
    for found in on_each(lambda: Matrix(x).power(Matrix(y))):
        assert_ulps(found, wide(np.power, x, y), 2)


def test_powers_that_are_whole_numbers_are_exact():
    table = [(b, n) for b in range(2, 700) for n in range(1, 53) if b**n < 2**53]
    x, y = (np.array([column], dtype=np.float64) for column in zip(*table))
    expected = np.array([[float(b**n) for b, n in table]])
    for found in on_each(lambda: Matrix(x).power(Matrix(y))):
        assert_same(found, expected)
    for found in on_each(lambda: (-Matrix(x)).power(Matrix(y))):
        assert_same(found, np.where(y % 2 == 1, -expected, expected))


@given(
    st.lists(
        st.tuples(st.floats(), st.floats()) | st.tuples(st.floats(0, 9), st.floats(-9, 9)),
        min_size=1,
        max_size=20,
    )
)
def test_a_power_does_not_depend_on_where_it_stands(pairs):
    x, y = (np.array([column]) for column in zip(*pairs))
    together = as_array(Matrix(x).power(Matrix(y)))
    alone = [[Matrix(1, 1, a).power(b).x for a, b in pairs]]
    # A single exponent of 2, -1 or 1/2 is a square, a quotient, a root.
    ordinary = ~np.isin(y, [2, -1, 0.5])
    assert np.array_equal(together[ordinary], np.array(alone)[ordinary], equal_nan=True)
