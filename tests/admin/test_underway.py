"""The page on which it is decided what becomes of people on earlier versions."""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry
from wagtail.test.utils.form_data import nested_form_data

from tests.admin.conftest import ClientWith
from tests.concurrency.people import enrolled, people
from tests.shop import journey, publish_on, template
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment, Transfer
from wagtail_triggers.journeys.models import Journey

NODES = ("n1", "n2", "n3", "n4", "n5", "n6")


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: object) -> None:
    """No worker: hints go nowhere."""
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"  # type: ignore[attr-defined]


@pytest.fixture
def plan(clock: FrozenClock) -> Journey:
    """Six steps with ten, twenty, … sixty people, and a second version without the fourth step."""
    wait = {"kind": "wait", "amount": 1, "unit": "days"}
    send = {"kind": "send", "template": template("Letter")}
    entry = {"kind": "entry", "event": "order_placed"}
    row = journey("Onboarding", [entry, wait, send, wait, send, wait, send])
    runs = iter(enrolled(row, people(210)))
    for number, node in enumerate(NODES, start=1):
        ids = [next(runs).pk for _person in range(number * 10)]
        Enrolment.objects.filter(pk__in=ids).update(
            node=node, waiting=True, wake_at=clock.read() + timedelta(days=1)
        )
    graph = deepcopy(row.graph)
    graph["nodes"] = [node for node in graph["nodes"] if node["id"] != "n4"]
    graph["edges"] = [edge for edge in graph["edges"] if edge["source"] != "n4"]
    for edge in graph["edges"]:
        edge["target"] = "n5" if edge["target"] == "n4" else edge["target"]
    next(node for node in graph["nodes"] if node["id"] == "n3")["settings"]["amount"] = 3
    publish_on(row.site, row.name, graph, row=row)
    return row


def url(row: Journey) -> str:
    return reverse("triggers_journeys:underway", args=[row.pk])


def answers(row: Journey, **policies: str) -> dict[str, str]:
    """What the page posts: "stay" where nothing is said, "move:n5" for another step."""
    old = row.versions.get(number=1).pk
    found: dict[str, str] = {}
    for node in NODES:
        policy, _colon, target = policies.get(node, "stay").partition(":")
        prefix = f"v{old}-{node}"
        found |= {
            f"{prefix}-policy": policy,
            f"{prefix}-target": target or ("" if node == "n4" else node),
            f"{prefix}-clock": "keep",
        }
    return found


def shown(page: str) -> str:
    """The fingerprint of what the page shows."""
    found = re.search(r'name="shown" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def standing() -> Counter[tuple[int, str, str]]:
    return Counter(Enrolment.objects.values_list("version__number", "node", "state"))


def test_page_shows_the_numbers_first_and_then_does_what_it_showed(
    plan: Journey, client_with: ClientWith
) -> None:
    client = client_with("view_journey", "publish_journey")
    page = client.get(url(plan)).text
    assert "210 people are on earlier versions than version 2" in page
    before = standing()
    said = answers(plan, n1="exit", n3="move", n4="skip", n5="move:n6", n6="skip")
    page = client.post(url(plan), said).text
    assert standing() == before
    numbers = re.findall(r"<dt>(\d+)</dt><dd>([^<]+)</dd>", page)
    assert numbers == [
        ("20", "Stay on their version"),
        ("80", "Move to the new one"),
        ("100", "Move past this step"),
        ("10", "Leave the journey"),
    ]
    page = client.post(url(plan), {**said, "confirm": "1", "shown": shown(page)}, follow=True).text
    assert "190 people were moved or let out." in page
    assert standing() == {
        (1, "n1", "exited"): 10,
        (1, "n2", "active"): 20,
        (2, "n3", "active"): 30,
        (2, "n5", "active"): 40,
        (2, "n6", "active"): 50,
        (2, "n7", "active"): 60,
    }
    entry = ModelLogEntry.objects.get(action="wagtail_triggers.transfer")
    assert entry.data["move"] == 80
    assert (entry.data["skip"], entry.data["exit"], entry.data["stay"]) == (100, 10, 20)
    assert Transfer.objects.get().made_by == entry.user
    assert "What was decided last" in page


def test_other_answers_than_those_that_were_shown_are_shown_first(
    plan: Journey, chief: Client
) -> None:
    said = answers(plan, n1="exit")
    fingerprint = shown(chief.post(url(plan), said).text)
    other = answers(plan, n1="exit", n6="exit")
    page = chief.post(url(plan), {**other, "confirm": "1", "shown": fingerprint}).text
    assert "What will happen" in page
    assert not Transfer.objects.exists()


def test_move_from_a_removed_step_asks_for_another(plan: Journey, chief: Client) -> None:
    page = chief.post(url(plan), answers(plan, n4="move")).text
    assert "Choose the step at which they go on." in page
    assert "Nothing was changed." in page
    page = chief.post(url(plan), answers(plan, n4="move:n0")).text
    assert "Select a valid choice" in page
    assert not Transfer.objects.exists()


def test_steps_are_marked_as_changed_and_removed(plan: Journey, chief: Client) -> None:
    page = chief.get(url(plan)).text
    marks = re.findall(r"triggers-tone--warning\">(\w+)</span>", page)
    assert marks == ["changed", "removed"]
    assert "Behind this step: Wait 1 day" in page


@pytest.mark.parametrize(("chosen", "expected"), [("exit", 6), ("move", 5), ("stay", 6)])
def test_all_steps_can_begin_with_one_answer(
    plan: Journey, chief: Client, chosen: str, expected: int
) -> None:
    page = chief.get(f"{url(plan)}?all={chosen}").text
    assert page.count(f'<option value="{chosen}" selected>') == expected


@pytest.mark.parametrize("codenames", [("view_journey",), ("change_journey", "add_journey")])
def test_nobody_without_the_right_to_publish_sees_or_decides_it(
    plan: Journey, client_with: ClientWith, codenames: tuple[str, ...]
) -> None:
    client = client_with(*codenames)
    assert client.get(url(plan))["Location"] == "/admin/"
    before = standing()
    assert client.post(url(plan), answers(plan, n1="exit"))["Location"] == "/admin/"
    assert standing() == before
    assert url(plan) not in client.get(reverse("triggers_journeys:list")).text


def test_journey_without_people_or_versions_says_so(clock: FrozenClock, chief: Client) -> None:
    row = journey("Empty", [{"kind": "entry", "event": "order_placed"}])
    assert "Nobody is on an earlier version" in chief.get(url(row)).text
    draft = Journey.objects.create(site=row.site, name="Draft", live=False)
    assert "has never been published" in chief.get(url(draft)).text


def test_publishing_with_people_on_an_earlier_version_says_so_and_leads_to_the_page(
    plan: Journey, chief: Client
) -> None:
    edit = reverse("triggers_journeys:edit", args=[plan.pk])
    graph = deepcopy(plan.graph)
    next(node for node in graph["nodes"] if node["id"] == "n5")["settings"]["amount"] = 9
    import json

    posted = nested_form_data({"name": plan.name, "graph": json.dumps(graph), "priority": 0,
                               "description": "", "action-publish": "1"})  # fmt: skip
    page = chief.post(edit, posted, follow=True).text
    plan.refresh_from_db()
    assert plan.live_version is not None
    assert plan.live_version.number == 3
    assert "210 people are under way on earlier versions" in page
    assert url(plan) in page


def test_unpublishing_says_that_people_finish_and_where_to_let_them_leave(
    plan: Journey, chief: Client
) -> None:
    unpublish = reverse("triggers_journeys:unpublish", args=[plan.pk])
    page = chief.post(unpublish, follow=True).text
    assert "Nobody enters any more. 210 people are under way, and finish." in page
    assert reverse("triggers_journeys:archive", args=[plan.pk]) in page
    assert standing() == Counter({(1, node, "active"): n * 10 for n, node in enumerate(NODES, 1)})


def test_queries_of_the_page_do_not_grow_with_the_steps(
    plan: Journey, chief: Client, django_assert_max_num_queries: object
) -> None:
    chief.get(url(plan))
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        chief.get(url(plan))
