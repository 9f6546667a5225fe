"""The benchmark of tiles runs, its libraries agree, and the page says what it measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
OPERATIONS = ["product", "cholesky", "stencil", "map", "map-reduce"]
pytestmark = pytest.mark.skipif(
    not BENCHMARKS.is_dir(), reason="the benchmarks are not beside the tests"
)


def run(program, *options):
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / program), *map(str, options)],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_operation_is_measured_and_stands_on_the_page(tmp_path):
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    run("tiles.py", "--quick", "--json", figures)
    report = json.loads(figures.read_text(encoding="utf-8"))
    assert [figure["operation"] for figure in report["figures"]] == OPERATIONS
    assert [figure["operation"] for figure in report["sustained"]] == ["product", "cholesky"]
    assert [figure["operation"] for figure in report["scaling"]] == ["stencil", "map"]
    for figure in report["figures"] + report["sustained"]:
        assert all(seconds > 0 for seconds in figure["seconds"].values())
        assert figure["ratios"]["numpy"] > 0
    run("report/tiles_page.py", figures, "--page", page)
    text = page.read_text(encoding="utf-8")
    assert text.count("| `a @ b`") == 2
    assert text.count("10 steps of `stencil`") == 2
    assert f"NumPy {report['machine']['numpy']}" in text


def test_an_unknown_operation_is_named():
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "tiles.py"), "--only", "products"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "products" in done.stderr
