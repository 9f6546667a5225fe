"""Each test here starts processes of its own; nothing runs in this one."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``backend_name`` once for every usable backend."""
    if "backend_name" in metafunc.fixturenames:
        from bocmat.lifecycle import usable_backends

        metafunc.parametrize("backend_name", usable_backends())
