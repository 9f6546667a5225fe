"""The primes program against a plain sieve and numbers that are known."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bocmat import wait
from bocmat.examples import primes
from bocmat.lifecycle import usable_backends

LIMIT = 3000


@pytest.fixture(scope="module")
def known():
    """List all primes below the limit, by striking out every multiple of every number."""
    composite = {product for n in range(2, LIMIT) for product in range(2 * n, LIMIT, n)}
    return [n for n in range(2, LIMIT) if n not in composite]


def below(known, limit):
    found = [prime for prime in known if prime < limit]
    return len(found), found[-1] if found else 0


def test_odd_primes(known):
    for end in (0, 2, 3, 4, 9, 10, 11, 100, 121, 122, LIMIT):
        assert primes.odd_primes(end) == [prime for prime in known if 2 < prime < end]


@pytest.mark.parametrize("first", [3, 5, 49, 121, 999, 2995, 2997])
def test_a_stretch(known, first):
    divisors = primes.odd_primes(60)
    for end in (first, first + 1, first + 2, first + 3, LIMIT):
        flags = primes.sieve(first, end, divisors)
        assert list(flags) == [n in known for n in range(first, end, 2)]


@pytest.mark.parametrize("stretch", [1, 2, 7, 100, 10_000])
def test_all_limits(backend, known, stretch):
    limits = [*range(30), 48, 49, 50, 51, 121, 122, 169, 170]
    limits += [LIMIT] if stretch > 2 else []
    found = [primes.count_primes(limit, stretch) for limit in limits]
    wait(60)
    assert [result.value for result in found] == [below(known, limit) for limit in limits]


def test_larger_limits(backend):
    found = [primes.count_primes(limit, 60_000) for limit in (10**6, 10**7)]
    assert [result.get(60) for result in found] == [(78_498, 999_983), (664_579, 9_999_991)]


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    command = [sys.executable, "-m", "bocmat.examples.primes", "2000000", "--backend", name]
    done = subprocess.run(
        [*command, "--stretch", "100000", "--progress"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0
    assert done.stdout == "148,933 primes below 2,000,000\nthe greatest of them is 1,999,993\n"
    assert done.stderr.splitlines()[-1] == "bocmat: 11 of 11 behaviors done"


def test_no_primes_at_all(backend, capsys):
    wait()
    assert primes.main(["2", "--no-progress"]) == 0
    assert capsys.readouterr() == ("0 primes below 2\n", "")


def test_options(capsys):
    for wrong in (["-1"], ["x"], ["--stretch", "0"], ["--backend", "none"]):
        with pytest.raises(SystemExit) as caught:
            primes.main(wrong)
        assert caught.value.code == 2
        assert "error" in capsys.readouterr().err
