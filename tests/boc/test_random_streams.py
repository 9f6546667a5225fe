"""Random values in behaviors: they depend on the seed and on who scheduled what."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest

from bocmat import Cown, Matrix, TiledMatrix, quiesce, start, wait, when
from bocmat.lifecycle import usable_backends

RUNS = [(backend, workers) for backend in usable_backends() for workers in (1, 2, 4)]


def some_values():
    """Draw one of everything."""
    return [
        Matrix.uniform(),
        Matrix.normal(),
        Matrix.integers(0, 2**60),
        *Matrix.uniform(-1, 1, (2, 3)).values(),
        *Matrix.normal(1, 2, (3, 4)).values(),
        *Matrix.permutation(9).values(),
    ]


def value_of(cown):
    with cown:
        return cown.value


def run(backend, workers, pause):
    """Schedule behaviors side by side, after one another and inside each other."""
    start(workers, backend=backend)
    Matrix.seed(11)
    results = [some_values()]
    shared = Cown([])
    cowns = []
    for number in range(12):

        @when()
        def apart(number=number):
            time.sleep(pause * (number * 7 % 5))
            mine = some_values()
            inner = []
            for k in range(3):

                @when()
                def nested(k=k, number=number):
                    time.sleep(pause * ((number + k) * 3 % 4))
                    return some_values()

                inner.append(nested)
            return mine, inner, Matrix.uniform()

        @when(shared)
        def together(shared):
            shared.value.append(Matrix.normal())

        cowns.append(apart)
    results.append(some_values())
    quiesce()
    inner = []
    for cown in cowns:
        mine, nested, last = value_of(cown)
        results.append([*mine, last])
        inner += nested
    results += [value_of(cown) for cown in inner]
    results.append(value_of(shared))
    wait()
    return results


@pytest.fixture(scope="module")
def expected():
    return run(*RUNS[0], 0.0)


@pytest.mark.parametrize(("backend", "workers"), RUNS)
@pytest.mark.parametrize("pause", [0.0, 0.002])
def test_values_depend_neither_on_workers_nor_on_timing_nor_on_the_backend(
    expected, backend, workers, pause
):
    assert run(backend, workers, pause) == expected


def test_no_two_streams_are_the_same(expected):
    values = [value for draws in expected for value in draws[:2]]
    assert len(set(values)) == len(values)


def first_draws(count):
    cowns = []
    for _ in range(count):

        @when()
        def one():
            return Matrix.uniform()

        cowns.append(one)
    quiesce()
    return [value_of(cown) for cown in cowns]


def test_a_seed_starts_the_counting_again(backend):
    Matrix.seed(3)
    first = first_draws(5)
    second = first_draws(5)
    Matrix.seed(3)
    assert first_draws(5) == first
    assert first_draws(5) == second
    Matrix.seed(4)
    assert not set(first_draws(5)) & {*first, *second}


def test_what_the_scheduler_draws_changes_nothing(backend):
    Matrix.seed(3)
    first = first_draws(3)
    Matrix.seed(3)
    Matrix.normal(size=(20, 20))
    assert first_draws(3) == first


def test_a_behavior_that_could_not_be_scheduled_has_no_place(backend):
    lock = threading.Lock()
    Matrix.seed(3)
    first = first_draws(3)
    Matrix.seed(3)
    for _ in range(2):
        with pytest.raises(TypeError):

            @when(1)
            def _():
                return lock

    assert first_draws(3) == first


def test_a_seed_in_a_behavior_is_its_own_affair(backend):
    Matrix.seed(5)
    alone = [Matrix.uniform() for _ in range(3)]
    plain = first_draws(2)
    Matrix.seed(5)

    @when()
    def seeded():
        Matrix.seed(5)
        return [Matrix.uniform() for _ in range(3)]

    quiesce()
    assert value_of(seeded) == alone
    assert [Matrix.uniform() for _ in range(3)] == alone
    assert first_draws(1) == plain[1:]

    @when()
    def nested():
        Matrix.seed(5)
        kept = []
        for _ in range(2):

            @when()
            def one():
                return Matrix.uniform()

            kept.append(one)
        return kept

    quiesce()
    assert [value_of(cown) for cown in value_of(nested)] == plain


def test_one_stream_goes_through_a_whole_behavior(backend):
    Matrix.seed(8)

    @when()
    def draws():
        return [Matrix.uniform() for _ in range(20)], Matrix.uniform(size=(4, 5)).tolist()

    quiesce()
    Matrix.seed(8)

    @when()
    def again():
        values = Matrix.uniform(size=(8, 5))
        return list(values[:4].values()), values[4:].tolist()

    quiesce()
    assert value_of(draws) == value_of(again)


def test_plain_threads_share_the_programs_stream():
    Matrix.seed(6)
    alone = [Matrix.uniform() for _ in range(4000)]
    Matrix.seed(6)
    drawn = [[] for _ in range(4)]

    def draw(to):
        for _ in range(1000):
            to.append(Matrix.uniform())

    threads = [threading.Thread(target=draw, args=(to,)) for to in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(value for to in drawn for value in to) == sorted(alone)


def test_threads_draw_while_behaviors_do(backend):
    def work():
        for _ in range(200):
            Matrix.normal(size=(5, 5))

    Matrix.seed(9)
    expected = first_draws(50)
    Matrix.seed(9)
    thread = threading.Thread(target=work)
    thread.start()
    found = first_draws(50)
    thread.join()
    assert found == expected


@pytest.mark.parametrize(("backend", "workers"), RUNS)
def test_tiles_draw_the_same_everywhere(backend, workers):
    def noisy(tile):
        return tile + Matrix.normal(size=tile.shape)

    values = []
    for count, name in [(1, RUNS[0][0]), (workers, backend)]:
        start(count, backend=name)
        Matrix.seed(12)
        tiles = TiledMatrix(Matrix.zeros((50, 30)), 8)
        product = tiles.map(noisy) @ tiles.T.map(noisy)
        values.append(product.to_matrix().tolist())
        wait()
    assert values[0] == values[1]


STREAMS, DRAWS = 1500, 64


@pytest.fixture(scope="module")
def streams():
    """Give the first draws of many behaviors, one behavior a row."""
    start(2)
    Matrix.seed(2026)
    cowns = []
    for _ in range(STREAMS):

        @when()
        def draws():
            return Matrix.uniform(size=(1, DRAWS))

        cowns.append(draws)
    wait()
    return np.array([list(cown.value.values()) for cown in cowns])


def test_first_draws_of_streams_are_uniform(streams):
    """Compare with the limit of Kolmogorov and Smirnov for one in 10^6."""
    for column in streams[:, :4].T:
        sorted_ = np.sort(column)
        ranks = np.arange(STREAMS + 1) / STREAMS
        distance = max((ranks[1:] - sorted_).max(), (sorted_ - ranks[:-1]).max())
        assert distance * math.sqrt(STREAMS) < 2.7


def test_streams_do_not_follow_each_other(streams):
    centred = streams - 0.5
    for distance in (1, 2, 3, 8, 16, 256):
        products = centred[distance:] * centred[:-distance] * 12
        count = products.size
        assert abs(products.mean()) * math.sqrt(count) < 5.5
        # nor a stream what another one drew a step before
        products = centred[distance:, 1:] * centred[:-distance, :-1] * 12
        assert abs(products.mean()) * math.sqrt(products.size) < 5.5
    together = np.corrcoef(streams)
    off = together[~np.eye(STREAMS, dtype=bool)]
    assert abs(off).max() < 6.5 / math.sqrt(DRAWS)
    assert abs((off**2).mean() * (DRAWS - 1) - 1) < 0.02


def test_birthdays_of_streams(streams):
    """The first draws, as days of a year: the spacings that occur twice are Poisson distributed."""
    for column in range(6):
        days = np.sort((streams[:, column] * 2**26).astype(np.int64))
        spacings = np.sort(np.diff(days))
        repeated = (np.diff(spacings) == 0).sum()
        mean = STREAMS**3 / (4 * 2**26)  # 12.6
        assert abs(repeated - mean) < 6 * math.sqrt(mean)
