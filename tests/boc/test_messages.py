"""Messages: send, receive, drain and set_tags, from behaviors, threads and interpreters."""

from __future__ import annotations

import dataclasses
import gc
import math
import threading
import weakref

import pytest

from bocmat import (
    TIMEOUT,
    Cown,
    Matrix,
    drain,
    quiesce,
    receive,
    send,
    set_tags,
    wait,
    when,
)
from support.buffers import address

LIMIT = 120.0
NOTHING = (TIMEOUT, None)


@pytest.fixture(autouse=True)
def empty():
    """No test finds what another one left."""
    set_tags([])
    yield
    set_tags([])


@dataclasses.dataclass
class Point:
    x: int
    y: object = None


class Token:
    """Something that can be referred to weakly, and that refuses to be pickled."""

    def __reduce__(self):
        raise TypeError("stays here")


def in_thread(function):
    """Start a thread; the function returned joins it and gives the result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()

    def result():
        thread.join(LIMIT)
        assert not thread.is_alive(), "a thread that should have received still waits"
        return results[0]

    return result


# ---- from and to behaviors ----


def test_a_behavior_sends_to_the_main_program(backend):
    @when()
    def _():
        send("result", ("sum", sum(range(10))))

    assert receive("result", LIMIT) == ("result", ("sum", 45))


def test_a_behavior_waits_for_the_main_program(backend):
    @when()
    def doubled():
        match receive("question", 60):
            case [_, ("double", x)]:
                return 2 * x
            case other:
                return other

    with pytest.raises(TimeoutError):
        wait(timeout=0.05)  # it is in flight while it waits
    send("question", ("double", 21))
    quiesce(LIMIT)
    assert doubled.get() == 42


def test_behaviors_among_themselves(backend):
    @when()
    def answering():
        for _ in range(50):
            _, (number, back) = receive("ask", 60)
            send(back, number + 1)

    @when()
    def asking():
        answers = []
        for number in range(50):
            send("ask", (number, "answer"))
            answers.append(receive("answer", 60)[1])
        return answers

    quiesce(LIMIT)
    assert asking.get() == list(range(1, 51))
    answering.get()


def test_each_senders_messages_come_in_order(backend):
    count = 200
    for sender in range(6):

        @when()
        def _(sender=sender):
            for number in range(count):
                send("numbers", (sender, number))

    seen: dict[int, list[int]] = {sender: [] for sender in range(6)}
    for _ in range(6 * count):
        _, (sender, number) = receive("numbers", LIMIT)
        seen[sender].append(number)
    assert all(numbers == list(range(count)) for numbers in seen.values())
    assert receive("numbers", 0) == NOTHING


def test_a_cown_goes_as_itself(backend):
    cown = Cown([1])

    @when()
    def _():
        _, cown = receive("cown", 60)

        @when(cown)
        def _(cown):
            cown.value.append(2)

    send("cown", cown)
    quiesce(LIMIT)
    assert cown.get() == [1, 2]


def test_functions_and_classes_of_the_program(backend):
    factor = 3

    @dataclasses.dataclass
    class Local:
        value: int

    @when()
    def _():
        _, (function, local) = receive("work", 60)
        send("done", type(local)(function(local.value)))

    send("work", (lambda x: x * factor, Local(5)))
    _, done = receive("done", LIMIT)
    assert type(done) is Local
    assert done.value == 15


def test_a_matrix_to_a_behavior_and_back(backend):
    matrix = Matrix.arange(0, 10000).reshape((100, 100))
    place = address(matrix)

    @when()
    def _():
        _, matrix = receive("there", 60)
        matrix += 1
        send("back", {"matrix": matrix})
        try:
            matrix.sum()
        except RuntimeError as error:
            send("error", str(error))

    send("there", matrix)
    with pytest.raises(RuntimeError, match="held elsewhere"):
        matrix.sum()
    assert matrix.shape == (100, 100)
    assert not matrix.acquired
    _, contents = receive("back", LIMIT)
    assert contents["matrix"].sum() == 10000 * 10001 / 2
    assert address(contents["matrix"]) == place
    assert "held elsewhere" in receive("error", LIMIT)[1]


# ---- without a runtime ----

VALUES = [
    None,
    True,
    0,
    -5,
    2**80,
    1.5,
    -0.0,
    2 + 3j,
    "",
    "text",
    "Ωμέγα",
    "\ud800",
    b"bytes",
    [],
    [1, [2, [3]]],
    (1, "two", None),
    {"a": {1, 2}, 3: frozenset([4])},
    Point(1, [Point(2)]),
    range(3),
    ValueError("no", 1),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_arrive_equal(value):
    send("value", value)
    tag, arrived = receive("value", 0)
    assert tag == "value"
    assert type(arrived) is type(value)
    if isinstance(value, BaseException):
        arrived, value = arrived.args, value.args
    assert arrived == value


def test_contents_are_as_they_were_when_sent():
    inner = [1]
    contents = {"one": inner, "same": inner}
    send("snapshot", contents)
    inner.append(2)
    contents["more"] = 3
    arrived = receive("snapshot", 0)[1]
    assert arrived == {"one": [1], "same": [1]}
    assert arrived["one"] is arrived["same"]
    arrived["one"].append(5)
    assert inner == [1, 2]


@pytest.mark.parametrize("shape", [(2, 2), (50, 40), (0, 3)])
def test_a_matrix_changes_owner(shape):
    matrix = Matrix.ones(shape)
    other_name = [matrix]
    send("matrix", matrix)
    for use in (lambda: matrix + 1, lambda: other_name[0].sum(), lambda: send("again", matrix)):
        with pytest.raises(RuntimeError, match="held elsewhere"):
            use()
    assert matrix.shape == shape
    arrived = receive("matrix", 0)[1]
    assert Matrix.array_equal(arrived, Matrix.ones(shape))
    arrived += 1
    with pytest.raises(RuntimeError, match="held elsewhere"):
        matrix.sum()


def test_a_matrix_inside_of_something_is_not_copied_either():
    matrix = Matrix.zeros((300, 300))
    place = address(matrix)
    send("point", Point(1, {"m": [matrix]}))
    assert not matrix.acquired
    arrived = receive("point", 0)[1]
    assert address(arrived.y["m"][0]) == place


def test_what_is_refused_leaves_everything_as_it_was():
    matrix = Matrix.ones((3, 3))
    view = matrix.view[:1]
    for contents in (view, [matrix, view], Point(1, [matrix, view])):
        with pytest.raises(TypeError, match=r"'refused'.*MatrixView does not travel.*copy"):
            send("refused", contents)
        assert matrix.acquired
    lent = memoryview(matrix)
    with pytest.raises(BufferError):
        send("refused", matrix)
    with pytest.raises(BufferError):
        send("refused", [matrix])
    lent.release()
    with pytest.raises(TypeError, match=r"'refused'.*lock"):
        send("refused", [matrix, threading.Lock()])
    assert matrix.sum() == 9
    assert receive("refused", 0) == NOTHING
    send("refused", matrix)


def test_what_cannot_be_copied(backend):
    lock = threading.Lock()
    if backend == "interpreters":
        with pytest.raises(TypeError, match=r"'lock'.*cannot travel.*lock"):
            send("lock", lock)
        assert receive("lock", 0) == NOTHING
        return
    contents = {"lock": lock}
    send("lock", contents)
    assert receive("lock", 0)[1] is contents

    @when()
    def same():
        return receive("lock", 60)[1] is lock

    send("lock", lock)
    quiesce(LIMIT)
    assert same.get() is True


# ---- which message comes, and when ----


def test_several_tags_in_the_order_of_arrival():
    for number in range(30):
        send("abc"[number * 7 % 3], number)
    assert [receive(["c", "a", "b"], 0)[1] for _ in range(30)] == list(range(30))
    send("b", 1)
    send("a", 2)
    assert receive(("a", "c"), 0) == ("a", 2)
    assert receive(["a", "a", "b"], 0) == ("b", 1)
    assert receive(["a"] * 20 + ["b", "c"], 0) == NOTHING


def test_other_tags_stay():
    send("first", 1)
    send("second", 2)
    assert receive("second") == ("second", 2)
    assert receive("second", 0) == NOTHING
    assert receive("first") == ("first", 1)


@pytest.mark.parametrize("timeout", [0, 0.0, 0.01, 1e-9])
def test_when_the_time_is_over(timeout):
    assert receive("nothing", timeout) == NOTHING
    assert receive(["nothing", "neither"], timeout=timeout, after=None) == NOTHING
    assert receive("nothing", timeout, lambda: ["calculator", ("print", True)]) == [
        "calculator",
        ("print", True),
    ]
    with pytest.raises(ZeroDivisionError):
        receive("nothing", timeout, after=lambda: 1 // 0)
    send("nothing", 5)
    assert receive("nothing", timeout, lambda: 1 // 0) == ("nothing", 5)


def test_match():
    import bocmat

    def one():
        match receive("calculator", 0):
            case ["calculator", ("+", x)]:
                return x
            case [bocmat.TIMEOUT, _]:
                return "late"

    send("calculator", ("+", 5))
    assert one() == 5
    assert one() == "late"


@pytest.mark.parametrize("timeout", [-1, -0.5, None, math.inf, 10**400, -math.inf, 1e300])
def test_without_end(timeout):
    result = in_thread(lambda: receive("later", timeout))
    send("later", 1)
    assert result() == ("later", 1)


def test_a_waiting_thread_gets_what_is_sent():
    result = in_thread(lambda: receive(["one", "other", "third"]))
    assert receive("nothing", 0.05) == NOTHING
    send("other", 3)
    assert result() == ("other", 3)
    send("one", 4)
    assert receive("one", 0) == ("one", 4)


TAGS = ["", "\0", "a\0b", "a", "é", "\u0101", "😀", "\ud800", "x" * 5000, TIMEOUT, "a b", "A"]


def test_any_string_is_a_tag():
    for number, tag in enumerate(TAGS):
        send(tag, number)
    for number, tag in reversed(list(enumerate(TAGS))):
        again = "".join(list(tag))
        assert receive(again, 0) == (tag, number)
        assert receive(tag, 0) == NOTHING


def test_any_number_of_tags():
    names = [f"tag {number}" for number in range(5000)]
    for number, name in enumerate(names):
        send(name, number)
    assert [receive(name, 0) for name in reversed(names)] == [
        (name, number) for number, name in reversed(list(enumerate(names)))
    ]
    send(names[4321], "last")
    assert receive(names, 0) == (names[4321], "last")


def test_the_tag_is_the_one_asked_for():
    class Tag(str):
        __slots__ = ()

        def __hash__(self):
            raise AssertionError

    mine = Tag("mine")
    send("mine", 1)
    assert receive(["other", mine], 0)[0] is mine


def test_many_threads_and_overlapping_tags():
    senders, receivers, count = 4, 5, 500
    tags = ["a", "b", "c"]

    def sending(number):
        for index in range(count):
            send(tags[(number + index) % 3], (number, index))

    def receiving(number):
        seen = []
        while True:
            tag, contents = receive(tags[: 2 + number % 2] + ["end"] * (number % 2), LIMIT)
            if contents == "end" or tag == TIMEOUT:
                return seen
            seen.append((tag, *contents))

    results = [in_thread(lambda number=number: receiving(number)) for number in range(receivers)]
    threads = [in_thread(lambda number=number: sending(number)) for number in range(senders)]
    for thread in threads:
        thread()
    for _ in range(receivers):
        send("a", "end")
    lists = [result() for result in results]
    rest = []
    while (message := receive(tags, 0)) != NOTHING:
        rest.append((message[0], *message[1]))
    lists.append(rest)
    everything = [(number, index) for seen in lists for _, number, index in seen]
    assert sorted(everything) == [(n, i) for n in range(senders) for i in range(count)]
    for seen in lists:
        for sender in range(senders):
            for tag in tags:
                indexes = [i for t, n, i in seen if (t, n) == (tag, sender)]
                assert indexes == sorted(indexes)


@pytest.mark.parametrize("inside", [lambda matrix: matrix, lambda matrix: [1, matrix]])
def test_one_matrix_is_sent_once(inside):
    for shape in [(3, 3), (20, 20)] * 50:
        matrix = Matrix.ones(shape)
        barrier = threading.Barrier(3)

        def sent(matrix=matrix, barrier=barrier):
            barrier.wait()
            try:
                send("once", inside(matrix))
            except RuntimeError:
                return 0
            return 1

        results = [in_thread(sent) for _ in range(3)]
        assert sum(result() for result in results) == 1
        receive("once", 0)
        assert receive("once", 0) == NOTHING


# ---- drain and set_tags ----


def test_drain():
    for tag in "abcd":
        send(tag, 1)
        send(tag, 2)
    drain([])
    drain("a")
    drain(["b", "c", "b"])
    drain(("nothing",))
    assert receive(["a", "b", "c"], 0) == NOTHING
    send("a", 3)
    assert [receive("abcd"[i], 0)[1] for i in (0, 3, 3)] == [3, 1, 2]


def test_set_tags_begins_anew():
    send("old", 1)
    send("new", 2)
    assert set_tags(["new", "other"]) is None
    assert receive(["old", "new", "other"], 0) == NOTHING
    send("old", 3)  # not named, and works as well
    assert receive("old", 0) == ("old", 3)
    send("new", 4)
    set_tags("new")
    assert receive("new", 0) == NOTHING


def test_who_waits_goes_on_waiting():
    result = in_thread(lambda: receive("kept"))
    set_tags(["other"])
    drain("kept")
    send("kept", 1)
    assert result() == ("kept", 1)


def test_what_is_dropped_is_let_go():
    cown = Cown(1)
    before = repr(cown)
    matrix = Matrix.ones((500, 500))
    for tag in ("dropped", "kept"):
        send(tag, [cown, Matrix.ones((3, 3))])
    send("dropped", matrix)
    drain("dropped")
    assert not matrix.acquired
    assert repr(receive("kept", 0)[1][0]) == before


def test_shared_objects_are_let_go(backend):
    if backend == "interpreters":
        pytest.skip("nothing is shared there")
    token = Token()
    alive = weakref.ref(token)
    send("token", token)
    del token
    gc.collect()
    assert alive() is not None
    drain("token")
    gc.collect()
    assert alive() is None


def test_many_unread_messages():
    for number in range(100_000):
        send("many", number)
    assert [receive("many", 0)[1] for _ in range(50_000)] == list(range(50_000))
    drain("many")
    assert receive("many", 0) == NOTHING


# ---- misuse ----


@pytest.mark.parametrize("tag", [None, 5, b"bytes", ("a",), object(), [], {}])
def test_a_tag_is_a_string(tag):
    with pytest.raises(TypeError, match="a tag is a str, not"):
        send(tag, 1)
    for function in (receive, drain, set_tags):
        with pytest.raises(TypeError, match="a tag is a str, not"):
            function(["a", tag])


@pytest.mark.parametrize("tags", [None, 5, b"bytes", {"a"}, {"a": 1}, iter(["a"])])
def test_tags_are_a_list(tags):
    for function in (receive, drain, set_tags):
        with pytest.raises(TypeError, match="list or tuple"):
            function(tags)


def test_a_failing_call_drops_nothing():
    send("kept", 1)
    for function in (drain, set_tags):
        with pytest.raises(TypeError):
            function(["kept", 5])
    with pytest.raises(TypeError):
        receive(["kept", 5], 0)
    assert receive("kept", 0) == ("kept", 1)


def test_no_tags():
    for tags in ([], ()):
        with pytest.raises(ValueError, match="no tags"):
            receive(tags, 0)


def test_bad_times_and_functions():
    send("kept", 1)
    with pytest.raises(ValueError, match="nan"):
        receive("kept", math.nan)
    for timeout in ("1", True, [], 1j):
        with pytest.raises(TypeError, match="timeout is a number"):
            receive("kept", timeout)
    with pytest.raises(TypeError, match="after is a function"):
        receive("kept", 0, 5)
    for wrong in (send, receive, drain, set_tags):
        with pytest.raises(TypeError):
            wrong()
        with pytest.raises(TypeError):
            wrong(unknown=1)
    with pytest.raises(TypeError):
        send("kept")
    assert receive(tags="kept", timeout=0) == ("kept", 1)
    send(tag="kept", contents=2)
    assert receive("kept", after=None, timeout=0) == ("kept", 2)


def test_what_cannot_be_read_raises_and_is_gone():
    send("bad", Unreadable())
    send("bad", 2)
    with pytest.raises(ZeroDivisionError):
        receive("bad", 0)
    assert receive("bad", 0) == ("bad", 2)


def fail():
    return 1 // 0


class Unreadable:
    def __reduce__(self):
        return fail, ()


def test_a_message_that_holds_messages_own_cowns_is_dropped_without_a_deep_stack():
    cown = Cown(0)
    for _ in range(20_000):
        cown = Cown([cown])
    send("deep", cown)
    del cown
    drain("deep")
