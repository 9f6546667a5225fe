"""The guides' code runs, the blocks of a page one after the other as one program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$(?!\s*^```text)", re.MULTILINE | re.DOTALL)
PAGES = {"matrix.md": 10, "indexing.md": 5}


@pytest.mark.parametrize("page", PAGES)
def test_a_guide_runs(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) >= PAGES[page]
    names: dict[str, object] = {}
    for block in blocks:
        before = text.count("\n", 0, block.start(1))
        code = compile("\n" * before + block[1], str(DOCS / page), "exec")
        exec(code, names)
