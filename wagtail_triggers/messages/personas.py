"""Made-up people for previews: one for each way in which real people differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who does not exist.

    Attributes:
        identifier: As it is stored in a session.
        label: What they stand for, for whoever writes.
        facts: What differs from the regular customer.
        lines: How many lines their cart and order have.
        known: Whether the shop knows more of them than an address.
    """

    identifier: str
    label: StrOrPromise
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: int = 2
    known: bool = True


REGULAR: Final = Persona("regular", _("Regular customer: Anna Berg"))
_ALL: Final = (
    REGULAR,
    Persona(
        "guest",
        _("Guest: nothing known but an address"),
        {
            "first_name": "",
            "last_name": "",
            "name": "",
            "email": "guest@example.com",
            "language": "",
            "birthday": None,
            "orders_count": 0,
            "spent": Decimal(0),
            "currency": "",
        },
        lines=1,
        known=False,
    ),
    Persona(
        "big_spender",
        _("Big spender: a long name and twelve things in the cart"),
        {
            "first_name": "Maximiliane-Josephine",
            "last_name": "von Hohenstein-Wolfenbüttel",
            "name": "Maximiliane-Josephine von Hohenstein-Wolfenbüttel",
            "email": "maximiliane.josephine@hohenstein-wolfenbuettel.example",
            "orders_count": 48,
            "spent": Decimal("12480.00"),
        },
        lines=12,
    ),
    Persona(
        "zh",
        _("Customer who writes Chinese: 王伟"),
        {
            "first_name": "伟",
            "last_name": "王",
            "name": "王伟",
            "email": "wang.wei@example.com",
            "language": "zh-hans",
        },
    ),
    Persona(
        "ru",
        _("Customer who writes Russian: Екатерина Смирнова"),
        {
            "first_name": "Екатерина",
            "last_name": "Смирнова",
            "name": "Екатерина Смирнова",
            "email": "ekaterina@example.com",
            "language": "ru",
        },
    ),
    Persona(
        "ar",
        _("Customer who writes Arabic, from right to left: ليلى حداد"),
        {
            "first_name": "ليلى",
            "last_name": "حداد",
            "name": "ليلى حداد",
            "email": "layla@example.com",
            "language": "ar",
        },
    ),
)
PERSONAS: Final[Mapping[str, Persona]] = {one.identifier: one for one in _ALL}
