"""Threads that compute with, write, transpose and share the same matrices at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from bocmat import Matrix

SIDE = 24
ROUNDS = 150


def together(*actions: Callable[[], object]) -> None:
    """Run every action many times, each in its own thread; nothing but a refusal may come out."""
    wrong: list[BaseException] = []
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        start.wait()
        for _ in range(ROUNDS):
            try:
                action()
            except BufferError:  # another thread's computation pins it
                pass
            except BaseException as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def moves(matrix: Matrix) -> Callable[[], object]:
    """Give an action that moves a matrix's values from buffer to buffer and keeps them."""

    def move() -> None:
        shared = matrix.T
        matrix.transpose(in_place=True)
        matrix.add(0.0, out=matrix)
        del shared

    return move


def test_third_operands_and_out_move_while_they_are_used():
    first, second, third = (Matrix.full((SIDE, SIDE), value) for value in (1.0, 2.0, 3.0))
    out = Matrix.full((SIDE, SIDE), 5.0)

    def fused() -> None:
        assert first.fma(second, third, out=out) is out
        assert (np.array(first.fma(second, third).tolist()) == 5.0).all()

    def chosen() -> None:
        Matrix.where(first, 5.0, third, out=out)
        assert (np.array(Matrix.where(first, second, third).tolist()) == 2.0).all()

    def assigned() -> None:
        second[first == 1.0] = 2.0

    together(fused, chosen, assigned, moves(second), moves(third), moves(out))
    assert out.tolist() == [[5.0] * SIDE] * SIDE
    assert third.tolist() == [[3.0] * SIDE] * SIDE


def test_two_matrices_as_each_others_operands():
    first, second = (Matrix.full((SIDE, SIDE), 1.0) for _ in range(2))
    together(
        lambda: first.multiply(second, out=second),
        lambda: second.multiply(first, out=first),
        lambda: second.__imul__(first),
        lambda: first.__imul__(second),
        moves(first),
        moves(second),
    )
    assert Matrix.array_equal(first, Matrix.ones((SIDE, SIDE)))
    assert Matrix.array_equal(second, Matrix.ones((SIDE, SIDE)))


def test_masks_and_out_of_reductions_move_while_they_are_used():
    values, mask = Matrix.full((SIDE, SIDE), 2.0), Matrix.full((SIDE, SIDE), 1.0)
    row, same = Matrix.full((1, SIDE), 5.0), Matrix.full((SIDE, SIDE), 5.0)
    turned = Matrix.full((SIDE, SIDE), 7.0)

    def reduced() -> None:
        for name in ("mean", "min", "median", "std", "nanmax"):
            expected = 0.0 if name == "std" else 2.0
            assert getattr(values, name)(where=mask) == expected
            found = getattr(values, name)(axis=0, where=mask, keepdims=True)
            assert found.tolist() == [[expected] * SIDE]
        assert values.sum(0, where=mask, out=row) is row
        assert values.quantile(0.5, axis=0, where=mask, out=row) is row
        assert values.argmax(axis=1, where=mask) == [0] * SIDE

    def ran() -> None:
        assert values.cumsum(axis=1, out=same) is same
        assert values.diff(n=0, out=turned) is turned
        values.cumprod(axis=0, out=same)

    together(reduced, ran, moves(values), moves(mask), moves(same), moves(turned))
    assert values.tolist() == [[2.0] * SIDE] * SIDE
    assert row.tolist() == [[2.0] * SIDE]


def test_further_operands_of_other_methods_move_while_they_are_used():
    values, second, third = (Matrix.full((SIDE, SIDE), 1.0) for _ in range(3))
    places = Matrix(SIDE, SIDE)
    out = Matrix.full((SIDE, SIDE), 5.0)

    def gathered() -> None:
        assert values.take_along_axis(indices=places, axis=0, out=out) is out
        values.put_along_axis(indices=places, values=third, axis=0)
        values.put(range(SIDE), third)
        values.take(indices=range(SIDE), out=out)

    def ordered() -> None:
        assert values.topk(k=2, where=third)[1] == [0, 1]
        values.sort(out=out)
        values.argsort(out=places)
        values.take_along_axis(places, axis=1, out=out)
        places.multiply(0.0, out=places)
        out.clip(min=second, max=third, out=out)

    def multiplied() -> None:
        values.outer(other=second.view[0], out=Matrix(SIDE * SIDE, SIDE))
        assert values.dot(other=second).tolist() == [[float(SIDE)] * SIDE] * SIDE
        assert Matrix.allclose(a=values, b=second)
        assert Matrix.cdist(a=second, b=third).tolist() == [[0.0] * SIDE] * SIDE
        assert Matrix.concat([values, second, third]).rows == 3 * SIDE
        assert Matrix([second.view[0], third.view[1]]).tolist() == [[1.0] * SIDE] * 2
        assert values.mean(where=[second.view[0]] * SIDE) == 1.0

    together(gathered, ordered, multiplied, moves(second), moves(third), moves(places))
    assert third.tolist() == second.tolist() == [[1.0] * SIDE] * SIDE
