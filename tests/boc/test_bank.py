"""The bank program against the same transfers done one after the other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bocmat import wait
from bocmat.examples import bank
from bocmat.lifecycle import usable_backends


def done_one_by_one(accounts, balance, transfers):
    """Give the balances at the end, and which transfers there was enough money for."""
    balances, granted = [balance] * accounts, []
    for source, target, amount in transfers:
        enough = balances[source] >= amount
        granted.append(enough)
        if enough:
            balances[source] -= amount
            balances[target] += amount
    return balances, granted


def test_orders_are_between_two_accounts():
    transfers = bank.orders(3, 500, 7, 1)
    assert len(transfers) == 500
    assert {(source, target) for source, target, _ in transfers} == {
        (source, target) for source in range(3) for target in range(3) if source != target
    }
    assert {amount for _, _, amount in transfers} == set(range(1, 8))
    assert transfers == bank.orders(3, 500, 7, 1) != bank.orders(3, 500, 7, 2)


@pytest.mark.parametrize(("accounts", "seed"), [(2, 1), (5, 2), (50, 3)])
def test_balances_do_not_depend_on_timing(backend, accounts, seed):
    transfers = bank.orders(accounts, 1000, 60, seed)
    books = bank.open_bank(accounts, 50, transfers, audits=10)
    wait(60)
    balances, granted = done_one_by_one(accounts, 50, transfers)
    assert [account.value.balance for account in books.accounts] == balances
    assert [done.value for done in books.transfers] == granted
    assert set(granted) == {True, False}
    assert [total.value for total in books.audits] == [50 * accounts] * 10


@pytest.mark.parametrize(("transfers", "audits"), [(1, 0), (1, 1), (3, 5), (7, 7)])
def test_audits_are_spread_among_the_transfers(backend, transfers, audits):
    orders = bank.orders(2, transfers, 5, 1)
    books = bank.open_bank(2, 10, orders, audits)
    wait(60)
    assert [total.value for total in books.audits] == [20] * min(transfers, audits)


@pytest.mark.parametrize("name", usable_backends())
def test_the_program_from_end_to_end(name):
    arguments = ["--accounts", "3", "--transfers", "200", "--seed", "5", "--audits", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.bank", *arguments, "--backend", name],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    balances, granted = done_one_by_one(3, 100, bank.orders(3, 200, 100, 5))
    assert [line.split() for line in done.stdout.splitlines()] == [
        *(["customer", str(number), str(left)] for number, left in enumerate(balances, 1)),
        ["together", "300"],
        *[["an", "audit", "found", "300"]] * 2,
        f"200 transfers, {granted.count(False)} of them refused for want of money".split(),
    ]


def test_options(capsys):
    for wrong in (["--accounts", "1"], ["--transfers", "0"], ["--most", "x"], ["--seed", "x"]):
        with pytest.raises(SystemExit) as caught:
            bank.main(wrong)
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err
