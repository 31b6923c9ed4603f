"""Nobody is enrolled in a version that has just stopped being live."""

from __future__ import annotations

import pytest

from tests.concurrency.parallel import Strand, holding
from tests.shop import journey, line, order
from wagtail_triggers.engine import live
from wagtail_triggers.engine.live import live_journeys, shared
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.journeys.publish import compile_journey
from wagtail_triggers.messages.channels.base import Outgoing

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> Journey:
    """A journey that keeps everybody for an hour."""
    return journey("Waiting", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
    ])  # fmt: skip


def publish_again(row: Journey) -> None:
    """Publish the same journey with another wait."""
    row.graph["nodes"][1]["settings"]["amount"] = 2
    Journey.objects.filter(pk=row.pk).update(graph=row.graph)
    compile_journey(row)


def test_publication_waits_for_a_router_that_enrols(outbox: list[Outgoing]) -> None:
    row = waiting()
    with holding(lambda: shared(live_journeys([row.site_id]))):
        publication = Strand(lambda: publish_again(row))
        assert publication.settled() == "blocked"
    publication.wait()
    row.refresh_from_db()
    assert row.live_version is not None
    assert row.live_version.number == 2


def test_two_routers_enrol_in_one_journey_at_once(outbox: list[Outgoing]) -> None:
    row = waiting()
    order("1", line())
    with holding(lambda: shared(live_journeys([row.site_id]))):
        assert Strand(route_batch).wait() == 1
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("locks", [True, False])
def test_router_that_waited_for_a_publication_enrols_in_what_it_published(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    row = waiting()
    order("1", line())
    if not locks:
        monkeypatch.setattr(live, "_lock_for_share", lambda ids: None)
    with holding(lambda: publish_again(row)):
        router = Strand(route_batch)
        # Without the lock it waits too late: at its commit, for the foreign key's check.
        assert router.settled() == "blocked"
    router.wait()
    assert Enrolment.objects.get().version.number == (2 if locks else 1)
