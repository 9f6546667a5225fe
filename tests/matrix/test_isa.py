"""The kernels' instruction sets, chosen one after the other: the answers are the same."""

from __future__ import annotations

import pytest

from bocmat import _core

SETS = ["plain", "avx2", "avx512"]


@pytest.fixture
def original():
    kept = _core._isa()
    yield kept
    assert _core._select_isa(kept)


def test_selecting_answers_whether_it_is_to_be_had(original):
    assert original in SETS
    assert _core._select_isa("plain")
    assert _core._isa() == "plain"
    assert not _core._select_isa("none of these")
    assert _core._isa() == "plain"
    with pytest.raises(TypeError):
        _core._select_isa(1)
