"""Races in one process: threads with connections of their own, and a provider that keeps time."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from unittest import mock

from django.db import connection
from django.test import override_settings

from tests.concurrency.parallel import Strand
from wagtail_triggers.conf import settings as ours
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, Outgoing
from wagtail_triggers.messages.channels.memory import MemoryChannel
from wagtail_triggers.messages.guards import guards
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch


@dataclass(frozen=True)
class Passed:
    """One hand-over: when the guards let it pass, by the database's clock, and where it went."""

    key: str
    contact: int
    address: str
    marketing: bool
    moment: datetime


class TimedChannel(MemoryChannel):
    """Notes when each message was moved to `sending`."""

    passed: ClassVar[list[Passed]] = []

    def send(self, outgoing: Outgoing) -> Outcome:
        """Keep the message and the moment of the guards that let it pass."""
        key = outgoing.idempotency_key
        contact, until = Message.objects.values_list("contact_id", "lease_until").get(public_id=key)
        assert until is not None
        moment = until - ours.lease
        self.passed.append(Passed(key, contact, outgoing.address, outgoing.marketing, moment))
        return super().send(outgoing)


@contextmanager
def provider() -> Iterator[list[Passed]]:
    """A plain provider in memory, which delivers everything twice that it is given twice."""
    channel = {
        "BACKEND": "tests.chaos.races.TimedChannel",
        "OPTIONS": {"identifier": "email", "idempotent": False},
    }
    memory.clear()
    TimedChannel.passed.clear()
    with override_settings(
        WAGTAIL_TRIGGERS_CHANNELS={"email": channel},
        WAGTAIL_TRIGGERS_NUDGE="off",
        WAGTAIL_TRIGGERS_LEASE_SECONDS=90,
    ):
        yield TimedChannel.passed


def deliveries() -> Counter[str]:
    """How often each message was delivered."""
    return Counter(one.idempotency_key for one in memory.outbox)


@contextmanager
def without(*names: str, when: bool = True) -> Iterator[None]:
    """Take guards away for the block."""
    with ExitStack() as stack:
        if when:
            kept = {name: guard for name, guard in guards.all().items() if name not in names}
            stack.enter_context(mock.patch.object(guards, "all", return_value=kept))
        yield


def database_time() -> datetime:
    """This very moment, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def keep_sending(until: threading.Event) -> Callable[[], None]:
    """What a sender does: batches of both lanes, until it is told to stop."""

    def work() -> None:
        while not until.is_set():
            for kind in (MessageClass.TRANSACTIONAL, MessageClass.MARKETING):
                send_batch(kind, 10)
            time.sleep(0.001)

    return work


def race(
    things: Sequence[Any], act: Callable[[Any], object], chance: random.Random, *, senders: int = 2
) -> tuple[list[datetime], list[float]]:
    """Send to everybody, while `act` comes to one after the other in some order.

    Returns:
        For each of `things`, in their order, when its act had committed; and how long each took.
    """
    stop = threading.Event()
    committed: dict[int, datetime] = {}
    took: list[float] = []

    def go_round() -> None:
        give_up = time.monotonic() + 20
        while not TimedChannel.passed and time.monotonic() < give_up:
            time.sleep(0.001)  # let somebody be first, or there is no race
        for number in chance.sample(range(len(things)), len(things)):
            began = time.monotonic()
            act(things[number])
            took.append(time.monotonic() - began)
            committed[number] = database_time()

    sending = [Strand(keep_sending(stop)) for _ in range(senders)]
    acting = Strand(go_round)
    acting.join(3_000)
    stop.set()
    acting.wait()
    for strand in sending:
        strand.wait()
    return [committed[number] for number in range(len(things))], took


def finish() -> None:
    """Carry on until nothing is due, with what was held for a second released at once."""
    from wagtail_triggers.core import clock
    from wagtail_triggers.engine.scheduler import work_through

    for _round in range(4):
        work_through(seconds=600)
        Message.objects.filter(due_at__isnull=False).update(due_at=clock.now())
    drain(lambda: send_batch(MessageClass.MARKETING), seconds=60)


def p99(values: Sequence[float]) -> float:
    """What 99 of 100 do not exceed."""
    return sorted(values)[int(len(values) * 0.99)] if values else 0.0
