"""The catalogue of operations: one row each, and the names that have none, with the reason."""

from __future__ import annotations

from support import (
    catalogue_elementwise,
    catalogue_linalg,
    catalogue_make,
    catalogue_order,
    catalogue_products,
    catalogue_reductions,
    catalogue_shape,
)
from support.operations import Op

FAMILIES = [
    catalogue_make,
    catalogue_order,
    catalogue_elementwise,
    catalogue_linalg,
    catalogue_reductions,
    catalogue_shape,
    catalogue_products,
]
OPS: list[Op] = [row for family in FAMILIES for row in family.ROWS if row.exists]
