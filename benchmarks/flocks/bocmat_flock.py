"""The flock as it is in bocmat.examples.boids; python bocmat_flock.py BIRDS COUNT WORKERS STEPS."""

import json
import sys
import time

from bocmat import Matrix, quiesce, start, wait
from bocmat.examples.boids.flock import Flock, obstacles_for, world_for

WARM = 5
file, count, workers, steps = sys.argv[1], *map(int, sys.argv[2:5])
with open(file, "rb") as opened:
    birds = Matrix.frombytes(opened.read(), (count, 4))

start(workers)
world = world_for(count, 1280.0, 800.0, obstacles_for(2, 1280.0, 800.0))
flock = Flock(birds, world)
for _ in range(WARM):
    flock.step()
after = flock.birds().get()
cpu, begin = time.process_time(), time.perf_counter()
for _ in range(steps):
    flock.step()
quiesce()
seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
wait()
print(
    json.dumps({"seconds": seconds / steps, "cpu": cpu / steps, "after": after.sum(0).tolist()[0]})
)
