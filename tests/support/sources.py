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


def console_scripts(root: Path) -> dict[str, str]:
    """List the commands that pyproject.toml declares, each with the function that it runs."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project.scripts]\n", 1)[1].split("\n[", 1)[0]
    lines = (line.partition("=") for line in section.splitlines() if line.strip())
    return {name.strip(): target.strip().strip('"') for name, _, target in lines}
