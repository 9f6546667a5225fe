"""Messages when a program is interrupted, forks or ends; and in interpreters of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from support.programs import LIMIT, environment, output_of, run_program


@pytest.mark.parametrize("timeout", ["-1", "3600", "None"])
def test_ctrl_c_interrupts_who_waits(timeout):
    program = f"""
    import os, signal
    from bocmat import receive, send
    # A background job of a shell begins with it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        os.write(1, b"waiting\\n")
        receive(["a", "b"], {timeout})
    except KeyboardInterrupt:
        send("a", 5)
        print("interrupted", receive("a"))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.communicate()
    assert out == "interrupted ('a', 5)\n"
    assert process.returncode == 0


def test_a_signal_handler_runs_and_waiting_goes_on():
    program = """
    import signal
    from bocmat import receive, send
    signal.signal(signal.SIGALRM, lambda *_: send("alarm", "rings"))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    print(receive("alarm"))
    """
    assert output_of(program) == ["('alarm', 'rings')"]


def test_a_program_ends_with_messages_unread(backend_name):
    program = """
    import threading
    from bocmat import Cown, Matrix, receive, send, start, wait, when
    start(2)
    for number in range(1000):
        send(f"tag {number % 7}", [number, Matrix.ones((30, 30)), Cown(Matrix(4, 4)), "text"])
    @when()
    def _():
        for number in range(1000):
            send("from behaviors", [number, Matrix.ones((30, 30)), Cown(number)])
    wait()
    send("after", lambda: program)
    threading.Thread(target=receive, args=("never",), daemon=True).start()
    print("end")
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert (done.stdout, done.stderr, done.returncode) == ("end\n", "", 0)


def test_a_behavior_that_waits_does_not_keep_the_program(backend_name):
    program = """
    import os
    from bocmat import receive, send, start, when
    start(2)
    @when()
    def _():
        send("here", None)
        try:
            receive("never")
        except RuntimeError as error:
            os.write(1, f"{error}\\n".encode())
        try:
            receive("again", 3600)
        except RuntimeError as error:
            os.write(1, b"and again\\n")
    receive("here")
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "program ended" in lines[0]
    assert "receive()" in lines[0]
    assert lines[1:] == ["and again"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore")
def test_the_child_of_a_fork_begins_with_none(backend_name):
    program = """
    import os, threading, time
    from bocmat import Matrix, receive, send, start, wait, when
    start(2)
    wait()
    send("parent", [1, Matrix.ones((10, 10))])
    for number in range(100):
        send("many", number)
    thread = threading.Thread(target=receive, args=("waiting",), daemon=True)
    thread.start()
    child = os.fork()
    if not child:
        assert receive(["parent", "many"], 0) == ("__timeout__", None)
        send("waiting", 5)
        assert receive("waiting", 0) == ("waiting", 5)
        @when()
        def _():
            send("parent", "child's own")
        assert receive("parent", 60) == ("parent", "child's own")
        wait()
        os._exit(7)
    status = os.waitpid(child, 0)[1]
    send("waiting", 1)
    thread.join(60)
    print(os.WEXITSTATUS(status), thread.is_alive(), receive("parent", 0)[1][0], receive("many")[1])
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    assert done.stdout == "7 False 1 0\n", done.stderr


@pytest.mark.skipif(sys.version_info < (3, 14), reason="concurrent.interpreters came with 3.14")
def test_interpreters_that_the_program_makes_itself():
    program = """
    import threading
    from concurrent import interpreters
    from bocmat import Matrix, receive, send
    other = interpreters.create()
    def serve():
        other.exec('''if True:
            from bocmat import receive, send
            while True:
                tag, contents = receive(["work", "end"])
                if tag == "end":
                    break
                contents["m"] += 1
                send("done", contents)
        ''')
    thread = threading.Thread(target=serve)
    thread.start()
    for number in range(50):
        send("work", {"m": Matrix.full((20, 20), number), "n": number})
        _, done = receive("done", 60)
        assert (done["m"].sum(), done["n"]) == (400 * (number + 1), number)
    send("end", None)
    thread.join()
    send("work", {"m": Matrix.ones((20, 20))})
    other.close()
    other = interpreters.create()
    other.exec("from bocmat import Matrix, send; send('left', [Matrix.ones((9, 9)), 'text'])")
    other.close()
    print(receive("left", 0)[1][0].sum(), receive("work", 0)[1]["m"].sum())
    """
    done = run_program(program)
    assert done.stdout == "81.0 400.0\n", done.stderr


def test_no_memory_is_lost():
    program = """
    import resource
    from bocmat import Cown, Matrix, drain, receive, send
    def turn():
        for number in range(2000):
            send("a", [number, Matrix.ones((40, 40)), Cown(1), "text" * 10])
            send("b", Matrix.ones((40, 40)))
        for number in range(1000):
            receive(["a", "b"], 0)
        drain(["a", "b"])
    for _ in range(3):
        turn()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10):
        turn()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    assert int(output_of(program)[0]) < 8 * 1024
