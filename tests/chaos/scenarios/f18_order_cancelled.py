"""F18: an order is cancelled between the moment a letter about it is planned and its hand-over."""

from __future__ import annotations

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.shop import journey, line, order, template, topic, total
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import drain
from wagtail_triggers.messages.models import Message, MessageClass

SCENARIO = Scenario(
    name="F18",
    title="an order is cancelled after the letter about it was planned",
    promise=(
        "no letter about the order passes the guards once its cancellation is stored, routed or "
        "not; the receipt leaves all the same"
    ),
    broken="the guards that look for news of the person and of the order",
    small=200,
    broken_small=100,
    full=5_000,
)


def run(chaos: Chaos) -> Report:
    """Ask every buyer for a review, while every buyer cancels."""
    soft = topic("reviews", consent=Topic.Consent.SOFT)
    review = template("How was it?", kind=MessageClass.MARKETING, topic=soft)
    ends = [{"event": "order_cancelled", "match": "same_object", "converts": False}]
    entry = {"kind": "entry", "event": "order_placed"}
    journey("Receipt", [entry, {"kind": "send", "template": template("Receipt")}])
    journey("Review", [entry, {"kind": "send", "template": review}], goals=ends)
    report = chaos.report()
    guarded = ("unrouted_events", "run_left", "order_undone")
    with races.provider() as passed, races.without(*guarded, when=chaos.broken):
        names = [f"b{number}" for number in range(chaos.messages)]
        for name in names:
            order(name, line(), who=Who(user_id=name, email=f"{name}@example.com"))
        drain(route_batch, seconds=600)
        drain(run_due, seconds=600)
        committed, _took = races.race(names, _cancel, chaos.chance)
        races.finish()
        contacts = dict(Contact.objects.values_list("email", "pk"))
        gone = {
            contacts[f"{name}@example.com"]: moment
            for name, moment in zip(names, committed, strict=True)
        }
        late = [one for one in passed if one.marketing and one.moment > gone[one.contact]]
        report.count(2 * len(names), races.deliveries())
    before = sum(one.marketing for one in passed) - len(late)
    receipts = Message.objects.filter(message_class="transactional").exclude(state="accepted")
    report.extra |= {"passed after the cancellation": len(late), "passed before it": before}
    report.demand(not late, "nothing passes after the cancellation is stored")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(not receipts.exists(), "receipts leave all the same")
    report.demand(0 < before < len(names) or chaos.broken, "it was a race, not a walk-over")
    return report


def _cancel(name: str) -> None:
    payload = {"order_id": name, "number": f"#{name}", "lines": [line()], "total": total([line()])}
    who = Who(user_id=name, email=f"{name}@example.com")
    track("order_cancelled", contact=who, key=name, payload=payload)
