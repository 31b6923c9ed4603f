"""What a project calls its statuses and events, in the words of our event types.

Oscar has no fixed ones: each project writes its own pipeline. `WAGTAIL_TRIGGERS_OSCAR` says what
they mean::

    WAGTAIL_TRIGGERS_OSCAR = {
        "STATUSES": {"Sent": "order_shipped", "Void": "order_cancelled"},
        "SHIPPING_EVENTS": {"Handed to DHL": "order_shipped"},
        "PAYMENT_EVENTS": {"Settled": "order_paid"},
    }

What is named there is added to the defaults; an empty word takes one away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...conf import settings
from ...core.adapting import order_words
from ...exceptions import ConfigurationError

SETTING: Final = "WAGTAIL_TRIGGERS_OSCAR"
#: The words of Oscar's own sandbox and documentation, and those that projects use most.
DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "STATUSES": {
        "Paid": "order_paid",
        "Shipped": "order_shipped",
        "Complete": "order_delivered",
        "Completed": "order_delivered",
        "Delivered": "order_delivered",
        "Cancelled": "order_cancelled",
        "Canceled": "order_cancelled",
        "Refunded": "order_refunded",
    },
    "SHIPPING_EVENTS": {
        "Shipped": "order_shipped",
        "Delivered": "order_delivered",
        "Cancelled": "order_cancelled",
    },
    "PAYMENT_EVENTS": {
        "Settled": "order_paid",
        "Paid": "order_paid",
        "Captured": "order_paid",
        "Refunded": "order_refunded",
    },
}


def words(kind: str) -> Mapping[str, str]:
    """The event types by the project's own words; `kind` is a key of `DEFAULTS`.

    Raises:
        ConfigurationError: The setting holds something else.
    """
    return _read()[kind]


def _read() -> dict[str, dict[str, str]]:
    given = settings.OSCAR
    unknown = set(given) - set(DEFAULTS)
    if unknown:
        raise ConfigurationError(
            f"{SETTING} has {', '.join(sorted(map(repr, unknown)))}; it may have "
            f"{', '.join(sorted(DEFAULTS))}."
        )
    return {
        kind: order_words(known, given.get(kind) or {}, f'{SETTING}["{kind}"]')
        for kind, known in DEFAULTS.items()
    }
