"""Sphinx configuration: `make docs`."""

from importlib.metadata import version as version_of

project = "bocmat"
author = "the bocmat contributors"
copyright = f"2026, {author}"
release = version = version_of("bocmat")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "description"
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"bocmat {release}"
