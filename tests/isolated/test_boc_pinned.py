"""How programs with pinned cowns end: without waiting, interrupted, forked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from support.programs import LIMIT, environment, output_of, run_program

LEFT = """
import os, sys, threading
from bocmat import Cown, PinnedCown, pump, start, when

start(2)
lock, plain = PinnedCown(threading.Lock()), Cown(0)
results = []
for number in range(12):
    @when(lock)
    def _(lock):
        os.write(1, b"never\\n")

for number in range(8):
    @when(plain, lock)
    def result(plain, lock):
        os.write(1, b"never\\n")
    results.append(result)
{ending}
"""


@pytest.mark.parametrize(
    ("ending", "status", "dropped"),
    [
        ("sys.exit(7)", 7, 20),
        ("", 0, 20),
        ("raise ValueError('own')", 1, 20),
        ("threading.Thread(target=results[0].get, daemon=True).start()", 0, 21),
        ("del lock, plain, results", 0, 20),
    ],
)
def test_a_program_that_neither_waits_nor_pumps(backend_name, ending, status, dropped):
    done = run_program(LEFT.replace("{ending}", ending), BOCMAT_BACKEND=backend_name)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    warnings = re.findall(r"^.*\b(\d+) behaviors.*dropped.*$", done.stderr, re.MULTILINE)
    assert warnings in ([str(dropped)], ["20"]), done.stderr
    assert "Fatal" not in done.stderr


def test_a_program_that_ends_while_it_pumps(backend_name):
    program = """
    import os, sys
    from bocmat import PinnedCown, pump, when

    class Noisy:
        def __del__(self):
            os.write(1, b"destroyed\\n")

    cown = PinnedCown(Noisy())
    for number in range(5):
        @when(cown)
        def _(cown):
            os.write(1, b"ran\\n")
            if number == 1:
                sys.exit(5)
    pump()
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert done.returncode == 5, done.stderr
    assert done.stdout.splitlines()[:2] == ["ran", "ran"]
    assert set(done.stdout.splitlines()) <= {"ran", "destroyed"}
    assert len(re.findall(r"\b3 behaviors", done.stderr)) == 1, done.stderr


@pytest.mark.parametrize("call", ["wait()", "pump()"])
def test_a_program_that_ends_while_another_thread_runs_one(backend_name, call):
    program = """
    import threading, time
    from bocmat import Cown, PinnedCown, pump, wait, when
    inside = threading.Event()
    cown, plain = PinnedCown(inside), Cown(0)

    @when(cown, plain)
    def _(cown, plain):
        cown.value.set()
        import time
        time.sleep(0.4)

    for _ in range(3):
        @when(cown, plain)
        def _(cown, plain):
            pass

    threading.Thread(target=lambda: CALL, daemon=True).start()
    inside.wait()
    """
    done = run_program(program.replace("CALL", call), BOCMAT_BACKEND=backend_name)
    assert done.returncode == 0, done.stderr
    assert "Fatal" not in done.stderr


def test_a_program_ends_silently_after_wait(backend_name):
    program = """
    from bocmat import PinnedCown, wait, when
    import threading
    cown = PinnedCown(threading.Lock())

    @when(cown)
    def result(cown):
        return cown.value.locked()

    wait()
    print(result.value)
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


@pytest.mark.parametrize("ending", ["wait()", "quiesce()", "cown.get()"])
@pytest.mark.parametrize("where", ["before", "inside"])
def test_an_interrupt_from_outside(backend_name, ending, where):
    program = """
    import os, signal, sys
    from bocmat import PinnedCown, quiesce, wait, when
    # A background job of a shell begins with it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    where = WHERE
    source, sink = os.pipe()
    cown = PinnedCown([])

    if where == "before":
        @when()
        def _():
            os.read(source, 1)
            @when(cown)
            def _(cown):
                cown.value.append("late")
        @when(_, cown)
        def _(first, cown):
            pass
    else:
        @when(cown)
        def _(cown):
            import os, time
            cown.value.append("begun")
            os.write(1, b"inside\\n")
            time.sleep(60)

    @when(cown)
    def _(cown):
        cown.value.append("next")

    try:
        if where == "before":
            print("inside", flush=True)
        ENDING
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    os.write(sink, b"x")
    wait()
    print(cown.value)
    """
    text = textwrap.dedent(program).replace("ENDING", ending).replace("WHERE", repr(where))
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(BOCMAT_BACKEND=backend_name, BOCMAT_WORKERS="2"),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.communicate()
    # Where it comes early, the body of the next one is what it interrupts.
    expected = {
        "inside": ("['begun', 'next']",),
        "before": ("['next', 'late']", "['late']"),
    }
    assert out.splitlines() in [["interrupted", last] for last in expected[where]], err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("when_forked", ["stopped", "queued", "inside"])
def test_a_forked_child_has_pinned_cowns_of_its_own(backend_name, when_forked):
    if when_forked != "stopped" and backend_name == "interpreters":
        pytest.skip("CPython's own fork crashes the child while other interpreters exist")
    program = """
    import os, sys, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    from bocmat import Cown, PinnedCown, pump, start, wait, when
    start(2)
    cown = PinnedCown([1])
    moment = MOMENT

    def in_child():
        for use in (lambda: cown.value, lambda: when(cown)(lambda cown: None)):
            try:
                use()
            except RuntimeError:
                print("refused")

    def own():
        own = PinnedCown([5])

        @when(own)
        def result(own):
            own.value.append(6)
            return len(own.value)

        assert pump().executed == 1
        wait()
        print(result.value, own.value, flush=True)

    if moment == "inside":
        @when(cown)
        def _(cown):
            import os, sys
            child = os.fork()
            if child == 0:
                os._exit(0)
            cown.value.append(os.waitpid(child, 0)[1])
    else:
        @when(cown)
        def _(cown):
            cown.value.append(0)

    if moment != "queued":
        wait()
    child = os.fork()
    if child == 0:
        in_child()
        own()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    wait()
    print(status, cown.value)
    """
    program = program.replace("MOMENT", repr(when_forked))
    lines = output_of(program, BOCMAT_BACKEND=backend_name)
    assert lines == ["refused", "refused", "2 [5, 6]", "0 [1, 0]"]
