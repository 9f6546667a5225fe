"""bocpy's own boids, by its own rules; python bocpy_boids_flock.py BIRDS COUNT WORKERS STEPS.

Its birds begin where it places them. A step makes the cowns of the cells and gathers their results
on the main thread, so that one is done before the next begins. It takes long: a tenth of the steps.
"""

import json
import sys
import time

from bocpy import quiesce, start, wait
from bocpy.examples.boids import Simulation

WIDTH, HEIGHT = 1280, 800


def main():
    count, workers, steps = map(int, sys.argv[2:5])
    steps = max(steps // 10, 2)
    start(worker_count=workers)
    simulation = Simulation(count, WIDTH, HEIGHT)
    simulation.step(WIDTH, HEIGHT)
    quiesce()
    cpu, begin = time.process_time(), time.perf_counter()
    for _ in range(steps):
        simulation.step(WIDTH, HEIGHT)
        quiesce()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    wait()
    print(json.dumps({"seconds": seconds / steps, "cpu": cpu / steps, "after": None}))


if __name__ == "__main__":
    main()
