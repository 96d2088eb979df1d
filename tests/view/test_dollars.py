"""Dollars are exact for programs, short for people, and bounded whatever a ledger says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.view.dollars import MOST, amount, dollars, exact, share, total


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"), ("0", "$0.00"), ("12.3", "$12.30"), ("0.42", "$0.42"), ("0.126", "$0.13"), ("0.02", "$0.02"),
        ("0.006", "$0.006"), ("0.0042", "$0.0042"), ("0.00004", "<$0.0001"), ("1234567.891", "$1,234,567.89"),
    ],
)  # fmt: skip
def test_people_read_cents_or_what_is_there_of_them(value: str | None, shown: str) -> None:
    assert dollars(amount(value)) == shown


def test_a_sum_with_unpriced_parts_has_a_plus() -> None:
    assert dollars(Decimal("0.42"), more=True) == "$0.42+"


def test_programs_get_the_exact_amount_without_an_exponent() -> None:
    assert exact(amount("1e-10")) == "0.0000000001"
    assert exact(amount("0.020")) == "0.02"
    assert exact(amount("100")) == "100"
    assert exact(total((amount("0.1"), None, amount("0.2")))) == "0.3"
    assert total((None,)) is None


@pytest.mark.parametrize("text", ["", "NaN", "-Infinity", "sNaN", "one", "1" * 100, "0x10"])
def test_what_is_no_amount_is_not_known(text: str) -> None:
    assert amount(text) is None


@pytest.mark.parametrize("text", ["1e999999", "-5", "1e-999999", "9" * 60])
def test_absurd_amounts_are_cut_to_some_that_can_be_shown(text: str) -> None:
    value = amount(text)
    assert value is not None
    assert 0 <= value <= MOST
    assert len(exact(value) or "") < 40


@given(st.decimals(min_value=0, max_value=10**6, places=10), st.integers(1, 50))
def test_parts_come_to_the_whole(value: Decimal, parts: int) -> None:
    one = share(value, parts)
    assert one is not None
    assert abs(one * parts - value) <= Decimal("1e-9") * parts


@given(st.text(max_size=80))
def test_any_text_can_stand_for_an_amount(text: str) -> None:
    assert dollars(amount(text)).isascii()
