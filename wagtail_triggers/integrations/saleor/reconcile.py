"""After an outage: what Saleor could not deliver is asked for and taken in.

Saleor repeats a delivery five times and then falls silent, and keeps failed ones for 14 days. The
answer comes over an authenticated connection to the configured host, so it needs no signature.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from .client import client_of
from .configuration import InstanceSettings, configuration
from .intake import TooOld, take
from .models import Instance, Outcome

logger = logging.getLogger("wagtail_triggers.saleor")

_WEBHOOKS: Final = "query { app { webhooks { id } } }"
_FAILED: Final = """
query Failed($id: ID!, $first: Int!, $after: String) {
  webhook(id: $id) {
    eventDeliveries(
      first: $first, after: $after, filter: {status: FAILED},
      sortBy: {field: CREATED_AT, direction: ASC}
    ) {
      edges { node { id createdAt payload } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


@dataclass
class Count:
    """What a reconciliation came to, in deliveries."""

    recorded: int = 0
    ignored: int = 0
    failed: int = 0
    too_old: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        setattr(self, str(outcome), getattr(self, str(outcome)) + 1)


def reconcile(instance: Instance, known: InstanceSettings) -> Count:
    """Take in every delivery that failed; what was taken in before changes nothing.

    Raises:
        SaleorError: Saleor did not answer. What was taken in until then stays.
    """
    client, count = client_of(instance), Count()
    app: Any = client.query(_WEBHOOKS).get("app") or {}
    for webhook in app.get("webhooks") or ():
        path = ("webhook", "eventDeliveries")
        for node in client.pages(_FAILED, path, {"id": webhook["id"]}):
            payload = node.get("payload")
            if not payload:
                count.add(Outcome.IGNORED)
                continue
            try:
                count.add(take(str(payload).encode(), instance=instance, known=known))
            except TooOld:
                count.too_old += 1
    logger.info("Reconciled %s: %s", instance, count)
    return count


def reconcile_all() -> dict[str, Count]:
    """Reconcile every instance that is installed, by its GraphQL address."""
    config, found = configuration(), {}
    for instance in Instance.objects.filter(removed_at=None).order_by("pk"):
        known = config.instance(instance.api_url)
        if known is not None and instance.token:
            found[instance.api_url] = reconcile(instance, known)
    return found
