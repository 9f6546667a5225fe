"""Every behavior test runs on every backend that this Python has, and fails rather than hangs."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator

import pytest

import bocmat
from bocmat.lifecycle import usable_backends

WAIT_LIMIT = 120.0
PROCESS_LIMIT = 300.0


@pytest.fixture(autouse=True)
def watchdog(request: pytest.FixtureRequest) -> Iterator[None]:
    """End the process, with the stack of every thread, when a test hangs beyond all timeouts."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        descriptor = os.dup(2)
    faulthandler.dump_traceback_later(PROCESS_LIMIT, exit=True, file=descriptor)
    yield
    faulthandler.cancel_dump_traceback_later()
    os.close(descriptor)


@pytest.fixture(params=usable_backends())
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Start two workers of one backend; at the end of the test all it scheduled has to be done."""
    name: str = request.param
    bocmat.wait(timeout=WAIT_LIMIT)  # for what a test without this fixture left running
    bocmat.start(2, backend=name)
    yield name
    try:
        bocmat.wait(timeout=WAIT_LIMIT)
    except TimeoutError:
        pytest.fail(f"behaviors were still running {WAIT_LIMIT:.0f} s after the test")


@pytest.fixture(params=usable_backends())
def backend_name(request: pytest.FixtureRequest) -> str:
    """Name each usable backend in turn; the test starts it itself."""
    name: str = request.param
    bocmat.wait(timeout=WAIT_LIMIT)
    return name
