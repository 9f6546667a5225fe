"""A flock of birds, in a window or as a file.

python -m bocmat.examples.boids --birds 5000
python -m bocmat.examples.boids --headless --steps 300 --out birds.png
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from bocmat import Cown, Matrix, quiesce, start, wait, when

from ..arguments import add_progress, add_workers, whole_number
from .flight import Settings
from .flock import Circle, Flock, Weights, World, hunter_at, obstacles_for, random_birds, world_for
from .picture import compressed, drawn, size_of, write_gif, write_png

ENDINGS = (".png", ".gif", ".npy")
FRAME_SECONDS = 1 / 60
LAP = 500
"""Steps that are scheduled before the first of them has to be done."""


# ---- numbers as options ----


def amount(text: str) -> float:
    """Read a number from zero up, for argparse."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number from zero up")
    return number


def length(text: str) -> float:
    """Read a number of pixels, for argparse."""
    number = float(text)
    if not 60 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 60 and 10000")
    return number


def picture_file(text: str) -> Path:
    """Read the name of a file to write, for argparse."""
    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(f"{text} does not end in {', '.join(ENDINGS)}")
    return path


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bocmat-boids",
        description="A flock of birds, in a window (bocmat[boids] brings what it needs) or a file.",
    )
    parser.add_argument("--birds", type=whole_number(1), default=2000, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="chooses where they begin")
    parser.add_argument("--width", type=length, default=1280.0, help="of the world, in pixels")
    parser.add_argument("--height", type=length, default=800.0)
    for name in Weights._fields:
        parser.add_argument(f"--{name}", type=amount, default=1.0, help="how much this rule counts")
    parser.add_argument("--obstacles", type=int, choices=range(9), default=2, help="to fly around")
    parser.add_argument("--hunter", action="store_true", help="send somebody whom birds fear")
    add_workers(parser)
    parser.add_argument("--headless", action="store_true", help="write a file, open no window")
    parser.add_argument("--steps", type=whole_number(1), default=300, help="to fly when headless")
    parser.add_argument(
        "--out",
        type=picture_file,
        default=Path("boids.png"),
        help="the last step (.png), all of them (.gif), or rows of x, y and both speeds (.npy)",
    )
    parser.add_argument(
        "--every", type=whole_number(1), default=3, help="steps from picture to picture"
    )
    parser.add_argument("--scale", type=amount, help="of a picture; 1, and half of it for a .gif")
    add_progress(parser)
    options = parser.parse_args(arguments)
    if options.scale is not None and not 0.05 <= options.scale <= 8:
        parser.error(f"--scale {options.scale:g} is not between 0.05 and 8")
    return options


# ---- without a window ----


def picture_of(
    birds: Cown[Matrix], world: World, hunters: Sequence[Circle], scale: float, moving: bool
) -> Cown[bytes]:
    """Draw a flock on whatever worker is free; compressed for a GIF file, where it moves."""

    @when(birds, name="picture of birds")
    def picture(birds: Cown[Matrix]) -> bytes:
        pixels = drawn(birds.value, world, hunters, scale)
        return compressed(pixels) if moving else pixels

    return picture


def headless(options: argparse.Namespace) -> None:
    """Fly all steps and write the file."""
    start(options.workers, options.backend)
    world = world_of(options)
    flock = Flock(random_birds(options.birds, world, options.seed), world)
    weights = weights_of(options)
    kind = options.out.suffix.lower()
    moving = kind == ".gif"
    scale = options.scale or (0.5 if moving else 1.0)
    pictures = []
    for step in range(1, options.steps + 1):
        hunters = [hunter_at(step, world)] if options.hunter else []
        flock.step(weights, hunters)
        if step == options.steps or (moving and step % options.every == 0):
            birds = flock.birds()
            if kind != ".npy":
                pictures.append(picture_of(birds, world, hunters, scale, moving))
        if step % LAP == 0:
            quiesce(progress=options.progress)
    wait(progress=options.progress)

    if kind == ".npy":
        birds.get().save(options.out)
        return
    width, height = size_of(world, scale)
    if moving:
        frames = (picture.get() for picture in pictures)
        write_gif(options.out, width, height, frames, options.every * FRAME_SECONDS)
    else:
        write_png(options.out, width, height, pictures[-1].get())


def world_of(options: argparse.Namespace) -> World:
    """Make the world that the options ask for."""
    obstacles = obstacles_for(options.obstacles, options.width, options.height)
    return world_for(options.birds, options.width, options.height, obstacles)


def weights_of(options: argparse.Namespace) -> Weights:
    """Give the weights that the options ask for."""
    return Weights(options.cohesion, options.alignment, options.separation)


# ---- with one ----


class NoWindowError(Exception):
    """Nothing can be shown here."""


def in_window(options: argparse.Namespace) -> None:
    """Show the flock until its window is closed."""
    settings = Settings(
        birds=options.birds,
        seed=options.seed,
        width=options.width,
        height=options.height,
        weights=weights_of(options),
        obstacles=options.obstacles,
        hunter=options.hunter,
        workers=options.workers,
        backend=options.backend,
    )
    try:
        from .window import Window
    except ImportError as error:
        raise NoWindowError(
            f"the window needs pyglet ({error}): pip install bocmat[boids], or use --headless, "
            "which needs nothing"
        ) from None
    except Exception as error:  # each system has its own for a screen that is not there
        raise NoWindowError(f"no window can be opened here ({error}); use --headless") from error
    Window(settings).run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    options = options_of(arguments)
    try:
        headless(options) if options.headless else in_window(options)
    except (OSError, NoWindowError) as error:
        print(f"bocmat-boids: {error}", file=sys.stderr)
        return 1
    return 0
