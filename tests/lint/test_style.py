"""What no formatter checks: how long files and functions are, and what must not stand in any."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support.sources import source_files

ROOT = Path(__file__).resolve().parents[2]
LINES_A_FILE = 600
LINES_A_TEST = 1200  # tests stand side by side: what one says does not depend on the others
LINES_A_STUB = 1200  # a module has one, however many files it is written in
LINES_A_C_FUNCTION = 80
LINES_A_PYTHON_FUNCTION = 80
COLUMNS = {".c": 120, ".h": 120, ".def": 120, ".py": 100, ".pyi": 100}


def any_of(*halves: tuple[str, str]) -> re.Pattern[str]:
    """Put together a pattern from halves, so that this file does not contain what it looks for."""
    return re.compile("|".join(left + right for left, right in halves))


UNFINISHED = any_of((r"\bTO", r"DO\b"), (r"\bFIX", r"ME\b"), (r"\bX", r"XX\b"))
OF_A_MACHINE = any_of(
    ("/ho", r"me/\w"), ("/ro", "ot/"), ("/Us", r"ers/\w"), ("/wo", "rk/"), ("/opt/", "py")
)
HOSTS = any_of(
    ("py", r"pi\.org"), ("python", r"hosted\.org"), ("deb", r"ian\.org"), ("git", r"hub\.com")
)

C_AND_PYTHON = [str(file.relative_to(ROOT)) for file in source_files(ROOT, *COLUMNS)]


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def offenders(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for file in source_files(ROOT):
        for number, line in enumerate(text_of(file).splitlines(), 1):
            if pattern.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


def test_there_are_sources():
    assert any(name.endswith(".c") for name in C_AND_PYTHON)
    assert any(name.endswith(".py") for name in C_AND_PYTHON)


@pytest.mark.parametrize("name", C_AND_PYTHON)
def test_file_and_lines_are_short(name):
    file = ROOT / name
    lines = text_of(file).splitlines()
    limit = COLUMNS[file.suffix]
    longest = LINES_A_TEST if name.startswith("tests/") else LINES_A_FILE
    if name.endswith(".pyi"):
        longest = LINES_A_STUB
    assert len(lines) <= longest, f"{name} has {len(lines)} lines"
    assert [number for number, line in enumerate(lines, 1) if len(line) > limit] == []


@pytest.mark.parametrize("name", [name for name in C_AND_PYTHON if name.endswith(".c")])
def test_c_functions_are_short(name):
    # As the formatter leaves them: a body starts and ends with a brace in the first column.
    start, long = 0, []
    for number, line in enumerate(text_of(ROOT / name).splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > LINES_A_C_FUNCTION:
                long.append(f"{name}:{start}: {number - start} lines")
            start = 0
    assert long == []


@pytest.mark.parametrize("name", [name for name in C_AND_PYTHON if name.endswith(".py")])
def test_python_functions_are_short(name):
    long = []
    for node in ast.walk(ast.parse(text_of(ROOT / name))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or 0) - node.lineno
            if lines > LINES_A_PYTHON_FUNCTION:
                long.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    assert long == []


def test_nothing_is_left_for_later():
    assert offenders(UNFINISHED) == []


def test_no_path_of_one_machine():
    assert offenders(OF_A_MACHINE) == []


def test_no_host_of_a_registry():
    assert offenders(HOSTS) == []


@pytest.mark.parametrize("name", [str(file.relative_to(ROOT)) for file in source_files(ROOT)])
def test_text_is_tidy(name):
    file = ROOT / name
    text = text_of(file)
    assert "\r" not in text
    assert text == "" or text.endswith("\n")
    if file.suffix != ".md":
        lines = enumerate(text.splitlines(), 1)
        assert [number for number, line in lines if line != line.rstrip()] == []
    if file.name != "Makefile" and file.suffix != ".mk":
        assert "\t" not in text
