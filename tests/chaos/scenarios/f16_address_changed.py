"""F16: somebody's address changes while letters to them wait."""

from __future__ import annotations

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.people import letter, people, planned, site
from tests.shop import template, topic
from wagtail_triggers.api import Who, identify
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.consent.subscriptions import Change, subscribe
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.messages.models import Message, MessageClass, TemplateVersion

SCENARIO = Scenario(
    name="F16",
    title="an email address changes while letters to it wait",
    promise=(
        "nothing goes to the old address once the change has committed; marketing goes to the new "
        "one only where that one agreed; each letter leaves once, whatever the address"
    ),
    broken="the guards that compare the address and its consent",
    small=200,
    broken_small=100,
    full=3_000,
)
GUARDS = ("address_changed", "unrouted_events", "no_consent")


def run(chaos: Chaos) -> Report:
    """Everybody moves to a new address, for which every other one has agreed."""
    news = topic("news", consent=Topic.Consent.OPT_IN)
    key = template("News", kind=MessageClass.MARKETING, topic=news)
    version = TemplateVersion.objects.get(template__translation_key=key)
    rows = people(chaos.messages)
    new = {row.pk: f"new-{row.email}" for row in rows}
    for number, row in enumerate(rows):
        agreed = [row.email] + ([new[row.pk]] if number % 2 == 0 else [])
        for address in agreed:
            subscribe(Change(site().pk, "email", address, "chaos", news))
    planned(version, rows)
    planned(letter("Account"), rows)

    def move(row: Contact) -> None:
        identify(Who(user_id=row.email.partition("@")[0], email=new[row.pk], signed_in=True))
        route_batch()

    report = chaos.report()
    with races.provider() as passed, races.without(*GUARDS, when=chaos.broken):
        committed, _took = races.race(rows, move, chaos.chance)
        races.finish()
        moved = dict(zip((row.pk for row in rows), committed, strict=True))
        report.count(2 * len(rows), races.deliveries())
    old = {row.pk: row.email for row in rows}
    agreed_to = {row.pk for row in rows[::2]}
    late = sum(
        one.marketing and one.address == old[one.contact] and one.moment > moved[one.contact]
        for one in passed
    )
    unasked = sum(
        one.marketing and one.address != old[one.contact] and one.contact not in agreed_to
        for one in passed
    )
    to_new = sum(one.address != old[one.contact] for one in passed)
    skipped = Message.objects.filter(state="skipped").count()
    report.extra |= {
        "marketing to the old address afterwards": late,
        "marketing to a new address that did not agree": unasked,
        "letters to new addresses": to_new,
        "skipped for want of consent": skipped,
    }
    report.demand(late == 0, "no marketing to the old address afterwards")
    report.demand(unasked == 0, "no marketing to a new address that did not agree")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(to_new > 0 and (skipped > 0 or chaos.broken), "it was a race, not a walk-over")
    return report
