"""US dollars as a ledger holds them (decimal text, any text) and as people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

NOTHING = Decimal(0)
MOST = Decimal(10) ** 12
"""What is over it is no price of anything: it is cut, so that no text can grow without bound."""

_LONGEST_TEXT = 64
_FINEST = Decimal(1).scaleb(-18)
_SHARE_FINEST = Decimal(1).scaleb(-9)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def amount(text: str | None) -> Decimal | None:
    """The amount in `text`; None when there is none, or it is no amount of money. Exact to 18 decimals."""
    if text is None or len(text) > _LONGEST_TEXT:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return believable(value)


def believable(value: Decimal | None) -> Decimal | None:
    """`value` between nothing and MOST, at most 18 decimals; None for what is no number."""
    if value is None or not value.is_finite():
        return None
    value = min(max(value, NOTHING), MOST)
    exponent = value.as_tuple().exponent
    fine = isinstance(exponent, int) and -18 <= exponent <= 0
    return value if fine else value.quantize(_FINEST, context=_EXACT)


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of what is known; None when nothing is."""
    known = [value for value in amounts if value is not None]
    result = NOTHING
    for value in known:
        result = _EXACT.add(result, value)
    return result if known else None


def share(value: Decimal | None, parts: int) -> Decimal | None:
    """One of `parts` equal parts, to nine decimals where it is not even."""
    if value is None or parts <= 1:
        return value
    divided = _EXACT.divide(value, Decimal(parts))
    exponent = divided.as_tuple().exponent
    even = isinstance(exponent, int) and exponent >= -9
    return divided if even else divided.quantize(_SHARE_FINEST, context=_EXACT)


def exact(value: Decimal | None) -> str | None:
    """Decimal text without an exponent and without zeros at its end, for programs."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def dollars(value: Decimal | None, more: bool = False) -> str:
    """`$12.30`, `$0.42`, `$0.02`, `$0.006`, `<$0.0001`; `-` when it is not known.

    more: some of it has no price, so that it is at least this: `$0.42+`.
    """
    if value is None:
        return "-"
    plus = "+" if more else ""
    if 0 < value < Decimal("0.0001"):
        return f"<$0.0001{plus}"
    if value >= Decimal("0.10"):
        return f"${value:,.2f}{plus}"
    return f"${_two_decimals_at_least(f'{value:.4f}')}{plus}"


def _two_decimals_at_least(text: str) -> str:
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
