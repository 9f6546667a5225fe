"""Programs of the kind that behaviors were made for, run in every way a program can be run."""

from __future__ import annotations

import ast
import json
import textwrap
import zipapp

import pytest

from support.programs import run_python

CHEESE = """
import logging
import random
from bocmat import wait, when, Cown

STOCK = {"gouda"}


def all_known_cheeses():
    return ["brie", "gouda", "edam"]


def is_available(logger, name):
    logger.info(name)
    return name in STOCK


def cleanup_shop(logger):
    logger.info("closing")


def vikings(logger):
    for _ in range(3):
        logger.info("spam")


def menu():
    return ["egg and spam", "spam and Spam", "egg and bacon"]


def eat(dish):
    print("eating", dish)


def return_to_library():
    print("to the library")


def buy_cheese():
    cheese = Cown(None)

    @when(cheese)
    def _(cheese):
        logger = logging.getLogger("shop")
        for name in all_known_cheeses():
            if is_available(logger, name):
                cheese.value = name
                return

        cleanup_shop(logger)

    return cheese


def order_meal(exclude: str):
    order = Cown(None)

    @when(order)
    def _(order):
        logger = logging.getLogger("kitchen")
        logger.info("today")
        for dish in menu():
            logger.info(dish)
            if exclude.lower() not in dish.lower():
                logger.info(f"little {exclude} in it")
                order.value = dish
                return

            vikings(logger)
            if random.random() < 0.3:
                logger.info("again")

    return order


cheese = buy_cheese()
meal = order_meal(exclude="spam")


@when(cheese, meal)
def _(cheese, meal):
    if meal.value is not None:
        eat(meal.value)
    elif cheese.value is not None:
        eat(cheese.value)
    else:
        print("nothing to eat")


@when(cheese, meal)
def _(cheese, meal):
    if meal.value is not None:
        print("cheese would have been better")
    elif cheese.value is not None:
        print("cheese")

    return_to_library()


wait()
"""

BANK = """
from bocmat import Cown, wait, when


class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance


def transfer(source: Cown[Account], target: Cown[Account], amount: float):
    # Both accounts at once, and nobody else at either.
    @when(source, target)
    def _(source, target):
        print(f"{source.value.name} -> {target.value.name} ({amount})")
        if source.value.balance >= amount:
            source.value.balance -= amount
            target.value.balance += amount

    @when(target)
    def _(target):
        print(f"{target.value.name} now has {target.value.balance}")


alice = Cown(Account("Alice", 100))
bob = Cown(Account("Bob", 0))
print("first")
transfer(alice, bob, 40)
print("second")
transfer(bob, alice, 10)
print("waiting")
wait()
print("done", alice.value.balance, bob.value.balance)
"""

KITCHEN = """
from typing import NamedTuple
from bocmat import Cown, wait, when


class Ingredient:
    def __init__(self, name, count=1):
        self.name, self.count, self.state = name, count, "raw"


class Recipe(NamedTuple):
    name: str
    needs: dict


class Utensil:
    def __init__(self, name):
        self.name, self.used = name, 0

    def apply(self, ingredient, state):
        self.used += 1
        ingredient.state = state

    def dice(self, ingredient):
        self.apply(ingredient, "diced")

    def chop(self, ingredient):
        self.apply(ingredient, "chopped")

    def grate(self, ingredient):
        if self.name != "grater":
            raise ValueError(f"a {self.name} does not grate")
        self.apply(ingredient, "grated")

    def beat(self, ingredient):
        self.apply(ingredient, "beaten")


class Cookware(Utensil):
    def cook(self, recipe, ingredients):
        for ingredient in ingredients:
            if ingredient.state != recipe.needs[ingredient.name]:
                raise ValueError(f"{ingredient.name} is {ingredient.state}")
            ingredient.state = "cooked"
        print("cooked", recipe.name)


onion = Cown(Ingredient("onion"))
pepper = Cown(Ingredient("pepper"))
eggs = Cown(Ingredient("egg", 3))
cheese = Cown(Ingredient("cheese"))
knife = Cown(Utensil("knife"))
whisk = Cown(Utensil("whisk"))
grater = Cown(Utensil("grater"))
pan = Cown(Cookware("pan"))
omelette = Recipe("omelette", {
    "onion": "diced",
    "pepper": "chopped",
    "egg": "beaten",
    "cheese": "grated"
})


@when(knife, onion)
def dice_onion(knife: Cown, onion: Cown):
    knife.value.dice(onion.value)

    @when()
    def _():
        print("the onion is diced")


@when(knife, pepper)
def chop_pepper(knife, pepper):
    knife.value.chop(pepper.value)


@when(whisk, eggs)
def beat_eggs(whisk, eggs):
    whisk.value.beat(eggs.value)


@when(grater, cheese)
def grate_cheese(grater, cheese):
    grater.value.grate(cheese.value)


@when(onion, pepper, eggs, cheese, pan)
def cook_omelette(onion, pepper, eggs, cheese, pan):
    pan.value.cook(omelette, (onion.value, pepper.value, eggs.value, cheese.value))


@when(knife, onion)
def grate_onion(knife: Cown, onion: Cown):
    knife.value.grate(onion.value)


@when(grate_onion)
def _(result):
    if isinstance(result.value, Exception):
        print("could not:", result.value)
        result.value = None


wait()
print(knife.value.used, onion.value.state, grate_onion.value, grate_onion.exception)
print(type(onion.value) is Ingredient, isinstance(pan.value, Utensil))
"""

BIRDS = """
from bocmat import Cown, Matrix, wait, when

positions = Cown(Matrix.zeros((50, 2)))
velocities = Cown(Matrix.ones((50, 2)))


@when(positions, velocities)
def step(pos, vel):
    pos.value += vel.value


wait(timeout=50)
print(positions.value.sum(), velocities.value.sum(), step.value)
"""

# What each prints, in some order.
PROGRAMS = {
    "cheese": (CHEESE, ["eating egg and bacon", "cheese would have been better", "to the library"]),
    "bank": (
        BANK,
        [
            *["first", "second", "waiting", "Alice -> Bob (40)", "Bob now has 40"],
            *["Bob -> Alice (10)", "Alice now has 70", "done 70 30"],
        ],
    ),
    "kitchen": (
        KITCHEN,
        [
            *["the onion is diced", "cooked omelette", "could not: a knife does not grate"],
            *["2 cooked None False", "True True"],
        ],
    ),
    "birds": (BIRDS, ["100.0 100.0 None"]),
}
EVERYTHING = sorted(line for _, lines in PROGRAMS.values() for line in lines)


def statements(program):
    """Split a program as one types it: whole statements, with no empty line inside."""
    lines = program.splitlines()
    for node in ast.parse(program).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        kept = [line for line in lines[first - 1 : node.end_lineno] if line.strip()]
        yield "\n".join(kept) + "\n"


@pytest.fixture
def directory(tmp_path):
    for name, (text, _) in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def check(done, expected, backend_name):
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    if backend_name == "threads":
        # print() writes the end of a line apart, and threads share one stream.
        assert sorted(done.stdout.replace("\n", "")) == sorted("".join(expected))
    else:
        assert sorted(done.stdout.splitlines()) == sorted(expected)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("way", ["script", "module", "standard input"])
def test_a_program_of_its_own(backend_name, directory, name, way):
    text, expected = PROGRAMS[name]
    arguments = {"script": [f"{name}.py"], "module": ["-m", name], "standard input": ["-"]}[way]
    typed = text if way == "standard input" else None
    done = run_python(*arguments, stdin=typed, cwd=directory, BOCMAT_BACKEND=backend_name)
    check(done, expected, backend_name)


def test_typed_into_the_shell(backend_name, tmp_path):
    """One after the other in one session, whose names stay."""
    lines = [f"{statement}\n" for text, _ in PROGRAMS.values() for statement in statements(text)]
    typed = "import sys; sys.ps1 = sys.ps2 = ''\n" + "".join(lines) + "exit()\n"
    done = run_python("-i", "-q", stdin=typed, cwd=tmp_path, BOCMAT_BACKEND=backend_name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Error" not in done.stderr
    assert sorted(done.stdout.replace("\n", "")) == sorted("".join(EVERYTHING))


CONSOLE = """
import code, json, sys
console = code.InteractiveConsole({"__name__": "__main__"})
for statement in json.load(sys.stdin):
    for line in [*statement.splitlines(), ""]:
        console.push(line)
"""

# As notebooks do it: cells of their own name, whose text the line cache has, in a module that
# takes the place of __main__.
NOTEBOOK = """
import json, linecache, sys, types
sys.modules["__main__"] = module = types.ModuleType("__main__")
module.get_ipython = lambda: None
for number, text in enumerate(json.load(sys.stdin)):
    name = f"/tmp/ipykernel_1/{number}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), module.__dict__)
"""


@pytest.mark.parametrize("way", [CONSOLE, NOTEBOOK], ids=["console", "notebook"])
def test_statement_by_statement_inside_a_program(backend_name, tmp_path, way):
    cells = [statement for text, _ in PROGRAMS.values() for statement in statements(text)]
    done = run_python("-c", way, stdin=json.dumps(cells), cwd=tmp_path, BOCMAT_BACKEND=backend_name)
    check(done, EVERYTHING, backend_name)


CELLS = [
    "from bocmat import Cown, wait, when\nlog = Cown([])",
    "def told(value): return f'first {value}'\nclass Note:\n    def text(self): return told(1)",
    "note = Cown(Note())\n@when(note, log)\ndef _(note, log): log.value.append(note.value.text())",
    "wait()",
    "def told(value): return f'second {value}'",
    "@when(note, log)\ndef _(note, log): log.value.append(note.value.text())",
    "@when()\ndef failing():\n    x = 1\n    raise ValueError(x)",
    "wait()",
    "print(log.value, type(note.value) is Note)",
    "print('line 4, in failing' in failing.value.__notes__[-1])",
    "class Note:\n    def text(self): return 'third'",
    "result = when()(lambda: Note().text())\nwait()\nprint(result.value)",
]


def test_a_notebook_whose_cells_are_run_again(backend_name, tmp_path):
    """What a cell defines anew is what the next behavior sees, also inside of methods."""
    done = run_python(
        "-c", NOTEBOOK, stdin=json.dumps(CELLS), cwd=tmp_path, BOCMAT_BACKEND=backend_name
    )
    assert done.stdout.splitlines() == [
        "['first 1', 'second 1'] True",
        "True",
        "third",
    ], done.stderr
    assert done.stderr.count("ValueError: 1") == 1  # the report


def test_in_functions_of_a_test_runner(backend_name, tmp_path):
    functions = []
    for name, (text, expected) in PROGRAMS.items():
        body = textwrap.indent(text, "    ")
        functions.append(
            f"def test_{name}(capfd):\n{body}\n"
            f"    text = capfd.readouterr().out.replace({chr(10)!r}, '')\n"
            f"    assert sorted(text) == sorted({''.join(expected)!r})\n"
        )
    (tmp_path / "test_inner.py").write_text("\n\n".join(functions))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = run_python(
        *["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_inner.py"],
        cwd=tmp_path,
        BOCMAT_BACKEND=backend_name,
        PYTEST_ADDOPTS=None,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(PROGRAMS)} passed" in done.stdout


def test_in_an_archive(backend_name, tmp_path):
    """All of them as modules of one archive, with a package of its own that schedules too."""
    source = tmp_path / "source"
    (source / "shop").mkdir(parents=True)
    (source / "shop" / "__init__.py").write_text(
        "from bocmat import when\n"
        "class Item:\n    price = 3\n"
        "def sold(cown):\n"
        "    @when(cown)\n"
        "    def result(cown):\n"
        "        return type(cown.value) is Item, cown.value.price, __name__, __file__\n"
        "    return result\n"
    )
    for name, (text, _) in PROGRAMS.items():
        (source / f"{name}.py").write_text(text)
    (source / "__main__.py").write_text(
        "".join(f"import {name}\n" for name in PROGRAMS)
        + "from bocmat import Cown, wait\n"
        + "import shop\n"
        + "result = shop.sold(Cown(shop.Item()))\n"
        + "wait()\n"
        + "print(result.value == (True, 3, 'shop', shop.__file__))\n"
    )
    zipapp.create_archive(source, tmp_path / "all.pyz")
    done = run_python("all.pyz", cwd=tmp_path, BOCMAT_BACKEND=backend_name)
    check(done, [*EVERYTHING, "True"], backend_name)
