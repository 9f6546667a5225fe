"""The calculator program against the same operations done one after the other."""

from __future__ import annotations

import operator
import re
import subprocess
import sys
from collections import Counter

import pytest

from bocmat import send, set_tags, wait
from bocmat.examples import calculator
from bocmat.lifecycle import usable_backends

FUNCTIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


@pytest.fixture(autouse=True)
def empty():
    set_tags([])
    yield
    set_tags([])


def done_one_by_one(operations, value=0.0):
    for symbol, number in operations:
        value = FUNCTIONS[symbol](value, number)
    return value


def test_one_client_is_served_in_its_order(backend):
    expected = calculator.operations_of(0, 500, 3)
    assert {symbol for symbol, _ in expected} == set("+-*/")
    calculator.schedule_clients(1, 500, 3)
    value, operations, timed_out = calculator.calculate(60)
    assert operations == expected
    assert value == done_one_by_one(expected)
    assert not timed_out


def test_many_clients(backend):
    calculator.schedule_clients(5, 200, 4)
    value, operations, timed_out = calculator.calculate(60)
    wait(60)
    sent = [calculator.operations_of(client, 200, 4) for client in range(5)]
    assert Counter(operations) == Counter(operation for one in sent for operation in one)
    assert value == done_one_by_one(operations)
    assert not timed_out


def test_nothing_comes():
    send("calculator", ("+", 5))
    assert calculator.calculate(0.01, 1.0) == (6.0, [("+", 5)], True)


def test_an_unknown_operation():
    send("calculator", ("^", 5))
    with pytest.raises(ValueError, match="'\\^', 5"):
        calculator.calculate(1)


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.calculator", "--clients", "1", "--backend", name],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = done_one_by_one(calculator.operations_of(0, 1000, 1))
    assert done.stdout == f"Total operations: 1000\nFinal value: {expected}\n"


def test_options(capsys):
    with pytest.raises(SystemExit) as caught:
        calculator.main(["--help"])
    assert caught.value.code == 0
    assert "--clients" in capsys.readouterr().out
    for wrong in (["--clients", "0"], ["--timeout", "-1"], ["--timeout", "nan"], ["--seed", "x"]):
        with pytest.raises(SystemExit) as caught:
            calculator.main(wrong)
        assert caught.value.code == 2
        assert re.search(wrong[0], capsys.readouterr().err)
