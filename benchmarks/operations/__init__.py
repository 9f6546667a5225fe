"""What the benchmark measures: one entry an operation, a file a family."""

from __future__ import annotations

from . import elementwise, exchange, linear, order, reductions, shape, vectors
from .entry import Entry

FAMILIES: dict[str, list[Entry]] = {
    "element-wise": elementwise.ENTRIES,
    "reductions": reductions.ENTRIES,
    "make, look, keys, shape": shape.ENTRIES,
    "order": order.ENTRIES,
    "products and vectors": vectors.ENTRIES,
    "linear algebra": linear.ENTRIES,
    "random and exchange": exchange.ENTRIES,
}
ENTRIES = [entry for entries in FAMILIES.values() for entry in entries]
__all__ = ["ENTRIES", "FAMILIES", "Entry"]
