"""wait(progress=True): lines on standard error, a bar on a terminal."""

from __future__ import annotations

import fcntl
import importlib.util
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import textwrap

import pytest

from bocmat import Cown, quiesce, wait, when
from support.programs import LIMIT, environment, run_program


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self):
        return True


class Bar:
    """Stands in for tqdm's: notes what it is told."""

    made: list[Bar]

    def __init__(self, **settings):
        self.settings = settings
        self.total, self.n = settings["total"], settings["initial"]
        self.shown = []
        self.closed = 0
        self.made.append(self)

    def refresh(self):
        assert not self.closed
        self.shown.append((self.n, self.total))

    def close(self):
        self.closed += 1


@pytest.fixture
def bars(monkeypatch):
    made = []
    module = type(sys)("tqdm")
    module.tqdm = type("tqdm", (Bar,), {"made": made})
    monkeypatch.setitem(sys.modules, "tqdm", module)
    return made


@pytest.fixture
def gate():
    source, sink = os.pipe()
    yield source, lambda: os.write(sink, b"x")
    os.write(sink, b"x" * 10)
    wait(timeout=30)
    os.close(source)
    os.close(sink)


def schedule(count=20):
    total = Cown(0)
    for _ in range(count):
        when(total)(lambda total: setattr(total, "value", total.value + 1))
    return total


LINE = re.compile(r"bocmat: (\d+) of (\d+) behaviors done")


@pytest.mark.parametrize("ending", [wait, quiesce])
def test_off_a_terminal_the_last_line_says_that_all_is_done(backend, capsys, bars, ending):
    total = schedule()
    assert ending(progress=True) is None
    *_, last = capsys.readouterr().err.splitlines()
    assert LINE.fullmatch(last).groups() == ("20", "20")
    assert not bars
    wait()
    assert total.value == 20


def test_on_a_terminal_without_tqdm_there_are_lines(backend, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    schedule()
    wait(progress=True)
    assert LINE.fullmatch(terminal.getvalue().splitlines()[-1]).groups() == ("20", "20")


@pytest.mark.parametrize("ending", [wait, quiesce])
def test_on_a_terminal_with_tqdm_there_is_a_bar(backend, monkeypatch, bars, ending):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    schedule()
    ending(progress=True)
    (bar,) = bars
    assert bar.settings["file"] is terminal
    assert bar.shown[-1] == (20, 20)
    assert all(done <= total for done, total in bar.shown)
    assert bar.closed == 1
    assert terminal.getvalue() == ""


def test_the_bar_measures_only_what_it_has_seen(backend, monkeypatch, bars):
    monkeypatch.setattr(sys, "stderr", Terminal())
    schedule()
    quiesce()
    schedule(5)
    wait(progress=True)
    (bar,) = bars
    assert 20 <= bar.settings["initial"] <= bar.settings["total"] == 25
    assert bar.shown[-1] == (25, 25)


def test_nothing_is_shown_where_nothing_runs_or_nobody_asks(backend, capsys, bars):
    wait(progress=True)
    wait(progress=True)
    schedule()
    quiesce()
    wait(progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("terminal", [False, True], ids=["lines", "bar"])
def test_a_timeout_leaves_the_display_closed_and_everything_running(
    backend, monkeypatch, bars, gate, terminal
):
    source, open_gate = gate
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)

    @when()
    def result():
        return os.read(source, 1)

    for limit in (0, 0.25):
        with pytest.raises(TimeoutError, match="1 behaviors"):
            wait(limit, progress=True)
    if terminal:
        assert [bar.closed for bar in bars] == [1, 1]
        assert [bar.shown[-1] for bar in bars] == [(0, 1), (0, 1)]
    else:
        lines = [LINE.fullmatch(line).groups() for line in stream.getvalue().splitlines()]
        assert len(lines) >= 2
        assert set(lines) == {("0", "1")}
    open_gate()
    wait(progress=True)
    assert result.value == b"x"


def test_the_counts_begin_with_the_start(backend_name, capsys):
    for count in (3, 5):
        schedule(count)
        wait(progress=True)
        *_, last = capsys.readouterr().err.splitlines()
        assert last == f"bocmat: {count} of {count} behaviors done"


def test_statistics_come_besides(backend, capsys):
    schedule()
    stats = wait(stats=True, progress=True)
    assert sum(worker["executed"] for worker in stats) == 20
    assert "20 of 20" in capsys.readouterr().err


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_missing_standard_error_stops_nobody(backend, monkeypatch, stream):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", None if stream is None else closed)
    total = schedule()
    wait(progress=True)
    monkeypatch.undo()
    assert total.value == 20


def test_inside_a_behavior_it_is_refused_as_without(backend):
    @when()
    def result():
        try:
            wait(progress=True)
        except RuntimeError:
            return "refused"

    wait()
    assert result.value == "refused"


def test_lines_come_now_and_then(backend_name):
    program = """
    import bocmat.progress as progress
    from bocmat import wait, when
    import os
    source, sink = os.pipe()
    progress._FIRST_LINE = 0.0

    @when()
    def _():
        os.read(source, 1)

    shown = progress.Progress()
    assert shown.watch(0.3) is False
    os.write(sink, b"x")
    assert shown.watch(-1.0) is True
    shown.close()
    wait()
    """
    done = run_program(program, BOCMAT_BACKEND=backend_name)
    lines = done.stderr.splitlines()
    assert done.returncode == 0
    assert lines[0] == "bocmat: 0 of 1 behaviors done"
    assert lines[-1] == "bocmat: 1 of 1 behaviors done"
    assert done.stdout == ""


INTERRUPTED = """
import os, signal, sys
from bocmat import wait, when
# A background job of a shell begins with it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
source, sink = os.pipe()

@when()
def result():
    return os.read(source, 1)

try:
    print("waiting", flush=True)
    wait(progress=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
os.write(sink, b"x")
wait()
print(result.value)
"""


def test_an_interrupt_closes_the_display(backend_name):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(BOCMAT_BACKEND=backend_name),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        assert process.stderr is not None
        assert process.stderr.readline() == "bocmat: 0 of 1 behaviors done\n"  # after a second
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.communicate()
    assert out == "interrupted\nb'x'\n"
    assert set(err.splitlines()) == {"bocmat: 0 of 1 behaviors done"}  # the last one, if not more
    assert process.returncode == 0


@pytest.mark.skipif(importlib.util.find_spec("tqdm") is None, reason="tqdm is not installed")
def test_the_real_bar(backend_name):
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    program = """
    from bocmat import wait, when
    for _ in range(30):
        when()(lambda: None)
    wait(progress=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stderr=terminal,
        env=environment(BOCMAT_BACKEND=backend_name, TERM="xterm"),
    )
    os.close(terminal)
    written = b""
    try:
        while True:
            try:
                chunk = os.read(controller, 65536)
            except OSError:
                break
            if not chunk:
                break
            written += chunk
        assert process.wait(LIMIT) == 0
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    assert b"bocmat" in written
    assert b"30/30" in written
    assert written.endswith(b"\n")
