"""Steps over tiles that are scheduled far ahead keep no generation alive that is done with."""

from __future__ import annotations

import pytest

from support.programs import output_of

STEPS = """
import re
from bocmat import Cown, Matrix, TiledMatrix, quiesce, start, when

def peak():
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]) / 1024

def step(window):
    return window[1:-1, 1:-1] + 1.0

start(2)
tiles = TiledMatrix(Matrix.zeros((512, 512)), 256)
for _ in range(3):
    tiles.stencil(step, 1).to_matrix()
quiesce()
gate = Cown(0)
gate.acquire()

@when(gate, list(tiles.tiles))
def _(gate, tiles):
    pass

before = peak()
for _ in range(300):
    tiles = {step}
KEEP
gate.release()
quiesce()
print(peak() - before)
FINISH
"""
# One generation is 2 MiB, all of them 600.
LIMIT = 150


def program(step, finish="assert tiles.to_matrix()[7, 7] == 300.0", keep=""):
    text = STEPS.replace("{step}", step).replace("FINISH", finish)
    return text.replace("KEEP", keep)


# Tiles that do not look at each other may be many generations apart, which share memory.
@pytest.mark.parametrize("step", ["tiles.stencil(step, 1)", "(tiles + 1.0).stencil(step, 1) - 1.0"])
def test_no_generation_is_kept(backend_name, step):
    (line,) = output_of(program(step), BOCMAT_BACKEND=backend_name, timeout=120)
    assert float(line) < LIMIT, f"{line} MiB more"


def test_nor_is_one_computed_that_nobody_wants(backend_name):
    text = program("tiles.stencil(step, 1)", "print(quiesce(stats=True))", keep="del tiles")
    lines = output_of(text, BOCMAT_BACKEND=backend_name, timeout=120)
    assert float(lines[0]) < LIMIT
    assert sum(worker["executed"] for worker in eval(lines[1])) < 40
