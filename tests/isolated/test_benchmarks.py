"""The benchmarks of behaviors run, and say what they measured."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
pytestmark = pytest.mark.skipif(
    not BENCHMARKS.is_dir(), reason="the benchmarks are not beside the tests"
)


@pytest.fixture
def programs(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import programs

    yield programs
    for name in [name for name in sys.modules if name.partition(".")[0] == "programs"]:
        del sys.modules[name]


def run(path, *options):
    program = [sys.executable, str(BENCHMARKS / "behaviors.py"), "--quick"]
    done = subprocess.run(
        [*program, "--libraries", "bocmat", "--json", str(path), *options],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_program_is_one_and_has_a_name_of_its_own(programs):
    figures = programs.figures(2)
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        for library in ("bocmat", "bocpy"):
            ast.parse(figure.text(library))


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.name)
def test_every_benchmark_can_be_quick(path):
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--quick" in done.stdout


def test_a_figure_is_measured(tmp_path):
    report = run(tmp_path / "figures.json", "--only", "schedule")
    assert list(report["figures"]) == ["schedule"]
    assert report["figures"]["schedule"]["medians"]["bocmat"] > 0
    assert report["figures"]["schedule"]["ratio"] is None


def test_throughput_is_measured_by_number_of_workers(tmp_path):
    report = run(tmp_path / "scaling.json", "--sweep-axis", "workers", "--sweep-values", "1,2")
    points = report["results"]["bocmat"]
    assert [point["value"] for point in points] == [1, 2]
    assert points[0]["speedup"] == 1.0
    assert all(point["throughput"] > 0 for point in points)


def test_the_page_has_a_row_for_every_figure(programs, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "report"))
    spec = importlib.util.spec_from_file_location(
        "behaviors_page", BENCHMARKS / "report" / "behaviors_page.py"
    )
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    figures = programs.figures(2)
    rows = {
        figure.name: {
            "group": figure.group,
            "what": figure.what,
            "unit": figure.unit,
            "medians": {"bocmat": 0.5, "bocpy": 1.5},
            "ratio": 3.0,
        }
        for figure in figures
    }
    machine = {"python": "3", "cpus": 2, "bocpy": "0.14"}
    text = page.page({"machine": machine, "figures": rows}, None)
    assert all(f"| {figure.what}, " in text for figure in figures)
    assert text.count("| 0.50 | 1.50 | 3.0 |") == len(figures)


def figures_of(name, path):
    """Take one figure of a benchmark, quickly."""
    program = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--quick", "--json", str(path)]
    only = {"messaging": "ping", "noticeboard": "write-main"}[name]
    done = subprocess.run(
        [*program, "--only", only], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(path.read_text(encoding="utf-8"))
    assert list(report["figures"]) == [only]
    assert report["figures"][only]["medians"]["bocmat"] > 0
    assert report["figures"][only]["what"] in done.stdout


def test_messages_and_the_noticeboard_have_a_page(tmp_path):
    paths = [tmp_path / f"{name}.json" for name in ("messaging", "noticeboard")]
    for path in paths:
        figures_of(path.stem, path)
    written = tmp_path / "page.md"
    program = [sys.executable, str(BENCHMARKS / "report" / "messages_page.py")]
    subprocess.run([*program, *map(str, paths), "--page", str(written)], check=True, timeout=60)
    text = written.read_text(encoding="utf-8")
    for what in ("to the other side and back", "write from the main program"):
        assert re.search(rf"^\| {what} \| \d", text, re.MULTILINE)


def test_the_flock_flies_the_same_on_numpy_and_its_page_has_a_row(tmp_path):
    """The program compares the flights itself."""
    figures = tmp_path / "figures.json"
    program = [sys.executable, str(BENCHMARKS / "boids.py"), "--quick", "--workers", "2"]
    done = subprocess.run(
        [*program, "--libraries", "bocmat", "numpy", "--json", str(figures)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(figures.read_text(encoding="utf-8"))
    (row,) = report["figures"]
    assert row["birds"] == 300
    assert row["seconds"].keys() == row["cpu"].keys() == {"bocmat", "numpy"}
    assert row["seconds ratios"]["bocmat"] == 1
    written = tmp_path / "page.md"
    program = [sys.executable, str(BENCHMARKS / "report" / "boids_page.py"), str(figures)]
    subprocess.run([*program, "--page", str(written)], check=True, timeout=60)
    assert written.read_text(encoding="utf-8").count("| 300 | 2 |") == 2
