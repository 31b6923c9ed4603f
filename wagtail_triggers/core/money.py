"""Amounts as every event carries them: exact, as text, with the digits that the currency has."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision


def money(amount: Any, currency: Any) -> dict[str, str] | None:
    """Return `{"amount": "12.50", "currency": "EUR"}`, or None where one of the two is missing.

    Digits are filled up to those of ISO 4217 (two for the euro, none for the yen) and never cut:
    a price of a tenth of a cent stays one.

    Args:
        amount: A Decimal, an int, or a text or float whose digits count as they are written.
        currency: An ISO 4217 code.

    Raises:
        ValueError: The amount is no finite number.
    """
    if amount is None or not currency:
        return None
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        raise ValueError("An amount is no number.") from None
    if not value.is_finite():
        raise ValueError("An amount is not finite.")
    shown = value.quantize(Decimal(1).scaleb(-get_currency_precision(str(currency))))
    return {"amount": format(shown if shown == value else value, "f"), "currency": str(currency)}
