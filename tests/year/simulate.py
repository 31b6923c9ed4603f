"""Drive the real engine and its database through a year, from one due moment to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Min
from django.test import override_settings

from tests.shop import POSTAL_ADDRESS
from tests.year.plans import Happening, set_up, year
from tests.year.reader import Report, Sent, read
from wagtail_triggers.core.clock import FrozenClock, frozen
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.scheduler import work_through
from wagtail_triggers.events.models import Cart
from wagtail_triggers.messages import claim
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.models import Message
from wagtail_triggers.messages.policies import arbiter, digest

#: New Year's Day: both changes of clocks lie within a year of it.
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: What falls due within so long is done together.
TOGETHER = timedelta(minutes=10)

_sent: list[Sent] = []
_clock: list[FrozenClock] = []


class YearChannel(MemoryChannel):
    """The sink: notes when each message came."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Take it."""
        person = int(outgoing.address.partition("@")[0][1:])
        at = _clock[0].moment
        _sent.append(Sent(at, person, outgoing.marketing, outgoing.idempotency_key))
        return Outcome(OutcomeKind.ACCEPTED)


def simulate(
    people: int,
    days: int,
    seed: int,
    *,
    without: str = "",
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Live through so many days with so many people, in an empty database with its tables.

    Args:
        without: A policy to take away: the reader must notice. One of `BROKEN`.
        tell: Is told now and then how far it is.
    """
    _sent.clear()
    channel = {"BACKEND": f"{__name__}.YearChannel", "OPTIONS": {"identifier": "email"}}
    ours = {
        "WAGTAIL_TRIGGERS_CHANNELS": {"email": channel},
        "WAGTAIL_TRIGGERS_NUDGE": "off",
        "WAGTAIL_TRIGGERS_POSTAL_ADDRESS": POSTAL_ADDRESS,
    }
    with override_settings(**ours), frozen(BEGIN) as clock, broken(without):
        _clock[:] = [clock]
        set_up()
        _live(clock, year(people, BEGIN, days, seed), BEGIN + timedelta(days=days), tell)
        return read(list(_sent), clock.moment)


def _live(
    clock: FrozenClock, script: Iterator[Happening], end: datetime, tell: Callable[[str], None]
) -> None:
    coming = next(script, None)
    begun, told = time.monotonic(), BEGIN
    while clock.moment < end:
        times = [*_due(), coming.at if coming is not None else end, end]
        # Never the same moment again: what a guard holds for a second comes up in the next round.
        clock.moment = max(min(times) + TOGETHER, clock.moment + timedelta(seconds=2))
        while coming is not None and coming.at <= clock.moment:
            coming.tell()
            coming = next(script, None)
        work_through(seconds=3600)
        if clock.moment - told >= timedelta(days=7):
            told = clock.moment
            tell(f"{told:%d %B}: {len(_sent)} messages, {time.monotonic() - begun:.0f} s")


def _due() -> list[datetime]:
    """When the engine has something to do next."""
    found = (
        Enrolment.objects.filter(state="active").aggregate(at=Min("wake_at"))["at"],
        Message.objects.filter(state__in=Message.WAITING).aggregate(at=Min("due_at"))["at"],
        Cart.objects.aggregate(at=Min("abandon_at"))["at"],
    )
    return [at for at in found if at is not None]


@contextmanager
def broken(policy: str) -> Iterator[None]:
    """Take a policy away for the length of the block."""
    with pytest.MonkeyPatch.context() as patch:
        if policy:
            BROKEN[policy](patch)
        yield


def _no_caps(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(arbiter, "fits_at", lambda caps, uses, channel, moment: moment)


def _no_quiet(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(arbiter, "quiet_until", lambda *args: None)


def _no_priority(patch: pytest.MonkeyPatch) -> None:
    by_age = property(lambda self: min((row.planned_at, row.pk) for row in self.rows))
    patch.setattr(digest.Entrant, "rank", by_age)


def _no_lane(patch: pytest.MonkeyPatch) -> None:
    """Let receipts stand in the queue of marketing: they are claimed only in its hours."""
    take = claim.take

    def by_day(message_class: str, *args: Any) -> claim.Claim:
        hour = _clock[0].moment.hour
        limit = 0 if message_class == "transactional" and not 8 <= hour < 21 else claim.BATCH
        return take(message_class, limit)

    patch.setattr("wagtail_triggers.messages.sender.take", by_day)


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "caps": _no_caps,
    "quiet": _no_quiet,
    "priority": _no_priority,
    "lane": _no_lane,
}
