"""The operands of the benchmark's statements, with the same values for every library."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

FOLDER = tempfile.TemporaryDirectory(prefix="bocmat-benchmark-")  # gone when the program ends
MASKS = {"mask", "other"}


def arrays(n: int) -> dict[str, Callable[[], np.ndarray]]:
    """Give the operands as NumPy makes them, each when it is asked for."""

    def uniform(seed: int, rows: int = n, columns: int = n) -> np.ndarray:
        return np.random.default_rng(seed).uniform(0.1, 1, (rows, columns))

    def definite() -> np.ndarray:
        half = uniform(9)
        return half @ half.T + n * np.eye(n)

    return {
        "a": lambda: uniform(1),
        "b": lambda: uniform(2),
        "c": lambda: uniform(3),
        "signed": lambda: 10 * uniform(4) - 5.5,
        "zero": lambda: np.zeros((n, n)),
        "target": lambda: np.zeros((n, n)),
        "row": lambda: uniform(5, 1, n),
        "column": lambda: uniform(6, n, 1),
        "wide": lambda: uniform(7, 1, n * n),
        "flat": lambda: uniform(8, 1, min(n * n, 4096)),
        "mask": lambda: (uniform(1) < uniform(2)).astype(np.float64),
        "other": lambda: (uniform(3) < uniform(2)).astype(np.float64),
        "gaps": lambda: np.where(uniform(3) < 0.15, np.nan, uniform(1)),
        "regular": lambda: uniform(1) + n * np.eye(n),
        "definite": definite,
        "symmetric": lambda: uniform(1) + uniform(1).T,
        "one": lambda: np.array([[2.5]]),
        "points2": lambda: uniform(1, n, 2),
        "points3": lambda: uniform(1, n, 3),
        "others3": lambda: uniform(2, n, 3),
        "small": lambda: uniform(1, min(n, 32), min(n, 32)),
        "edges": lambda: np.linspace(0, 1, 33).reshape(1, -1),
        "whole": lambda: np.floor(16 * uniform(1)),
    }


def plain(n: int, library: str) -> dict[str, Callable[[], Any]]:
    """Give the operands that are no matrices."""

    def indices() -> Any:
        chosen = np.random.default_rng(0).integers(0, n, n)
        return chosen if library == "numpy" else chosen.tolist()

    def positions() -> Any:
        chosen = np.random.default_rng(0).integers(0, n, (1, n))
        return chosen if library == "numpy" else chosen[0].tolist()

    def path(name: str) -> str:
        return os.path.join(FOLDER.name, name)

    return {
        "n": lambda: n,
        "indices": indices,
        "positions": positions,
        "values": lambda: arrays(n)["a"]().ravel().tolist(),
        "nested": lambda: arrays(n)["a"]().tolist(),
        "doubles": lambda: arrays(n)["a"]().tobytes(),
        "array": arrays(n)["a"],
        "random": lambda: np.random.default_rng(1),
        "np": lambda: np,
        "pickle": lambda: pickle,
        "BytesIO": lambda: io.BytesIO,
        "npy_file": lambda: saved(arrays(n)["a"](), path("a.npy"), np.save),
        "text_file": lambda: saved(arrays(n)["a"](), path("a.txt"), np.savetxt),
        "new_file": lambda: path("out"),
    }


def saved(array: np.ndarray, path: str, save: Callable[..., Any]) -> str:
    save(path, array)
    return path
