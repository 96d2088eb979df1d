"""Budgets of a day and a project hold for all runs at once, and outlive crashes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from microloop_cli.errors import HostError
from microloop_cli.gateway.budgets import (
    LEASE_SECONDS,
    BudgetBook,
    Budgets,
    OverBudget,
    Reservation,
    default_path,
)

TODAY, TOMORROW = date(2026, 6, 1), date(2026, 6, 2)
NOW = 1_780_000_000.0
TEN = Budgets(day_usd=Decimal(10), project_day_usd=Decimal(4))


def held(
    book: BudgetBook, usd: str, project: str = "app", day: date = TODAY, now: float = NOW
) -> Reservation:
    answer = book.reserve(project, day, Decimal(usd), now)
    assert isinstance(answer, Reservation), answer
    return answer


def refusal(
    book: BudgetBook, usd: str, project: str = "app", day: date = TODAY, now: float = NOW
) -> OverBudget:
    answer = book.reserve(project, day, Decimal(usd), now)
    assert isinstance(answer, OverBudget), answer
    return answer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "microloop" / "budgets.sqlite3"


@pytest.fixture
def book(path: Path) -> BudgetBook:
    return BudgetBook(path, TEN)


def test_a_call_is_settled_at_what_it_came_to_and_the_rest_is_free_again(book: BudgetBook) -> None:
    first = held(book, "4")
    assert refusal(book, "0.01").budget == "project_day_usd"
    book.settle(first, Decimal("0.123456789"))
    assert book.spent("app", TODAY) == Decimal("0.123456789")
    held(book, "3.876543211")
    assert refusal(book, "0.000000001").used_usd == 4


def test_a_refusal_says_whose_budget_it_is(book: BudgetBook) -> None:
    for project in ("one", "two"):
        held(book, "4", project)
    assert (
        "the budget of the day over all projects, $10.00 (budgets.day_usd)"
        in refusal(book, "3", "new").message
    )
    assert "the budget of the day of project 'one', $4.00" in refusal(book, "1", "one").message


def test_each_day_and_each_project_has_its_own_budget(book: BudgetBook) -> None:
    held(book, "4")
    held(book, "4", "other")
    held(book, "4", day=TOMORROW)
    assert refusal(book, "1", day=TOMORROW).budget == "project_day_usd"


def test_a_projects_whole_budget_goes_over_all_days(path: Path) -> None:
    book = BudgetBook(path, Budgets(project_usd=Decimal(5)))
    book.settle(held(book, "4"), Decimal(4))
    assert refusal(book, "2", day=TOMORROW).budget == "project_usd"
    held(book, "2", "other", TOMORROW)


def test_a_call_whose_worst_case_does_not_fit_may_hold_what_is_left(book: BudgetBook) -> None:
    book.settle(held(book, "3.5"), Decimal("3.5"))
    part = book.reserve("app", TODAY, Decimal(2), NOW, least_usd=Decimal("0.01"))
    assert isinstance(part, Reservation)
    assert part.held_usd == Decimal("0.5")
    assert isinstance(book.reserve("app", TODAY, Decimal(2), NOW, least_usd=Decimal(0)), OverBudget)


def test_what_costs_nothing_is_never_refused(book: BudgetBook) -> None:
    book.settle(held(book, "4"), Decimal(9))
    assert held(book, "0").held_usd == 0


def test_settling_twice_charges_once_and_more_than_was_held_is_charged_too(book: BudgetBook) -> None:
    call = held(book, "1")
    for _ in range(2):
        book.settle(call, Decimal("1.5"))
    assert book.spent() == Decimal("1.5")
    assert book.spent(day=TOMORROW) == 0


def test_fractions_of_a_nano_dollar_are_charged_not_lost(book: BudgetBook) -> None:
    book.settle(held(book, "1"), Decimal("0.0000000001"))
    assert book.spent() == Decimal("0.000000001")


SCRIPT = """
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from microloop_cli.gateway.budgets import BudgetBook, Budgets, Reservation

book = BudgetBook(Path(sys.argv[1]), Budgets(day_usd=Decimal(sys.argv[2])))
got = 0
for turn in range(int(sys.argv[3])):
    call = book.reserve("app", date(2026, 6, 1), Decimal("0.01"), 1_780_000_000.0)
    if isinstance(call, Reservation):
        if "die" in sys.argv:
            break
        book.settle(call, Decimal("0.01"))
        got += 1
print(got)
"""


def start(path: Path, usd: str, turns: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(path), usd, str(turns), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_eight_runs_at_once_spend_the_budget_and_not_a_cent_more(path: Path) -> None:
    runs = [start(path, "2.00", 40) for _ in range(8)]
    got = [int(run.communicate(timeout=60)[0]) for run in runs]
    assert [run.returncode for run in runs] == [0] * 8
    assert sum(got) == 200
    assert BudgetBook(path, TEN).spent() == 2


def test_threads_may_share_a_book(book: BudgetBook) -> None:
    def spend() -> None:
        for _ in range(10):
            book.settle(held(book, "0.01"), Decimal("0.01"))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.spent() == Decimal("0.80")


def test_what_a_dead_run_held_is_free_at_once(path: Path) -> None:
    assert start(path, "0.01", 1, "die").communicate(timeout=60)[0] == "0\n"
    held(BudgetBook(path, Budgets(day_usd=Decimal("0.01"))), "0.01")


def test_what_a_living_run_holds_is_kept_until_its_lease_is_over_and_can_still_be_settled(
    path: Path, book: BudgetBook
) -> None:
    other = BudgetBook(path, TEN)
    call = held(book, "4")
    refusal(other, "1", now=NOW + LEASE_SECONDS - 1)
    book.renew(call, NOW + LEASE_SECONDS)
    refusal(other, "1", now=NOW + 2 * LEASE_SECONDS - 1)
    held(other, "1", now=NOW + 2 * LEASE_SECONDS + 1)
    book.settle(call, Decimal(2))
    assert other.spent() == 2


def test_a_broken_file_is_an_error_that_says_what_to_do(path: Path, book: BudgetBook) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database, by far" * 100)
    with pytest.raises(HostError) as caught:
        held(book, "1")
    assert f"mv {path}" in caught.value.hint


def test_a_locked_file_is_an_error_after_some_patience(path: Path) -> None:
    held(BudgetBook(path, TEN), "1")
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(HostError, match="locked by another process"):
        held(BudgetBook(path, TEN, patience_seconds=0.1), "1")
    blocker.execute("ROLLBACK")
    blocker.close()


def test_a_file_of_a_newer_version_is_left_alone(path: Path, book: BudgetBook) -> None:
    held(book, "1")
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(HostError, match="newer microloop"):
        held(BudgetBook(path, TEN), "1")


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="file/budgets"):
        held(BudgetBook(tmp_path / "file" / "budgets.sqlite3", TEN), "1")


def test_the_file_is_the_users_own(path: Path, book: BudgetBook) -> None:
    held(book, "1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "project", ["", "a'; DROP TABLE spent; --", os.fsdecode(b"/w/\xff"), "\x00", "é" * 5_000]
)
def test_any_path_may_be_a_project(book: BudgetBook, project: str) -> None:
    book.settle(held(book, "4", project), Decimal(4))
    assert book.spent(project) == 4
    assert len(refusal(book, "1", project).message) < 300


def test_the_file_lies_in_the_users_state_directory() -> None:
    home = Path("/home/me")
    assert default_path({}, home) == home / ".local/state/microloop/budgets.sqlite3"
    assert default_path({"XDG_STATE_HOME": "/s"}, home) == Path("/s/microloop/budgets.sqlite3")
    assert default_path({"XDG_STATE_HOME": "relative"}, home) == default_path({}, home)
