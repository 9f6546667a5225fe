"""The same programs, run in every way in which a Python program can be run."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from support.programs import LIMIT, REPOSITORY, environment, run_python

# What a program may do at its top level, with no guard; it tells how often its top level runs.
PROGRAM = '''
print("top")
import dataclasses
import enum
import math
from bocmat import Cown, Matrix, read, wait, when

SCALE = 3
TABLE = {"a": [1, 2]}


class Account:
    """An account."""

    rate = 2

    def __init__(self, balance):
        self.balance = balance

    def pay(self, amount):
        self.balance -= scaled(amount)
        return self


class Savings(Account):
    def pay(self, amount):
        super().pay(amount)
        self.balance += Account.rate
        return self


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Refused(Exception):
    pass


def scaled(value):
    return identity(value) * SCALE


def identity(value):
    return value


def factorial(number):
    return 1 if number == 0 else number * factorial(number - 1)


def make(number):
    def local(value):
        return value + number

    class Local:
        def __init__(self):
            self.number = number

    cown = Cown(Local())

    @when(cown)
    def result(cown):
        same = type(cown.value) is Local
        cown.value.number = local(cown.value.number)
        return same, cown.value

    return result, Local


results = []
for index in range(5):
    @when()
    def result():
        return index, scaled(index), TABLE["a"]

    results.append(result)

TABLE = None
account = Cown(Savings(100))


@when(account)
def paid(account, amount=5):
    if not isinstance(account.value, Savings):
        raise TypeError("another class")
    return account.value.pay(amount).balance


@when(paid, read(account))
def seen(paid, account):
    return paid.value + account.value.balance


@when()
def several():
    return Color.RED, Point(math.floor(2.5)), factorial(10), [scaled(n) for n in range(3)]


@when()
def failed():
    raise Refused("no", Color.RED)


@when(failed)
def looked_at(failed):
    return failed.exception and type(failed.value) is Refused


matrix = Cown(Matrix.ones((4, 4)))


@when(matrix)
def _(matrix):
    matrix.value = matrix.value @ matrix.value


made, Local = make(10)
wait()
print([result.value for result in results])
print(paid.value, seen.value, type(account.value) is Savings, account.value.balance)
color, point, product, scales = several.value
print(color is Color.RED, point == Point(2), product, scales)
print(looked_at.value, type(failed.value) is Refused, failed.value.args[1] is Color.RED)
print(matrix.value.sum())
print(made.value[0], type(made.value[1]) is Local, made.value[1].number)
print("end")
'''

EXPECTED = [
    "top",
    str([(index, 3 * index, [1, 2]) for index in range(5)]),
    "87 174 True 87",
    "True True 3628800 [0, 3, 6]",
    "True True True",
    "64.0",
    "True True 20",
    "end",
]


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM)
    (tmp_path / "zipped").mkdir()
    (tmp_path / "zipped" / "__main__.py").write_text(PROGRAM)
    (tmp_path / "runs.py").write_text(
        "import runpy\nrunpy.run_path('program.py', run_name='__main__')\n"
    )
    (tmp_path / "runs_named.py").write_text("import runpy\nrunpy.run_path('program.py')\n")
    (tmp_path / "execs.py").write_text(
        "text = open('program.py').read()\n"
        "exec(compile(text, 'program.py', 'exec'), {'__name__': 'elsewhere'})\n"
    )
    (tmp_path / "guarded.py").write_text(
        "if __name__ == '__main__':\n" + textwrap.indent(PROGRAM, "    ")
    )
    (tmp_path / "in_a_function.py").write_text(
        "def main():\n" + textwrap.indent(PROGRAM, "    ") + "\nmain()\n"
    )
    return tmp_path


WAYS = {
    "file": ["program.py"],
    "absolute file": ["{}/program.py"],
    "module": ["-m", "program"],
    "package": ["-m", "package"],
    "directory": ["zipped"],
    "command": ["-c", PROGRAM],
    "run_path": ["runs.py"],
    "run_path under another name": ["runs_named.py"],
    "exec": ["execs.py"],
    "guarded": ["guarded.py"],
    "in a function": ["in_a_function.py"],
    "optimized": ["-OO", "program.py"],
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_and_runs_the_top_level_once(backend_name, directory, way):
    arguments = [argument.replace("{}", str(directory)) for argument in WAYS[way]]
    done = run_python(*arguments, cwd=directory, BOCMAT_BACKEND=backend_name, BOCMAT_WORKERS="2")
    assert done.stderr == ""
    assert done.stdout.splitlines() == EXPECTED
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", [["-"], []])
def test_standard_input(backend_name, directory, arguments):
    done = run_python(
        *arguments, stdin=PROGRAM, cwd=directory, BOCMAT_BACKEND=backend_name, BOCMAT_WORKERS="2"
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == EXPECTED


def test_an_imported_module_may_schedule_at_its_top_level(backend_name, directory):
    """What a worker imports by name runs there; the program's own top level still runs once."""
    (directory / "importing.py").write_text("print('program top')\nimport program\n")
    done = run_python("importing.py", cwd=directory, BOCMAT_BACKEND=backend_name)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines.count("program top") == 1
    assert lines[-7:] == EXPECTED[1:]


LIBRARY = """
from bocmat import Cown, when

LEVEL = 1


class Shelf:
    def __init__(self, items):
        self.items = items


def tidy(shelf):
    return sorted(shelf.items)


def tidied(cown):
    @when(cown)
    def result(cown):
        cown.value.items = tidy(cown.value)
        return LEVEL, cown.value.items

    return result
"""

USES_LIBRARY = """
print("top")
from bocmat import Cown, wait, when
import library
from library import Shelf, tidied

library.LEVEL = 2
shelf = Cown(Shelf([3, 1, 2]))
result = tidied(shelf)

@when(shelf)
def mine(shelf):
    same = isinstance(shelf.value, library.Shelf)
    return same, library.tidy(shelf.value), type(shelf.value) is Shelf

wait()
print(result.value[1], mine.value, type(shelf.value) is Shelf, shelf.value.items)
"""


def test_modules_of_the_program_schedule_too(backend_name, tmp_path):
    (tmp_path / "library.py").write_text(LIBRARY)
    (tmp_path / "main.py").write_text(USES_LIBRARY)
    done = run_python(str(tmp_path / "main.py"), cwd="/", BOCMAT_BACKEND=backend_name)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["top", "[1, 2, 3] (True, [1, 2, 3], True) True [1, 2, 3]"]


def test_a_package_with_relative_imports(backend_name, tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "library.py").write_text(LIBRARY)
    (package / "__main__.py").write_text(
        USES_LIBRARY.replace("import library\n", "from . import library\n").replace(
            "from library", "from .library"
        )
    )
    done = run_python("-m", "shop", cwd=tmp_path, BOCMAT_BACKEND=backend_name)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["top", "[1, 2, 3] (True, [1, 2, 3], True) True [1, 2, 3]"]


# Typed in

TYPED = """\
from bocmat import Cown, wait, when
factor = 3
def helper(value): return value * factor

class Box: pass

box = Cown(Box())
@when(box)
def first(box): box.value.inside = helper(4); return isinstance(box.value, Box)

factor = 5
@when(box)
def second(box): return box.value.inside + helper(1)

wait()
print("typed", first.value, second.value, type(box.value) is Box, box.value.inside)
for i in range(3): results = [when()(lambda: i * 2) for i in range(3)]

wait()
print("typed", [result.value for result in results])
exit()
"""
ANSWERS = ["typed True 17 True 12", "typed [0, 2, 4]"]


def test_the_shell_with_piped_input(backend_name, tmp_path):
    done = run_python("-i", "-q", stdin=TYPED, cwd=tmp_path, BOCMAT_BACKEND=backend_name)
    assert [line for line in done.stdout.splitlines() if line.startswith("typed")] == ANSWERS, (
        done.stdout + done.stderr
    )
    assert done.returncode == 0


def typed_into_a_terminal(lines, limit=LIMIT, **changes):
    """Run the interactive shell on a terminal of its own and type lines; everything it wrote."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-q"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment(
            TERM="xterm", NO_COLOR="1", PYTHON_COLORS="0", PYTHON_HISTORY="", **changes
        ),
        start_new_session=True,
    )
    os.close(terminal)
    written = bytearray()
    deadline = time.monotonic() + limit
    queue = list(lines)
    try:
        prompts = 0
        while time.monotonic() < deadline:
            ready, _, _ = select.select([controller], [], [], 0.05)
            if ready:
                try:
                    chunk = os.read(controller, 65536)
                except OSError:  # the other end is closed
                    break
                if not chunk:
                    break
                written += chunk
                continue
            # Quiet: it waits for the next line once it has shown a prompt.
            seen = written.count(b">>>") + written.count(b"... ")
            if queue and seen > prompts:
                prompts = seen
                os.write(controller, queue.pop(0).encode() + b"\r")
            elif process.poll() is not None:
                break
        process.wait(max(deadline - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        raise AssertionError(f"the shell did not end\n{written.decode(errors='replace')}") from None
    finally:
        os.close(controller)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", written.decode(errors="replace"))
    return text.splitlines()


@pytest.mark.parametrize("basic", ["1", None])
def test_the_shell_on_a_terminal(backend_name, tmp_path, basic):
    lines = typed_into_a_terminal(
        TYPED.splitlines(), BOCMAT_BACKEND=backend_name, PYTHON_BASIC_REPL=basic, HOME=str(tmp_path)
    )
    assert [line for line in lines if line.startswith("typed")] == ANSWERS, "\n".join(lines)


def test_a_console_inside_a_program(backend_name):
    """What notebooks do: sources compiled one by one, run in a namespace of their own."""
    program = f"""
import code
console = code.InteractiveConsole({{"__name__": "__main__"}})
for line in {TYPED!r}.splitlines()[:-1]:
    console.push(line)
"""
    done = run_python("-c", program, BOCMAT_BACKEND=backend_name)
    assert done.stdout.splitlines() == ANSWERS, done.stderr


# Under pytest

PYTEST_FILE = """
import pytest
from bocmat import Cown, Matrix, wait, when
{extra}

SCALE = 3
print("top")


def helper(value):
    return value * SCALE


class Account:
    def __init__(self, balance):
        self.balance = balance


@pytest.fixture
def account():
    return Cown(Account(10))


def test_module_level(account):
    for index in range(3):
        @when(account)
        def result(account):
            account.value.balance += helper(index)
            return isinstance(account.value, Account)
    wait()
    assert result.value is True
    assert type(account.value) is Account
    assert account.value.balance == 19


def test_local(account):
    class Local:
        value = 5

    def local(number):
        return number + Local.value + SCALE

    @when(account)
    def result(account):
        return local(account.value.balance), Local()
    wait()
    assert result.value[0] == 18
    assert type(result.value[1]) is Local


def test_assertions_in_behaviors(account):
    @when(account)
    def passed(account):
        assert account.value.balance == 10
        return "passed"

    @when(account)
    def failed(account):
        assert account.value.balance == 11, "as it should"
    wait()
    assert passed.value == "passed"
    assert type(failed.value) is AssertionError
    assert "as it should" in str(failed.value)


@pytest.mark.parametrize("number", [1, 2])
def test_parameters(number):
    @when()
    def result():
        return helper(number)
    wait()
    assert result.value == 3 * number
"""


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("extra", ["", "import numpy as np"], ids=["plain", "numpy"])
def test_inside_pytest(backend_name, tmp_path, mode, extra):
    """With NumPy, the test module itself cannot be imported where a behavior runs."""
    if extra:
        pytest.importorskip("numpy")
    (tmp_path / "test_inner.py").write_text(PYTEST_FILE.replace("{extra}", extra))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = run_python(
        *["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--import-mode={mode}", "test_inner.py"],
        cwd=tmp_path,
        BOCMAT_BACKEND=backend_name,
        PYTEST_ADDOPTS=None,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_the_repository_itself_is_not_needed_as_the_working_directory(backend_name):
    assert (REPOSITORY / "pyproject.toml").exists()
    done = run_python("-c", PROGRAM, cwd="/", BOCMAT_BACKEND=backend_name)
    assert done.stdout.splitlines() == EXPECTED, done.stderr
