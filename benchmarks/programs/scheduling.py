"""Behaviors that do next to nothing: what scheduling, ordering and waiting cost."""

from __future__ import annotations

from .figure import Figure

SCHEDULE = """
if __name__ == "__main__":
    start(1)
    cown = Cown(0)
    source, sink = os.pipe()

    @when(cown)
    def _(cown, source=source):
        import os
        os.read(source, 1)

    count = times(20000)
    begin = time.perf_counter()
    for _ in range(count):
        @when(cown)
        def _(cown):
            pass
    report((time.perf_counter() - begin) / count * 1e6)
    os.write(sink, b"x")
    wait()
"""

SATURATED = """
if __name__ == "__main__":
    start(WORKERS)
    cown = Cown(0)

    def schedule(count):
        for _ in range(count):
            @when(cown)
            def _(cown):
                cown.value += 1

    saturated(40000, schedule)
"""

CHAIN = """
def chain(cown, left):
    @when(cown)
    def _(cown, left=left):
        cown.value += 1
        if left > 1:
            chain(cown, left - 1)


if __name__ == "__main__":
    start(WORKERS)
    cowns = [Cown(0) for _ in range(CHAINS)]

    def schedule(count):
        for cown in cowns:
            chain(cown, count // len(cowns))

    saturated(20000 * CHAINS, schedule)
"""

TRANSFERS = """
import random

if __name__ == "__main__":
    start(WORKERS)
    accounts = [Cown(100) for _ in range(64)]
    chooser = random.Random(1)

    def schedule(count):
        for _ in range(count):
            left, right = chooser.sample(accounts, 2)
            @when(left, right)
            def _(left, right):
                left.value -= 1
                right.value += 1

    saturated(20000, schedule)
"""

FAN = """
if __name__ == "__main__":
    start(WORKERS)

    def schedule(count):
        for _ in range(count // 9 + 1):
            @when()
            def source():
                return 1

            parts = []
            for _ in range(8):
                @when(source)
                def part(source):
                    return source.value
                parts.append(part)

            @when(parts)
            def total(parts):
                return sum(part.value for part in parts)

    saturated(9000, schedule)
"""

WIDE = """
if __name__ == "__main__":
    start(WORKERS)
    cowns = [Cown(1) for _ in range(32)]

    def schedule(count):
        for _ in range(count):
            @when(cowns)
            def _(cowns):
                pass

    saturated(4000, schedule)
"""

RESULTS = """
if __name__ == "__main__":
    start(WORKERS)

    def schedule(count):
        for _ in range(count // 3 + 1):
            @when()
            def one():
                return 1

            @when(one)
            def two(one):
                return one.value + 1

            @when(one, two)
            def three(one, two):
                return one.value + two.value

    saturated(15000, schedule)
"""

FIBONACCI = """
def fibonacci(number):
    if number < 2:
        @when()
        def leaf(number=number):
            return number
        return leaf

    @when(fibonacci(number - 1), fibonacci(number - 2))
    def total(left, right):
        return left.value + right.value
    return total


if __name__ == "__main__":
    start(WORKERS)
    number = 17 if SCALE >= 1 else 10
    warm = fibonacci(5)
    quiesce()
    begin = time.perf_counter()
    result = fibonacci(number)
    quiesce()
    report((time.perf_counter() - begin) * 1e3)
    wait()
"""

# bocpy cannot share a cown among readers: they take turns there.
READERS = """
def work(rounds):
    total = 0
    for number in range(rounds):
        total += number * number
    return total


if __name__ == "__main__":
    start(WORKERS)
    cown = shared = Cown(1)
    if LIBRARY == "bocmat":
        from bocmat import read
        shared = read(cown)

    def schedule(count):
        for _ in range(count // 8 + 1):
            for _ in range(7):
                @when(shared)
                def _(cown):
                    work(1000 * cown.value)

            @when(cown)
            def _(cown):
                cown.value = 1

    saturated(4000, schedule)
"""

# Plain Python work, so much of it that one behavior takes the time named on the machine at hand.
PAYLOAD = """
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
    return max(int(2000 * seconds / best), 1)


def run(count, rounds):
    cowns = [Cown(0) for _ in range(16)]
    begin = time.perf_counter()
    for index in range(count):
        @when(cowns[index % 16])
        def _(cown, rounds=rounds):
            cown.value = work(rounds)
    wait()
    return time.perf_counter() - begin


if __name__ == "__main__":
    rounds = rounds_for(SECONDS)
    count = times(6000)
    elapsed = {}
    for workers in (1, WORKERS) * 2:
        start(workers)
        run(times(200), rounds)
        start(workers)
        now = run(count, rounds)
        elapsed[workers] = min(elapsed.get(workers, now), now)
    report(elapsed[1] / elapsed[WORKERS])
"""


def scheduling(workers: int) -> list[Figure]:
    def one(
        name: str,
        what: str,
        program: str,
        unit: str = "us",
        target: float | None = None,
        **more: object,
    ) -> Figure:
        return Figure(
            name,
            "scheduling",
            unit,
            what,
            program,
            constants={"WORKERS": workers, **more},
            target=target,
        )

    def speedup(microseconds: int) -> Figure:
        return Figure(
            f"speedup-{microseconds}",
            "scheduling",
            "x",
            f"{workers} workers against 1, {microseconds} us a behavior",
            PAYLOAD,
            higher=True,
            constants={"WORKERS": workers, "SECONDS": microseconds * 1e-6},
            target=1.97 if workers == 2 else 0.975 * workers,
        )

    many = f"{workers} workers"
    return [
        one("schedule", "@when(c) and def, from the main thread", SCHEDULE, target=0.4),
        one("saturated-1", "one behavior end to end, 1 worker", SATURATED, WORKERS=1, target=0.45),
        one("saturated-all", f"the same, {many}", SATURATED),
        one(
            "chain-1",
            "a link of a self-rescheduling chain, 1 worker",
            CHAIN,
            WORKERS=1,
            CHAINS=1,
            target=0.5,
        ),
        one("chain-all", f"the same, {many}", CHAIN, CHAINS=1, target=0.5),
        one("chains-all", f"a link of 8 chains side by side, {many}", CHAIN, CHAINS=8),
        one("transfers", f"two random cowns of 64, {many}", TRANSFERS),
        one("fan", "fan-out to 8 and fan-in, a behavior", FAN),
        one("wide", "a behavior on a list of 32 cowns", WIDE),
        one("results", "a behavior on the results of others", RESULTS),
        one("fibonacci", "fibonacci(17), one behavior a call", FIBONACCI, "ms"),
        one("readers", "7 readers of 30 us, then a writer; a behavior", READERS),
        speedup(50),
        speedup(100),
    ]
