"""What is kept for cowns, behaviors and cycles of start and stop: growth of the resident set."""

from __future__ import annotations

from .figure import Figure

RESIDENT = """
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

"""

COWN = """
if __name__ == "__main__":
    count = max(times(200000), 20000)
    kept = [None] * count
    warm = [Cown(number) for number in range(1000)]
    before = resident()
    for index in range(count):
        kept[index] = Cown(7)
    report((resident() - before) / count)
"""

QUEUED = """
if __name__ == "__main__":
    start(1)
    cown = Cown(0)
    source, sink = os.pipe()

    @when(cown)
    def _(cown, source=source):
        import os
        os.read(source, 1)

    def schedule(count):
        for _ in range(count):
            @when(cown)
            def _(cown):
                cown.value += 1

    schedule(1000)
    count = max(times(COUNT), 20000)
    before = resident()
    begin = time.perf_counter()
    schedule(count)
    held = (resident() - before) / count
    os.write(sink, b"x")
    wait()
    elapsed = (time.perf_counter() - begin) / count * 1e6
    if cown.value != count + 1000:
        raise SystemExit(f"{count + 1000 - cown.value} behaviors were lost")
    report(held if BYTES else elapsed)
"""

CYCLES = """
def cycle(cown):
    start(2)

    @when(cown)
    def _(cown):
        cown.value += 1

    wait()


if __name__ == "__main__":
    cown = Cown(0)
    for _ in range(3):
        cycle(cown)
    count = times(20)
    before = resident()
    for _ in range(count):
        cycle(cown)
    report((resident() - before) / count / 1024)
"""


def memory() -> list[Figure]:
    def one(
        name: str,
        unit: str,
        what: str,
        program: str,
        target: float | None = None,
        **constants: object,
    ) -> Figure:
        return Figure(
            name, "memory", unit, what, RESIDENT + program, constants=constants, target=target
        )

    return [
        one("cown-bytes", "B", "a cown that holds an int, and its handle", COWN, 256),
        one(
            "queued-bytes",
            "B",
            "a queued behavior on one cown",
            QUEUED,
            512,
            COUNT=100000,
            BYTES=True,
        ),
        one(
            "million",
            "us",
            "a behavior, with a million of them queued",
            QUEUED,
            COUNT=1000000,
            BYTES=False,
        ),
        one("cycle-growth", "KiB", "growth by a start and a stop", CYCLES, 0),
    ]
