"""The digits program against a plain NumPy computation of the same."""

from __future__ import annotations

import contextlib
import functools
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bocmat.examples import digits, digits_page, picture
from bocmat.lifecycle import usable_backends
from support.png import read_png

SHIFTS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]


def data():
    """Read the file without the program's help: images (n, 8, 8) and labels."""
    table = np.loadtxt(digits.DATA, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(int)


def shifted(images, down, right):
    """Shift all images by cutting them out of a larger blank one."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    return padded[:, 1 - down : 9 - down, 1 - right : 9 - right]


@functools.cache
def expected_predictions(seed, k):
    """Classify the slow and simple way: all differences squared, and a stable sort."""
    images, labels = data()
    order = list(range(len(images)))
    random.Random(seed).shuffle(order)
    held_out, kept = order[:500], order[500:]
    shifts = [(0, 0), *(shift for shift in SHIFTS if shift != (0, 0))]
    references = np.concatenate([shifted(images[kept], *shift) for shift in shifts])
    reference_labels = np.tile(labels[kept], 9)
    assert len(references) == 11673
    references = references.reshape(-1, 64)
    predictions = []
    for image in images[held_out].reshape(-1, 64):
        differences = references - image
        distances = np.einsum("ij,ij->i", differences, differences)
        nearest = reference_labels[np.argsort(distances, kind="stable")[:k]]
        counts = np.bincount(nearest, minlength=10)
        predictions.append(int(next(n for n in nearest if counts[n] == counts.max())))
    return predictions, labels[held_out].tolist()


def run_program(*arguments, folder):
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.digits", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done


# ---- the data ----


def test_the_data_is_complete():
    images, labels = digits.load()
    expected_images, expected_labels = data()
    assert len(images) == 1797
    assert (np.array(images) == expected_images.reshape(-1, 64)).all()
    assert labels == expected_labels.tolist()
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (Path(digits.DATA).parent / "SOURCE.txt").is_file()


@pytest.mark.parametrize("shift", SHIFTS)
def test_shifting_moves_and_fills_with_blank(shift):
    images, _ = data()
    flat = [tuple(map(int, image.ravel())) for image in images[:20]]
    moved = np.array([digits.shifted(image, *shift) for image in flat])
    assert (moved.reshape(-1, 8, 8) == shifted(images[:20], *shift)).all()


def test_preparing_splits_by_the_seed():
    one, again, other = digits.prepare(5), digits.prepare(5), digits.prepare(6)
    assert (len(one.images), len(one.labels)) == (500, 500)
    assert len(one.references) == len(one.reference_labels) == 11673
    assert one == again
    assert one.labels != other.labels
    assert not set(one.images) & set(one.references[: 1797 - 500])


# ---- the classification ----


@pytest.mark.parametrize(
    ("seed", "k", "tile"),
    [(1, 3, digits.DEFAULT_TILE), (2, 1, (500, 11673)), (3, 4, (97, 800)), (4, 10, (64, 4000))],
)
def test_predictions_are_those_of_numpy(backend, seed, k, tile):
    expected, labels = expected_predictions(seed, k)
    prepared = digits.prepare(seed)
    assert prepared.labels == labels
    assert digits.classify(prepared, k, tile) == expected


def test_tiles_narrower_than_k_are_enough(backend):
    prepared = digits.prepare(1)
    few = digits.Digits(
        prepared.images[:5],
        prepared.labels[:5],
        prepared.references[:40],
        prepared.reference_labels[:40],
    )
    distances = (
        (np.array(few.images)[:, None, :] - np.array(few.references)[None, :, :]) ** 2
    ).sum(axis=2)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :7]
    expected = [digits.majority([few.reference_labels[i] for i in row]) for row in nearest]
    assert digits.classify(few, 7, (2, 3)) == expected


def test_of_equally_many_votes_the_nearest_wins():
    assert digits.majority([4, 7, 7, 4, 1]) == 4
    assert digits.majority([1, 7, 4, 4, 7]) == 7
    assert digits.majority([9]) == 9


# ---- the program ----


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(tmp_path, name):
    done = run_program(
        "--backend", name, "--repeat", "1", "--workers", "2", "--out", "page.png", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    right, total = map(int, re.search(r"([\d]+) of ([\d]+)", done.stdout).groups())
    expected, labels = expected_predictions(1, 3)
    assert total == 500
    assert right == sum(a == b for a, b in zip(expected, labels)) >= 490
    assert re.search(r"^1 worker +[\d.]+ ms", done.stdout, re.MULTILINE)
    assert re.search(r"^2 workers +[\d.]+ ms", done.stdout, re.MULTILINE)
    assert re.search(r"^speedup +[\d.]+ x", done.stdout, re.MULTILINE)
    assert "classif" in done.stderr
    assert "Traceback" not in done.stderr
    pixels = read_png(tmp_path / "page.png")
    assert pixels.shape[0] > 500
    assert pixels.shape[1] > 1000
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize(
    "arguments",
    [("-k", "0"), ("--tile", "1x2x3"), ("--tile", "0"), ("--workers", "-1"), ("--out", "no/x.png")],
)
def test_wrong_options_end_with_a_sentence(tmp_path, capsys, arguments, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        digits.main(arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_progress_without_tqdm_is_plain_lines(capsys):
    lines = digits.Lines(1000)
    for _ in range(100):
        lines.update(10)
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 10
    assert shown[-1] == "classified 1,000 of 1,000"


@pytest.mark.parametrize(("terminal", "bar"), [(False, False), (True, True)])
def test_a_bar_is_for_terminals(monkeypatch, terminal, bar):
    @contextlib.contextmanager
    def tqdm(**settings):
        yield settings

    module = type(sys)("tqdm")
    module.tqdm = tqdm
    monkeypatch.setitem(sys.modules, "tqdm", module)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with digits.progress(7) as shown:
        assert isinstance(shown, digits.Lines) is not bar


# ---- the picture ----


@pytest.mark.parametrize("wrong", [0, 1, 6, 7, 24, 30])
def test_a_page_has_room_for_what_went_wrong(tmp_path, wrong):
    labels = [n % 10 for n in range(60)]
    predictions = [(n + (i < wrong)) % 10 for i, n in enumerate(labels)]
    images = [[[0.5] * 8 for _ in range(8)] for _ in labels]
    page = digits_page.draw_page(images, labels, predictions, ["3 nearest neighbours"])
    page.save(tmp_path / "page.png")
    pixels = read_png(tmp_path / "page.png")
    assert pixels.shape == (page.height, page.width, 3)


def test_a_canvas_draws_what_it_says(tmp_path):
    canvas = picture.Canvas(40, 30, (255, 255, 255))
    canvas.rectangle(-5, 20, 15, 50, (200, 0, 0))
    canvas.image(20, 5, 10, [[0.0, 0.0], [1.0, 1.0]], (255, 255, 255), (0, 0, 0))
    canvas.save(tmp_path / "small.png")
    pixels = read_png(tmp_path / "small.png")
    assert pixels.shape == (30, 40, 3)
    assert (pixels[20:, :10] == (200, 0, 0)).all()
    assert (pixels[:5, 10:] == 255).all()
    column = pixels[5:15, 25, 0].astype(int)
    assert column[0] == 255
    assert column[-1] == 0
    assert (np.diff(column) <= 0).all()


def test_every_character_can_be_written():
    for letter in picture.GLYPHS:
        canvas = picture.Canvas(60, 60, (255, 255, 255))
        canvas.text(20, 40, letter, 20, (0, 0, 0))
        assert any(0 in row for row in canvas._rows), letter
