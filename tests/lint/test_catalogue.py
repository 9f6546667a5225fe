"""Every operation has a row in the catalogue that tests go through, and a line in the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

import bocmat.linalg
from bocmat import Matrix
from support.catalogue import OPS

ROOT = Path(__file__).resolve().parents[2]
# What Python asks of every type, and what has tests of its own.
WITHOUT_A_ROW = {
    *("__class__", "__delitem__", "__doc__", "__module__", "__hash__", "__array_ufunc__"),
    *("__release_buffer__", "__sizeof__"),
    "seed",  # changes what all others draw
}
WITHOUT_A_BENCHMARK = {"LinAlgError", "logical_xor"}


def operations() -> set[str]:
    found = {f"Matrix.{name}" for name in vars(Matrix)} - {f"Matrix.{n}" for n in WITHOUT_A_ROW}
    functions = {f"linalg.{name}" for name in bocmat.linalg.__all__ if name != "LinAlgError"}
    return found | functions


def test_every_operation_has_a_row():
    assert operations() - {op.name for op in OPS} == set()


def test_every_public_operation_is_measured(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import operations as measured

    try:
        covered = {name for entry in measured.ENTRIES for name in entry.covers}
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "operations"]:
            del sys.modules[name]
    named = {name for name in operations() if not name.partition(".")[2].startswith("_")}
    assert {n for n in named - covered if n.partition(".")[2] not in WITHOUT_A_BENCHMARK} == set()
