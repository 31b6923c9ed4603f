"""Template tags of the shop."""

from __future__ import annotations

from decimal import Decimal

from django import template

from ..prices import format_price

register = template.Library()


@register.filter
def price(value: Decimal | str | float) -> str:
    """Show a price: ``€12.50``."""
    return format_price(value)
