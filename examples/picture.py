"""A small canvas in plain Python: rectangles, smooth images and text, written as a PNG file.

Text is drawn with strokes: a character is a few lines and arcs, thickened and smoothed at the size
that is asked for, so that no font file is needed.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

Color = tuple[int, int, int]
Point = tuple[float, float]
Stroke = list[Point]

ARC_STEP = 15.0  # degrees
GAP = 0.20  # between characters, in heights of a capital, as all measures of a character
SPACE = 0.42


def _line(*points: Point) -> Stroke:
    return list(points)


def _arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Stroke:
    """Go from one angle to another around (x, y); 0 points right and 90 up."""
    steps = max(1, round(abs(end - start) / ARC_STEP))
    angles = (math.radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return [(x + width * math.cos(angle), y + height * math.sin(angle)) for angle in angles]


def _ring(x: float, y: float, width: float, height: float) -> Stroke:
    return _arc(x, y, width, height, 0, 360)


def _dot(x: float, y: float) -> Stroke:
    return [(x, y), (x, y + 0.01)]


_BOWL = _ring(0.28, 0.33, 0.28, 0.33)
_ARCH = [*_arc(0.25, 0.39, 0.25, 0.27, 180, 0), (0.50, 0.0)]

# Width and strokes. The baseline is at 0, the height of a capital 1, that of a small letter 0.66.
GLYPHS: dict[str, tuple[float, list[Stroke]]] = {
    "0": (0.60, [_ring(0.30, 0.50, 0.30, 0.50)]),
    "1": (0.36, [_line((0.02, 0.78), (0.30, 1.0), (0.30, 0.0))]),
    "2": (0.58, [[*_arc(0.28, 0.71, 0.27, 0.29, 165, -38), (0.0, 0.0), (0.58, 0.0)]]),
    "3": (
        0.57,
        [_arc(0.27, 0.76, 0.25, 0.24, 155, -90), _arc(0.27, 0.26, 0.29, 0.26, 90, -155)],
    ),
    "4": (0.64, [_line((0.46, 0.0), (0.46, 1.0), (0.0, 0.28), (0.64, 0.28))]),
    "5": (
        0.58,
        [[(0.52, 1.0), (0.10, 1.0), (0.06, 0.55), *_arc(0.28, 0.33, 0.29, 0.33, 128, -152)]],
    ),
    "6": (0.59, [_ring(0.30, 0.32, 0.29, 0.32), _arc(0.61, 0.32, 0.60, 0.70, 112, 180)]),
    "7": (0.56, [_line((0.0, 1.0), (0.56, 1.0), (0.18, 0.0))]),
    "8": (0.58, [_ring(0.29, 0.76, 0.24, 0.24), _ring(0.29, 0.26, 0.29, 0.26)]),
    "9": (0.59, [_ring(0.29, 0.68, 0.29, 0.32), _arc(-0.02, 0.68, 0.60, 0.70, -68, 0)]),
    "a": (0.56, [_BOWL, _line((0.56, 0.66), (0.56, 0.0))]),
    "b": (0.56, [_BOWL, _line((0.0, 1.0), (0.0, 0.0))]),
    "c": (0.50, [_arc(0.28, 0.33, 0.28, 0.33, 48, 312)]),
    "d": (0.56, [_BOWL, _line((0.56, 1.0), (0.56, 0.0))]),
    "e": (0.56, [[(0.0, 0.35), *_arc(0.28, 0.33, 0.28, 0.33, 3, 315)]]),
    "f": (
        0.34,
        [[*_arc(0.33, 0.80, 0.20, 0.20, 75, 180), (0.13, 0.0)], _line((0, 0.64), (0.34, 0.64))],
    ),
    "g": (0.56, [_BOWL, [(0.56, 0.66), *_arc(0.29, -0.05, 0.27, 0.25, 0, -150)]]),
    "h": (0.50, [_line((0.0, 1.0), (0.0, 0.0)), _ARCH]),
    "i": (0.0, [_line((0.0, 0.66), (0.0, 0.0)), _dot(0.0, 0.92)]),
    "j": (0.14, [[(0.14, 0.66), *_arc(-0.03, -0.12, 0.17, 0.17, 0, -90)], _dot(0.14, 0.92)]),
    "k": (
        0.48,
        [
            _line((0.0, 1.0), (0.0, 0.0)),
            _line((0.45, 0.66), (0.0, 0.24)),
            _line((0.17, 0.39), (0.48, 0.0)),
        ],
    ),
    "l": (0.0, [_line((0.0, 1.0), (0.0, 0.0))]),
    "m": (
        0.80,
        [
            _line((0.0, 0.66), (0.0, 0.0)),
            [*_arc(0.20, 0.43, 0.20, 0.23, 180, 0), (0.40, 0.0)],
            [*_arc(0.60, 0.43, 0.20, 0.23, 180, 0), (0.80, 0.0)],
        ],
    ),
    "n": (0.50, [_line((0.0, 0.66), (0.0, 0.0)), _ARCH]),
    "o": (0.58, [_ring(0.29, 0.33, 0.29, 0.33)]),
    "p": (0.56, [_BOWL, _line((0.0, 0.66), (0.0, -0.30))]),
    "q": (0.56, [_BOWL, _line((0.56, 0.66), (0.56, -0.30))]),
    "r": (0.32, [_line((0.0, 0.66), (0.0, 0.0)), _arc(0.27, 0.37, 0.27, 0.29, 180, 78)]),
    "s": (
        0.46,
        [[*_arc(0.23, 0.495, 0.20, 0.165, 35, 270), *_arc(0.23, 0.165, 0.22, 0.165, 90, -145)]],
    ),
    "t": (
        0.36,
        [[(0.13, 0.92), *_arc(0.33, 0.20, 0.20, 0.20, 180, 280)], _line((0, 0.64), (0.34, 0.64))],
    ),
    "u": (
        0.50,
        [[(0.0, 0.66), *_arc(0.25, 0.27, 0.25, 0.27, 180, 360)], _line((0.5, 0.66), (0.5, 0))],
    ),
    "v": (0.52, [_line((0.0, 0.66), (0.26, 0.0), (0.52, 0.66))]),
    "w": (0.80, [_line((0.0, 0.66), (0.2, 0.0), (0.4, 0.62), (0.6, 0.0), (0.8, 0.66))]),
    "x": (0.50, [_line((0.0, 0.66), (0.50, 0.0)), _line((0.50, 0.66), (0.0, 0.0))]),
    "y": (0.52, [_line((0.0, 0.66), (0.27, 0.0)), _line((0.52, 0.66), (0.16, -0.30))]),
    "z": (0.48, [_line((0.0, 0.66), (0.48, 0.66), (0.0, 0.0), (0.48, 0.0))]),
    "A": (0.72, [_line((0.0, 0.0), (0.36, 1.0), (0.72, 0.0)), _line((0.13, 0.35), (0.59, 0.35))]),
    "C": (0.66, [_arc(0.40, 0.50, 0.40, 0.50, 50, 310)]),
    "H": (0.60, [_line((0, 1), (0, 0)), _line((0.6, 1), (0.6, 0)), _line((0, 0.52), (0.6, 0.52))]),
    "T": (0.64, [_line((0.0, 1.0), (0.64, 1.0)), _line((0.32, 1.0), (0.32, 0.0))]),
    "W": (0.98, [_line((0.0, 1.0), (0.24, 0.0), (0.49, 0.94), (0.74, 0.0), (0.98, 1.0))]),
    ".": (0.0, [_dot(0.0, 0.0)]),
    ",": (0.04, [_line((0.04, 0.02), (0.0, -0.15))]),
    ":": (0.0, [_dot(0.0, 0.05), _dot(0.0, 0.55)]),
    "-": (0.34, [_line((0.0, 0.38), (0.34, 0.38))]),
    "=": (0.46, [_line((0.0, 0.50), (0.46, 0.50)), _line((0.0, 0.26), (0.46, 0.26))]),
    "/": (0.42, [_line((0.0, -0.1), (0.42, 1.05))]),
    "(": (0.18, [_arc(0.34, 0.42, 0.34, 0.66, 125, 235)]),
    ")": (0.18, [_arc(-0.16, 0.42, 0.34, 0.66, 55, -55)]),
    "%": (
        0.86,
        [
            _ring(0.18, 0.77, 0.18, 0.23),
            _ring(0.68, 0.23, 0.18, 0.23),
            _line((0.14, 0.0), (0.72, 1.0)),
        ],
    ),
}


def text_width(text: str, size: float) -> float:
    """Measure a text whose capitals are `size` pixels high."""
    advances = [SPACE if letter == " " else GLYPHS[letter][0] + GAP for letter in text]
    return (sum(advances) - GAP) * size if text else 0.0


@cache
def _coverage(letter: str, size: float, weight: float) -> tuple[tuple[int, int, float], ...]:
    """List the pixels that a character touches, from its origin, and how much of each it covers."""
    half = weight / 2
    covered: dict[tuple[int, int], float] = {}
    for stroke in GLYPHS[letter][1]:
        points = [(x * size, -y * size) for x, y in stroke]
        for (x0, y0), (x1, y1) in pairwise(points):
            dx, dy = x1 - x0, y1 - y0
            length = dx * dx + dy * dy
            for y in range(math.floor(min(y0, y1) - half - 1), math.ceil(max(y0, y1) + half + 2)):
                for x in range(
                    math.floor(min(x0, x1) - half - 1), math.ceil(max(x0, x1) + half + 2)
                ):
                    along = ((x - x0) * dx + (y - y0) * dy) / length if length else 0.0
                    along = min(1.0, max(0.0, along))
                    distance = math.hypot(x - x0 - along * dx, y - y0 - along * dy)
                    amount = min(1.0, half + 0.5 - distance)
                    if amount > covered.get((x, y), 0.0):
                        covered[x, y] = amount
    return tuple((x, y, amount) for (x, y), amount in covered.items())


def blend(first: Color, second: Color, amount: float) -> Color:
    """Go from the first color (0) to the second (1)."""
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(first, second))
    return red, green, blue


class Canvas:
    """An RGB picture; (0, 0) is its upper left corner, what reaches beyond an edge is cut off."""

    def __init__(self, width: int, height: int, background: Color) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(bytes(background) * width) for _ in range(height)]

    def rectangle(self, x: int, y: int, width: int, height: int, color: Color) -> None:
        """Fill a rectangle."""
        left, right = max(x, 0), min(x + width, self.width)
        for row in self._rows[max(y, 0) : max(y + height, 0)]:
            row[3 * left : 3 * right] = bytes(color) * max(right - left, 0)

    def frame(self, x: int, y: int, width: int, height: int, color: Color) -> None:
        """Draw the outline of a rectangle, one pixel wide and inside it."""
        self.rectangle(x, y, width, 1, color)
        self.rectangle(x, y + height - 1, width, 1, color)
        self.rectangle(x, y, 1, height, color)
        self.rectangle(x + width - 1, y, 1, height, color)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        color: Color,
        *,
        align: float = 0.0,
        bold: bool = False,
    ) -> None:
        """Write a text on the baseline `y`, its capitals `size` pixels high.

        `x` is its left end for `align` 0, its middle for 0.5 and its right end for 1.
        """
        weight = max(1.2, size * (0.17 if bold else 0.105))
        at = x - align * text_width(text, size)
        for letter in text:
            if letter == " ":
                at += SPACE * size
                continue
            for dx, dy, amount in _coverage(letter, size, weight):
                self._mix(round(at) + dx, round(y) + dy, color, amount)
            at += (GLYPHS[letter][0] + GAP) * size

    def arrow(self, x: float, y: float, length: float, color: Color) -> None:
        """Draw a short arrow to the right, from (x, y)."""
        for step in range(round(length)):
            self._mix(round(x) + step, round(y), color, 1.0)
            self._mix(round(x) + step, round(y) + 1, color, 0.5)
        for step in range(round(length / 3) + 1):
            for side in (-1, 1):
                self._mix(round(x + length) - step, round(y) + side * step, color, 1.0)
                self._mix(round(x + length) - step - 1, round(y) + side * step, color, 0.7)

    def _mix(self, x: int, y: int, color: Color, amount: float) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            row = self._rows[y]
            for channel, value in enumerate(color, 3 * x):
                row[channel] += round((value - row[channel]) * amount)

    def image(
        self,
        x: int,
        y: int,
        side: int,
        values: Sequence[Sequence[float]],
        low: Color,
        high: Color,
    ) -> None:
        """Draw a square image of values from 0 to 1, enlarged smoothly to `side` pixels."""
        count = len(values)
        for pixel_y in range(side):
            for pixel_x in range(side):
                at_x = (pixel_x + 0.5) * count / side - 0.5
                at_y = (pixel_y + 0.5) * count / side - 0.5
                self._mix(
                    x + pixel_x, y + pixel_y, blend(low, high, _between(values, at_x, at_y)), 1
                )

    def paste(self, x: int, y: int, rows: Sequence[bytes]) -> None:
        """Put an image of RGB values on it as it is, with its upper left corner at (x, y)."""
        left = max(x, 0)
        for at, colors in enumerate(rows, y):
            if 0 <= at < self.height:
                shown = colors[3 * (left - x) : 3 * (self.width - x)]
                self._rows[at][3 * left : 3 * left + len(shown)] = shown

    def save(self, path: Path) -> None:
        """Write the picture as a PNG file."""
        lines = b"".join(b"\0" + bytes(row) for row in self._rows)
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(lines, 9))
            + chunk(b"IEND", b"")
        )


def chunk(kind: bytes, data: bytes) -> bytes:
    """Make a part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _between(values: Sequence[Sequence[float]], x: float, y: float) -> float:
    """Interpolate between the four values around a point."""
    last = len(values) - 1
    column, row = math.floor(x), math.floor(y)
    across, down = x - column, y - row
    left, right = min(max(column, 0), last), min(max(column + 1, 0), last)
    upper, lower = values[min(max(row, 0), last)], values[min(max(row + 1, 0), last)]
    above = upper[left] + (upper[right] - upper[left]) * across
    below = lower[left] + (lower[right] - lower[left]) * across
    return above + (below - above) * down
