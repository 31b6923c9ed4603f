"""F24: what providers report comes late, doubled, out of order, and about messages of others."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report as Figures
from tests.chaos.run import Chaos
from tests.concurrency.parallel import Strand
from tests.concurrency.people import letter, people, planned
from wagtail_triggers.core import clock
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages import outcomes, report_effects
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.models import Message, MessageClass, MessageEvent
from wagtail_triggers.messages.report_effects import apply_batch
from wagtail_triggers.messages.reports import Report, record
from wagtail_triggers.messages.sender import send_batch

SCENARIO = Scenario(
    name="F24",
    title="reports of providers: late, doubled, shuffled, and about messages that nobody knows",
    promise=(
        "each report is kept once, those about nobody's message too; a bounce after a delivery "
        "keeps both; a message in doubt that was delivered becomes accepted, and is not repeated"
    ),
    broken="reports heal nothing",
    small=300,
    full=10_000,
)
#: Of the messages, so many are delivered without our being told.
IN_DOUBT = 0.3
STRANGERS = 0.05


def run(chaos: Chaos) -> Figures:
    """Send over a provider that often says nothing, and have it report everything in a jumble."""
    figures = chaos.report()
    rows = people(chaos.messages)
    planned(letter("Letter"), rows)
    # Only reports decide what becomes of a message in doubt.
    patience = mock.patch.object(outcomes, "AWAIT_REPORT", timedelta(minutes=15))
    with races.provider() as passed, patience:
        memory.script(_mute(chaos.chance) for _ in range(chaos.messages))
        drain(_send, seconds=600)
        doubts = Message.objects.filter(state=Message.State.UNKNOWN).count()
        reports = _reports(passed, chaos.chance, clock.now())
        with _unhealing(when=chaos.broken):
            _bring_in(reports, chaos.chance)
            Message.objects.filter(due_at__isnull=False).update(due_at=clock.now())
            drain(_send, seconds=600)
        figures.count(len(rows), races.deliveries())
    kinds = Counter(MessageEvent.objects.values_list("kind", flat=True))
    wanted = Counter(one.kind for one in reports)
    both = _with_both()
    figures.extra |= {
        "in doubt before the reports": doubts,
        "reports": len(reports),
        "kept": sum(kinds.values()),
        "of strangers": MessageEvent.objects.filter(message=None).count(),
        "with a delivery and a bounce": both,
    }
    bounced = {one.public_id for one in reports if one.kind == MessageEvent.Kind.BOUNCED}
    figures.demand(kinds == wanted, f"each report is kept once: {wanted}, not {kinds}")
    figures.demand(figures.duplicates == 0, "what was delivered is not sent again")
    figures.demand(figures.unknown == 0, "no message stays in doubt")
    figures.demand(both == len(bounced), "a bounce after a delivery keeps both")
    figures.demand(doubts > 0, "some were in doubt")
    return figures


def _send() -> int:
    return send_batch(MessageClass.TRANSACTIONAL)


def _mute(chance: random.Random) -> Any:
    def fault(outgoing: Outgoing) -> Outcome | None:
        if chance.random() < IN_DOUBT:
            return Outcome(OutcomeKind.AMBIGUOUS, status="delivered", detail="silence")
        return None

    return fault


def _reports(passed: list[races.Passed], chance: random.Random, now: datetime) -> list[Report]:
    """What the provider tells of each message, once each."""
    reports = []
    for number, one in enumerate(passed):
        kinds = [MessageEvent.Kind.DELIVERED, MessageEvent.Kind.OPENED]
        if chance.random() < 0.2:
            kinds = [MessageEvent.Kind.DELIVERED, MessageEvent.Kind.BOUNCED]
        for minute, kind in enumerate(kinds):
            reports.append(
                Report(
                    kind=kind, provider="ESP", public_id=one.key, event_id=f"{number}-{kind}",
                    at=now + timedelta(seconds=minute), provider_message_id=f"esp-{number}",
                )
            )  # fmt: skip
    for number in range(int(len(passed) * STRANGERS)):
        reports.append(
            Report(
                kind=MessageEvent.Kind.DELIVERED, provider="ESP", at=now,
                public_id=str(uuid.UUID(int=chance.getrandbits(128))), event_id=f"stranger{number}",
            )
        )  # fmt: skip
    return reports


def _bring_in(reports: list[Report], chance: random.Random) -> None:
    """Each one to four times, from three sides, while two workers let them have their effects."""
    copies = [one for one in reports for _copy in range(chance.randint(1, 4))]
    chance.shuffle(copies)
    feeding = threading.Event()

    def tell(part: list[Report]) -> None:
        for start in range(0, len(part), 5):
            record(part[start : start + 5])

    def work() -> None:
        while not feeding.is_set():
            apply_batch(20)
            time.sleep(0.002)

    tellers = [Strand(lambda part=copies[n::3]: tell(part)) for n in range(3)]
    workers = [Strand(work) for _ in range(2)]
    for strand in tellers:
        strand.join(3_000)
        strand.wait()
    feeding.set()
    for strand in workers:
        strand.join(60)
        strand.wait()
    MessageEvent.objects.filter(due_at__isnull=False).update(due_at=clock.now())
    drain(apply_batch, seconds=5)


def _unhealing(*, when: bool) -> Any:
    if when:
        return mock.patch.object(report_effects, "_heal", return_value=None)
    return mock.patch.object(report_effects, "_heal", report_effects._heal)


def _with_both() -> int:
    found: dict[Any, set[str]] = {}
    rows = MessageEvent.objects.exclude(message=None).values_list("message_id", "kind")
    for message, kind in rows:
        found.setdefault(message, set()).add(kind)
    both = {str(MessageEvent.Kind.DELIVERED), str(MessageEvent.Kind.BOUNCED)}
    return sum(both <= kinds for kinds in found.values())
