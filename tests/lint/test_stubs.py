"""The stub and the extension module agree, as mypy's stubtest sees it: names, signatures, kinds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from support.programs import run_python

ROOT = Path(__file__).resolve().parents[2]
# Classes inside functions, which mypy names by their line.
NOT_PUBLIC = r"bocmat\.(travel|pickles)\..*"
# Named tuples have it from 3.13 on, and types are checked for the oldest Python.
LATER = r".*\.__replace__"


@pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="mypy cannot be had for this interpreter"
)
def test_the_stub_says_what_the_module_is(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text(f"{NOT_PUBLIC}\n{LATER}\n", encoding="ascii")
    done = run_python(
        *("-m", "mypy.stubtest", "bocmat", "--ignore-disjoint-bases", "--concise"),
        *("--mypy-config-file", str(ROOT / "pyproject.toml")),
        *("--allowlist", str(allowed), "--ignore-unused-allowlist"),
        cwd=ROOT,
        timeout=300,
        MYPY_CACHE_DIR=str(tmp_path / "cache"),
        MYPYPATH="src",
    )
    assert done.returncode == 0, done.stdout + done.stderr
