"""The Python in the documentation runs, and prints what it is said to print.

A block that begins with ``python`` is a program of its own, or the continuation of the one before it where the line
above it is ``<!-- continues -->``. A ``text`` block right after a program is what the program prints.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest
from support.programs import REPOSITORY, run_python

BLOCK = re.compile(
    r"(?P<continues><!-- continues -->\s*\n)?^```python[ \t]*\n(?P<program>.*?)^```[ \t]*$"
    r"(?:\s*^```text[ \t]*\n(?P<output>.*?)^```[ \t]*$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclasses.dataclass
class Program:
    """A block or several, and what it prints where that is told."""

    path: pathlib.Path
    line: int
    text: str
    output: str | None

    def __str__(self):
        return f"{self.path.relative_to(REPOSITORY)}:{self.line}"


def programs_of(path):
    found = []
    text = path.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        program, output = match["program"], match["output"]
        if match["continues"] and found:
            before = found.pop()
            if before.output is not None and output is not None:
                output = before.output + output
            program = before.text + program
            found.append(Program(path, before.line, program, output))
        else:
            line = text.count("\n", 0, match.start("program")) + 1
            found.append(Program(path, line, program, output))
    return found


PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
PROGRAMS = [program for page in PAGES if page.exists() for program in programs_of(page)]


def test_the_guide_is_found():
    assert sum(program.path.name == "behaviors.md" for program in PROGRAMS) >= 10


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_the_programs_of_the_documentation_run(program, tmp_path):
    name = f"{program.path.stem}_{program.line}.py"
    (tmp_path / name).write_text(program.text, encoding="utf-8")
    done = run_python(name, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    if program.output is not None:
        assert done.stdout == program.output
