"""The flock on bocpy's matrices and behaviors; python bocpy_flock.py BIRDS COUNT WORKERS STEPS.

The algorithm is that of bocmat.examples.boids, with what bocpy has: every cown is held exclusively,
sorting is `topk` of all, positions in a sorted column are found by `bisect`, and distances are made
of differences.
"""

import json
import math
import sys
import time
from array import array
from bisect import bisect_left, bisect_right
from itertools import pairwise

from bocpy import Cown, Matrix, quiesce, start, wait, when

WIDTH, HEIGHT, FASTEST, SLOWEST, TOGETHER, STRIP, TINY = 1280.0, 800.0, 3.0, 1.5, 32, 64, 1e-12
COHESION, ALIGNMENT, SEPARATION, AVOIDANCE = 0.003, 0.06, 0.02, 0.6
CIRCLES = [(384.0, 320.0, 800 / 12), (1175.04, 516.0, 800 / 12)]
WARM = 5


def at_least(matrix, least):
    return matrix.clip(least, math.inf)


def surroundings(around, middle, reach):
    y = around[:, 1]
    around[:, 1] = y - ((y - middle) / HEIGHT).round() * HEIGHT
    column = around[:, 0]
    around = around.take(column.T.topk(len(column), 1, False)[1][0])
    xs = list(around[:, 0].values())
    last = bisect_left(xs, WIDTH - reach)
    first = bisect_right(xs, reach)
    parts = [around]
    if last < len(xs):
        from_right = around[last:]
        from_right[:, 0] = from_right[:, 0] - WIDTH
        parts.insert(0, from_right)
    if first > 0:
        from_left = around[:first]
        from_left[:, 0] = from_left[:, 0] + WIDTH
        parts.append(from_left)
    return Matrix.concat(parts)


def seen_by(birds, around, reach, spacing):
    near, close = [], []
    xs = list(around[:, 0].values())
    across, along = around[:, 0].T, around[:, 1].T
    for first in range(0, birds.rows, TOGETHER):
        some = birds[first : first + TOGETHER]
        start = bisect_left(xs, some[0, 0] - reach)
        end = bisect_right(xs, some[-1, 0] + reach)
        others = around[start:end]
        dx = some[:, 0] - across[:, start:end]
        dy = some[:, 1] - along[:, start:end]
        distances = dx * dx + dy * dy
        near.append(distances.less(reach**2) @ others)
        distances *= -1.0 / spacing**2
        distances += 1.0
        close.append(at_least(distances, 0.0) @ others)
    return Matrix.concat(near), Matrix.concat(close)


def within(circle, low, high, reach):
    _, y, radius = circle
    away = abs((low + high) / 2 - y)
    return min(away, HEIGHT - away) < (high - low) / 2 + radius + reach


def avoidance(places, circle, reach):
    x, y, radius = circle
    size = Matrix.vector([WIDTH, HEIGHT])
    away = places - Matrix.vector([x, y])
    away -= (away / size).round() * size
    distance = at_least(away.magnitude(1), TINY)
    away *= at_least(radius + reach - distance, 0.0) / (distance * reach)
    return away


def flown(around, low, high, reach):
    around = surroundings(around, (low + high) / 2, reach)
    x, y = around[:, 0], around[:, 1]
    mine = y.greater_equal(low) * y.less(high) * x.greater_equal(0.0) * x.less(WIDTH)
    rows = [row for row, inside in enumerate(mine.values()) if inside]
    if not rows:
        return None
    birds = around.take(rows)
    around[:, 4] = 1.0
    near, close = seen_by(birds, around, reach, reach / 2)
    places, speeds = birds[:, 0:2], birds[:, 2:4]
    count = near[:, 4]
    towards = (near[:, 0:4] - birds[:, 0:4] * count) / at_least(count - 1.0, 1.0)
    towards *= Matrix.vector([COHESION, COHESION, ALIGNMENT, ALIGNMENT])
    push = towards[:, 0:2] + towards[:, 2:4]
    push += (places * close[:, 4] - close[:, 0:2]) * SEPARATION
    for circle in CIRCLES:
        if within(circle, low, high, reach):
            push += avoidance(places, circle, reach) * AVOIDANCE
    size = Matrix.vector([WIDTH, HEIGHT])
    speeds = speeds + push
    speed = speeds.magnitude(1)
    speeds *= speed.clip(SLOWEST, FASTEST) / at_least(speed, TINY)
    places = places + speeds
    places -= (places / size).floor() * size
    places *= places.less(size)
    return Matrix.concat([places, speeds, birds[:, 4]], 1)


def fly_strip(around, after, low, high, reach):
    @when(around, after)
    def _(around, after, low=low, high=high, reach=reach):
        together = Matrix.concat([strip.value for strip in around if strip.value is not None])
        after.value = flown(together, low, high, reach)


def step(strips, spare, edges, reach):
    for n in range(len(strips)):
        around = [strips[n], strips[n - 1], strips[(n + 1) % len(strips)]]
        fly_strip(around, spare[n], edges[n], edges[n + 1], reach)
    return spare, strips


def total(strips):
    @when(strips)
    def result(strips):
        together = Matrix.concat([strip.value for strip in strips if strip.value is not None])
        return list(together[:, 0:4].sum(0).values())

    return result


def main():
    file, count, workers, steps = sys.argv[1], *map(int, sys.argv[2:5])
    values = array("d")
    with open(file, "rb") as opened:
        values.frombytes(opened.read())
    reach = min(math.sqrt(9.0 * WIDTH * HEIGHT / (math.pi * count)), HEIGHT / 4 - FASTEST)
    most = max(3, min(math.floor(HEIGHT / (reach + FASTEST)), round(count / STRIP)))
    edges = [HEIGHT * n / most for n in range(most)] + [HEIGHT]
    rows = [[*values[4 * n : 4 * n + 4], float(n)] for n in range(count)]
    start(worker_count=workers)
    strips = []
    for low, high in pairwise(edges):
        inside = [value for row in rows if low <= row[1] < high for value in row]
        strips.append(Cown(Matrix(len(inside) // 5, 5, inside) if inside else None))
    spare = [Cown(None) for _ in strips]
    for _ in range(WARM):
        strips, spare = step(strips, spare, edges, reach)
    after = total(strips)
    quiesce()
    cpu, begin = time.process_time(), time.perf_counter()
    for _ in range(steps):
        strips, spare = step(strips, spare, edges, reach)
    quiesce()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    wait()
    print(json.dumps({"seconds": seconds / steps, "cpu": cpu / steps, "after": after.value}))


if __name__ == "__main__":
    main()
