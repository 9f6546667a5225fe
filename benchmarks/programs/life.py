"""One behavior at a time, and starting and stopping."""

from __future__ import annotations

from .figure import Figure

LATENCY = """
if __name__ == "__main__":
    start(2)
    cown = Cown(0)
    figures = []
    for _ in range(times(400)):
        begin = time.perf_counter()

        @when(cown)
        def _(cown):
            cown.value += 1

        quiesce()
        figures.append(time.perf_counter() - begin)
        time.sleep(PAUSE)
    figures.sort()
    report(figures[len(figures) // 2] * 1e6)
    wait()
"""

FIRST_CYCLE = """
if __name__ == "__main__":
    begin = time.perf_counter()
    start(2)
    cown = Cown(0)

    @when(cown)
    def _(cown):
        cown.value += 1

    wait()
    report((time.perf_counter() - begin) * 1e3)
"""

LATER_CYCLES = """
if __name__ == "__main__":
    cown = Cown(0)
    figures = []
    for _ in range(times(12)):
        begin = time.perf_counter()
        start(2)

        @when(cown)
        def _(cown):
            cown.value += 1

        wait()
        figures.append(time.perf_counter() - begin)
    figures = sorted(figures[1:])
    report(figures[len(figures) // 2] * 1e3)
"""

IMPORT = """
if __name__ == "__main__":
    import subprocess

    def seconds(program):
        best = 1e9
        for _ in range(3):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            best = min(best, time.perf_counter() - begin)
        return best

    report((seconds("import " + LIBRARY) - seconds("pass")) * 1e3)
"""


def life() -> list[Figure]:
    def one(name: str, unit: str, what: str, program: str, target: float | None = None) -> Figure:
        pause = {"PAUSE": 0.005 if name == "latency-idle" else 0}
        return Figure(name, "life", unit, what, program, constants=pause, target=target)

    return [
        one("latency", "us", "one behavior and quiesce(), back to back", LATENCY, 40),
        one("latency-idle", "us", "the same after 5 ms of idleness", LATENCY, 40),
        one("import", "ms", "import, the interpreter's own start aside", IMPORT),
        one("first-cycle", "ms", "first start(2), one behavior, wait()", FIRST_CYCLE, 25),
        one("later-cycle", "ms", "the same again", LATER_CYCLES, 1),
    ]
