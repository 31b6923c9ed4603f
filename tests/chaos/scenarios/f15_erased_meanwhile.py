"""F15: somebody is erased while letters to them leave and runs of theirs wait."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from unittest import mock

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.parallel import Strand
from tests.integration.canaries import dump
from tests.shop import journey, line, order, template, topic
from wagtail_triggers.api import Who
from wagtail_triggers.consent.models import Suppression, Topic
from wagtail_triggers.contacts import erasures
from wagtail_triggers.contacts.models import Contact, Erasure, Identity
from wagtail_triggers.core import clock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F15",
    title="people are erased while letters to them leave",
    promise=(
        "nothing passes the guards after the erasure has committed; runs end, what is planned is "
        "cancelled; no table tells who it was; the address stays suppressed; others lose nothing"
    ),
    broken="the contact is emptied, and whatever is planned is left to itself",
    small=100,
    broken_small=60,
    full=10_000,
)
GONE, STAYS = "@gone.example", "@stays.example"


def run(chaos: Chaos) -> Report:
    """Two letters and a wait for everybody; every other person is erased while they leave."""
    soft = topic("reviews", consent=Topic.Consent.SOFT)
    entry = {"kind": "entry", "event": "order_placed"}
    review = template("How was it?", kind="marketing", topic=soft)
    journey("Receipt", [entry, {"kind": "send", "template": template("Receipt")},
                        {"kind": "wait", "amount": 9, "unit": "days"}])  # fmt: skip
    journey("Review", [entry, {"kind": "send", "template": review}])
    report = chaos.report()
    guarded = ("erased", "no_address", "address_changed")
    with races.provider() as passed, races.without(*guarded, when=chaos.broken):
        for number in range(chaos.messages):
            name = f"kanarya{number}"
            who = Who(user_id=name, email=name + (STAYS if number % 2 else GONE), first_name=name)
            order(name, line(name), who=who, dedupe_key=name)
        drain(route_batch, seconds=600)
        drain(run_due, seconds=600)
        rows = list(Contact.objects.order_by("pk"))
        going = [row for row in rows if row.email.endswith(GONE)]
        committed = _race(going, chaos)
        races.finish()
        report.count(2 * len(rows), races.deliveries())
    gone = dict(zip((row.pk for row in going), committed, strict=True))
    late = [one for one in passed if one.contact in gone and one.moment > gone[one.contact]]
    before = sum(one.contact in gone for one in passed) - len(late)
    report.extra |= {"passed after the erasure": len(late), "passed before it": before}
    _judge(report, going, chaos)
    report.demand(not late, "nothing passes after the erasure")
    report.demand(0 < before < 2 * len(going) or chaos.broken, "it was a race, not a walk-over")
    return report


def _race(going: list[Contact], chaos: Chaos) -> list[datetime]:
    """Erase them while two senders send and a worker empties their tables."""
    over = threading.Event()

    def empty() -> None:
        while not over.is_set():
            erasures.carry_on(seconds=1)
            time.sleep(0.01)

    # What is emptied a moment later is another worker's: here it is the stop that is raced.
    at_once = mock.patch.object(erasures, "LOOK_AGAIN", erasures.LOOK_AGAIN / 50)
    with at_once:
        worker = Strand(empty)
        act = _naively if chaos.broken else _stop
        committed, _took = races.race(going, act, chaos.chance)
        over.set()
        worker.wait()
    ends = time.monotonic() + 120
    while Erasure.objects.filter(done_at=None).exists() and time.monotonic() < ends:
        races.finish()
        Erasure.objects.filter(done_at=None).update(due_at=clock.now())
        erasures.carry_on(seconds=20)
    return committed


def _stop(row: Contact) -> None:
    erasures.carry_out(erasures.request_contact(row).pk, seconds=0)


def _naively(row: Contact) -> None:
    """What one would write first."""
    Identity.objects.filter(contact=row).delete()
    Contact.objects.filter(pk=row.pk).update(first_name="", last_name="", email="")


def _judge(report: Report, going: list[Contact], chaos: Chaos) -> None:
    ids = [row.pk for row in going]
    alive = Enrolment.objects.filter(contact_id__in=ids, state__in=Enrolment.ALIVE).count()
    others = Message.objects.exclude(contact_id__in=ids).exclude(state="accepted").count()
    waiting = Enrolment.objects.exclude(contact_id__in=ids).filter(state="active").count()
    tables = dump([GONE])
    suppressed = Suppression.objects.filter(reason="erased").count()
    done = Erasure.objects.exclude(done_at=None).count()
    report.extra |= {
        "people erased": f"{done} of {chaos.messages // 2}",
        "runs of theirs that go on": alive,
        "tables that name them": {name: len(rows) for name, rows in tables.items()},
        "addresses suppressed": suppressed,
        "others who did not get theirs": others,
    }
    report.demand(alive == 0, "every run of theirs ends")
    report.demand(not tables, "no table names them")
    report.demand(suppressed == done == len(going), "every address stays suppressed")
    report.demand(others == 0, "others get theirs")
    report.demand(waiting == chaos.messages - len(going), "others wait as before")
    report.demand(report.duplicates == 0, "nothing comes twice")
