"""How a program ends: early, interrupted, forked, and with its output written."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from support.programs import LIMIT, environment, output_of, run_program

ENDS_EARLY = """
import atexit, os, sys
from bocmat import Cown, when

cown = Cown(0)
started, telling = os.pipe()
at_end, telling_end = os.pipe()
atexit.register(os.write, telling_end, b"x")  # right before what bocmat does at the end

@when(cown)
def _(cown):
    import time
    os.write(telling, b"x")
    os.read(at_end, 1)
    time.sleep(0.3)
    os.write(1, b"first ended\\n")

for _ in range(23):
    @when(cown)
    def _(cown):
        os.write(1, b"never\\n")

os.read(started, 1)
{ending}
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [("sys.exit(7)", 7), ("", 0), ("raise SystemExit('text')", 1), ("raise ValueError('own')", 1)],
)
def test_a_program_that_does_not_wait_ends_promptly(backend_name, ending, status):
    done = run_program(ENDS_EARLY.replace("{ending}", ending), BOCMAT_BACKEND=backend_name)
    assert done.returncode == status, done.stderr
    assert done.stdout == "first ended\n"
    warnings = re.findall(r"^.*\b23\b.*behavior.*$", done.stderr, re.MULTILINE)
    assert len(warnings) == 1, done.stderr
    if "own" in ending:
        assert "ValueError: own" in done.stderr


def test_a_program_with_nothing_left_ends_silently(backend_name):
    program = """
    from bocmat import Cown, Matrix, quiesce, start, when
    cown = Cown(Matrix.ones((50, 50)))

    @when(cown)
    def result(cown):
        return cown.value.sum()

    quiesce()
    print("ended")
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


@pytest.mark.parametrize("body", ["", "start(2)", "wait()", "Cown(1)", "start(2); wait()"])
def test_little_programs_end_silently(backend_name, body):
    done = run_program(
        f"from bocmat import Cown, start, wait\n{body}\n", BOCMAT_BACKEND=backend_name
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_program_that_ends_inside_an_endless_chain(backend_name):
    program = """
    import time
    from bocmat import Cown, when
    cown = Cown(0)

    def again(cown):
        cown.value += 1
        when(cown)(again)

    when(cown)(again)
    time.sleep(0.2)
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_os_exit_ends_at_once(backend_name):
    program = """
    import os, time
    from bocmat import when

    @when()
    def _():
        time.sleep(0.2)

    os._exit(9)
    """
    assert run_program(program, BOCMAT_BACKEND=backend_name).returncode == 9


INTERRUPTED = """
import os, signal, sys
from bocmat import Cown, wait, when

# A background job of a shell begins with it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
source, sink = os.pipe()
cown = Cown(0)

@when(cown)
def first(cown):
    os.read(source, 1)
    cown.value += 1

@when(cown)
def second(cown):
    cown.value += 1

try:
    print("waiting", flush=True)
    wait({timeout})
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("not interrupted", flush=True)
os.write(sink, b"x")
wait()
print(cown.value, first.exception, second.exception)
"""


@pytest.mark.parametrize("timeout", ["", "timeout=60"])
def test_an_interrupt_while_waiting_reaches_the_main_program_only(backend_name, timeout):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.replace("{timeout}", timeout)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(BOCMAT_BACKEND=backend_name, BOCMAT_WORKERS="2"),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.wait()
    assert out.splitlines() == ["interrupted", "2 False False"], err
    assert process.returncode == 0
    assert err == ""


def test_an_interrupt_nobody_catches_ends_the_program(backend_name):
    program = """
    import signal, time
    from bocmat import Cown, wait, when
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cown = Cown(0)

    def again(cown):
        time.sleep(0.01)
        when(cown)(again)

    when(cown)(again)
    print("waiting", flush=True)
    wait()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(BOCMAT_BACKEND=backend_name),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.wait()
    # CPython below 3.14 gives 1 where any thread runs an exec() after the interrupt.
    assert process.returncode in (-signal.SIGINT, 1), err
    assert "KeyboardInterrupt" in err


def test_a_signal_handler_runs_while_waiting(backend_name):
    program = """
    import os, signal
    from bocmat import wait, when
    source, sink = os.pipe()

    def handler(number, frame):
        print("handled")
        os.write(sink, b"x")

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)

    @when()
    def result():
        return os.read(source, 1)

    wait(timeout=100)
    print(result.value)
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name) == ["handled", "b'x'"]


def test_what_behaviors_print_has_arrived_when_wait_returns(backend_name):
    program = """
    import os, sys
    from bocmat import Cown, start, wait, when
    start(2)
    for index in range(40):
        @when()
        def _():
            print(f"line {index}\\n", end="")  # in one piece: threads share one stream
            sys.stdout.write(f"part {index}\\n")
    wait()
    os.write(1, b"after\\n")
    """
    lines = output_of(program, BOCMAT_BACKEND=backend_name)
    assert lines[-1] == "after"
    expected = [f"{word} {index}" for word in ("line", "part") for index in range(40)]
    assert sorted(lines[:-1]) == sorted(expected)


def test_what_behaviors_print_on_standard_error_arrives(backend_name):
    program = """
    import os, sys
    from bocmat import wait, when

    @when()
    def _():
        print("to standard error", file=sys.stderr)

    wait()
    os.write(2, b"after\\n")
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert done.stderr == "to standard error\nafter\n"


def test_workers_use_the_encoding_of_the_program(backend_name):
    program = """
    from bocmat import wait, when

    @when()
    def _():
        print("tücken ✓")

    wait()
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name, PYTHONIOENCODING="utf-8")
    assert done.stdout == "tücken ✓\n", done.stderr


def test_workers_see_the_working_directory_and_the_path(backend_name, tmp_path):
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "found_late.py").write_text("VALUE = 5\n")
    program = f"""
    import os, sys
    from bocmat import start, wait, when
    start(2)
    wait()
    os.chdir({str(tmp_path)!r})
    sys.path.insert(0, os.path.join({str(tmp_path)!r}, "added"))

    @when()
    def result():
        import os
        import found_late
        return os.getcwd(), found_late.VALUE

    wait()
    print(result.value == ({str(tmp_path)!r}, 5), result.value)
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name)[0].startswith("True")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_a_forked_child_has_a_runtime_of_its_own(backend_name, running):
    if running and backend_name == "interpreters":
        pytest.skip("CPython's own fork crashes the child while other interpreters exist")
    program = """
    import os, sys, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    from bocmat import Cown, start, wait, when
    start(2)
    cown = Cown(1)

    @when(cown)
    def increased(cown):
        cown.value += 1

    if WAITS:
        wait()
    child = os.fork()
    if child == 0:
        for use in (lambda: cown.value, lambda: when(cown)(lambda cown: None), increased.cancel):
            try:
                use()
            except RuntimeError:
                print("refused")
        own = Cown(5)

        @when(own)
        def result(own):
            return own.value + 1

        wait()
        print(result.value, flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    wait()
    print(status, cown.value)
    """
    program = program.replace("WAITS", str(not running))
    lines = output_of(program, BOCMAT_BACKEND=backend_name)
    assert lines == ["refused", "refused", "refused", "6", "0 2"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_subprocesses_from_behaviors(backend_name):
    program = """
    import subprocess, sys
    from bocmat import wait, when
    results = []
    for index in range(3):
        @when()
        def result():
            import subprocess, sys
            done = subprocess.run([sys.executable, "-c", f"print({index})"], capture_output=True)
            return done.stdout.strip()
        results.append(result)
    wait()
    print([result.value for result in results])
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name) == ["[b'0', b'1', b'2']"]
