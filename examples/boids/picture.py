"""A flock as a picture, by operations on whole matrices: a PNG file, or a GIF file that moves.

Every picture has the same 256 colours: a background, and shades of some tints, which are the
directions in which birds fly, obstacles, and a hunter.
"""

from __future__ import annotations

import colorsys
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from bocmat import Matrix

from ..picture import Color, blend, chunk
from .flock import Circle, World

BACKGROUND = (12, 18, 32)
HEADINGS, SHADES = 14, 15
OBSTACLE, HUNTER = HEADINGS, HEADINGS + 1  # the tints after those of birds
FINE = 3
"""Points a pixel, along and across, that a bird is made of."""


def heading_color(heading: int) -> Color:
    """Give the colour of a direction, of HEADINGS all around."""
    red, green, blue = colorsys.hsv_to_rgb(heading / HEADINGS, 0.55, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def palette() -> list[Color]:
    """List the colours: the background, then each tint from hardly visible to full."""
    tints = [heading_color(heading) for heading in range(HEADINGS)]
    tints += [(92, 104, 128), (255, 64, 64)]
    shades = [(shade + 1) / SHADES for shade in range(SHADES)]
    colors = [BACKGROUND, *(blend(BACKGROUND, tint, shade) for tint in tints for shade in shades)]
    return colors + [(0, 0, 0)] * (256 - len(colors))


def size_of(world: World, scale: float) -> tuple[int, int]:
    """Give a picture's width and height in pixels."""
    return max(1, round(world.width * scale)), max(1, round(world.height * scale))


class Picture:
    """How much of each pixel is covered, and by what tint."""

    def __init__(self, world: World, scale: float = 1.0) -> None:
        self.scale = scale
        self.width, self.height = size_of(world, scale)
        self.cover = Matrix.zeros((self.height, self.width))
        self.tints = Matrix.zeros((self.height, self.width))

    def circles(self, circles: Iterable[Circle], tint: int) -> None:
        """Fill circles, smooth at their edges, which go around the edges of the world."""
        across = Matrix.arange(self.width) + 0.5
        down = Matrix.arange(self.height).T + 0.5
        for x, y, radius in circles:
            dx, dy = across - x * self.scale, down - y * self.scale
            dx -= (dx / self.width).round() * self.width
            dy -= (dy / self.height).round() * self.height
            amount = (radius * self.scale + 0.5 - dx.hypot(dy)).clip(0.0, 1.0)
            self.tints = Matrix.where(amount > 0.0, tint, self.tints)
            self.cover = self.cover.maximum(amount)

    def birds(self, birds: Matrix, length: float) -> None:
        """Draw every bird as a triangle of so many pixels, its point ahead."""
        ahead = birds[:, 2:4].normalize()
        side = ahead.perpendicular()
        angles = birds[:, 3].arctan2(birds[:, 2])
        tints = (angles * (HEADINGS / math.tau)).round() % HEADINGS
        size = Matrix.vector([self.width, self.height])
        steps = max(2, round(length * FINE))
        for step in range(steps):
            along = (step + 0.5) / steps  # from the tail to the point
            half = round((1.0 - along) * steps / 5)
            for aside in range(-half, half + 1):
                at = birds[:, :2] * self.scale + ahead * ((along - 0.5) * length)
                at = (at + side * (aside / FINE)).floor() % size
                pixels = at[:, 1] * self.width + at[:, 0]
                self.cover.put(pixels, 1.0 / FINE**2, axis=None, accumulate=True)
                self.tints.put(pixels, tints, axis=None)

    def colors(self) -> bytes:
        """Give the number of each pixel's colour, row by row."""
        shades = (self.cover * SHADES).round().clip(0.0, SHADES)
        numbers = (self.tints * SHADES + shades) * (shades > 0.0)
        return bytes(map(int, numbers.values()))


def drawn(birds: Matrix, world: World, hunters: Sequence[Circle] = (), scale: float = 1.0) -> bytes:
    """Draw a flock, row by row, a byte a pixel that says which colour."""
    picture = Picture(world, scale)
    picture.circles(world.obstacles, OBSTACLE)
    picture.circles(hunters, HUNTER)
    picture.birds(birds, max(3.0, world.reach / 3 * scale))
    return picture.colors()


def write_png(path: Path, width: int, height: int, pixels: bytes) -> None:
    """Write a PNG file with a palette."""
    lines = b"".join(
        b"\0" + pixels[first : first + width] for first in range(0, len(pixels), width)
    )
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", b"".join(map(bytes, palette())))
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )


# ---- GIF ----

CLEAR, END, FIRST = 256, 257, 258
"""Codes beyond the colours: forget all runs, the end, and the first run of pixels."""

LONGEST = 12
"""Bits of a code."""


def compressed(pixels: bytes) -> bytes:
    """Compress a GIF picture: LZW, with codes that grow from 9 bits to 12."""
    runs: dict[tuple[int, int], int] = {}
    packed = bytearray()
    bits, filled, width = CLEAR, 9, 9
    run = pixels[0]
    for color in pixels[1:]:
        longer = runs.get((run, color))
        if longer is not None:
            run = longer
            continue
        bits |= run << filled
        filled += width
        code = FIRST + len(runs)
        if code < 1 << LONGEST:
            runs[run, color] = code
            if code >> width:
                width += 1
        else:
            bits |= CLEAR << filled
            filled += width
            runs.clear()
            width = 9
        run = color
        whole = filled // 8
        packed += (bits & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
        bits >>= 8 * whole
        filled -= 8 * whole
    bits |= run << filled
    filled += width
    if len(runs) + FIRST >> width and width < LONGEST:
        width += 1
    bits |= END << filled
    packed += bits.to_bytes((filled + width + 7) // 8, "little")
    return bytes(packed)


def write_gif(path: Path, width: int, height: int, frames: Iterable[bytes], seconds: float) -> None:
    """Write a GIF file of compressed pictures, each shown for so long, over and over."""
    pause = max(2, round(100 * seconds))
    parts = [
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0),
        b"".join(map(bytes, palette())),
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
    ]
    for frame in frames:
        parts.append(b"\x21\xf9\x04\0" + struct.pack("<H", pause) + b"\0\0")
        parts.append(b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x08")
        for first in range(0, len(frame), 255):
            block = frame[first : first + 255]
            parts.append(bytes([len(block)]) + block)
        parts.append(b"\0")
    path.write_bytes(b"".join(parts) + b";")
