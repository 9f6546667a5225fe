"""Chains that run around rings of cowns: how throughput grows with the workers.

A behavior holds two neighbours of its ring, computes for a while, and schedules its successor one
place on. There are more rings than workers, so that each always finds something to do.
"""

from __future__ import annotations

from .figure import PREAMBLE

RING = """
def work(rounds):
    total = 0
    for number in range(rounds):
        total += number * number
    return total


def rounds_for(seconds):
    best = 1.0
    for _ in range(15):
        begin = time.perf_counter()
        work(2000)
        best = min(best, time.perf_counter() - begin)
    return int(2000 * seconds / best)


def finish(tally, count):
    @when(tally)
    def _(tally, count=count):
        tally.value += count


def step(ring, tally, at, count, begin, end, rounds):
    @when(ring[at], ring[(at + 1) % len(ring)])
    def _(left, right, chain=(ring, tally, at, count, begin, end, rounds)):
        import time
        ring, tally, at, count, begin, end, rounds = chain
        right.value[0, 0] = left.value[0, 0] + 1.0
        work(rounds)
        now = time.monotonic()
        if now < end:
            step(ring, tally, (at + 1) % len(ring), count + (now >= begin), begin, end, rounds)
        else:
            finish(tally, count)


if __name__ == "__main__":
    rounds = rounds_for(PAYLOAD * 1e-6)
    start(WORKERS)
    tally = Cown(0)
    begin = time.monotonic() + WARMUP
    for _ in range(RINGS):
        ring = [Cown(Matrix.ones((MATRIX, MATRIX))) for _ in range(4)]
        step(ring, tally, 0, 0, begin, begin + DURATION, rounds)
    wait()
    report(tally.value / DURATION)
"""

AXES = ("workers", "payload", "matrix")


def ring_program(library: str, constants: dict[str, object]) -> str:
    lines = [f"{name.upper()} = {value!r}" for name, value in constants.items()]
    return PREAMBLE.replace("{library}", library) + "\n".join(lines) + RING
