"""The flock on NumPy, in one process; python numpy_flock.py BIRDS COUNT WORKERS STEPS."""

import json
import math
import sys
import time
from itertools import pairwise

import numpy as np

WIDTH, HEIGHT, FASTEST, SLOWEST, TOGETHER, STRIP, TINY = 1280.0, 800.0, 3.0, 1.5, 32, 64, 1e-12
COHESION, ALIGNMENT, SEPARATION, AVOIDANCE = 0.003, 0.06, 0.02, 0.6
CIRCLES = [(384.0, 320.0, 800 / 12), (1175.04, 516.0, 800 / 12)]
SIZE = np.array([WIDTH, HEIGHT])
WARM = 5


def surroundings(around, middle, reach):
    around[:, 1] -= np.round((around[:, 1] - middle) / HEIGHT) * HEIGHT
    around = around[np.argsort(around[:, 0], kind="stable")]
    x = around[:, 0]
    from_right = around[np.searchsorted(x, WIDTH - reach) :].copy()
    from_left = around[: np.searchsorted(x, reach, side="right")].copy()
    from_right[:, 0] -= WIDTH
    from_left[:, 0] += WIDTH
    return np.concatenate([from_right, around, from_left])


def seen_by(birds, around, reach, spacing):
    near, close = np.empty_like(birds), np.empty_like(birds)
    xs = around[:, 0]
    for first in range(0, len(birds), TOGETHER):
        some = birds[first : first + TOGETHER]
        start = np.searchsorted(xs, some[0, 0] - reach)
        end = np.searchsorted(xs, some[-1, 0] + reach, side="right")
        others = around[start:end]
        across = some[:, 0, None] - others[:, 0]
        along = some[:, 1, None] - others[:, 1]
        distances = across * across + along * along
        near[first : first + TOGETHER] = (distances < reach**2).astype(float) @ others
        distances *= -1.0 / spacing**2
        distances += 1.0
        np.maximum(distances, 0.0, out=distances)
        close[first : first + TOGETHER] = distances @ others
    return near, close


def within(circle, low, high, reach):
    _, y, radius = circle
    away = abs((low + high) / 2 - y)
    return min(away, HEIGHT - away) < (high - low) / 2 + radius + reach


def avoidance(places, circle, reach):
    x, y, radius = circle
    away = places - np.array([x, y])
    away -= np.round(away / SIZE) * SIZE
    distance = np.maximum(np.sqrt((away * away).sum(1, keepdims=True)), TINY)
    away *= np.maximum(radius + reach - distance, 0.0) / (distance * reach)
    return away


def flown(around, low, high, reach):
    around = surroundings(around, (low + high) / 2, reach)
    x, y = around[:, 0], around[:, 1]
    birds = around[(y >= low) & (y < high) & (x >= 0.0) & (x < WIDTH)]
    around[:, 4] = 1.0
    near, close = seen_by(birds, around, reach, reach / 2)
    places, speeds = birds[:, :2], birds[:, 2:4]
    count = near[:, 4:]
    towards = (near[:, :4] - birds[:, :4] * count) / np.maximum(count - 1.0, 1.0)
    towards *= np.array([COHESION, COHESION, ALIGNMENT, ALIGNMENT])
    push = towards[:, :2] + towards[:, 2:]
    push += (places * close[:, 4:] - close[:, :2]) * SEPARATION
    for circle in CIRCLES:
        if within(circle, low, high, reach):
            push += avoidance(places, circle, reach) * AVOIDANCE
    speeds = speeds + push
    speed = np.sqrt((speeds * speeds).sum(1, keepdims=True))
    speeds *= np.clip(speed, SLOWEST, FASTEST) / np.maximum(speed, TINY)
    places = places + speeds
    places -= np.floor(places / SIZE) * SIZE
    places *= places < SIZE
    return np.concatenate([places, speeds, birds[:, 4:]], axis=1)


def step(strips, edges, reach):
    return [
        flown(
            np.concatenate([strips[n], strips[n - 1], strips[(n + 1) % len(strips)]]),
            edges[n],
            edges[n + 1],
            reach,
        )
        for n in range(len(strips))
    ]


def main():
    file, count, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[4])
    birds = np.fromfile(file).reshape(count, 4)
    birds = np.concatenate([birds, np.arange(count, dtype=float)[:, None]], axis=1)
    reach = min(math.sqrt(9.0 * WIDTH * HEIGHT / (math.pi * count)), HEIGHT / 4 - FASTEST)
    most = max(3, min(math.floor(HEIGHT / (reach + FASTEST)), round(count / STRIP)))
    edges = [HEIGHT * n / most for n in range(most)] + [HEIGHT]
    y = birds[:, 1]
    strips = [birds[(y >= low) & (y < high)] for low, high in pairwise(edges)]
    for _ in range(WARM):
        strips = step(strips, edges, reach)
    after = np.concatenate(strips)[:, :4].sum(0).tolist()
    cpu, begin = time.process_time(), time.perf_counter()
    for _ in range(steps):
        strips = step(strips, edges, reach)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    print(json.dumps({"seconds": seconds / steps, "cpu": cpu / steps, "after": after}))


if __name__ == "__main__":
    main()
