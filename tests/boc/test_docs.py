"""The programs of the documentation print what it says they print.

A ``python`` block that is followed by a ``text`` block is a program of its own, and the text is
its output. That all other blocks run is tested elsewhere.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest

from support.programs import REPOSITORY, run_python

BLOCK = re.compile(
    r"^```python[ \t]*\n(?P<program>.*?)^```[ \t]*$\s*^```text[ \t]*\n(?P<output>.*?)^```[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclasses.dataclass
class Program:
    """A block, and what it prints."""

    path: pathlib.Path
    line: int
    text: str
    output: str

    def __str__(self):
        return f"{self.path.relative_to(REPOSITORY)}:{self.line}"


def programs_of(path):
    text = path.read_text(encoding="utf-8")
    return [
        Program(
            path,
            text.count("\n", 0, match.start("program")) + 1,
            match["program"],
            match["output"],
        )
        for match in BLOCK.finditer(text)
        if "```" not in match["program"]
    ]


PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
PROGRAMS = [program for page in PAGES if page.exists() for program in programs_of(page)]


def test_the_guide_is_found():
    assert sum(program.path.name == "behaviors.md" for program in PROGRAMS) >= 10


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_prints_what_is_said(program, tmp_path):
    name = f"{program.path.stem}_{program.line}.py"
    (tmp_path / name).write_text(program.text, encoding="utf-8")
    done = run_python(name, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout == program.output
