"""The sketches program: what is eaten follows from what there is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bocmat import wait
from bocmat.examples import sketches
from bocmat.lifecycle import usable_backends


@pytest.mark.parametrize("seed", range(4))
def test_a_meal_comes_before_cheese(backend, seed):
    eaten, said = sketches.lunch(seed, "spam", stock=1.0)
    assert eaten.get() == "Lunch is egg and bacon."
    assert said.get() == "Cheese after?"
    eaten, said = sketches.lunch(seed, "spam", stock=0.0)
    assert eaten.get() == "Lunch is egg and bacon."
    assert said.get() == "It would have been nicer with cheese."


@pytest.mark.parametrize("seed", range(4))
def test_cheese_where_nothing_on_the_menu_will_do(backend, seed):
    eaten, said = sketches.lunch(seed, "A", stock=1.0)
    names = [f"Lunch is some {name}." for name in sketches.CHEESES]
    assert eaten.get() in names
    assert said.get() == "Cheese it is, then!"


def test_neither(backend):
    eaten, said = sketches.lunch(1, "a", stock=0.0)
    wait()
    assert eaten.value == "A stomach rumbles."
    assert said.value == "Back to the library."


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.sketches", "--stock", "0", "--backend", name],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Lunch is egg and bacon.\nIt would have been nicer with cheese.\n"


def test_options(capsys):
    with pytest.raises(SystemExit) as caught:
        sketches.main(["--help"])
    assert caught.value.code == 0
    assert "--exclude" in capsys.readouterr().out
    for wrong in (["--stock", "2"], ["--pause", "nan"], ["--seed", "x"]):
        with pytest.raises(SystemExit) as caught:
            sketches.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
