"""A flock that somebody watches: what keys and the mouse do to it, and what each frame does.

It knows no window: whatever has a method `show` can stand in its `PinnedCown`.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol

from bocmat import WORKER_COUNT, Cown, Matrix, PinnedCown, pump, quiesce, read, start, wait, when

from .flock import Circle, Flock, Weights, World, hunter_at, obstacles_for, random_birds, world_for

AHEAD = 2
"""Steps that may be scheduled and not yet shown: one that is flown while the other is drawn."""

MOST_WEIGHT, MOST_BIRDS = 3.0, 50_000
COUNTS = (1, 2, 5)  # and tenfold, a hundredfold


class Screen(Protocol):
    """What shows a flock, on the thread that owns it."""

    def show(self, birds: Matrix, begun: float | None, ended: float) -> None:
        """Take birds, and when their step was scheduled and done; None where there was none."""


class Settings(NamedTuple):
    """How a flight begins."""

    birds: int
    seed: int
    width: float
    height: float
    weights: Weights
    obstacles: int
    hunter: bool
    workers: int | None
    backend: str


class Flight:
    """The flock on a screen.

    Every turn runs what has become ready for the screen and schedules the next step. The workers
    fly it meanwhile; the thread of the screen waits for them only when the world itself changes.
    """

    def __init__(self, screen: Screen, settings: Settings) -> None:
        self.screen = PinnedCown(screen)
        self.settings = settings
        self.workers = settings.workers or WORKER_COUNT
        self.weights = settings.weights
        self.hunting = settings.hunter
        self.led: tuple[float, float] | None = None
        self.paused = False
        self.ahead = 0
        start(self.workers, settings.backend)
        self.begin(settings.birds, settings.width, settings.height)

    @property
    def world(self) -> World:
        """Give the world in which the flock flies."""
        return self.flock.world

    @property
    def hunters(self) -> list[Circle]:
        """Say where the hunter is, if there is one: where it is led, or on its way round."""
        hunter = hunter_at(self.steps, self.world)
        if self.led:
            return [Circle(*self.led, hunter.radius)]
        return [hunter] if self.hunting else []

    def begin(self, count: int, width: float, height: float) -> None:
        """Begin with birds that fly anywhere."""
        world = self.world_of(count, width, height)
        self.steps = 0
        self.flock = Flock(random_birds(count, world, self.settings.seed), world)
        self.present()

    def world_of(self, count: int, width: float, height: float) -> World:
        """Make a world for so many birds."""
        obstacles = obstacles_for(self.settings.obstacles, width, height)
        return world_for(count, width, height, obstacles)

    # ---- every turn ----

    def turn(self) -> None:
        """Show what was flown meanwhile, and schedule one step more unless enough are under way."""
        self.ahead -= pump(raise_on_error=True).executed
        if not self.paused and self.ahead < AHEAD:
            self.step()

    def step(self) -> None:
        """Schedule one step, and that it is shown."""
        begun = time.perf_counter()
        self.steps += 1
        self.flock.step(self.weights, self.hunters)
        self.present(begun)

    def present(self, begun: float | None = None) -> None:
        """Schedule that the birds are shown as they are after all steps so far."""
        birds = self.flock.birds()

        @when(read(birds))
        def ended(_birds: Cown[Matrix]) -> float:
            return time.perf_counter()

        @when(birds, ended, self.screen, name="show birds")
        def _(birds: Cown[Matrix], ended: Cown[float], screen: Cown[Screen]) -> None:
            if birds.exception:
                failure: Any = birds.value
                raise RuntimeError("a step of the birds failed") from failure
            screen.value.show(birds.value, begun, ended.value)

        self.ahead += 1

    # ---- changes ----

    def settle(self) -> None:
        """Have all that is under way flown and shown."""
        quiesce()
        self.ahead = 0

    def rebuild(self, count: int, width: float, height: float) -> None:
        """Go on with another number of birds, or in a world of another size."""
        self.settle()
        birds = self.flock.birds().get()
        world = self.world_of(count, width, height)
        more = count - birds.rows
        birds = birds[:count]
        birds[:, :2] %= Matrix.vector([width, height])
        if more > 0:
            fresh = random_birds(more, world, self.settings.seed + birds.rows)
            birds = Matrix.concat([birds, fresh])
        self.flock = Flock(birds, world)
        self.present()

    def restart(self) -> None:
        """Begin again, in the world as it is."""
        self.settle()
        self.begin(self.flock.count, self.world.width, self.world.height)

    def resize(self, width: float, height: float) -> None:
        """Make the world as large as its window."""
        if (width, height) != (self.world.width, self.world.height):
            self.rebuild(self.flock.count, width, height)

    def change_count(self, direction: int) -> None:
        """Have more birds, or fewer: the next of 1, 2, 5, 10, 20 ... up or down."""
        counts = [base * 10**power for power in range(5) for base in COUNTS]
        if direction > 0:
            count = next((count for count in counts if count > self.flock.count), MOST_BIRDS)
        else:
            count = next((count for count in counts[::-1] if count < self.flock.count), 1)
        if count != self.flock.count:
            self.rebuild(count, self.world.width, self.world.height)

    def change_workers(self, difference: int) -> None:
        """Fly on with more workers or fewer; the cowns stay as they are."""
        workers = max(1, self.workers + difference)
        if workers != self.workers:
            self.settle()
            wait()
            start(workers, self.settings.backend)
            self.workers = workers

    def change_weight(self, name: str, value: float) -> None:
        """Let one of the rules count more or less."""
        value = min(max(value, 0.0), MOST_WEIGHT)
        self.weights = self.weights._replace(**{name: value})

    def pause(self) -> None:
        """Stop where the flock is, or go on."""
        self.paused = not self.paused

    def close(self) -> None:
        """End the flight, and stop the workers."""
        wait()
