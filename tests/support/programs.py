"""Running Python programs in processes of their own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
from typing import Any

# Seconds after which a program hangs, however slow and busy the machine is. Nothing waits so long.
LIMIT = 150.0
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's environment with changes, where None removes a name."""
    result = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def run_python(
    *arguments: str,
    stdin: str | None = None,
    timeout: float = LIMIT,
    cwd: str | pathlib.Path | None = None,
    **changes: str | None,
) -> subprocess.CompletedProcess[str]:
    """Run this interpreter with some arguments; one that does not end in time fails the test."""
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", *arguments],
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment(**changes),
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler prints where every thread is
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it has forked holds its pipes open
        out, err = process.communicate(timeout=10)
        raise AssertionError(f"no end after {timeout} s\n{out}\n{err}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run_program(text: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program given as text with ``python -c``."""
    return run_python("-c", textwrap.dedent(text), *arguments, **options)


def output_of(text: str, *arguments: str, **options: Any) -> list[str]:
    """Run a program that has to succeed; the lines it printed."""
    done = run_program(text, *arguments, **options)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()
