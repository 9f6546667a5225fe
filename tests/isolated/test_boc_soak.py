"""A few seconds of the soak: random behaviors, held to what their plans say."""

from __future__ import annotations

import sys

import pytest

from support.programs import REPOSITORY, run_python

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="written for the memory that Linux tells"
)


def soak(*arguments):
    return run_python(str(REPOSITORY / "tools" / "soak.py"), *arguments, timeout=240)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_soak_finds_nothing(backend_name, seed):
    done = soak("0.03", "--backend", backend_name, "--seed", str(seed))
    assert done.returncode == 0, done.stdout + done.stderr
    first, last = done.stdout.splitlines()
    assert first == f"seed {seed}, backend {backend_name}"
    assert "nothing found" in last
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("        value.again += amount", "        value.again += amount + (amount == 9)"),
        ("        self.behaviors += 1", "        self.behaviors += 1 + (plan.seed == 500)"),
        ('        raise Planned("after", plan.seed)', '        raise ValueError("other")'),
        ("    model.amounts[number] += 5", "    model.amounts[number] += 6"),
        (
            "        self.pinned += plan.pinned",
            "        self.pinned += plan.pinned > (plan.seed == 500)",
        ),
        ("        self.address = id(self)", "        self.address = id(self.lock)"),
        (
            '        self.notices += plan.tells == "notice"',
            "        self.notices += bool(plan.tells)",
        ),
        ('        self.messages += plan.tells == "message"', "        self.messages += 1"),
    ],
)
def test_a_discrepancy_ends_it(tmp_path, backend_name, line, instead):
    found = 0
    for file in ("soak.py", "soak_plans.py"):
        text = (REPOSITORY / "tools" / file).read_text(encoding="utf-8")
        found += text.count(line + "\n")
        (tmp_path / file).write_text(text.replace(line, instead), encoding="utf-8")
    assert found == 1
    done = run_python(
        str(tmp_path / "soak.py"), "1", "--backend", backend_name, "--seed", "1", timeout=240
    )
    assert done.returncode == 1
    assert done.stderr.startswith("DISCREPANCY: ")
