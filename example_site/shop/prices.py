"""Prices as people and as machines read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

CURRENCY = "EUR"


def format_price(value: Decimal | str | float, context: dict[str, Any] | None = None) -> str:
    """Return a price for people: ``€12.50``. The second argument is what Salesman passes."""
    amount = Decimal(str(value)).quantize(Decimal("0.01"))
    return f"-€{-amount:,.2f}" if amount < 0 else f"€{amount:,.2f}"


def money(value: Decimal) -> dict[str, str]:
    """Return a price as an event carries it: a decimal string with its currency."""
    return {"amount": f"{value:.2f}", "currency": CURRENCY}
