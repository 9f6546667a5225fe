"""The noticeboard: what is written, who sees it, and when."""
# ruff: noqa: B023 - loop variables are taken when an update is scheduled

from __future__ import annotations

import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocmat import (
    REMOVED,
    Matrix,
    WaitResult,
    notice_delete,
    notice_read,
    notice_seed,
    notice_update,
    notice_write,
    noticeboard,
    quiesce,
    start,
    wait,
    when,
)
from support.programs import run_python

LIMIT = 120.0


def board():
    """Give what is on the board once all that was scheduled is done."""
    return quiesce(LIMIT, noticeboard=True)


def in_behavior(function):
    """Run a function in a behavior of its own and give what it returns."""
    return when()(function).get(LIMIT)


# ---- writing and reading ----


def test_what_was_written_is_read(backend):
    notice_write("number", 7)
    notice_write("list", [1, "two", None, (3.0, b"four")])
    assert board() == {"number": 7, "list": [1, "two", None, (3.0, b"four")]}
    assert in_behavior(lambda: dict(noticeboard())) == board()
    assert in_behavior(lambda: notice_read("number")) == notice_read("number") == 7


def test_what_is_not_there(backend):
    assert notice_read("nothing") is None
    assert notice_read("nothing", 3) == 3
    assert notice_read("nothing", default="x") == "x"
    assert in_behavior(lambda: (notice_read("nothing"), notice_read("nothing", 3))) == (None, 3)
    assert dict(noticeboard()) == in_behavior(lambda: dict(noticeboard())) == {}


def test_none_is_a_value(backend):
    notice_seed("none", None)
    assert notice_read("none", 1) is None
    assert in_behavior(lambda: notice_read("none", 1)) is None
    assert "none" in noticeboard()


def test_a_later_write_replaces(backend):
    for value in (1, "one", [1], 1.5):
        notice_write("key", value)
    assert board() == {"key": 1.5}


def test_delete(backend):
    notice_seed("a", 1)
    notice_seed("b", 2)
    notice_delete("a")
    notice_delete("never there")
    assert board() == {"b": 2}


def test_many_and_long_keys(backend):
    keys = [f"key {number} " + "x" * (number % 200) for number in range(1000)]
    for number, key in enumerate(keys):
        notice_write(key, number)
    assert board() == {key: number for number, key in enumerate(keys)}
    assert in_behavior(lambda: sum(noticeboard().values())) == sum(range(1000))
    for key in keys[::2]:
        notice_delete(key)
    assert board() == {key: number for number, key in enumerate(keys) if number % 2}


@pytest.mark.parametrize("key", ["", "ä", "\N{SNAKE}", "\0", "a\0b", "\ud800", "x" * 100_000])
def test_keys_are_any_string(backend, key):
    notice_seed(key, 1)
    notice_seed(key + "!", 2)
    assert dict(noticeboard()) == in_behavior(lambda: dict(noticeboard())) == {key: 1, key + "!": 2}
    assert in_behavior(lambda: notice_read(key)) == 1
    notice_delete(key)
    assert board() == {key + "!": 2}


def test_a_key_of_a_subclass_is_its_text(backend):
    class Name(str):
        pass

    notice_seed(Name("key"), 1)
    assert notice_read("key") == notice_read(Name("key")) == 1
    assert [type(key) for key in noticeboard()] == [str]
    assert in_behavior(lambda: notice_read(Name("key"))) == 1


@pytest.mark.parametrize("key", [1, None, b"bytes", ("a",), ["unhashable"], {}, object()])
def test_other_keys_are_refused(backend, key):
    for call in (
        lambda: notice_write(key, 1),
        lambda: notice_seed(key, 1),
        lambda: notice_update(key, len),
        lambda: notice_delete(key),
        lambda: notice_read(key),
    ):
        with pytest.raises(TypeError, match=f"is a str, not {type(key).__name__}"):
            call()
    assert board() == {}


def test_arguments_by_name(backend):
    notice_write(key="a", value=1)
    notice_seed(key="b", value=2)
    notice_update(key="c", fn=lambda value: value + 1, default=2)
    notice_delete(key="a")
    assert board() == {"b": 2, "c": 3}
    assert notice_read(key="b") == 2
    for call in (
        lambda: notice_write("a"),
        lambda: notice_write("a", 1, 2),
        lambda: notice_update("a"),
        lambda: notice_delete("a", "b"),
        lambda: noticeboard("a"),
        lambda: notice_read(),
    ):
        with pytest.raises(TypeError):
            call()


# ---- one behavior, one snapshot ----


def test_the_snapshot_is_a_mapping_that_cannot_be_changed(backend):
    notice_seed("key", 1)

    def look():
        seen = noticeboard()
        try:
            seen["key"] = 2
        except TypeError:
            return type(seen), noticeboard() is seen
        return None

    assert in_behavior(look) == (types.MappingProxyType, True)
    assert type(noticeboard()) is types.MappingProxyType


def test_a_behavior_sees_one_snapshot(backend):
    notice_seed("n", 0)

    def reader():
        first = notice_read("n"), dict(noticeboard())
        notice_update("n", lambda n: n + 1)
        notice_write("other", 1)
        return first, (notice_read("n"), dict(noticeboard()), notice_read("other"))

    for n in range(20):
        first, second = in_behavior(reader)
        assert first[1]["n"] == n
        assert second == (*first, None if n == 0 else 1)
        quiesce(LIMIT)


def test_a_behavior_does_not_see_its_own_writes(backend):
    def write_then_read():
        notice_write("mine", 1)
        notice_delete("given")
        return notice_read("mine"), notice_read("given"), dict(noticeboard())

    notice_seed("given", 2)
    assert in_behavior(write_then_read) == (None, 2, {"given": 2})
    assert board() == {"mine": 1}


def test_a_snapshot_outlives_later_writes(backend):
    notice_seed("key", [1])
    before = noticeboard()
    notice_seed("key", [2])
    notice_seed("more", 3)
    assert dict(before) == {"key": [1]}
    assert dict(noticeboard()) == {"key": [2], "more": 3}


def test_what_a_behavior_does_to_a_value_is_its_own(backend):
    notice_seed("list", [1])
    notice_seed("tuple", ([1],))
    notice_seed("dict", {"a": {1}})

    def spoil():
        seen = noticeboard()
        seen["list"].append(2)
        seen["tuple"][0].append(2)
        notice_read("dict")["a"].add(2)
        return notice_read("list"), seen["tuple"], seen["dict"]

    for _ in range(4):
        assert in_behavior(spoil) == ([1, 2], ([1, 2],), {"a": {1, 2}})
    assert notice_read("list") == [1]
    notice_read("list").append(5)
    assert notice_read("list") == [1]


def test_a_value_is_taken_as_it_is_when_written(backend):
    value = [1]
    notice_seed("seeded", value)
    notice_write("written", value)
    notice_update("updated", lambda held: held, value)
    value.append(2)
    assert board() == {"seeded": [1], "written": [1], "updated": [1]}


def test_behaviors_after_a_quiesce_see_what_was_before(backend):
    for number in range(50):
        notice_write("n", number)
        notice_update("n", lambda n: n * 2)
        quiesce(LIMIT)
        results = [when()(lambda: notice_read("n")) for _ in range(4)]
        assert [result.get(LIMIT) for result in results] == [2 * number] * 4


def test_writes_of_one_behavior_come_in_their_order(backend):
    count = 200

    @when()
    def _():
        for number in range(count):
            notice_write("last", number)
            notice_update("all", lambda seen: [*seen, number], [])
            if number % 3 == 0:
                notice_delete("last")

    assert board() == {"last": count - 1, "all": list(range(count))}


def test_writes_of_a_thread_come_in_their_order(backend):
    def write(name):
        for number in range(100):
            notice_update(name, lambda seen: (*seen, number), ())

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board() == {name: tuple(range(100)) for name in "abc"}


def test_readers_see_whole_writes(backend):
    notice_seed("pair", (0, 0))

    def writer():
        for number in range(300):
            notice_write("pair", (number, number))

    def reader():
        pair = notice_read("pair")
        return pair == noticeboard()["pair"] and pair[0] == pair[1]

    when()(writer)
    results = [when()(reader) for _ in range(100)]
    when()(writer)
    results += [when()(reader) for _ in range(100)]
    assert all(result.get(LIMIT) for result in results)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["write", "seed", "update", "delete", "remove"]),
            st.sampled_from("abcdefgh"),
            st.integers(-5, 5),
        ),
        max_size=30,
    )
)
def test_agrees_with_a_dict(steps):
    expected = {}
    for what, key, value in steps:
        if what == "write":
            notice_write(key, value)
            expected[key] = value
        elif what == "seed":
            notice_seed(key, value)
            expected[key] = value
        elif what == "update":
            notice_update(key, lambda old: old * 3 + value, 100)
            expected[key] = expected.get(key, 100) * 3 + value
        elif what == "delete":
            notice_delete(key)
            expected.pop(key, None)
        else:
            notice_update(key, lambda old: REMOVED)
            expected.pop(key, None)
    assert wait(LIMIT, noticeboard=True) == expected


# ---- starting, waiting, the end ----


@pytest.mark.parametrize(
    "call",
    [
        lambda: notice_write("key", 1),
        lambda: notice_seed("key", 1),
        lambda: notice_update("key", lambda value: 1),
        lambda: notice_delete("other") or notice_write("key", 1),
    ],
)
def test_a_write_starts_the_runtime(call):
    wait(LIMIT)
    call()
    assert wait(LIMIT, noticeboard=True) == {"key": 1}


def test_wait_clears_the_board(backend):
    notice_write("key", [1])
    quiesce(LIMIT)
    assert notice_read("key") == [1]
    assert wait(LIMIT) is None
    assert notice_read("key") is None
    assert dict(noticeboard()) == {}
    start(2, backend=backend)
    assert in_behavior(lambda: dict(noticeboard())) == {}


def test_what_wait_and_quiesce_give(backend):
    notice_write("key", 1)
    assert quiesce(LIMIT) is None
    assert quiesce(LIMIT, noticeboard=True) == {"key": 1}
    both = quiesce(LIMIT, stats=True, noticeboard=True)
    assert isinstance(both, WaitResult)
    assert both.noticeboard == {"key": 1}
    assert len(both.stats) == 2
    both = wait(LIMIT, stats=True, noticeboard=True)
    assert isinstance(both, WaitResult)
    assert type(both.noticeboard) is dict
    assert both.noticeboard == {"key": 1}
    assert [row["worker"] for row in both.stats] == [0, 1]
    stats, contents = wait(LIMIT, stats=True, noticeboard=True)
    assert (stats, contents) == ([], {})
    assert wait(LIMIT, noticeboard=True) == {}


def test_matrices_that_wait_gives_are_the_programs_own(backend):
    notice_write("m", Matrix.ones((10, 10)))
    matrix = wait(LIMIT, noticeboard=True)["m"]
    matrix += 1
    assert matrix.sum() == 200


def test_updates_still_to_be_applied_are_counted(backend_name):
    if backend_name == "interpreters":
        pytest.skip("what holds the update up is shared with it")
    start(2, backend=backend_name)
    entered, go_on = threading.Event(), threading.Event()

    def slow(value):
        entered.set()
        go_on.wait(LIMIT)
        return value + 1

    notice_update("n", slow, 0)
    notice_write("later", 1)
    assert entered.wait(LIMIT)
    for waits in (wait, quiesce):
        with pytest.raises(TimeoutError):
            waits(timeout=0.01)
    assert notice_read("n") is None
    assert notice_read("later") is None
    seeding = threading.Thread(target=notice_seed, args=("seeded", 2))
    seeding.start()
    go_on.set()
    seeding.join(LIMIT)
    assert notice_read("seeded") == 2
    assert notice_read("later") == 1
    assert wait(LIMIT, noticeboard=True) == {"n": 1, "later": 1, "seeded": 2}


def test_an_update_holds_wait_up_on_interpreters(backend, tmp_path):
    gate = tmp_path / "gate"
    gate_path = str(gate)

    def slow(value):
        import os
        import time

        while not os.path.exists(gate_path):
            time.sleep(0.001)
        return value + 1

    notice_update("n", slow, 0)
    with pytest.raises(TimeoutError):
        wait(timeout=0.01)
    gate.touch()
    assert board() == {"n": 1}


def test_seeding_in_a_behavior_is_refused(backend):
    def seed():
        try:
            notice_seed("key", 1)
        except RuntimeError as error:
            return str(error)
        return None

    assert "notice_write" in in_behavior(seed)


def test_the_main_program_and_its_threads_read_at_any_time(backend):
    stop = threading.Event()
    seen = []

    def watch():
        last = 0
        while not stop.is_set():
            value = notice_read("n", 0)
            if value < last or noticeboard().get("n", 0) < value:
                seen.append((last, value))
            last = value

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(300):
        notice_write("n", number)
        notice_update("n", lambda n: n)
    quiesce(LIMIT)
    stop.set()
    for thread in threads:
        thread.join()
    assert seen == []


def test_a_forked_child_has_an_empty_board(tmp_path):
    (tmp_path / "program.py").write_text(
        "import os, sys\n"
        "from bocmat import notice_read, notice_seed, notice_write, wait\n"
        "notice_seed('parent', 1)\n"
        "wait()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    assert notice_read('parent') is None\n"
        "    notice_write('child', 2)\n"
        "    assert wait(noticeboard=True) == {'child': 2}\n"
        "    sys.stdout.flush()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print('done')\n",
        encoding="utf-8",
    )
    done = run_python("program.py", cwd=tmp_path, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)


def test_a_program_may_end_without_wait(tmp_path):
    (tmp_path / "program.py").write_text(
        "from bocmat import Cown, Matrix, notice_seed, notice_write\n"
        "notice_seed('m', [Matrix.ones((9, 9)), Cown(1)])\n"
        "notice_write('n', 2)\n"
        "print('done')\n",
        encoding="utf-8",
    )
    done = run_python("program.py", cwd=tmp_path, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
