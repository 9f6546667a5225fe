"""The operations in dask.array on its threads, with OpenBLAS on one core for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np

from .with_numpy import raised

VERSIONS = {"dask": dask.__version__}


def step(u: Any) -> Any:
    return (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]) * 0.25


def heat(plate: Any) -> Any:
    for _ in range(10):
        plate = da.map_overlap(step, plate, depth=1, boundary=0.0, trim=False, dtype=np.float64)
    return plate


def prepare(request: dict[str, Any], left: Any, right: Any) -> Callable[[], Any]:
    tile = request.get("tile") or min(1024, max(256, request["size"] // 4))
    dask.config.set(scheduler="threads", num_workers=request.get("workers") or None)
    a, b = da.from_array(left, chunks=tile), da.from_array(right, chunks=tile)
    operations: dict[str, Callable[[], Any]] = {
        "product": lambda: (a @ b).compute(),
        "cholesky": lambda: da.linalg.cholesky(a, lower=True).compute(),
        "stencil": lambda: heat(a).compute(),
        "map": lambda: a.map_blocks(raised, dtype=np.float64).compute(),
        "map-reduce": lambda: a.map_blocks(raised, dtype=np.float64).sum().compute(),
    }
    return operations[request["operation"]]
