"""Every command answers --help, and those that always print the same print what the docs say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from support.programs import run_program
from support.sources import console_scripts

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = console_scripts(ROOT)
SHOWN = re.compile(
    r"^```sh\n(?P<command>bocmat-.*)\n```\n\n```text\n(?P<output>(?:.*\n)*?)```$", re.M
)
STEADY = (
    *("bocmat-bank", "bocmat-calculator", "bocmat-fibonacci", "bocmat-options"),
    *("bocmat-prime-factor", "bocmat-primes", "bocmat-sketches"),
)


def run(name, *arguments, **options):
    """Run a command as its script in the environment's bin would."""
    module, _, function = SCRIPTS[name].partition(":")
    program = f"""
    import sys
    from {module} import {function}
    sys.argv[0] = {name!r}
    sys.exit({function}())
    """
    return run_program(program, *arguments, **options)


def shown():
    """List the commands of the documentation with their output."""
    text = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    return {match["command"]: match["output"] for match in SHOWN.finditer(text)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_help(name):
    done = run(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {name} [-h]")


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_unknown_option(name):
    done = run(name, "--unheard-of")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--unheard-of" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", STEADY)
def test_the_documented_output(name, backend_name):
    commands = {
        command: output for command, output in shown().items() if shlex.split(command)[0] == name
    }
    assert commands
    for command, output in commands.items():
        done = run(*shlex.split(command), timeout=120, BOCMAT_BACKEND=backend_name)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == output
