"""The flight of a flock; nothing here knows how it is drawn.

The world is a torus, cut into strips at least as high as a bird sees and flies in one step. A strip
is a cown with the birds that flew in it when the step before began. Where a strip's birds are now,
and all that they can see, is in it and the two beside it: so one behavior a strip makes a step,
which reads three strips and writes one. Two sets of strips take turns. No step waits for the one
before it to be done everywhere, only for the three strips it reads.

Inside a strip the birds are sorted by x. A few that follow each other see only birds from a little
left of the first to a little right of the last, one short run of rows, and what each of them makes
of those is a product of matrices: the mask of who is near, times where they are and where they
fly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from bocmat import Cown, Matrix, read, when

TOGETHER = 32
"""Birds whose surroundings are computed at once."""

STRIP = 64
"""Birds in a strip, about, where the world is high enough for so many strips."""

NEIGHBOURS = 9.0
"""That a bird sees where all are evenly spread, which decides how far it sees."""

COHESION, ALIGNMENT, SEPARATION, AVOIDANCE, FEAR = 0.003, 0.06, 0.02, 0.6, 1.0
"""Pixels a step in a step, at weight 1."""

TINY = 1e-12


class Weights(NamedTuple):
    """How much each of the three rules counts; 1 is what looks best."""

    cohesion: float = 1.0
    alignment: float = 1.0
    separation: float = 1.0


EQUAL = Weights()


class Circle(NamedTuple):
    """What birds fly around, or away from."""

    x: float
    y: float
    radius: float


class World(NamedTuple):
    """Where birds fly, and how far they see; lengths in pixels, speeds in pixels a step."""

    width: float
    height: float
    reach: float
    slowest: float = 1.5
    fastest: float = 3.0
    obstacles: tuple[Circle, ...] = ()

    @property
    def spacing(self) -> float:
        """How near another may come before a bird gives way."""
        return self.reach / 2


def world_for(count: int, width: float, height: float, obstacles: Sequence[Circle] = ()) -> World:
    """Make a world in which birds see as many others, however many fly in it."""
    reach = math.sqrt(NEIGHBOURS * width * height / (math.pi * max(count, 1)))
    fastest = min(3.0, min(width, height) / 12)
    reach = max(min(reach, min(width, height) / 4 - fastest), fastest)
    return World(width, height, reach, fastest / 2, fastest, tuple(obstacles))


def obstacles_for(count: int, width: float, height: float) -> list[Circle]:
    """Place obstacles over a world, apart from each other."""
    return [
        Circle((0.3 + 0.618 * n) % 1.0 * width, (0.4 + 0.245 * n) % 1.0 * height, height / 12)
        for n in range(count)
    ]


def hunter_at(step: int, world: World) -> Circle:
    """Say where the hunter is who goes round and round."""
    x = world.width * (0.5 + 0.4 * math.cos(step / 190))
    y = world.height * (0.5 + 0.4 * math.sin(step / 110))
    return Circle(x, y, world.height / 24)


def random_birds(count: int, world: World, seed: int) -> Matrix:
    """Place birds anywhere, flying anywhere: a row of x, y and their speeds for each."""
    Matrix.seed(seed)
    places = Matrix.uniform(0.0, 1.0, (count, 2)) * Matrix.vector([world.width, world.height])
    angles = Matrix.uniform(-math.pi, math.pi, (count, 1))
    speeds = Matrix.uniform(world.slowest, world.fastest, (count, 1))
    return Matrix.concat([places, angles.cos() * speeds, angles.sin() * speeds], axis=1)


def strip_edges(count: int, world: World) -> list[float]:
    """Cut the world into strips for so many birds; where each begins, and the end."""
    least = world.reach + world.fastest
    most = math.floor(min(world.height, world.width) / least)
    if most < 3:
        raise ValueError(
            f"a world of {world.width:g} by {world.height:g} is too small for birds that see "
            f"{world.reach:g} far and fly {world.fastest:g} a step: no side may be below "
            f"{3 * least:g}"
        )
    strips = max(3, min(math.floor(world.height / least), round(count / STRIP)))
    return [world.height * strip / strips for strip in range(strips)] + [world.height]


# ---- one step of one strip ----
# A row is a bird: x, y, its speeds along both, and its number.


def surroundings(around: Matrix, middle: float, world: World) -> Matrix:
    """Sort birds by x, as they are seen from a height, and repeat beyond both sides what wraps."""
    y = around.view[:, 1]
    y -= ((y - middle) / world.height).round() * world.height
    around = around.take(around.view[:, 0].argsort(axis=0))
    x = around.view[:, 0]
    from_right = around[x.searchsorted(world.width - world.reach) :]
    from_left = around[: x.searchsorted(world.reach, right=True)]
    from_right.view[:, 0] -= world.width
    from_left.view[:, 0] += world.width
    return Matrix.concat([from_right, around, from_left])


def inside(around: Matrix, low: float, high: float, world: World) -> Matrix:
    """Pick the birds between two heights, each once."""
    x, y = around.view[:, 0], around.view[:, 1]
    mine: Matrix = around[(y >= low) * (y < high) * (x >= 0.0) * (x < world.width)]
    return mine


def seen_by(birds: Matrix, around: Matrix, world: World) -> tuple[Matrix, Matrix]:
    """Add up the rows of what each bird sees, itself too: all that is near, and what is too near.

    The latter counts from 1 where they touch down to 0 at a distance of `spacing`.
    """
    near, close = Matrix.empty(birds.shape), Matrix.empty(birds.shape)
    reach, spacing = world.reach**2, world.spacing**2
    xs = around.view[:, 0]
    for first in range(0, birds.rows, TOGETHER):
        last = min(first + TOGETHER, birds.rows)
        start = xs.searchsorted(birds[first, 0] - world.reach)
        end = xs.searchsorted(birds[last - 1, 0] + world.reach, right=True)
        places, others = birds.view[first:last, :2], around.view[start:end]
        distances = Matrix.cdist(places, around.view[start:end, :2], "sqeuclidean")
        (distances < reach).dot(others, out=near.view[first:last])
        distances.fma(-1.0 / spacing, 1.0, out=distances)
        distances.relu(in_place=True).dot(others, out=close.view[first:last])
    return near, close


def within(circle: Sequence[float], low: float, high: float, world: World) -> bool:
    """Tell whether anybody between two heights may be near a circle."""
    _, y, radius = circle
    away = abs((low + high) / 2 - y)
    away = min(away, world.height - away)
    return away < (high - low) / 2 + radius + world.reach


def avoidance(places: Matrix, circle: Sequence[float], world: World) -> Matrix:
    """Give the push away from a circle: 1 at the edge, none from `reach` off, more inside."""
    x, y, radius = circle
    size = Matrix.vector([world.width, world.height])
    away = places - Matrix.vector([x, y])
    away -= (away / size).round() * size
    distance = away.magnitude(axis=1).maximum(TINY)
    away *= (radius + world.reach - distance).relu() / (distance * world.reach)
    return away


def moved(birds: Matrix, push: Matrix, world: World) -> Matrix:
    """Change how birds fly, within limits, and move them, around the edges of the world."""
    size = Matrix.vector([world.width, world.height])
    speeds = birds[:, 2:4] + push
    speed = speeds.magnitude(axis=1)
    speeds *= speed.clip(world.slowest, world.fastest) / speed.maximum(TINY)
    places = birds[:, :2] + speeds
    places -= (places / size).floor() * size
    places *= places < size  # what is just below 0 is rounded up to the edge, which is 0 again
    return Matrix.concat([places, speeds, birds[:, 4]], axis=1)


def flown(
    around: Matrix,
    low: float,
    high: float,
    world: World,
    weights: Weights,
    hunters: Sequence[Sequence[float]] = (),
) -> Matrix:
    """Make one step of the birds between two heights, given all that they can see."""
    around = surroundings(around, (low + high) / 2, world)
    birds = inside(around, low, high, world)
    around[:, 4] = 1.0  # adds up to how many there are
    near, close = seen_by(birds, around, world)
    places = birds.view[:, :2]
    count = near.view[:, 4]
    towards = (near.view[:, :4] - birds.view[:, :4] * count) / (count - 1.0).maximum(1.0)
    cohesion, alignment = COHESION * weights.cohesion, ALIGNMENT * weights.alignment
    towards *= Matrix.vector([cohesion, cohesion, alignment, alignment])
    push = towards[:, :2] + towards.view[:, 2:4]
    push += (places * close.view[:, 4] - close.view[:, :2]) * (SEPARATION * weights.separation)
    for circles, strength in ((world.obstacles, AVOIDANCE), (hunters, FEAR)):
        for circle in circles:
            if within(circle, low, high, world):
                push += avoidance(places, circle, world) * strength
    return moved(birds, push, world)


# ---- the whole flock ----


class Flock:
    """Birds that fly, a step at a time; whatever this does is scheduled, and returns at once."""

    def __init__(self, birds: Matrix, world: World) -> None:
        self.world, self.count = world, birds.rows
        # Plain tuples travel to a behavior several times as fast as instances of a class.
        self.settings: tuple[Any, ...] = (*world[:-1], tuple(map(tuple, world.obstacles)))
        self.edges = strip_edges(birds.rows, world)
        numbers = Matrix.arange(birds.rows).reshape(birds.rows, 1)
        numbered = Matrix.concat([birds, numbers], axis=1)
        y = birds.view[:, 1]
        self.strips = [
            Cown(numbered[(y >= low) * (y < high)]) for low, high in pairwise(self.edges)
        ]
        self.spare = [Cown(Matrix.empty((0, 5))) for _ in self.strips]

    def step(self, weights: Weights = EQUAL, hunters: Sequence[Circle] = ()) -> None:
        """Let every bird fly a step."""
        for strip in range(len(self.strips)):
            self.fly_strip(strip, weights, hunters)
        self.strips, self.spare = self.spare, self.strips

    def fly_strip(self, strip: int, weights: Weights, hunters: Sequence[Circle]) -> None:
        """Let the birds of one strip fly a step, from one set of strips into the other."""
        low, high = self.edges[strip], self.edges[strip + 1]
        beside = [self.strips[strip - 1], self.strips[(strip + 1) % len(self.strips)]]
        settings = self.settings, tuple(weights), tuple(map(tuple, hunters))

        @when(read([self.strips[strip], *beside]), self.spare[strip], name="strip of birds")
        def _(around: list[Cown[Matrix]], after: Cown[Matrix | None]) -> None:
            after.value = None  # where this fails, nothing is left that would pass for birds
            before = Matrix.concat([strip.value for strip in around])
            world, weights, hunters = settings
            after.value = flown(before, low, high, World(*world), Weights(*weights), hunters)

    def birds(self) -> Cown[Matrix]:
        """Give all birds as they will be after the steps so far: x, y and speeds, by number."""

        @when(read(self.strips), name="all birds")
        def birds(strips: list[Cown[Matrix]]) -> Matrix:
            together = Matrix.concat([strip.value for strip in strips])
            together = together.take(together.view[:, 4].argsort(axis=0))
            return Matrix.from_view(together.view[:, :4])

        return birds
