"""What `tiles.py` measures: one operation in each of the libraries, each library in a process."""

from __future__ import annotations

from .side import Side

__all__ = ["OPERATIONS", "Side"]

# What each is, in words.
OPERATIONS = {
    "product": "a @ b",
    "cholesky": "the lower Cholesky factor",
    "stencil": "10 steps of heat on a plate",
    "map": "sqrt(exp(x)) of each element",
    "map-reduce": "the sum of sqrt(exp(x))",
}
