"""Taking in a body that Saleor signed: stored, and told to the engine, in one transaction."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from ...api import track
from ...core import clock
from ...core.strict_json import MAX_BYTES, BadJson, loads
from ...exceptions import InvalidEvent
from .canonical import Happening, Reading, read
from .configuration import InstanceSettings
from .exceptions import Unreadable
from .models import Delivery, Instance, Outcome

logger = logging.getLogger("wagtail_triggers.saleor")

#: Saleor repeats a failed delivery for so long. What is older is somebody else's repetition; our
#: memory of hashes, 30 days, is longer.
OLDEST: Final = timedelta(days=14)
#: How far Saleor's clock may be ahead of ours.
AHEAD: Final = timedelta(minutes=2)
#: Of a body that is too large this much is kept.
_STUB: Final = 2_000


class TooOld(Unreadable):
    """The event was issued too long ago, or in the future."""


def take(body: bytes, *, instance: Instance, known: InstanceSettings) -> Outcome:
    """Take in a body whose signature is good.

    A second copy changes nothing. A signed body that cannot be read is kept all the same: refused,
    it would be lost for good, since Saleor does not repeat what was answered with 4xx.

    Args:
        body: The raw bytes.
        instance: Who signed.
        known: Its settings.

    Returns:
        What became of it.

    Raises:
        TooOld: It is older than Saleor would repeat it, or from the future. Nothing was kept.
    """
    digest = hashlib.sha256(body).hexdigest()
    if Delivery.objects.filter(instance=instance, digest=digest).exists():
        return Outcome.IGNORED
    row = Delivery(
        instance=instance,
        digest=digest,
        event="",
        body=body[: MAX_BYTES if len(body) <= MAX_BYTES else _STUB].decode("utf-8", "replace"),
        received_at=clock.now(),
        outcome=Outcome.RECORDED,
    )
    row.body = row.body.replace("\x00", "")  # PostgreSQL keeps none
    try:
        reading = read(loads(body, decimals=True), known)
    except (BadJson, Unreadable) as error:
        return _keep(row, Outcome.FAILED, str(error))
    _judge_age(reading.issued_at, row.received_at)
    row.event, row.issued_at = reading.event[:64], reading.issued_at
    return _record(row, reading, known)


def _record(row: Delivery, reading: Reading, known: InstanceSettings) -> Outcome:
    try:
        with transaction.atomic():
            if reading.removed_app and reading.removed_app == row.instance.app_id:
                _remove(row.instance)
            for one in reading.happenings:
                _track(one, row, known)
            return _keep(
                row, Outcome.RECORDED if reading.happenings else Outcome.IGNORED, reading.detail
            )
    except InvalidEvent as error:
        return _keep(row, Outcome.FAILED, str(error))


def _track(one: Happening, row: Delivery, known: InstanceSettings) -> None:
    track(
        one.name,
        contact=one.contact,
        key=one.key,
        payload=dict(one.payload),
        occurred_at=row.issued_at,
        dedupe_key=(one.once or row.digest)[:200],
        site=known.site,
        source=f"saleor:{row.instance_id}",
    )


def _keep(row: Delivery, outcome: Outcome, detail: str) -> Outcome:
    row.outcome, row.detail = outcome, detail[:300]
    # On conflict do nothing: the same body may arrive twice at once.
    Delivery.objects.bulk_create([row], ignore_conflicts=True)
    if outcome is Outcome.FAILED:
        logger.error("A delivery of %s was kept and not understood: %s", row.instance, detail)
    return outcome


def _judge_age(issued_at: datetime, moment: datetime) -> None:
    if issued_at > moment + AHEAD:
        raise TooOld("The event is from the future. Set the clocks of both machines.")
    if issued_at < moment - OLDEST:
        raise TooOld("The event is older than two weeks; Saleor repeats nothing that old.")


def _remove(instance: Instance) -> None:
    """Forget the token of an instance that has removed the app."""
    instance.token, instance.removed_at = "", clock.now()
    instance.save(update_fields=["token", "removed_at"])
