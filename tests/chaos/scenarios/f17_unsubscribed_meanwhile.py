"""F17: somebody unsubscribes while the sender is about to write to them."""

from __future__ import annotations

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.people import letter, people, planned, site
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import LinkToken
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F17",
    title="unsubscribing races the sender",
    promise=(
        "no marketing passes the guards after the unsubscribe has committed; receipts leave all "
        "the same; an unsubscribe takes effect within 1 s"
    ),
    broken="the guards that know of unsubscribes",
    small=300,
    broken_small=100,
    full=10_000,
)


def run(chaos: Chaos) -> Report:
    """Plan one letter of each kind for everybody; everybody unsubscribes while they leave."""
    rows = people(chaos.messages)
    planned(letter("News", marketing=True), rows)
    planned(letter("Receipt"), rows)
    links = _links(rows)

    def unsubscribe(row: Contact) -> None:
        unsubscribe_by_link(links[row.pk], everything=True, source="chaos")

    report = chaos.report()
    guarded = ("unsubscribed_all", "unsubscribed", "no_consent")
    with races.provider() as passed, races.without(*guarded, when=chaos.broken):
        committed, took = races.race(rows, unsubscribe, chaos.chance)
        races.finish()
        left = dict(zip((row.pk for row in rows), committed, strict=True))
        late = [one for one in passed if one.marketing and one.moment > left[one.contact]]
        report.count(2 * len(rows), races.deliveries())
    before = sum(one.marketing for one in passed) - len(late)
    receipts = Message.objects.filter(message_class="transactional").exclude(state="accepted")
    report.extra |= {
        "passed after the commit": len(late),
        "passed before it": before,
        "unsubscribing takes (p99)": f"{races.p99(took) * 1000:.0f} ms",
        "reasons": dict(_reasons()),
    }
    report.demand(not late, "nothing passes after the commit")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(not receipts.exists(), "receipts leave all the same")
    report.demand(races.p99(took) <= 1.0, "an unsubscribe takes effect within 1 s")
    report.demand(0 < before < len(rows) or chaos.broken, "it was a race, not a walk-over")
    return report


def _links(rows: list[Contact]) -> dict[int, LinkToken]:
    wanted = {row.pk: Wanted(site().pk, "email", None, row.email) for row in rows}
    tokens = tokens_for(list(wanted.values()), clock.now())
    known = {row.token: row for row in LinkToken.objects.select_related("topic")}
    return {pk: known[tokens[one]] for pk, one in wanted.items()}


def _reasons() -> list[tuple[str, int]]:
    from django.db.models import Count

    rows = Message.objects.exclude(reason="").values_list("reason").annotate(Count("pk"))
    return list(rows.order_by())
