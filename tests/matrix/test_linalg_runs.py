"""How linear algebra runs: with what is not finite, from many threads, inside behaviors."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

import bocmat
from bocmat import Cown, Matrix, linalg, wait, when
from support.linalg import assert_close, size_of, some
from support.matrices import as_array, assert_same
from support.programs import output_of

NOT_FINITE = """
import sys, math
from bocmat import Matrix, linalg
Matrix.seed(1)
for n in (1, 2, 3, 4, 5, 8, 33, 100):
    for bad in (math.nan, math.inf, -math.inf):
        for i, j in {(0, 0), (n - 1, 0), (0, n - 1), (n // 2, n // 3), (n - 1, n - 1)}:
            m = Matrix.normal(0, 1, (n, n))
            m = m @ m.T + Matrix.eye(n)
            m[i, j] = bad
            b = Matrix.ones((n, 1))
            for name in sys.argv[1:]:
                function = getattr(linalg, name)
                two = name in ("solve", "lstsq")
                for operands in [(m, b), (Matrix.eye(n), m)] if two else [(m,)]:
                    try:
                        function(*operands)
                    except linalg.LinAlgError:
                        pass
print("done")
"""


@pytest.mark.parametrize(
    "names",
    ["solve inv det slogdet cholesky", "qr svd svdvals eigh", "eig lstsq pinv", "norm cond expm"],
)
def test_nothing_hangs_on_what_is_not_finite(names):
    assert output_of(NOT_FINITE, *names.split()) == ["done"]


@pytest.mark.parametrize("n", [1, 3, 4, 5, 40])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_raises_or_stays(n, bad):
    a = np.eye(n)
    a[0, 0] = bad
    for function in (linalg.svd, linalg.svdvals, linalg.eigh, linalg.eig, linalg.pinv):
        with pytest.raises(linalg.LinAlgError, match="NaN or infinity"):
            function(a)
    for operands in ((a, np.ones((n, 1))), (np.ones((n, 1)), a[:, :1])):
        with pytest.raises(linalg.LinAlgError, match="NaN or infinity"):
            linalg.lstsq(*operands)
    assert not math.isfinite(linalg.det(a))
    if math.isnan(bad):
        assert math.isnan(linalg.solve(a, np.ones((n, 1)))[0])
        assert math.isnan(linalg.inv(a)[0, 0] if n > 1 else linalg.inv(a)[0])


def test_threads_do_not_disturb_each_other():
    arrays = [some((n, n), 9) + 3 * n * np.eye(n) for n in (4, 20, 44, 70)]
    shared = [Matrix(array) for array in arrays]
    wrong: list[object] = []

    def work(seed):
        try:
            for round_ in range(4):
                array, matrix = arrays[(seed + round_) % 4], shared[(seed + round_) % 4]
                b = some((len(array), 2), seed)
                x = as_array(linalg.solve(matrix, b))
                assert_close(array @ x, b, size_of(array) * size_of(x))
                u, s, vh = linalg.svd(matrix)
                assert_close((u * s) @ vh, array, size_of(array))
                w, v = linalg.eigh(matrix @ matrix.T)
                assert_close((v * w) @ v.T, array @ array.T, size_of(array) ** 2)
                assert_close(matrix @ linalg.inv(matrix), np.eye(len(array)), 10.0)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for matrix, array in zip(shared, arrays):
        assert_same(matrix, array)


def test_behaviors_do_not_disturb_each_other():
    def step(c):
        from bocmat import Matrix, linalg

        seed, n = c.value
        Matrix.seed(seed)
        a = Matrix.normal(0, 1, (n, n)) + 3 * n * Matrix.eye(n)
        b = Matrix.normal(0, 1, (n, 2))
        w, v = linalg.eigh(a + a.T)
        return linalg.norm(a @ linalg.solve(a, b) - b) + linalg.norm((v * w) @ v.T - a - a.T)

    cowns = [Cown((seed, n)) for seed in range(8) for n in (3, 40, 80)]
    results = [when(cown)(step) for cown in cowns]
    wait()
    assert all(result.value < 1e-9 for result in results)


def test_an_error_leaves_a_behavior_as_it_is():
    def step(c):
        from bocmat import linalg

        return linalg.inv(c.value)

    result = when(Cown(Matrix.zeros((3, 3))))(step)
    wait()
    assert result.exception
    assert type(result.value) is bocmat.linalg.LinAlgError
    assert "singular" in str(result.value)


def test_who_does_not_hold_a_matrix_is_refused():
    matrix = Matrix.eye(3)
    cown = Cown(matrix)
    for function in (linalg.inv, linalg.det, linalg.qr, linalg.norm, linalg.svd):
        with pytest.raises(RuntimeError, match="held elsewhere"):
            function(matrix)
    with cown as held:
        assert linalg.det(held) == 1.0
