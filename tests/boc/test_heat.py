"""The heat program against NumPy, linear equations and what is known of the heat equation."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import numpy as np
import pytest

from bocmat import Matrix, TiledMatrix, start, wait
from bocmat.examples import heat
from bocmat.lifecycle import usable_backends
from support.png import read_png


def held_of(side, pipes):
    """Say which cells are held, without the program's help."""
    at = np.arange(side) / (side - 1)
    held = np.full((side, side), np.nan)
    for row, column, radius, temperature in pipes:
        held[np.hypot(at[:, None] - row, at[None, :] - column) <= radius] = temperature
    held[-1] = held[:, 0] = held[:, -1] = 0.0
    held[0] = 100.0
    return held


def steps_of(plate, held, steps):
    """Go on by so many steps on the whole plate at once."""
    for _ in range(steps):
        around = np.pad(plate, 1)
        beside = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
        plate = plate * (1 - 4 * heat.RATE) + beside * heat.RATE
        plate = np.where(np.isnan(held), plate, held)
    return plate


def cold(held):
    return np.where(np.isnan(held), 0.0, held)


def advanced(plate, held, tile, steps):
    tiles = TiledMatrix(Matrix(held), tile)
    return np.asarray(heat.advance(Matrix(plate), tiles, steps))


def balance(held):
    """Solve for the plate on which nothing changes: every free cell is its neighbours' mean."""
    free = np.argwhere(np.isnan(held))
    number = {tuple(cell): index for index, cell in enumerate(free)}
    matrix, given = 4.0 * np.eye(len(free)), np.zeros(len(free))
    for index, (i, j) in enumerate(free):
        for cell in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if cell in number:
                matrix[index, number[cell]] = -1.0
            else:
                given[index] += held[cell]
    plate = held.copy()
    plate[np.isnan(held)] = np.linalg.solve(matrix, given)
    return plate


def series(side):
    """Solve Laplace's equation on a square whose upper edge is at 100, by its Fourier series."""
    x = np.linspace(0, 1, side)
    up = 1 - x[:, None, None]
    k = np.arange(1, 400, 2)
    # sinh(k pi up) / sinh(k pi) without overflow
    ratio = np.exp(-k * np.pi * (1 - up)) * (1 - np.exp(-2 * k * np.pi * up))
    ratio = ratio / (1 - np.exp(-2 * k * np.pi))
    return (400 / (k * np.pi) * np.sin(k * np.pi * x[None, :, None]) * ratio).sum(axis=2)


# ---- the computation ----


@pytest.mark.parametrize("side", [3, 30, 64])
@pytest.mark.parametrize("pipes", [(), heat.PIPES])
def test_what_is_held(side, pipes):
    np.testing.assert_array_equal(np.asarray(heat.held_cells(side, pipes)), held_of(side, pipes))


@pytest.mark.parametrize(
    ("side", "tile", "steps"), [(3, 1, 4), (20, 7, 60), (33, 16, 50), (33, 64, 51), (12, 1, 5)]
)
def test_every_step_is_that_of_numpy(backend, side, tile, steps):
    held = held_of(side, heat.PIPES)
    expected = steps_of(cold(held), held, steps)
    np.testing.assert_array_equal(advanced(cold(held), held, tile, steps), expected)


def test_any_plate_and_any_held_cells(backend):
    stream = np.random.default_rng(8)
    plate = stream.normal(size=(23, 37))
    held = np.where(stream.random((23, 37)) < 0.2, stream.normal(size=(23, 37)), np.nan)
    expected = steps_of(plate, held, 30)
    np.testing.assert_array_equal(advanced(plate, held, (5, 8), 30), expected)


def test_stages_follow_each_other(backend):
    held = held_of(24, heat.PIPES)
    found = list(heat.stages(heat.held_cells(24), [1, 2, 75], tile=10))
    for steps, plate in zip([1, 2, 75], found):
        np.testing.assert_array_equal(np.asarray(plate), steps_of(cold(held), held, steps))


def test_a_wave_decays_as_fast_as_it_has_to(backend):
    side, steps = 25, 40
    wave = np.sin(np.pi * np.arange(side) / (side - 1))
    plate = np.outer(wave, wave)
    held = np.full((side, side), np.nan)
    held[0] = held[-1] = held[:, 0] = held[:, -1] = 0.0
    factor = 1 - 8 * heat.RATE * math.sin(math.pi / (2 * (side - 1))) ** 2
    found = advanced(plate, held, 9, steps)
    np.testing.assert_allclose(found, plate * factor**steps, atol=1e-13)


def test_in_the_end_every_cell_is_the_mean_of_its_neighbours(backend):
    held = held_of(20, heat.PIPES)
    (found,) = heat.stages(Matrix(held), [2000], tile=8)
    np.testing.assert_allclose(np.asarray(found), balance(held), atol=1e-8)


def test_in_the_end_it_is_the_solution_of_laplaces_equation(backend):
    errors = []
    for side, steps in ((11, 700), (21, 2800)):
        (found,) = heat.stages(heat.held_cells(side, ()), [steps], tile=8)
        step = (side - 1) // 10
        # Compared away from the upper corners, where a temperature jumps from 0 to 100.
        difference = (np.asarray(found) - series(side))[::step, ::step][3:, :]
        errors.append(np.abs(difference).max())
    assert errors[0] < 0.5
    assert errors[1] < errors[0] / 3.5  # cells of half the size: a fourth of the error


def test_the_same_on_any_number_of_workers_and_backend():
    found = set()
    for name in usable_backends():
        for workers, tile in ((1, 100), (2, 13), (4, 13)):
            start(workers, name)
            (plate,) = heat.stages(heat.held_cells(40), [60], tile)
            wait()
            found.add(plate.tobytes())
    assert len(found) == 1


# ---- the picture and the program ----


def test_a_plate_is_enlarged_without_bending_it():
    plane = np.add.outer(3.0 * np.arange(9), 0.5 * np.arange(9))
    found = np.asarray(heat.enlarged(Matrix(plane), 31))
    at = np.linspace(0, 8, 31)
    np.testing.assert_allclose(found, np.add.outer(3.0 * at, 0.5 * at), atol=1e-12)


def test_colors_go_from_cold_to_hot():
    assert heat.color_of(-5.0) == heat.color_of(0.0) == heat.COLORS[0]
    assert heat.color_of(50.0) == heat.COLORS[2]
    assert heat.color_of(100.0) == heat.color_of(101.0) == heat.COLORS[-1]


def test_isotherms_are_drawn_between_bands():
    slope = Matrix(np.tile(np.linspace(100.0, 0.0, 60)[:, None], (1, 60)))
    rows = heat.pixels(slope)
    assert len(rows) == heat.PANEL
    assert all(len(row) == 3 * heat.PANEL for row in rows)
    rows = [row[3:] for row in rows]  # no line begins in the first column
    assert all(row == row[:3] * (heat.PANEL - 1) for row in rows)
    sums = [sum(row[:3]) for row in rows]
    dark = [at for at in range(1, heat.PANEL - 1) if sums[at] < min(sums[at - 1], sums[at + 1])]
    expected = [round(heat.PANEL * share / 10) for share in range(1, 10)]
    assert len(dark) == 9
    assert all(abs(at - line) <= 2 for at, line in zip(dark, expected))


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(tmp_path, name):
    arguments = ["--side", "32", "--tile", "12", "--steps", "90", "10", "--out", "plate.png"]
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.heat", *arguments, "--backend", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("32 x 32 cells in tiles of 12\n")
    rows = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+)$", done.stdout, re.MULTILINE)
    held = held_of(32, heat.PIPES)
    expected = [steps_of(cold(held), held, steps) for steps in (10, 90)]
    assert [int(steps) for steps, *_ in rows] == [10, 90]
    for (_, mean, center), plate in zip(rows, expected):
        assert float(mean) == pytest.approx(plate.mean(), abs=0.001)
        assert float(center) == pytest.approx(plate[16, 16], abs=0.001)
    picture = read_png(tmp_path / "plate.png")
    for number in (0, 1):
        left = heat.MARGIN + number * (heat.MARGIN + heat.PANEL)
        panel = picture[heat.MARGIN :, left:]
        cold_pipe, hot_pipe = (
            tuple(panel[round(row * heat.PANEL), round(column * heat.PANEL)])
            for row, column, _, _ in heat.PIPES
        )
        assert (cold_pipe, hot_pipe) == (heat.COLORS[0], heat.COLORS[-1])


def test_options(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        heat.main(["--help"])
    assert caught.value.code == 0
    assert "--steps" in capsys.readouterr().out
    for wrong in (["--side", "2"], ["--steps", "0"], ["--tile", "x"], ["--out", "no/x.png"]):
        with pytest.raises(SystemExit) as caught:
            heat.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
