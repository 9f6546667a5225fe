"""A flock of birds: how it flies, pictures of it, and a window: `python -m bocmat.examples.boids`.

`flock` is the simulation, which draws nothing; `picture` makes files of it, `window` shows it and
`flight` is what the window's keys do.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    from .program import main  # not on workers, which import this package too

    return main(arguments)
