"""Checks an installed bocmat: not the source tree's, OpenBLAS is found, behaviors run."""

from pathlib import Path

import bocmat
from bocmat import Cown, Matrix, TiledMatrix, wait, when

SOURCES = Path(__file__).resolve().parents[1]


def main() -> None:
    """Multiply two matrices whole and in tiles, and add to a cown."""
    place = Path(bocmat.__file__).resolve()
    assert not place.is_relative_to(SOURCES / "src"), f"{place} is the source tree's"
    a = Matrix.ones((70, 50))
    b = a.T.copy()
    whole = a @ b
    tiled = (TiledMatrix(a, tile=32) @ TiledMatrix(b, tile=32)).to_matrix()
    assert whole[69, 69] == 50.0
    assert tiled.tolist() == whole.tolist()
    total = Cown(1)

    @when(total)
    def add(total: Cown[int]) -> None:
        total.value += 41

    wait()
    assert total.value == 42
    print(f"bocmat works from {place.parent}")


main()
