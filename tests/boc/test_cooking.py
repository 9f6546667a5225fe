"""Both cooking programs keep to what the recipe demands, and give the same dish."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bocmat import PinnedCown, start, wait
from bocmat.examples import cooking_boc, cooking_threads, kitchen
from bocmat.lifecycle import usable_backends

BEFORE = {
    "fry onion and pepper": {"dice the onion", "chop the pepper"},
    "pour in the eggs": {"beat the eggs", "fry onion and pepper"},
    "sprinkle the cheese": {"grate the cheese", "pour in the eggs"},
    "serve": {"sprinkle the cheese"},
}
ONE_KNIFE = {"dice the onion", "chop the pepper"}
DISH = "an omelette of diced onion, chopped pepper, beaten eggs and grated cheese"


def check(log, cooks):
    """Go through what was said, and see that every step came in its time."""
    running, done = set(), set()
    for line in log:
        if line.endswith(" ..."):
            step = line.removesuffix(" ...")
            assert step not in running | done
            assert done >= BEFORE.get(step, set()), f"{step} after {done}"
            running.add(step)
            assert len(running) <= cooks
            assert not running >= ONE_KNIFE
        else:
            step = line.removesuffix(": done")
            assert step != line
            running.remove(step)
            done.add(step)
    assert not running
    assert done == ONE_KNIFE | {"beat the eggs", "grate the cheese"} | BEFORE.keys()


def test_the_check_can_fail():
    with pytest.raises(AssertionError, match="serve after"):
        check(["serve ..."], 1)
    with pytest.raises(AssertionError):
        check(["dice the onion ...", "chop the pepper ..."], 4)


@pytest.mark.parametrize("cooks", [1, 2, 5])
@pytest.mark.parametrize("seed", [1, 2])
def test_cooked_by_behaviors(backend_name, cooks, seed, capsys):
    start(cooks, backend_name)
    log = PinnedCown([])
    dish = cooking_boc.cook(kitchen.pace(0.01, seed), log)
    wait(60)
    assert dish.value == DISH
    check(log.value, cooks)
    assert capsys.readouterr().out.splitlines() == log.value


@pytest.mark.parametrize("cooks", [1, 2, 5])
@pytest.mark.parametrize("seed", range(5))
def test_cooked_by_threads(cooks, seed):
    log, lock = [], threading.Lock()

    def say(line):
        with lock:
            log.append(line)

    assert cooking_threads.cook(kitchen.pace(0.01, seed), cooks, say) == DISH
    check(log, cooks)


def test_the_pan_takes_only_what_is_ready():
    pan, onion = kitchen.Pan(), kitchen.Food("onion")
    with pytest.raises(ValueError, match="onion must be diced, not raw"):
        pan.add(onion, "diced")
    assert pan.contents == []


def test_the_same_seed_gives_the_same_pace():
    assert kitchen.pace(1.0, 3) == kitchen.pace(1.0, 3) != kitchen.pace(1.0, 4)
    assert all(0.3 <= length <= 1.0 for length in kitchen.pace(1.0, 3).lengths.values())


@pytest.mark.parametrize(
    ("program", "options"),
    [
        ("cooking_threads", []),
        *(("cooking_boc", ["--backend", name]) for name in usable_backends()),
    ],
)
def test_the_programs_from_end_to_end(program, options):
    done = subprocess.run(
        [sys.executable, "-m", f"bocmat.examples.{program}", "--pause", "0.01", *options],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *log, dish, time = done.stdout.splitlines()
    check(log, 2)
    assert dish == f"There is {DISH}."
    assert time.startswith("It took ")


@pytest.mark.parametrize("program", [cooking_boc, cooking_threads])
def test_options(capsys, program):
    for wrong in (["--cooks", "0"], ["--pause", "nan"], ["--seed", "x"]):
        with pytest.raises(SystemExit) as caught:
            program.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
