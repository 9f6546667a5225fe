"""The compression program against NumPy's singular values of the same picture."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest

from bocmat import Matrix, start, wait
from bocmat.examples import compress, picture
from bocmat.lifecycle import usable_backends
from support.png import read_png


def photo():
    """Read the photograph without the program's help."""
    data = gzip.decompress(compress.PHOTO.read_bytes())
    assert data.startswith(b"P5\n451 300\n255\n")
    return np.frombuffer(data[15:], np.uint8).reshape(300, 451)


def low_rank(rows, columns, rank):
    stream = np.random.default_rng(rows + rank)
    return stream.normal(size=(rows, rank)) @ stream.normal(size=(rank, columns))


def decomposed(values, rank, tile=128, seed=1):
    factors = compress.decompose(Matrix(values), rank, tile, seed)
    return [np.asarray(factor) for factor in factors]


def assert_orthonormal(columns):
    np.testing.assert_allclose(columns.T @ columns, np.eye(columns.shape[1]), atol=1e-12)


# ---- the computation ----


def test_the_photograph_is_what_its_source_says():
    content = compress.PHOTO.read_bytes()
    assert (
        hashlib.sha256(gzip.decompress(content)).hexdigest()
        == "e6bd3b803a583cbf65b389bfe4e98adf5e98ea88cb12720c32f2007d48d249be"
    )
    assert (np.asarray(compress.read_picture(compress.PHOTO)) == photo()).all()
    assert "chelsea.pgm.gz" in (compress.PHOTO.parent / "SOURCE.txt").read_text()


def test_the_photograph_against_all_singular_values(backend):
    expected_left, expected, expected_right = np.linalg.svd(photo().astype(float))
    left, values, right = decomposed(photo(), 64)
    assert_orthonormal(left)
    assert_orthonormal(right.T)
    np.testing.assert_allclose(values[0, :32], expected[:32], rtol=1e-3)
    np.testing.assert_allclose(values[0], expected[:64], rtol=0.05)
    assert (values[0] <= expected[:64] * (1 + 1e-12)).all()  # a part never has more than the whole
    for i in range(8):  # the first vectors are the same, up to their sign
        assert abs(left[:, i] @ expected_left[:, i]) > 1 - 1e-6
        assert abs(right[i] @ expected_right[i]) > 1 - 1e-6


@pytest.mark.parametrize("tile", [37, 128, 1000])
def test_the_error_is_hardly_above_the_least(backend, tile):
    grey = photo().astype(float)
    matrix = Matrix(grey)
    ranks = [1, 4, 16, 64]
    factors = compress.decompose(matrix, 64, tile, seed=3)
    values = np.linalg.svd(grey, compute_uv=False)
    least = compress.least_errors(matrix, ranks)
    for rank, claimed, close in zip(ranks, least, compress.schedule(matrix, factors, ranks)):
        close = close.get()
        expected = np.sqrt((values[rank:] ** 2).sum() / (values**2).sum())
        assert claimed == pytest.approx(expected, rel=1e-9)
        error = np.linalg.norm(np.asarray(close) - grey) / np.linalg.norm(grey)
        assert compress.error_of(matrix, close) == pytest.approx(error, rel=1e-9)
        assert expected * (1 - 1e-9) <= error <= expected * 1.02


@pytest.mark.parametrize(
    ("rows", "columns", "rank"), [(90, 70, 5), (70, 90, 8), (200, 30, 1), (25, 26, 24)]
)
def test_what_has_a_low_rank_is_found_exactly(backend, rows, columns, rank):
    values = low_rank(rows, columns, rank)
    factors = compress.decompose(Matrix(values), rank, tile=16, seed=1)
    np.testing.assert_allclose(np.asarray(factors.picture(rank)), values, atol=1e-10)
    expected = np.linalg.svd(values, compute_uv=False)[:rank]
    np.testing.assert_allclose(np.asarray(factors.values)[0], expected, rtol=1e-10)


@pytest.mark.parametrize("value", [0.0, 200.0])
def test_a_picture_of_one_grey(backend, value):
    matrix = Matrix.full((40, 50), value)
    factors = compress.decompose(matrix, 20, tile=16, seed=1)
    close = factors.picture(1)
    assert np.abs(np.asarray(close) - value).max() < 1e-10
    assert compress.error_of(matrix, close) < 1e-12
    assert compress.least_errors(matrix, [1])[0] < 1e-12
    assert factors.values[0, 1] < 1e-9


def test_a_full_rank_leaves_nothing_out(backend):
    values = np.random.default_rng(3).normal(size=(45, 60))
    left, found, right = decomposed(values, 45, tile=20)
    np.testing.assert_allclose(found[0], np.linalg.svd(values, compute_uv=False), rtol=1e-9)
    np.testing.assert_allclose(left * found @ right, values, atol=1e-10)


def test_the_same_factors_on_any_number_of_workers_and_backend():
    found = set()
    for name in usable_backends():
        for workers in (1, 2, 4):
            start(workers, name)
            factors = compress.decompose(compress.read_picture(compress.PHOTO), 20, 100, seed=9)
            wait()
            found.add(tuple(factor.tobytes() for factor in factors))
    assert len(found) == 1


def test_an_error_in_a_tile_comes_out(backend):
    broken = Matrix.ones((30, 30))
    broken[20, 20] = float("nan")
    with pytest.raises(compress.linalg.LinAlgError):
        compress.decompose(broken, 4, tile=10, seed=1)


# ---- files and the program ----


def test_pictures_are_read(tmp_path):
    path = tmp_path / "small.pgm"
    path.write_bytes(b"P5 # grey\n3\n# a comment\n2 15\n" + bytes([0, 15, 5, 3, 1, 10]))
    assert compress.read_picture(path).tolist() == [[0, 255, 85], [51, 17, 170]]
    for wrong in (
        b"P6 1 1 255\n   ",
        b"P5 2 2 255\nabc",
        b"P5 0 2 255\n",
        b"P5 1 1 65535\nab",
        b"",
    ):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"small\.pgm is not"):
            compress.read_picture(path)


def test_images_are_pasted_and_cut_off_at_the_edges():
    canvas = picture.Canvas(4, 3, (9, 9, 9))
    rows = [bytes([row] * 9) for row in (1, 2, 3)]
    canvas.paste(2, 1, rows)
    canvas.paste(-2, -2, rows)
    assert [[row[3 * x] for x in range(4)] for row in canvas._rows] == [
        [3, 9, 9, 9],
        [9, 9, 1, 1],
        [9, 9, 2, 2],
    ]
    canvas.paste(9, 0, rows)
    canvas.paste(-9, 0, rows)
    assert all(len(row) == 12 for row in canvas._rows)
    assert canvas._rows[0][0] == 3


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(tmp_path, name):
    arguments = ["--ranks", "3", "40", "--compare", "--out", "cat.png", "--backend", name]
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.compress", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("451 x 300 grey values in tiles of 128\n")
    rows = re.findall(r"^ +(\d+) +([\d.]+) % +([\d.]+) % +([\d.]+) %$", done.stdout, re.MULTILINE)
    assert [int(rank) for rank, *_ in rows] == [3, 40]
    values = np.linalg.svd(photo().astype(float), compute_uv=False)
    for rank, kept, error, least in (tuple(map(float, row)) for row in rows):
        assert kept == pytest.approx(100 * rank * (300 + 451 + 1) / (300 * 451), abs=0.06)
        expected = 100 * np.sqrt((values[int(rank) :] ** 2).sum() / (values**2).sum())
        assert least == pytest.approx(expected, abs=0.001)
        assert least - 0.001 <= error < 1.02 * least
    pixels = read_png(tmp_path / "cat.png")[:, :, 0]
    at = compress.MARGIN
    assert (pixels[at : at + 300, at : at + 451] == photo()).all()
    right = pixels[at : at + 300, 2 * at + 451 : 2 * at + 902].astype(float)
    assert np.linalg.norm(right - photo()) < 0.2 * np.linalg.norm(photo().astype(float))


def test_options(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        compress.main(["--help"])
    assert caught.value.code == 0
    assert "--ranks" in capsys.readouterr().out
    (tmp_path / "text").write_text("no picture")
    for wrong in (
        ["--ranks", "301"],
        ["--ranks", "0"],
        ["--photo", "nowhere.pgm"],
        ["--photo", "text"],
        ["--out", "no/x.png"],
        ["--tile", "-1"],
    ):
        with pytest.raises(SystemExit) as caught:
            compress.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
