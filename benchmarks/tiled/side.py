"""A library in a process of its own, which is told what to run and answers with seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

OVERRIDES = ("OPENBLAS_", "OMP_", "BOCMAT_")
BENCHMARKS = str(Path(__file__).resolve().parents[1])


class Side:
    """The parent's end. A library that is not installed has no versions, and is not asked."""

    def __init__(self, library: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(OVERRIDES)}
        paths = [BENCHMARKS, *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        if library == "dask":  # its own threads are the parallel ones
            environment.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tiled.serve", library],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions: dict[str, str] = self.answer()

    def answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.library}: ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, **what: Any) -> Any:
        """Have it prepare ("operation", "size", "tile", "workers") or run ("repeat", "seconds")."""
        assert self.process.stdin
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return self.answer()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
