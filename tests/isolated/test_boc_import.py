"""What importing brings in, importing again, and importing elsewhere."""

from __future__ import annotations

import sys

import pytest

from support.programs import output_of, run_program

HEAVY = ["numpy", "asyncio", "multiprocessing", "cloudpickle", "tqdm"]


def test_import_is_light():
    program = f"""
    import sys
    import bocmat
    print([name for name in {HEAVY!r} if name in sys.modules])
    """
    assert output_of(program) == ["[]"]


def test_a_program_of_plain_values_stays_light(backend_name):
    program = """
    import sys
    from bocmat import Cown, Matrix, wait, when
    cown = Cown(Matrix.ones((2, 2)))
    heavy = ("numpy", "asyncio", "multiprocessing", "tqdm")

    @when(cown)
    def result(cown):
        cown.value += 1.0
        return [name for name in heavy if name in sys.modules]

    wait()
    print(result.value)
    print([name for name in heavy if name in sys.modules])
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name) == ["[]", "[]"]


def test_importing_again_after_forgetting_every_module(backend_name):
    program = """
    import sys

    for round_ in range(4):
        import bocmat
        from bocmat import Cown, Matrix, start, wait, when
        cown = Cown(Matrix.full((10, 10), 1.0))

        @when(cown)
        def result(cown):
            cown.value += 1.0
            return cown.value.sum()

        wait()
        print(result.value, cown.value[0, 0])
        for name in [name for name in sys.modules if name.partition(".")[0] == "bocmat"]:
            del sys.modules[name]
        del bocmat, Cown, Matrix, start, wait, when, cown, result
        import gc
        gc.collect()
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name) == ["200.0 2.0"] * 4


def test_reload(backend_name):
    program = """
    import importlib
    import bocmat

    def run():
        cown = bocmat.Cown(1)

        @bocmat.when(cown)
        def result(cown):
            return cown.value + 1

        bocmat.wait()
        return result.value

    print(run())
    importlib.reload(bocmat)
    print(run())
    """
    assert output_of(program, BOCMAT_BACKEND=backend_name) == ["2", "2"]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="concurrent.interpreters came with 3.14")
def test_importing_in_an_interpreter_of_the_program_itself():
    program = """
    from concurrent import interpreters
    import bocmat
    for _ in range(3):
        interpreter = interpreters.create()
        interpreter.exec("import bocmat; m = bocmat.Matrix.ones((3, 3)); assert m.sum() == 9.0")
        interpreter.close()

    @bocmat.when()
    def result():
        return "still running"

    bocmat.wait()
    print(result.value)
    """
    assert output_of(program) == ["still running"]


def test_a_package_that_no_sub_interpreter_can_import_names_the_way_out():
    from bocmat.lifecycle import usable_backends

    if "interpreters" not in usable_backends():
        pytest.skip("needs the interpreters backend")
    pytest.importorskip("numpy")
    program = """
    from bocmat import start, wait, when
    start(1, backend="interpreters")

    @when()
    def result():
        import numpy
        return float(numpy.ones(3).sum())

    wait()
    if result.exception:
        print(isinstance(result.value, ImportError), "threads" in str(result.value))
    else:
        print(result.value)
    """
    (line,) = output_of(program)
    assert line in ("True True", "3.0")


# Extension modules that were slow to learn that there may be several interpreters; their users.
STANDARD_LIBRARY = """
import sys
from bocmat import Cown, start, wait, when

def dates():
    import datetime
    later = datetime.date(2020, 1, 31) + datetime.timedelta(days=1)
    return later, later.isoformat(), datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)

def decimals():
    import decimal, fractions, statistics
    with decimal.localcontext() as context:
        context.prec = 5
        third = decimal.Decimal(1) / 3
    return third, fractions.Fraction(third), statistics.mean([1, 2, 4])

def hashes():
    import hashlib, hmac, random, secrets, uuid, zlib
    digests = [hashlib.new(name, b"text").hexdigest() for name in ("md5", "sha256", "blake2b")]
    return digests, zlib.crc32(b"text"), random.Random(5).random(), str(uuid.UUID(int=7))

def texts():
    import csv, io, json, pickle, re, string, struct, textwrap, unicodedata
    return (json.loads(json.dumps({"a": [1, 2.5, None]})), re.findall("a+", "aabaa"),
            struct.pack("<d", 1.5), unicodedata.name("x"), list(csv.reader(io.StringIO("1,2"))))

def loops():
    import asyncio, concurrent.futures, logging, threading
    async def later(value):
        await asyncio.sleep(0)
        return value
    logging.getLogger("quiet").debug("nothing")
    return asyncio.run(later(5)), threading.current_thread().name != ""

def data():
    import array, bisect, collections, heapq, itertools, math, operator, sqlite3, zoneinfo
    rows = sqlite3.connect(":memory:").execute("select 1 + 1").fetchall()
    return rows, str(zoneinfo.ZoneInfo("UTC")), array.array("d", [1.0]), math.dist([0], [2])

functions = [dates, decimals, hashes, texts, loops, data]
expected = [function() for function in functions] if sys.argv[1] == "here too" else None
for _ in range(3):
    start(3)
    results = [[when()(function) for function in functions] for _ in range(4)]
    wait()
    for row in results:
        values = [result.unwrap() for result in row]
        assert expected is None or values == expected, values
        expected = values
print("ended")
"""


@pytest.mark.parametrize("way", ["in behaviors only", "here too"])
def test_the_standard_library_works_in_behaviors(way):
    """With the backend that a program gets that asks for none, on every release."""
    done = run_program(STANDARD_LIBRARY, way, BOCMAT_BACKEND=None, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
