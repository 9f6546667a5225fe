"""The names that docs/api.md promises exist, with a docstring and a line in a stub."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import bocmat.linalg
from bocmat import Cown, Matrix, MatrixView, TiledMatrix

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
NAMES = re.findall(r"^\| `(\w+(?:\.\w+)?)[`(]", PAGE, re.MULTILINE)
OWNERS = {
    "bocmat": bocmat,
    "linalg": bocmat.linalg,
    **{owner.__name__: owner for owner in (Matrix, MatrixView, Cown, TiledMatrix)},
}
MODULES = ["_core.pyi", "lifecycle.py", "pinned.py", "results.py", "tiles.py"]


def declared(nodes: list[ast.stmt]) -> set[str]:
    """Give the names that statements of a class or a module define."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = {node.name for node in nodes if isinstance(node, kinds)}
    variables = [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
    return names | {target.id for target in variables if isinstance(target, ast.Name)}


def statements(name: str) -> list[ast.stmt]:
    return ast.parse((ROOT / "src/bocmat" / name).read_text(encoding="utf-8")).body


def stub_names(owner: str) -> set[str]:
    """Give what is declared, with types, for a class with its private bases, or for a module."""
    if owner == "bocmat":
        return set().union(*(declared(statements(name)) for name in MODULES))
    if owner == "linalg":
        return declared(statements("linalg.py")) | set(bocmat.linalg.__all__)
    nodes = statements("tiles.py" if owner == "TiledMatrix" else "_core.pyi")
    found = next(node for node in nodes if isinstance(node, ast.ClassDef) and node.name == owner)
    bases = [base.id for base in found.bases if isinstance(base, ast.Name) and base.id[0] == "_"]
    return declared(found.body).union(*(stub_names(base) for base in bases))


DECLARED = {owner: stub_names(owner) for owner in OWNERS}


def test_the_page_has_names():
    assert len(NAMES) > 100
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_promised_name_exists(name):
    owner, _, member = name.rpartition(".")
    owner = owner or "bocmat"
    value = getattr(OWNERS[owner], member)
    assert (value.__doc__ or "").strip()
    assert member in DECLARED[owner]
    if callable(value) and not inspect.isclass(value):
        inspect.signature(value)


def test_no_row_speaks_of_a_type_instead_of_the_name():
    for name in NAMES:
        assert f"`{name}` | {int.__doc__[:8]}" not in PAGE
        assert f"`{name}` | {str.__doc__[:8]}" not in PAGE


def test_every_name_is_on_the_page():
    found = {f"Matrix.{name}" for name in vars(Matrix) if not name.startswith("_")}
    found |= {f"linalg.{name}" for name in bocmat.linalg.__all__}
    for owner in (Cown, TiledMatrix):
        found |= {f"{owner.__name__}.{name}" for name in vars(owner) if not name.startswith("_")}
    found |= set(bocmat.__all__) - {"Matrix", "MatrixView", "linalg"}
    theirs = {name for name in vars(MatrixView) if not name.startswith("_")}
    found |= {f"MatrixView.{name}" for name in theirs - set(vars(Matrix))}
    assert found - set(NAMES) == set(), "add them to tools/api_page.py and run it"


@pytest.mark.parametrize(
    "owner", [Matrix(2, 2), Matrix(2, 2).view[:]], ids=["Matrix", "MatrixView"]
)
def test_signatures_say_how_many_arguments_go_by_position(owner):
    for name in dir(owner):
        method = getattr(owner, name)
        if name.startswith("_") or not callable(method):
            continue
        parameters = inspect.signature(method).parameters.values()
        by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        count = sum(parameter.kind in by_position for parameter in parameters)
        with pytest.raises(TypeError) as caught:
            method(*[0] * 40)
        said = re.search(r"(\d+|no|one)( positional)? arguments?\b", str(caught.value))
        assert said, f"{name}: {caught.value}"
        assert {"no": 0, "one": 1}.get(said[1], said[1]) in (count, str(count)), name
