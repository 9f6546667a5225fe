"""Which files of the repository are sources, and what kind each is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("kernels", "src", "tests", "examples", "benchmarks", "docs", "tools", ".ci")
TOP = (
    *("setup.py", "pyproject.toml", "Makefile", "MANIFEST.in", "README.md", "CHANGELOG.md"),
    *("CONTRIBUTING.md", ".clang-format", ".clang-tidy", ".pre-commit-config.yaml", ".gitignore"),
)
MADE = {"__pycache__", "build", "_build"}
BINARY = {".so", ".o", ".gz", ".png", ".npy", ".pyc"}


def source_files(root: Path, *endings: str) -> Iterator[Path]:
    """Every text file that people write, or those with one of some endings."""
    files = [root / name for name in TOP]
    for folder in FOLDERS:
        files += sorted((root / folder).rglob("*"))
    for file in files:
        parts = file.relative_to(root).parts
        made = any(part in MADE or part.endswith(".egg-info") or part.startswith(".venv") for part in parts)
        if not made and file.is_file() and file.suffix not in BINARY and (not endings or file.suffix in endings):
            yield file
