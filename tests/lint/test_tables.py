"""The rows of kernels/*.def, the methods of the extension module and the stub say the same."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import bocmat
from bocmat import _core

ROOT = Path(__file__).resolve().parents[2]
STUB = ast.parse((ROOT / "src/bocmat/_core.pyi").read_text(encoding="utf-8"))
TABLES = ["unary", "binary", "compare", "reduce"]
PAIRS = ("binary", "compare")
SYMBOLS = "+ - * / // % ** < <= > >= == !="
DUNDERS = "add sub mul truediv floordiv mod pow lt le gt ge eq ne"
OPERATORS = dict(zip(SYMBOLS.split(), DUNDERS.split()))


def rows(table: str) -> dict[str, tuple[str, str]]:
    """Give each row's operator symbol ("" for none) and its docstring, by name."""
    found = {}
    text = (ROOT / f"kernels/{table}.def").read_text(encoding="utf-8")
    for row in re.findall(r"^[A-Z]+\(\w+,.*?\"\)\)$", text, re.MULTILINE | re.DOTALL):
        name = row[row.index("(") + 1 : row.index(",")]
        words, example = row.split("TRY(" if "TRY(" in row else "DO(", 1)
        doc = "".join(re.findall(r'"([^"]*)"', words[words.index(",") :])[table in PAIRS :])
        parts = [part.strip() for part in row.split(",")]
        symbol = parts[2].strip('"') if table in PAIRS else ""
        assert example, name
        found[name] = (symbol, doc)
    return found


def stub_class(name: str) -> list[ast.stmt]:
    """Give what the stub declares for a type, with what its private bases do."""
    found = next(n for n in STUB.body if isinstance(n, ast.ClassDef) and n.name == name)
    bases = [base.id for base in found.bases if isinstance(base, ast.Name) and base.id[0] == "_"]
    return [*found.body, *(node for base in bases for node in stub_class(base))]


def names_in(body: list[ast.stmt]) -> set[str]:
    found = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def public(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


ALL_ROWS = [
    pytest.param(name, symbol, doc, id=f"{table}-{name}")
    for table in TABLES
    for name, (symbol, doc) in rows(table).items()
]
EXPORTED = sorted(public(set(vars(_core))))
TYPES = [name for name in EXPORTED if inspect.isclass(getattr(_core, name))]


def test_every_table_has_rows():
    assert all(rows(table) for table in TABLES)
    assert {"negate", "sqrt"} <= set(rows("unary"))
    assert rows("binary")["divide"][0] == "/"
    assert rows("compare")["less_equal"][0] == "<="
    assert rows("reduce")["max"][1].startswith("The greatest element")


@pytest.mark.parametrize(("name", "symbol", "doc"), ALL_ROWS)
def test_row_is_a_method_and_in_the_stub(name, symbol, doc):
    method = getattr(bocmat.Matrix, name)
    assert doc in (method.__doc__ or "")
    declared = names_in(stub_class("Matrix"))
    assert name in declared
    if symbol:
        dunder = f"__{OPERATORS[symbol]}__"
        assert hasattr(bocmat.Matrix, dunder)
        assert dunder in declared


def test_the_package_says_that_it_is_typed():
    assert (Path(bocmat.__file__).parent / "py.typed").is_file()


def test_module_and_stub_have_the_same_names():
    assert public(names_in(STUB.body)) == set(EXPORTED)


@pytest.mark.parametrize("name", TYPES)
def test_type_and_stub_have_the_same_members(name):
    assert public(names_in(stub_class(name))) == public(set(vars(getattr(_core, name))))


@pytest.mark.parametrize("name", TYPES)
def test_public_members_have_docstrings(name):
    members = vars(getattr(_core, name))
    bare = [key for key in public(set(members)) if not getattr(members[key], "__doc__", None)]
    assert bare == []


@pytest.mark.parametrize("name", sorted(bocmat.__all__))
def test_public_names_have_docstrings(name):
    assert (getattr(bocmat, name).__doc__ or "").strip()
