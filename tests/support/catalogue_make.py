"""The rows of making matrices and looking at them, of random values and of neighbours."""

from __future__ import annotations

import copy
import io
import operator
import pickle
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bocmat import Matrix
from support.operations import (
    ONE,
    SMALL_ONE,
    Check,
    Op,
    Shapes,
    Ulps,
    Values,
    anything,
    fixed,
    method,
    option,
    ordinary,
    read,
)

NOTHING = Shapes(lambda draw: (), lambda n: ())
ELEMENT = Shapes(lambda draw: ((1, 1),), lambda n: ((1, 1),))
SIZES = st.tuples(st.integers(0, 40), st.integers(0, 40))
SIZE = {"size": (3, 3)}
NUMBERS = st.sampled_from([-3.0, 0.0, 0.5, 2.0, 7.25])


def sized(name: str, function: Any, **more: Any) -> Op:
    call = getattr(Matrix, name)
    sample = {**SIZE, **dict.fromkeys(more, 2.0)}
    return Op(f"Matrix.{name}", call, function, NOTHING, (), fixed(size=SIZES, **more), sample)


def shape_of(size: tuple[int, int]) -> Check:
    def holds(actual: Any) -> None:
        assert actual.shape == size

    return Check(holds)


def arange(start: float, stop: float, step: float) -> Values:
    return Values(np.arange(start, stop, step).reshape(1, -1))


def linspace(start: float, stop: float, count: int, endpoint: bool = True) -> Ulps:
    return Ulps(np.linspace(start, stop, count, endpoint, dtype=np.longdouble).reshape(1, -1), 8)


MAKE = [
    sized("zeros", lambda size: np.zeros(size)),
    sized("ones", lambda size: np.ones(size)),
    sized("empty", shape_of),
    sized("full", lambda size, value: np.full(size, value), value=NUMBERS),
    Op(
        "Matrix.eye",
        Matrix.eye,
        lambda rows, columns=None: np.eye(rows, columns),
        NOTHING,
        (),
        lambda draw, arrays: {
            "rows": draw(st.integers(0, 20)),
            "columns": draw(st.integers(0, 20)),
        },
        {"rows": 3},
    ),
    Op(
        "Matrix.arange",
        Matrix.arange,
        arange,
        NOTHING,
        (),
        fixed(start=NUMBERS, stop=NUMBERS, step=st.sampled_from([1.0, -1.0, 0.5, 0.25])),
        {"start": 0.0, "stop": 9.0, "step": 1.0},
    ),
    Op(
        "Matrix.linspace",
        Matrix.linspace,
        linspace,
        NOTHING,
        (),
        fixed(
            start=st.sampled_from([0.0, 1.0]),
            stop=st.sampled_from([2.0, 7.25]),
            count=st.integers(0, 40),
            endpoint=st.booleans(),
        ),
        {"start": 0.0, "stop": 9.0, "count": 5},
    ),
    Op("Matrix.__new__", Matrix, lambda a: a),
]


def attribute(name: str, function: Any) -> Op:
    return Op(f"Matrix.{name}", operator.attrgetter(name), function)


def flat(name: str, index: int) -> Op:
    def expected(a: np.ndarray) -> float:
        if a.size <= index:
            raise IndexError("no such element")
        return float(a.ravel()[index])

    return Op(f"Matrix.{name}", operator.attrgetter(name), expected, SMALL_ONE)


def iterated(a: np.ndarray) -> Any:
    return a.ravel().tolist() if a.shape[1] == 1 else [row.reshape(1, -1) for row in a]


def item(a: np.ndarray) -> float:
    if a.size != 1:
        raise ValueError("not one element")
    return float(a.item())


def truth(a: np.ndarray) -> bool:
    return bool(item(a))


def pickled(matrix: Any, protocol: int = 5) -> Any:
    return pickle.loads(
        pickle.dumps(matrix if isinstance(matrix, Matrix) else matrix.copy(), protocol)
    )


FILLED = Shapes(
    lambda draw: ((draw(st.integers(1, 9)), draw(st.integers(1, 9))),), lambda n: ((n, n),)
)
DELIMITERS = option(delimiter=st.sampled_from([" ", ",", ";", "\t"]))


def as_text(matrix: Any, delimiter: str = " ") -> Any:
    file = io.StringIO()
    matrix.savetxt(file, delimiter)
    return Matrix.loadtxt(io.StringIO(file.getvalue()), delimiter)


def written(matrix: Any) -> Any:
    """Save and load."""
    file = io.BytesIO()
    matrix.save(file)
    file.seek(0)
    return Matrix.load(file)


def evaluated(matrix: Any) -> Any:
    """Evaluate what `repr` writes; a view has none of its own."""
    return eval(repr(matrix.copy()), {"Matrix": Matrix, "nan": np.nan, "inf": np.inf})


LOOK = [
    attribute("rows", len),
    attribute("columns", lambda a: a.shape[1]),
    attribute("shape", lambda a: a.shape),
    attribute("size", lambda a: a.size),
    attribute("ndim", lambda a: 2),
    attribute("nbytes", lambda a: a.nbytes),
    attribute("read_only", lambda a: False),
    attribute("acquired", lambda a: True),
    *(flat(name, index) for index, name in enumerate("xyzw")),
    Op("Matrix.__len__", len, len),
    Op("Matrix.__iter__", list, iterated, views=False),
    Op("Matrix.values", lambda m: list(m.values()), lambda a: a.ravel().tolist()),
    Op("Matrix.tolist", method("tolist"), lambda a: a.tolist()),
    Op("Matrix.tobytes", method("tobytes"), lambda a: a.tobytes()),
    Op("Matrix.item", method("item"), item, ELEMENT),
    Op("Matrix.__bool__", bool, truth, SMALL_ONE),
    Op("Matrix.copy", method("copy"), lambda a: a),
    Op("Matrix.__copy__", copy.copy, lambda a: a),
    Op("Matrix.__deepcopy__", copy.deepcopy, lambda a: a),
    Op(
        "Matrix.__repr__",
        evaluated,
        lambda a: a,
        Shapes(lambda draw: ((draw(st.integers(1, 4)),) * 2,), lambda n: ((2, 2),)),
        (ordinary,),
    ),
    Op("Matrix.__str__", lambda m: len(str(m)) > 0, lambda a: True, SMALL_ONE),
    Op("Matrix.__format__", lambda m: len(format(m, ".2e")) > 0, lambda a: True, SMALL_ONE),
]
NEIGHBOURS = [
    Op(
        "Matrix.__reduce_ex__",
        pickled,
        lambda a, protocol=5: a,
        ONE,
        (anything,),
        option(protocol=st.integers(0, 5)),
    ),
    Op("Matrix.__buffer__", lambda m: Matrix(memoryview(m)), lambda a: a),
    Op("Matrix.__array__", lambda m: Matrix(np.asarray(m)), lambda a: a),
    Op("Matrix.__array_interface__", lambda m: m.__array_interface__["shape"], lambda a: a.shape),
    Op("Matrix.__dlpack__", lambda m: Matrix(np.from_dlpack(m)), lambda a: a),
    Op(
        "Matrix.__dlpack_device__",
        lambda m: tuple(map(int, m.__dlpack_device__())),
        lambda a: (1, 0),
    ),
    Op("Matrix.from_buffer", Matrix.from_buffer, lambda a: a),
    Op("Matrix.from_dlpack", lambda m: Matrix.from_dlpack(m), lambda a: a),
    Op(
        "Matrix.frombytes",
        lambda m: Matrix.frombytes(m.tobytes(), m.shape),
        lambda a: a,
    ),
    Op("Matrix.save", written, lambda a: a, SMALL_ONE),
    Op("Matrix.savetxt", as_text, lambda a, delimiter=" ": a, FILLED, options=DELIMITERS),
    Op("Matrix.loadtxt", as_text, lambda a, delimiter=" ": a, FILLED, options=DELIMITERS),
    Op("Matrix.load", written, lambda a: a, SMALL_ONE),
]


def between(low: float, high: float, size: tuple[int, int]) -> Check:
    def holds(actual: Any) -> None:
        values = read(actual)
        assert values.shape == size
        assert ((low <= values) & (values < high)).all()

    return Check(holds)


def finite_ones(mean: float, deviation: float, size: tuple[int, int]) -> Check:
    def holds(actual: Any) -> None:
        values = read(actual)
        assert values.shape == size
        assert np.isfinite(values).all()
        assert (np.abs(values - mean) <= 12 * deviation).all()

    return Check(holds)


def arranged(n: int) -> Check:
    def holds(actual: Any) -> None:
        assert actual.shape == (1, n)
        assert sorted(read(actual).ravel().tolist()) == list(range(n))

    return Check(holds)


def drawn(name: str, function: Any, options: Any, sample: dict[str, Any]) -> Op:
    call = getattr(Matrix, name)
    return Op(f"Matrix.{name}", call, function, NOTHING, (), options, sample, one_answer=False)


RANDOM = [
    drawn(
        "uniform",
        between,
        fixed(low=st.sampled_from([-3.0, 0.0]), high=st.sampled_from([0.5, 1e300]), size=SIZES),
        {"low": 0.0, "high": 1.0, **SIZE},
    ),
    drawn(
        "normal",
        finite_ones,
        fixed(mean=NUMBERS, deviation=st.sampled_from([0.0, 1.0, 3.0]), size=SIZES),
        {"mean": 0.0, "deviation": 1.0, **SIZE},
    ),
    drawn(
        "integers",
        between,
        fixed(low=st.integers(-5, 5), high=st.integers(6, 10**12), size=SIZES),
        {"low": 0, "high": 9, **SIZE},
    ),
    drawn("permutation", arranged, fixed(n=st.integers(0, 100)), {"n": 5}),
]
ROWS = [*MAKE, *LOOK, *NEIGHBOURS, *RANDOM]
