"""The operations over tiles here."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bocmat import WORKER_COUNT, Matrix, TiledMatrix, start, wait

try:
    VERSIONS = {"bocmat": version("bocmat")}
except PackageNotFoundError:  # built in place
    VERSIONS = {"bocmat": "?"}


def step(window: Matrix) -> Matrix:
    u = window.view  # parts of it are not copied
    return (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]) * 0.25


def raised(tile: Matrix) -> Matrix:
    return tile.exp().sqrt()


def heat(tiles: TiledMatrix) -> Matrix:
    for _ in range(10):
        tiles = tiles.stencil(step, 1)
    return tiles.to_matrix()


def prepare(request: dict[str, Any], left: Any, right: Any) -> Callable[[], Any]:
    wait()
    start(request.get("workers") or WORKER_COUNT)
    tile = request.get("tile")
    a = TiledMatrix(Matrix(left), tile)
    b = TiledMatrix(Matrix(right), tile) if request["operation"] == "product" else a
    operations: dict[str, Callable[[], Any]] = {
        "product": lambda: (a @ b).to_matrix(),
        "cholesky": lambda: a.cholesky().to_matrix(),
        "stencil": lambda: heat(a),
        "map": lambda: a.map(raised).to_matrix(),
        "map-reduce": lambda: a.map(raised).sum().get(),
    }
    return operations[request["operation"]]
