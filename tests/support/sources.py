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
        wanted = file.suffix in endings if endings else file.suffix not in BINARY
        if wanted and file.is_file() and not made(file.relative_to(root)):
            yield file


def made(path: Path) -> bool:
    """Whether a program wrote it."""
    return any(part in MADE or part.endswith(".egg-info") for part in path.parts)
