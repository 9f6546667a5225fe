"""Every example program has a command, and a section in the documentation that shows it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support.sources import console_scripts

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = console_scripts(ROOT)
HEADINGS = [
    line.lstrip("# ").split(", ")
    for line in (ROOT / "docs" / "examples.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("#")
]


def programs() -> set[str]:
    """Name the modules of the examples that can be run."""
    found = set()
    for file in [*ROOT.glob("examples/*.py"), *ROOT.glob("examples/*/__init__.py")]:
        functions = ast.parse(file.read_text(encoding="utf-8")).body
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in functions):
            found.add(file.parent.name if file.stem == "__init__" else file.stem)
    return found


def test_every_program_is_a_command_and_every_command_a_program():
    expected = {
        f"bocmat-{name.replace('_', '-')}": f"bocmat.examples.{name}:main" for name in programs()
    }
    assert {name: SCRIPTS[name] for name in SCRIPTS if "examples" in SCRIPTS[name]} == expected


def test_every_section_is_a_command():
    named = [name for names in HEADINGS for name in names if name.startswith("bocmat-")]
    assert sorted(named) == sorted(set(named))
    assert set(named) <= SCRIPTS.keys()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_command_is_documented(name):
    assert any(name in names for names in HEADINGS), f"no section of docs/examples.md is {name}"
