"""How values travel: through cowns and results, there and back."""
# ruff: noqa: B023 - loop variables are taken when a behavior is scheduled

from __future__ import annotations

import array
import dataclasses
import datetime
import decimal
import math
import pathlib
import pickle
import struct
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocmat import Cown, Matrix, read, start, wait, when
from support.buffers import address

NATIVE = [
    None,
    True,
    False,
    0,
    -1,
    255,
    2**31,
    -(2**63),
    2**63 - 1,
    2**63,
    2**64,
    -(10**400),
    0.0,
    1.5,
    math.inf,
    -math.inf,
    5e-324,
    complex(1.5, -2.0),
    complex(math.inf, -0.0),
    "",
    "plain",
    "tücken ✓ \U0001f600",
    "\x00nul\x00",
    "\ud800 alone",
    "x" * 100_000,
    b"",
    b"\x00\xff",
    b"y" * 100_000,
    (),
    (1,),
    (1, "a", None, 2.5, b"b", (True, (False,))),
    [],
    [[], [[]]],
    list(range(1000)),
    {},
    {"a": 1, 2: "b", (3, 4): [5], None: {}, 1.5: b""},
    set(),
    {1, "a", (2, 3), None},
    frozenset(),
    frozenset({1, frozenset({2})}),
    {"deep": [({"x"}, frozenset({"y"}), [{"z": (1, [2, {3: {4}}])}])]},
    bytearray(b"abc"),
    range(3, 100, 7),
    slice(1, None, 2),
    ...,
    NotImplemented,
    int,
    ValueError,
    datetime.datetime(2020, 1, 2, 3, 4, 5, 6),
    decimal.Decimal("1.10"),
    pathlib.PurePosixPath("/a/b"),
    array.array("d", [1.0, 2.0]),
]


def same(left, right):
    """Equal, of the same types all the way down, floats bit by bit."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack("d", left) == struct.pack("d", right)
    if isinstance(left, complex):
        return same(left.real, right.real) and same(left.imag, right.imag)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return [*map(repr, left)] == [*map(repr, right)] and all(
            same(left[key], right[key]) for key in left
        )
    return bool(left == right)


@pytest.mark.parametrize("value", NATIVE, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_the_same(backend, value):
    cown = Cown(value)

    @when(cown)
    def returned(cown):
        return cown.value

    @when(cown)
    def captured(cown):
        cown.value = [cown.value, value]

    wait()
    assert not returned.exception, returned.value
    assert not captured.exception, captured.value
    assert same(returned.value, value)
    assert same(cown.value[0], value)
    assert same(cown.value[1], value)


def test_nan_and_negative_zero_keep_their_bits(backend):
    odd_nan = struct.unpack("d", struct.pack("Q", 0x7FF8_0000_0000_1234))[0]
    values = [math.nan, -0.0, odd_nan, complex(-0.0, math.nan)]
    cown = Cown(values)

    @when(cown)
    def result(cown):
        return list(cown.value)

    wait()
    assert same(result.value[1:3], values[1:3])
    assert math.isnan(result.value[0])
    assert math.isnan(result.value[3].imag)


HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4),
    max_leaves=8,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=5)
        | st.sets(HASHABLE, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, min_size=1, max_size=5))
def test_any_nest_of_native_values_comes_back_equal(backend_name, values):
    start(2, backend=backend_name)
    cowns = [Cown(value) for value in values]
    results = []
    for cown, value in zip(cowns, values):

        @when(cown)
        def result(cown):
            return cown.value, value, cown.value == value

        results.append(result)
    wait()
    for result, value in zip(results, values):
        assert result.value == (value, value, True)


def test_a_deep_nest(backend):
    value: list = []
    for _ in range(200):
        value = [value]
    cown = Cown(value)

    @when(cown)
    def result(cown):
        depth, at = 0, cown.value
        while at:
            depth, at = depth + 1, at[0]
        return depth

    wait()
    assert result.value == 200
    assert cown.value == value


def test_a_nest_too_deep_is_an_error_not_a_crash(backend):
    """Whether 100,000 levels travel is not promised, only that the process goes on."""
    value: list = []
    for _ in range(100_000):
        value = [value]
    try:
        cown = Cown(value)
    except (RecursionError, TypeError):
        cown = Cown([])

    @when(cown)
    def result(cown):
        return type(cown.value).__name__

    wait()
    assert result.exception or result.value == "list"
    while value:
        value = value[0]


def test_shared_references_and_cycles(backend):
    shared = [1]
    ring: list = [shared, shared]
    ring.append(ring)
    table: dict = {"ring": ring}
    table["table"] = table
    pair = (ring, table)
    cown = Cown(pair)

    @when(cown)
    def result(cown):
        ring, table = cown.value
        ring[0].append(2)
        return ring[0] is ring[1], ring[2] is ring, table["ring"] is ring, table["table"] is table

    wait()
    assert result.value == (True,) * 4
    ring, table = cown.value
    assert ring[0] == [1, 2]
    assert ring[0] is ring[1]
    assert ring[2] is ring
    assert table["table"] is table
    assert table["ring"] is ring


def test_changes_inside_a_value_are_kept(backend):
    cown = Cown({"list": [1], "set": {1}})

    @when(cown)
    def _(cown):
        cown.value["list"].append(2)

    @when(cown)
    def _(cown):
        cown.value["set"].add(cown.value["list"][-1])

    wait()
    assert cown.value == {"list": [1, 2], "set": {1, 2}}


def test_a_value_that_no_behavior_touches_passes_through(backend):
    cown = Cown([object.__name__, {"a": (1, 2)}])
    for _ in range(5):

        @when(cown)
        def _(cown):
            pass

    wait()
    assert cown.value == ["object", {"a": (1, 2)}]


def test_an_assigned_value_is_read_back_in_the_same_behavior(backend):
    cown = Cown(1)

    @when(cown)
    def result(cown):
        fresh = [1]
        cown.value = fresh
        fresh.append(2)
        return cown.value is fresh, cown.value

    wait()
    assert result.value == (True, [1, 2])
    assert cown.value == [1, 2]


# Classes of the running program


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    __hash__ = None

    def __repr__(self):
        return f"Point({self.x!r}, {self.y!r})"


def test_instances_of_a_class_of_the_module(backend):
    cown = Cown(Point(1, [2]))

    @when(cown)
    def result(cown):
        cown.value.x += 1
        return isinstance(cown.value, Point), type(cown.value).__name__, Point(5, cown.value)

    wait()
    flag, name, made = result.value
    assert (flag, name) == (True, "Point")
    assert type(made) is Point
    assert made == Point(5, Point(2, [2]))
    assert type(cown.value) is Point
    assert cown.value == Point(2, [2])


def test_instances_of_a_local_class(backend):
    class Account:
        def __init__(self, balance):
            self.balance = balance

        def pay(self, amount):
            self.balance -= amount

    cown, empty = Cown(Account(10)), Cown(None)

    @when(cown, empty)
    def result(cown, empty):
        cown.value.pay(3)
        empty.value = Account(99)
        return [cown.value, isinstance(cown.value, Account)]

    wait()
    assert type(cown.value) is Account
    assert type(empty.value) is Account
    assert isinstance(result.value[0], Account)
    assert result.value[1] is True
    assert (cown.value.balance, empty.value.balance, result.value[0].balance) == (7, 99, 7)


def test_an_instance_whose_class_the_behavior_does_not_name(backend):
    class Hidden:
        def __init__(self):
            self.count = 0

        def bump(self):
            self.count += 1
            return self

    cown = Cown([Hidden()])

    @when(cown)
    def result(cown):
        return cown.value[0].bump()

    wait()
    assert type(result.value) is Hidden
    assert type(cown.value[0]) is Hidden
    assert cown.value[0].count == 1


def test_object_cycles_and_slots(backend):
    class Node:
        __slots__ = ("label", "next")

        def __init__(self, label):
            self.label = label
            self.next = self

    first, second = Node("first"), Node("second")
    first.next, second.next = second, first
    cown = Cown(first)

    @when(cown)
    def result(cown):
        cown.value.next.label += "!"
        return cown.value.next.next is cown.value

    wait()
    assert result.value is True
    assert cown.value.next.next is cown.value
    assert (cown.value.label, cown.value.next.label) == ("first", "second!")


def test_functions_as_values(backend):
    offset = 5
    cown = Cown(lambda value: value + offset)

    @when(cown)
    def result(cown):
        inner = cown.value
        cown.value = lambda value: inner(value) * 2
        return inner(1)

    wait()
    assert result.value == 6
    assert cown.value(1) == 12


# Matrices


def elements(matrix):
    rows, columns = matrix.shape
    return [[matrix[i, j] for j in range(columns)] for i in range(rows)]


def test_a_matrix_there_and_back(backend):
    small, large = Cown(Matrix(2, 2, [1.0, 2.0, 3.0, 4.0])), Cown(Matrix.ones((100, 100)))

    @when(small, large)
    def result(small, large):
        small.value[0, 0] = 10.0
        large.value += 1.0
        return small.value @ small.value

    wait()
    assert elements(small.value) == [[10.0, 2.0], [3.0, 4.0]]
    assert large.value.sum() == 20000.0
    assert elements(result.value) == [[106.0, 28.0], [42.0, 22.0]]


def in_list(matrix):
    return [1, matrix]


def in_tuple(matrix):
    return ("x", (matrix,))


def in_dict(matrix):
    return {"a": {"b": matrix}}


@dataclasses.dataclass
class Holder:
    matrix: Matrix
    label: str = "held"


class Plain:
    def __init__(self, matrix):
        self.matrix = matrix


def in_dataclass(matrix):
    return Holder(matrix)


def in_object(matrix):
    return [Plain(Plain(matrix))]


def in_set(matrix):
    return {Plain(matrix)}


def alone(matrix):
    return matrix


def dig(value):
    """Return the matrix inside whatever one of the functions above has built."""
    while not isinstance(value, Matrix):
        if isinstance(value, (list, tuple)):
            value = value[-1]
        elif isinstance(value, dict):
            value = next(iter(value.values()))
        elif isinstance(value, set):
            (value,) = value
        else:
            value = value.matrix
    return value


WRAPPINGS = [alone, in_list, in_tuple, in_dict, in_dataclass, in_object, in_set]


@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__)
def test_the_elements_of_a_matrix_stay_where_they_are(backend, wrap):
    cowns, places = [], []
    for index in range(6):
        matrix = Matrix.full((64, 64), float(index))
        places.append(address(matrix))
        cowns.append(Cown(wrap(matrix)))
        del matrix
    assert len(set(places)) == 6
    results = []
    for cown in cowns:

        @when(cown)
        def result(cown):
            matrix = dig(cown.value)
            matrix[0, 0] = -1.0
            return address(matrix), matrix[5, 5]

        results.append(result)
    for cown in cowns:

        @when(cown)
        def _(cown):
            dig(cown.value)[0, 1] = -2.0

    wait()
    for index, (cown, result, place) in enumerate(zip(cowns, results, places)):
        assert not result.exception, result.value
        inside, value = result.value
        assert value == float(index)
        assert inside in (place, None), "copied on the way in"
        matrix = dig(cown.value)
        assert address(matrix) == place, "copied on the way back"
        assert (matrix[0, 0], matrix[0, 1], matrix[1, 1]) == (-1.0, -2.0, float(index))


def test_a_returned_matrix_stays_where_it_was_made(backend):
    results = []
    for index in range(6):

        @when()
        def made():
            matrix = Matrix.full((64, 64), float(index))
            return address(matrix), [matrix]

        results.append(made)
    wait()
    for index, made in enumerate(results):
        place, (matrix,) = made.value
        assert matrix[3, 3] == float(index)
        assert place in (address(matrix), None)
        matrix[0, 0] = 100.0
        assert matrix[0, 0] == 100.0


def test_one_matrix_twice_in_one_value_is_one_matrix(backend):
    matrix = Matrix.ones((40, 40))
    cown = Cown({"a": matrix, "b": [matrix]})
    del matrix

    @when(cown)
    def result(cown):
        cown.value["a"][0, 0] = 7.0
        return cown.value["b"][0] is cown.value["a"]

    wait()
    assert result.value is True
    assert cown.value["b"][0] is cown.value["a"]
    assert cown.value["b"][0][0, 0] == 7.0


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5), (40, 40), (0, 3), (3, 0)])
@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__)
def test_a_matrix_that_was_given_away_refuses_its_old_names(backend, wrap, shape):
    matrix = Matrix.ones(shape)
    assert matrix.acquired is True
    cown = Cown(wrap(matrix))
    assert matrix.acquired is False
    assert matrix.shape == shape
    assert "Matrix" in repr(matrix)
    uses = [
        lambda: matrix[0:1],
        lambda: matrix + 1.0,
        lambda: 2.0 * matrix,
        lambda: matrix.sum(),
        lambda: matrix.T,
        lambda: matrix.copy(),
        lambda: memoryview(matrix),
        lambda: pickle.dumps(matrix),
        lambda: Cown(matrix),
        lambda: Cown([matrix]),
    ]
    for use in uses:
        with pytest.raises(RuntimeError):
            use()
    with pytest.raises(RuntimeError):
        matrix[0:1] = 0.0
    with pytest.raises(RuntimeError):
        matrix += 1.0

    @when(cown)
    def result(cown):
        return dig(cown.value).shape, dig(cown.value).acquired

    wait()
    assert result.value == (shape, True)


def test_a_transpose_taken_before_lives_on_by_itself(backend):
    matrix = Matrix(2, 3, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    large = Matrix.ones((80, 90))
    turned, large_turned = matrix.T, large.T
    cowns = [Cown(matrix), Cown(large)]

    @when(cowns)
    def _(cowns):
        for cown in cowns:
            cown.value += 10.0

    wait()
    assert elements(turned) == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert large_turned.sum() == 7200.0
    assert cowns[0].value[0, 0] == 11.0
    assert cowns[1].value.sum() == 79200.0


def test_a_matrix_assigned_in_a_behavior_leaves_it_at_its_end(backend):
    cown = Cown(None)

    @when(cown)
    def result(cown):
        matrix = Matrix.ones((30, 30))
        cown.value = matrix
        matrix[0, 0] = 2.0  # still this behavior's own
        return cown.value.sum()

    wait()
    assert result.value == 901.0
    assert cown.value.sum() == 901.0


def test_a_refused_value_leaves_its_matrices_usable(backend):
    matrix = Matrix.ones((50, 50))
    if backend == "interpreters":
        with pytest.raises(TypeError):
            Cown([matrix, threading.Lock()])
        with pytest.raises(TypeError):
            Cown({"a": matrix, "b": (i for i in range(3))})
    taken = Matrix.ones((50, 50))
    Cown(taken)
    with pytest.raises(RuntimeError):
        Cown([matrix, taken])
    assert matrix.acquired is True
    matrix[0, 0] = 3.0
    assert matrix.sum() == 2502.0
    cown = Cown(matrix)

    @when(cown)
    def result(cown):
        return cown.value.sum()

    wait()
    assert result.value == 2502.0


@pytest.mark.parametrize("shape", [(2, 2), (50, 50)])
def test_a_matrix_with_a_live_export_stays(backend, shape):
    matrix = Matrix.ones(shape)
    exported = memoryview(matrix)
    with pytest.raises(BufferError):
        Cown(matrix)
    with pytest.raises(BufferError):
        Cown({"a": matrix})
    assert matrix.acquired is True
    assert matrix[0, 0] == 1.0
    exported.release()
    cown = Cown(matrix)
    wait()
    assert cown.value[0, 0] == 1.0


@pytest.mark.skipif(not hasattr(Matrix, "row_view"), reason="views are not there yet")
@pytest.mark.parametrize(
    "wrap", [alone, in_list, in_tuple, in_dict, in_object], ids=lambda wrap: wrap.__name__
)
def test_views_do_not_travel(backend, wrap):
    matrix = Matrix.ones((4, 4))
    with pytest.raises(TypeError, match="copy"):
        Cown(wrap(matrix.row_view(1)))
    cown = Cown(matrix)

    @when(cown)
    def result(cown):
        return wrap(cown.value.row_view(1))

    wait()
    assert result.exception is True
    assert type(result.value) is TypeError
    assert cown.value.sum() == 16.0


def test_matrices_are_destroyed_with_their_cowns(backend):
    for _ in range(200):
        Cown([Matrix.ones((300, 300))])
    cown = Cown(0)
    for _ in range(50):

        @when(cown)
        def _(cown):
            cown.value = Matrix.ones((300, 300))

    wait()
    assert cown.value.sum() == 90000.0


# What cannot be encoded


def test_a_value_that_cannot_travel_is_refused_by_the_cown(backend):
    lock = threading.Lock()
    if backend == "threads":
        cown = Cown(lock)
        wait()
        assert cown.value is lock
        return
    for value in (lock, [lock], {"a": (lock,)}, (i for i in range(3))):
        with pytest.raises(TypeError):
            Cown(value)


def test_a_value_that_cannot_travel_at_the_end_becomes_an_exception_on_that_cown(backend):
    if backend == "threads":
        pytest.skip("nothing is encoded on the threads backend")
    bad, good = Cown(1), Cown(2)

    @when(bad, good)
    def result(bad, good):
        import threading

        bad.value = [threading.Lock()]
        good.value = "changed"
        return "returned"

    @when(bad)
    def after(bad):
        seen = bad.exception, type(bad.value).__name__
        bad.value = "usable"
        return seen

    @when()
    def returned():
        import threading

        return threading.Lock()

    wait()
    assert result.value == "returned"
    assert good.value == "changed"
    assert after.value == (True, "TypeError")
    assert bad.value == "usable"
    assert bad.exception is False
    assert returned.exception is True
    assert type(returned.value) is TypeError


OLD_VALUES = {
    "number": lambda: 5,
    "text": lambda: "text" * 100,
    "list": lambda: [1, [2]],
    "instance": lambda: Point(1, 2),
    "matrix": lambda: Matrix.full((40, 40), 2.0),
    "matrix in a list": lambda: [Matrix.full((40, 40), 2.0)],
    "exception": lambda: KeyError("stored"),
}


def told(value):
    """Say what a value is, in a way that can be compared."""
    if isinstance(value, Matrix):
        return "matrix", value.shape, value.sum()
    if isinstance(value, (list, tuple)):
        return [told(item) for item in value]
    return repr(value)


@pytest.mark.parametrize("looked", [False, True], ids=["assigned", "looked at"])
@pytest.mark.parametrize("kind", OLD_VALUES)
def test_the_value_before_one_that_cannot_travel_is_not_lost(backend, kind, looked):
    cown = Cown(OLD_VALUES[kind]())

    @when(cown)
    def bad(cown):
        import threading

        if looked:
            told(cown.value)
        cown.value = "on the way"
        cown.value = [threading.Lock(), Matrix.ones((2, 2))]

    @when(cown)
    def worse(cown):
        import threading

        assert cown.exception
        cown.value = [threading.Lock(), Matrix.ones((2, 2))]

    @when(cown)
    def seen(cown):
        return cown.exception, type(cown.value).__name__

    wait()
    assert bad.value is None
    assert worse.value is None
    assert seen.value == (True, "TypeError")
    assert cown.exception is True
    with pytest.raises(TypeError, match="pickle"):
        cown.unwrap()
    assert cown.exception is False
    assert told(cown.value) == told(OLD_VALUES[kind]())


def test_a_list_that_was_changed_inside_is_as_before(backend):
    if backend == "threads":
        pytest.skip("nothing is encoded on the threads backend")
    cown = Cown([1, 2])

    @when(cown)
    def _(cown):
        import threading

        cown.value.append(threading.Lock())

    @when(cown)
    def handled(cown):
        try:
            cown.unwrap()
        except TypeError:
            cown.value.append(3)
        return cown.value

    wait()
    assert handled.value == cown.value == [1, 2, 3]


def test_another_value_may_take_the_place_of_the_one_before(backend):
    cown = Cown([1, 2])

    @when(cown)
    def _(cown):
        import threading

        cown.value = [threading.Lock(), Matrix.ones((2, 2))]

    @when(cown)
    def _(cown):
        if cown.exception:
            cown.value = ["new"]

    wait()
    assert cown.value == ["new"]
    assert cown.exception is False


def test_a_value_whose_decoding_raises_is_an_error_of_the_behavior(backend):
    if backend == "threads":
        pytest.skip("nothing is decoded on the threads backend")

    class Trap:
        def __reduce__(self):
            return int, ("not a number",)

    cown = Cown(Trap())

    @when(cown)
    def result(cown):
        return cown.value

    @when(cown)
    def untouched(cown):
        return "fine"

    wait()
    assert result.exception is True
    assert type(result.value) is ValueError
    assert untouched.value == "fine"


def test_reading_one_value_in_many_behaviors_decodes_for_each(backend):
    cown = Cown({"a": [1]})
    results = []
    for _ in range(10):

        @when(read(cown))
        def result(cown):
            cown.value["a"].append(2)
            return cown.value

        results.append(result)
    wait()
    assert [result.value for result in results] == [{"a": [1, 2]}] * 10
