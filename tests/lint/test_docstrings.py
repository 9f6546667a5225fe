"""The examples in the docstrings run and print what they say."""

from __future__ import annotations

import doctest
import inspect
import math

import pytest

import bocmat
from bocmat import _core, linalg

KNOWN = {name: getattr(bocmat, name) for name in ("Matrix", "Cown", "wait", "whencall", "linalg")}
KNOWN |= {name: getattr(bocmat, name) for name in dir(bocmat) if name.startswith("notice")}
KNOWN["quiesce"] = bocmat.quiesce
KNOWN["math"] = math


def documented() -> list[tuple[str, object]]:
    """Give every public function and every public member of a type, by its full name."""
    found: dict[str, object] = {}
    for owner in (bocmat, _core, linalg):
        for name, value in vars(owner).items():
            if name.startswith("_") or inspect.ismodule(value):
                continue
            found[name] = value
            if inspect.isclass(value):
                for member, function in vars(value).items():
                    if not member.startswith("_"):
                        found[f"{name}.{member}"] = function
    return sorted(found.items())


WITH_EXAMPLES = [(name, value) for name, value in documented() if ">>>" in (value.__doc__ or "")]


def test_there_are_examples():
    assert len(WITH_EXAMPLES) > 20


@pytest.mark.parametrize(
    ("name", "doc"), [pytest.param(name, value.__doc__, id=name) for name, value in WITH_EXAMPLES]
)
def test_examples_print_what_they_say(name, doc):
    test = doctest.DocTestParser().get_doctest(doc, dict(KNOWN), name, None, None)
    printed: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=printed.append)
    assert not printed, "".join(printed)
