"""What most runs share: journeys and orders, a monkey that kills, and the wait for the end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.test import override_settings

from tests.chaos.nursery import Nursery
from tests.chaos.run import Chaos
from tests.shop import journey, line, order, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.models import Message, MessageClass

#: One of each: what the provider can do, and what may become of a doubtful message.
EVERY_SORT = tuple(
    (channel, kind)
    for channel in ("email", "queryable", "plain")
    for kind in (MessageClass.TRANSACTIONAL, MessageClass.MARKETING)
)
IDEMPOTENT = (("email", MessageClass.TRANSACTIONAL), ("email", MessageClass.MARKETING))


def thanks(sorts: Sequence[tuple[str, str]] = IDEMPOTENT) -> None:
    """A journey that answers every order with one message of each sort."""
    soft = topic("soft", consent=Topic.Consent.SOFT)
    nodes: list[dict[str, Any]] = [{"kind": "entry", "event": "order_placed"}]
    for channel, kind in sorts:
        marketing = kind == MessageClass.MARKETING
        letter = template(
            f"{channel} {kind}", "<p>Thank you, {{ contact.first_name }}</p>",
            kind=kind, topic=soft if marketing else None,
        )  # fmt: skip
        nodes.append({"kind": "send", "template": letter, "channel": channel})
    journey("Thanks", nodes)


def place(count: int, *, prefix: str = "p", chunk: int = 200) -> None:
    """Place an order by each of so many people."""
    with override_settings(WAGTAIL_TRIGGERS_NUDGE="off"):
        for start in range(0, count, chunk):
            with transaction.atomic():
                for number in range(start, min(start + chunk, count)):
                    name = f"{prefix}{number}"
                    who = Who(user_id=name, email=f"{name}@example.com", first_name=name)
                    order(name, line(), who=who, dedupe_key=name)


@dataclass
class Crew:
    """A beat and workers that are started again whenever somebody kills them.

    Attributes:
        settings: Django settings of each.
        plant: What is broken in each.
    """

    nursery: Nursery
    settings: Mapping[str, Any] = field(default_factory=dict)
    plant: str = ""
    workers: list[int] = field(default_factory=list)
    beat: int = 0
    number: int = 0
    #: Processes that ended of themselves, and were started again.
    revived: int = 0

    def start(self, workers: int = 2, *, beat: bool = True) -> None:
        """Start them."""
        if beat:
            self.beat = self.nursery.beat(settings=self.settings)
        for _number in range(workers):
            self.add_worker()

    def add_worker(self) -> int:
        """Start one more."""
        self.number += 1
        pid = self.nursery.worker(f"w{self.number}", settings=self.settings, plant=self.plant)
        self.workers.append(pid)
        return pid

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Start whatever ends of itself again, as systemd does, for the length of the block."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(2.0):
                for place, pid in enumerate(self.workers):
                    if not self.nursery.alive(pid):
                        self.workers[place] = self.add_worker()
                        self.workers.pop()
                        self.revived += 1
                if self.beat and not self.nursery.alive(self.beat):
                    self.beat = self.nursery.beat(settings=self.settings)
                    self.revived += 1

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def replace_worker(self) -> None:
        """SIGKILL the oldest worker with its whole process group; start another."""
        self.nursery.kill(self.workers.pop(0))
        self.add_worker()

    def replace_beat(self) -> None:
        """SIGKILL the beat; start another."""
        self.nursery.kill(self.beat)
        self.beat = self.nursery.beat(settings=self.settings)


def wait_for(look: Callable[[], Any], seconds: float, *, every: float = 0.1) -> bool:
    """Look until it is true; False if the time was over first."""
    give_up = time.monotonic() + seconds
    while not look():
        if time.monotonic() > give_up:
            return False
        time.sleep(every)
    return True


def settled() -> int:
    """Messages in a terminal state."""
    return Message.objects.filter(state__in=Message.TERMINAL).count()


def all_settled(expected: int) -> bool:
    """Whether as many messages as there must be have come to their end."""
    return (
        settled() >= expected and not Message.objects.exclude(state__in=Message.TERMINAL).exists()
    )


def quiet() -> bool:
    """Whether nothing is left to do: no event, no run, no message."""
    return not (
        Event.objects.filter(routed_at=None).exists()
        or Enrolment.objects.filter(state=Enrolment.State.ACTIVE, wake_at__isnull=False).exists()
        or Message.objects.exclude(state__in=Message.TERMINAL).exists()
    )


def settle(expected: int, *, idle: float) -> bool:
    """Wait for the end of all messages, as long as there is progress.

    Args:
        expected: How many there must be.
        idle: Seconds without any progress after which nobody works any more.
    """
    done, since = -1, time.monotonic()
    while not all_settled(expected):
        now = settled()
        if now != done:
            done, since = now, time.monotonic()
        if time.monotonic() - since > idle:
            return False
        time.sleep(0.2)
    return True


@dataclass
class Monkey:
    """Does one of several nasty things every now and then, until it is told to stop.

    Args:
        pauses: Seconds between two, at least and at most.
    """

    chance: random.Random
    pauses: tuple[float, float]
    kills: int = 0

    def rage(self, deeds: Mapping[str, Callable[[], bool | None]], until: Callable[[], bool],
             *, most: int = 1_000_000, seconds: float = 3_600) -> dict[str, int]:  # fmt: skip
        """Do them, in random order; how often each was done.

        Args:
            deeds: By name; one that returns False did nothing, and does not count.
            until: Stop when this is true.
            most: Deeds at most.
            seconds: Stop after so long at the latest.
        """
        done = dict.fromkeys(deeds, 0)
        ends = time.monotonic() + seconds
        while self.kills < most and time.monotonic() < ends and not until():
            time.sleep(self.chance.uniform(*self.pauses))
            name = self.chance.choice(list(deeds))
            if deeds[name]() is not False:
                done[name] += 1
                self.kills += 1
        return done


def started_delivering(chaos: Chaos, seconds: float = 60) -> bool:
    """Wait for the first delivery, so that what is killed is at work."""
    return wait_for(lambda: chaos.sink.deliveries(), seconds)
