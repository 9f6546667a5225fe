"""Each test here starts processes of its own; nothing runs in this one."""

from __future__ import annotations

import pytest

from bocmat.lifecycle import usable_backends


@pytest.fixture(params=usable_backends())
def backend_name(request: pytest.FixtureRequest) -> str:
    """Name each usable backend in turn, for BOCMAT_BACKEND."""
    name: str = request.param
    return name
