"""Publishing freezes a journey into a version; people in flight stay on theirs."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from wagtail.models import Revision, Site

from tests.shop import journey, line, order, template
from wagtail_triggers.api import Who
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment, StepRun
from wagtail_triggers.exceptions import GraphError
from wagtail_triggers.journeys.models import Journey, JourneyVersion
from wagtail_triggers.journeys.publish import compile_journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Template
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(clock: FrozenClock, outbox: list[Outgoing]) -> Journey:
    """An hour of waiting, then the old letter."""
    return journey("Later", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "wait", "amount": 1, "unit": "hours"},
        {"kind": "send", "template": template("Old letter")},
    ])  # fmt: skip


def changed(plan: Journey, **settings: Any) -> dict[str, Any]:
    """The graph with other settings of its letter."""
    graph: dict[str, Any] = deepcopy(plan.graph)
    graph["nodes"][2]["settings"] |= settings
    return graph


def numbers() -> list[int]:
    """The versions that there are."""
    return list(JourneyVersion.objects.order_by("number").values_list("number", flat=True))


def test_publication_makes_a_version_and_a_draft_makes_none(plan: Journey) -> None:
    plan.graph = changed(plan, template=template("New letter"))
    plan.save_revision()
    assert numbers() == [1]
    plan.save_revision().publish()
    assert numbers() == [1, 2]
    plan.refresh_from_db()
    assert plan.live_version is not None
    assert plan.live_version.graph == plan.graph | {"nodes": plan.live_version.graph["nodes"]}


def test_publishing_the_same_again_makes_no_version(plan: Journey) -> None:
    plan.save_revision().publish()
    plan.name = "Another name"
    plan.save_revision().publish()
    assert numbers() == [1]


def test_scheduled_publication_compiles_nothing_until_it_is_live(plan: Journey) -> None:
    new = Journey(site=plan.site, name="Soon", graph=plan.graph, live=False)
    new.save()
    new.go_live_at = timezone.now() + timedelta(hours=1)
    new.save_revision().publish()
    new.refresh_from_db()
    assert (new.live, new.live_version) == (False, None)
    revision = Revision.objects.get(pk=new.latest_revision_id)
    assert revision.approved_go_live_at is not None
    revision.approved_go_live_at = timezone.now() - timedelta(minutes=1)
    revision.content["go_live_at"] = revision.approved_go_live_at.isoformat()
    revision.save(update_fields=["approved_go_live_at", "content"])
    call_command("publish_scheduled")
    new.refresh_from_db()
    assert new.live
    assert new.live_version is not None
    assert new.live_version.number == 1


def test_scheduled_change_of_a_live_journey_leaves_its_version_in_force(plan: Journey) -> None:
    plan.graph = changed(plan, template=template("New letter"))
    plan.go_live_at = timezone.now() + timedelta(hours=1)
    plan.save_revision().publish()
    plan.refresh_from_db()
    assert plan.live_version is not None
    assert (numbers(), plan.live_version.number) == ([1], 1)


def test_unpublished_journey_takes_nobody_in_and_lets_those_inside_finish(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    run_until_idle()
    plan.unpublish()
    order("2", line())
    run_until_idle()
    assert Enrolment.objects.count() == 1
    clock.travel(timedelta(hours=1))
    run_until_idle()
    assert len(outbox) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"nodes": [], "edges": []},
        {"nodes": "no", "edges": []},
        {},
    ],
)
def test_broken_graph_that_is_published_keeps_the_version_before_and_the_problem(
    plan: Journey, broken: dict[str, Any], caplog: pytest.LogCaptureFixture, clock: FrozenClock,
    outbox: list[Outgoing],
) -> None:  # fmt: skip
    plan.graph = broken
    plan.save_revision().publish()
    plan.refresh_from_db()
    assert plan.publish_problem != ""
    assert plan.live_version is not None
    assert (numbers(), plan.live_version.number) == ([1], 1)
    assert "cannot be compiled" in caplog.text
    with pytest.raises(GraphError):
        compile_journey(plan)
    order("1", line())
    run_until_idle()
    clock.travel(timedelta(hours=1))
    run_until_idle()
    assert [letter.subject for letter in outbox] == ["Old letter"]


def test_problem_of_a_publication_names_the_node_and_goes_once_it_is_mended(
    plan: Journey,
) -> None:
    good = plan.graph
    plan.graph = changed(plan, template="no-such-letter")
    plan.save_revision().publish()
    plan.refresh_from_db()
    assert "n2" in plan.publish_problem
    assert "no-such-letter" in plan.publish_problem
    plan.graph = good
    plan.save_revision().publish()
    plan.refresh_from_db()
    assert (plan.publish_problem, numbers()) == ("", [1])


def test_people_in_flight_stay_on_their_version_and_new_ones_take_the_new(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    run_until_idle()
    plan.graph = changed(plan, template=template("New letter"))
    plan.graph["nodes"][1]["id"] = "another"
    for edge in plan.graph["edges"]:
        for end in ("source", "target"):
            edge[end] = "another" if edge[end] == "n1" else edge[end]
    plan.save_revision().publish()
    assert numbers() == [1, 2]
    order("2", line(), who=Who(user_id=2, email="bob@example.com"))
    run_until_idle()
    clock.travel(timedelta(hours=1))
    run_until_idle()
    assert {letter.address: letter.subject for letter in outbox} == {
        "ada@example.com": "Old letter", "bob@example.com": "New letter",
    }  # fmt: skip
    walked = {
        run.version.number: list(run.steps.order_by("seq").values_list("node", flat=True))
        for run in Enrolment.objects.select_related("version")
    }
    assert walked == {1: ["n1", "n1", "n2", "n3"], 2: ["another", "another", "n2", "n3"]}


def test_purged_revisions_leave_versions_and_people_alone(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    run_until_idle()
    for _time in range(3):
        plan.graph = changed(plan, template=template("New letter"))
        plan.save_revision().publish()
    call_command("purge_revisions", verbosity=0)
    Revision.objects.all().delete()
    assert numbers() == [1, 2, 3, 4]
    clock.travel(timedelta(hours=1))
    run_until_idle()
    assert [letter.subject for letter in outbox] == ["Old letter"]


def test_version_with_people_in_it_cannot_be_deleted(plan: Journey) -> None:
    from django.db.models import ProtectedError

    order("1", line())
    run_until_idle()
    with pytest.raises(ProtectedError):
        JourneyVersion.objects.all().delete()
    with pytest.raises(ProtectedError):
        plan.delete()
    assert StepRun.objects.exists()


def test_letter_published_anew_reaches_only_messages_planned_afterwards(
    plan: Journey, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    from wagtail_triggers.engine.database import run_due

    order("1", line())
    run_until_idle()
    clock.travel(timedelta(hours=1))
    run_due()
    letter = Template.objects.get(site=Site.objects.get(is_default_site=True))
    letter.subject = "Corrected letter"
    letter.save_revision().publish()
    run_until_idle()
    order("2", line())
    run_until_idle()
    clock.travel(timedelta(hours=1))
    run_until_idle()
    assert [one.subject for one in outbox] == ["Old letter", "Corrected letter"]
