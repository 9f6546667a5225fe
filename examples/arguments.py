"""What the command lines of the example programs have in common."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path


def whole_number(least: int = 1) -> Callable[[str], int]:
    """Give a reader of whole numbers that are not below the least, for argparse."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return number

    return read


def seconds(text: str) -> float:
    """Read a time that may be nought, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds")
    return number


def file_to_write(text: str) -> Path:
    """Read the name of a file in a folder that there is, for argparse."""
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.absolute().parent}")
    return path


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Let the user choose what behaviors run on."""
    parser.add_argument(
        "--workers", type=whole_number(1), metavar="N", help="by default one for each CPU"
    )
    add_backend(parser)


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Let the user choose what a worker is."""
    parser.add_argument(
        "--backend",
        choices=["auto", "interpreters", "threads"],
        default="auto",
        help="what a worker is; auto takes interpreters where they run in parallel",
    )


def add_progress(parser: argparse.ArgumentParser) -> None:
    """Let the user choose whether to see how far the behaviors are."""
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show how many behaviors are done; by default on a terminal",
    )
    parser.set_defaults(progress=sys.stderr is not None and sys.stderr.isatty())
