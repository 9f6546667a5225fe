"""Runs a program of one of the libraries in a process of its own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

LIBRARIES = ("bocmat", "bocpy")
LONGEST = 100  # seconds


def run_program(name: str, text: str, scale: float = 1.0) -> float | None:
    """Give the program's figure; None where it fails."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS_", "OMP_", "BOCMAT_", "BOCPY_"))
    }
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory, name.replace("-", "_") + ".py")
        program.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, str(program), str(scale)],
                capture_output=True,
                text=True,
                env=environment,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(f"{name}: no end after {LONGEST} s", file=sys.stderr)
            return None
    for line in done.stdout.splitlines():
        if line.startswith("FIGURE ") and done.returncode == 0:
            return float(json.loads(line.removeprefix("FIGURE ")))
    print(f"{name}: exit status {done.returncode}\n{done.stderr}", file=sys.stderr)
    return None


def version_of(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "?"


def machine() -> dict[str, object]:
    """Describe where the figures were taken, for the report."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        **{library: version_of(library) for library in LIBRARIES},
    }
