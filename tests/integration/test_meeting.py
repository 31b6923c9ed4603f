"""Two workers meet at the same rows: who comes second looks behind them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.concurrency.people import enrolled, people, who
from tests.shop import journey
from wagtail_triggers.api import track
from wagtail_triggers.engine import attempts, router
from wagtail_triggers.engine.database import DatabaseStore, run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event

pytestmark = pytest.mark.django_db
WAIT = {"kind": "wait", "amount": 1, "unit": "days"}


def test_router_who_comes_second_routes_what_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    for person in people(2):
        track("page_viewed", contact=who(person), payload={"url": "/"})
    route, calls = router._route, []

    def late_once(ids: Any, moment: Any, attempt: Any) -> int:
        calls.append(list(ids))
        if len(calls) > 1:
            return route(ids, moment, attempt)
        attempts.done(attempt)
        return 0  # another router has locked all of them

    monkeypatch.setattr(router, "_route", late_once)
    assert route_batch() == 2
    assert len(calls) == 2
    assert not Event.objects.filter(routed_at=None).exists()
    assert route_batch() == 0
    assert len(calls) == 2


def test_runner_who_comes_second_carries_out_what_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enrolled(journey("Waits", [{"kind": "entry", "event": "order_placed"}, WAIT]), people(2))
    find, calls = DatabaseStore._candidates, []

    def late_once(store: DatabaseStore, moment: Any, limit: int) -> dict[int, int]:
        found = find(store, moment, limit)
        calls.append(len(found))
        # What the first look finds has been carried out by another runner before it is locked.
        return found if len(calls) > 1 else dict.fromkeys([-1, -2], -1)

    monkeypatch.setattr(DatabaseStore, "_candidates", late_once)
    assert run_due() == 2
    assert calls == [2, 2]
    assert Enrolment.objects.filter(waiting=True).count() == 2
