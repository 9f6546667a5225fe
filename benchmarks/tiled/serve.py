"""The child's end of a `Side`: `python -m tiled.serve LIBRARY` reads requests, a line each."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def values_of(operation: str, size: int) -> tuple[Any, Any]:
    """Make what all libraries get: two matrices, one of them positive definite for Cholesky."""
    generator = np.random.default_rng(size)
    left = generator.uniform(-1.0, 1.0, (size, size))
    if operation == "cholesky":
        left = left + left.T
        np.fill_diagonal(left, 2.0 * size)
    right = generator.uniform(-1.0, 1.0, (size, size)) if operation == "product" else left
    return left, right


def timed(function: Callable[[], object], request: dict[str, Any]) -> list[float]:
    """Give the seconds of each call: `repeat` of them, or as many as `seconds` allow."""
    taken: list[float] = []
    end = time.perf_counter() + request.get("seconds", 0.0)
    while len(taken) < request.get("repeat", 1) or time.perf_counter() < end:
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    try:
        library = importlib.import_module(f"tiled.with_{sys.argv[1]}")
    except ImportError:
        if sys.argv[1] == "bocmat":
            raise
        print("{}", flush=True)
        return
    print(json.dumps(library.VERSIONS), flush=True)
    function: Callable[[], Any] = lambda: None  # noqa: E731
    answer: Any
    for line in sys.stdin:
        request = json.loads(line)
        if "operation" in request:
            function = library.prepare(request, *values_of(request["operation"], request["size"]))
            answer = float(np.sum(function()))  # warm, and to be compared
        else:
            answer = timed(function, request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
