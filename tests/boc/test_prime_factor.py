"""The prime factor program against trial division."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest

from bocmat.examples import prime_factor
from bocmat.lifecycle import usable_backends

PRIMES = [999_999_937, 1_000_000_007, 2_147_483_647]


def divided(number):
    """Give the prime factors the slow way."""
    found, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found


def test_primes():
    by_division = [number for number in range(2000) if divided(number) == [number]]
    assert [number for number in range(2000) if prime_factor.is_prime(number)] == by_division
    assert all(prime_factor.is_prime(prime) for prime in PRIMES)
    assert not prime_factor.is_prime(PRIMES[0] * PRIMES[1])
    assert not prime_factor.is_prime(3_215_031_751)  # a strong pseudoprime to 2, 3, 5 and 7


def test_small_numbers(backend):
    numbers = [*range(2, 60), 1024, 3**6, 25 * 49, 997 * 991]
    for number in numbers:
        assert prime_factor.factors(number) == divided(number)


@pytest.mark.parametrize("walks", [1, 5])
def test_large_numbers(backend, walks):
    chosen = [1009, 1009, 999_983, 10_000_019]
    assert prime_factor.factors(math.prod(chosen), walks) == chosen


def test_other_walks_stop(backend):
    number = 1009 * 999_983
    (divisor,) = prime_factor.divide([number], 8, 3)
    assert divisor in (1009, 999_983)


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    number = 10_007 * 1_000_003
    arguments = [str(number), "97", "--walks", "2", "--backend", name]
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.prime_factor", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{number} = 10007 * 1000003\n97 = 97\n"


def test_options(capsys):
    with pytest.raises(SystemExit) as caught:
        prime_factor.main(["--help"])
    assert caught.value.code == 0
    assert "--walks" in capsys.readouterr().out
    for wrong in (["1"], ["-5"], ["x"], ["--walks", "0"], ["--backend", "none"]):
        with pytest.raises(SystemExit) as caught:
            prime_factor.main(wrong)
        assert caught.value.code == 2
        assert re.search("error", capsys.readouterr().err)
