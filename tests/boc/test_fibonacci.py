"""The Fibonacci program against the closed form."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal, localcontext

import pytest

from bocmat import wait
from bocmat.examples import fibonacci
from bocmat.lifecycle import usable_backends


def binet(n):
    """Give a Fibonacci number by the powers of the golden ratio."""
    with localcontext() as context:
        context.prec = 50
        root = Decimal(5).sqrt()
        return int((((1 + root) / 2) ** n / root).to_integral_value())


def test_alone():
    assert [fibonacci.alone(n) for n in range(20)] == [binet(n) for n in range(20)]


@pytest.mark.parametrize("leaf", [1, 2, 5, 30])
def test_every_number(backend, leaf):
    scheduled = [fibonacci.fibonacci(n, leaf) for n in range(14)]
    wait(60)
    assert [result.value for result, _ in scheduled] == [binet(n) for n in range(14)]
    # The leaves are as many as there are ways down to one, and a sum joins two.
    leaves = [binet(max(n - leaf, 0) + 2) if n > leaf else 1 for n in range(14)]
    assert [behaviors for _, behaviors in scheduled] == [2 * count - 1 for count in leaves]


def test_a_larger_one(backend):
    result, _ = fibonacci.fibonacci(24, 12)
    assert result.get(60) == binet(24)


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.fibonacci", "20", "--backend", name],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"fibonacci(20) = {binet(20):,}\n5 behaviors\n"


def test_options(capsys):
    for wrong in (["x"], ["--leaf", "0"], ["--workers", "0"]):
        with pytest.raises(SystemExit) as caught:
            fibonacci.main(wrong)
        assert caught.value.code == 2
        assert "error" in capsys.readouterr().err
