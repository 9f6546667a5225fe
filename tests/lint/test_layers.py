"""Each layer includes only what its row of the layer table allows; breaking that is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.layers import c_violations, python_violations

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the layers that a test may spoil."""
    compiled = shutil.ignore_patterns("*.so", "*.o", "__pycache__")
    shutil.copytree(ROOT / "kernels", tmp_path / "kernels", ignore=compiled)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=compiled)
    return tmp_path


def test_no_c_file_breaks_the_layer_rule():
    assert c_violations(ROOT) == []


def test_no_python_file_breaks_the_layer_rule():
    assert python_violations(ROOT) == []


def test_every_layer_has_files():
    for folder in ("kernels", "src/bocmat/runtime", "src/bocmat/binding"):
        assert list((ROOT / folder).glob("*.c")), (
            f"{folder} holds no C file: the rule was checked on nothing"
        )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("kernels/mk.h", "#include <Python.h>"),
        ("kernels/mk.h", "#include <pthread.h>"),
        ("kernels/mk.h", "#include <cblas.h>"),
        ("kernels/mk.h", "#  include <lapacke.h>"),
        ("kernels/mk.h", '#include "../src/bocmat/runtime/runtime.h"'),
        ("kernels/unary.def", '#include "../src/bocmat/binding/state.h"'),
        ("src/bocmat/runtime/runtime.h", "#include <Python.h>"),
        ("src/bocmat/runtime/cown.c", '#include "../../../kernels/mk.h"'),
        ("src/bocmat/runtime/cown.c", '#include "../binding/state.h"'),
        ("src/bocmat/runtime/queue.h", '#include "cown.h"'),
        ("src/bocmat/runtime/cown.h", '#include "behavior.h"'),
        ("src/bocmat/runtime/behavior.c", '#include "sched.h"'),
        ("src/bocmat/runtime/sched.h", '#include "worker.h"'),
        ("src/bocmat/runtime/unheard_of.c", '#include "cown.h"'),
        ("src/bocmat/binding/module.c", '#include "../runtime/cown.h"'),
        ("src/bocmat/binding/module.c", '#include "../../../kernels/blas.h"'),
        ("src/bocmat/binding/module.c", "#include <cblas.h>"),
        ("src/bocmat/binding/module.c", '#include "missing.h"'),
    ],
)
def test_a_wrong_include_is_found(copy, file, line):
    spoiled = copy / file
    with spoiled.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")
    found = c_violations(copy)
    assert len(found) == 1, found
    assert found[0].startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("file", "line", "named"),
    [
        ("lifecycle.py", "import numpy", "numpy"),
        ("lifecycle.py", "import asyncio", "asyncio"),
        ("when.py", "from cloudpickle import dumps", "cloudpickle"),
        ("when.py", "import requests", "requests"),
        ("lifecycle.py", "from . import tiles", "circle"),
        ("lifecycle.py", "import bocmat", "circle"),
        ("lifecycle.py", "def later():\n    from bocmat import Matrix", "circle"),
    ],
)
def test_a_wrong_import_is_found(copy, file, line, named):
    with (copy / "src/bocmat" / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")
    found = python_violations(copy)
    assert found
    assert all(named in violation for violation in found), found


def test_what_may_be_imported_late_is_not_reported(copy):
    with (copy / "src/bocmat/lifecycle.py").open("a", encoding="utf-8") as stream:
        stream.write("\n\ndef bar():\n    import tqdm\n    import numpy\n    return tqdm, numpy\n")
    assert python_violations(copy) == []
