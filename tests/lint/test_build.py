"""A build that cannot find OpenBLAS stops with one sentence that says what to do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from support.programs import run_python

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_WHEEL = """
import runpy, sys
sys.modules["scipy_openblas32"] = None
sys.argv = ["setup.py", "-q", "build_ext", "--build-lib", sys.argv[1], "--build-temp", sys.argv[1]]
runpy.run_path("setup.py", run_name="__main__")
"""

needs_setuptools = pytest.mark.skipif(
    importlib.util.find_spec("setuptools") is None, reason="setuptools is not installed here"
)


@needs_setuptools
@pytest.mark.parametrize(
    ("blas", "pkg_config", "advice"),
    [
        (None, None, "install its wheel (python -m pip install scipy-openblas32)"),
        ("system", "no-such-program", "install pkg-config and OpenBLAS's development package"),
        ("system", "false", "install pkg-config and OpenBLAS's development package"),
        ("elsewhere", None, "BOCMAT_BLAS is 'elsewhere': set it to 'wheel' or to 'system'"),
    ],
)
def test_a_build_without_openblas_says_what_to_do(tmp_path, blas, pkg_config, advice):
    done = run_python(
        "-c", WITHOUT_WHEEL, str(tmp_path), cwd=ROOT, BOCMAT_BLAS=blas, PKG_CONFIG=pkg_config
    )
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert advice in lines[0]
    assert list(tmp_path.rglob("*.o")) == []
