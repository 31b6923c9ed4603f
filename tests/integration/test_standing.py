"""How a journey stood is written down with every change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.shop import journey, publish_on
from wagtail_triggers.engine.lifecycle import archive, pause, resume, take_up
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.journeys.standing import standing_at
from wagtail_triggers.testing import captured_messages, travelling

pytestmark = pytest.mark.django_db


def told(row: Journey) -> list[tuple[str, int, str]]:
    rows = row.standings.order_by("at", "pk").select_related("version")
    return [(one.state, one.version.number if one.version else 0, one.reason) for one in rows]


def test_standing_follows_publishing_pausing_archiving_and_taking_off() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        began = clock.moment
        row = journey("Hello", [{"kind": "entry", "event": "user_registered"}])
        for change in (
            lambda: pause(row, reason="Too many errors."),
            lambda: resume(row),
            lambda: archive(row, let_finish=True),
            lambda: take_up(row),
            lambda: publish_on(row.site, row.name, row.graph, row=row),
            lambda: publish_on(
                row.site,
                row.name,
                {
                    "nodes": [
                        {"id": "in", "kind": "entry", "settings": {"event": "cart_updated"}},
                        {"id": "out", "kind": "end"},
                    ],
                    "edges": [{"source": "in", "port": "next", "target": "out"}],
                },
                row=row,
            ),
            lambda: row.unpublish(),
        ):
            clock.travel(timedelta(hours=1))
            change()
        assert told(row) == [
            ("running", 1, ""),
            ("paused", 1, "Too many errors."),
            ("running", 1, ""),
            ("archived", 1, ""),
            ("running", 1, ""),
            ("running", 2, ""),
            ("unpublished", 2, ""),
        ]
        assert standing_at(row, began - timedelta(seconds=1)) is None
        paused = standing_at(row, began + timedelta(minutes=90))
        assert paused is not None
        assert paused.state == "paused"
