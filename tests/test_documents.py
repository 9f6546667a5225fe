"""The programs in the documents run as they stand, each file's in one process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.programs import run_python

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTS = [
    ROOT / "README.md",
    *sorted(file for file in (ROOT / "docs").rglob("*.md") if "_build" not in file.parts),
]
WITH_PROGRAMS = [
    str(file.relative_to(ROOT)) for file in DOCUMENTS if PROGRAM.search(file.read_text("utf-8"))
]


@pytest.mark.parametrize("name", WITH_PROGRAMS)
def test_programs_of_a_document_run(name, tmp_path):
    programs = PROGRAM.findall((ROOT / name).read_text("utf-8"))
    text = "\n".join(programs).replace("4096", "512")  # the same program, in less time
    (tmp_path / "program.py").write_text(text, "utf-8")
    done = run_python(str(tmp_path / "program.py"), cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_readme_has_a_program():
    assert "README.md" in WITH_PROGRAMS
