"""What steps that change, split or wait for something say on the page of a run."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import clock, outbox
from tests.shop import ADA, line, order, publish
from wagtail_triggers.admin.sentences import Teller
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.testing import run_until_idle

__all__ = ["clock", "outbox"]


@pytest.mark.django_db
@pytest.mark.usefixtures("clock", "outbox")
def test_steps_that_split_change_and_wait_are_told_with_what_came_of_them() -> None:
    publish("Tells", {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "s", "kind": "split", "settings": {"variants": [
                {"name": "a", "weight": 1, "label": "Short"}, {"name": "b", "weight": 0}]}},
            {"id": "t", "kind": "update", "settings": {"add_tags": ["vip"]}},
            {"id": "w", "kind": "wait_for", "settings": {
                "event": "review_posted", "match": "any",
                "timeout": {"amount": 1, "unit": "days"}}},
            {"id": "end", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "target": "s"},
            {"source": "s", "port": "a", "target": "t"},
            {"source": "s", "port": "b", "target": "t"},
            {"source": "t", "target": "w"},
            {"source": "w", "target": "end"},
            {"source": "w", "port": "timeout", "target": "end"},
        ],
    })  # fmt: skip
    order("1", line(), who=ADA)
    run_until_idle()
    run = Enrolment.objects.select_related("version").get()
    teller = Teller()
    steps = run.steps.select_related("version").order_by("seq")
    assert [teller.step(step, run) for step in steps] == [
        "By chance: 100 % Short, 0 % b: Short",
        "Change the person: add the tag “vip”",
        "Wait until “Review posted” happens, for at most 1 day: "
        "until 05/02/2026 noon at the latest",
    ]
