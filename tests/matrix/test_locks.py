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
