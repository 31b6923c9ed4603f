"""Why did she not get it? Every planted mystery has one right answer, and it is given."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration import mysteries_of_letters
from tests.integration.mysteries import PLANTS, Scene, mysteries
from tests.shop import journey, template
from wagtail_triggers.admin.answers import Answers
from wagtail_triggers.api import Who, track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock as clocks
from wagtail_triggers.engine.explaining import explain
from wagtail_triggers.engine.models import Refusal
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

pytestmark = pytest.mark.django_db

assert mysteries_of_letters.__doc__  # they are planted by being imported

#: `TRIGGERS_MYSTERIES=200` is the full size; each kind comes at least once.
COUNT = int(os.environ.get("TRIGGERS_MYSTERIES", str(len(PLANTS))))


@pytest.mark.parametrize(("number", "code"), mysteries(COUNT))
def test_mystery_has_the_one_right_answer(number: int, code: str) -> None:
    chance = random.Random(number)
    who = Who(user_id=number + 1, email=f"p{number}@example.com", first_name="Ada")
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        scene = Scene(clock, chance, who)
        row = PLANTS[code](scene)
        row.refresh_from_db()
        person = Contact.objects.get(identities__value=str(scene.who.user_id))
        found = explain(person, row, clocks.now())
        assert found.answer.code == code
        answers = Answers(person, row, clock.moment, sees_events=True, sees_messages=True)
        told = answers.told(found.answer)
        text = "\n".join([told.sentence, *told.more])
        assert "%(" not in text
        assert "None" not in text
        for word in scene.says:
            assert word in text
        for attempt in found.attempts:
            answers.attempt(attempt)


def test_explanation_costs_the_same_however_much_happened() -> None:
    with travelling("2026-05-01 12:00") as clock, captured_messages():
        who = Who(user_id=1, email="p@example.com")
        send = {"kind": "send", "template": template("Hello")}
        row = journey("The journey", [{"kind": "entry", "event": "user_registered"}, send])
        track("user_registered", contact=who)
        run_until_idle()
        person = Contact.objects.get(email="p@example.com")
        with CaptureQueriesContext(connection) as once:
            explain(person, row, clock.moment)
        for number in range(8):
            clock.travel(timedelta(hours=1))
            track("user_registered", contact=who, key=str(number))
            run_until_idle()
        with CaptureQueriesContext(connection) as often:
            found = explain(person, row, clock.moment)
        assert len(found.attempts) == 9
        assert len(often) == len(once)


def test_refusals_of_a_batch_are_one_statement_however_many() -> None:
    filtered = {
        "kind": "entry",
        "event": "user_registered",
        "filter": {"fact": "orders_count", "op": "gt", "value": 3},
    }
    with travelling("2026-05-01 12:00"), captured_messages():
        journey("Picky", [filtered, {"kind": "send", "template": template("Hello")}])
        counts = []
        for people in (2, 12):
            for number in range(people):
                who = Who(email=f"{people}-{number}@example.com")
                track("user_registered", contact=who)
            before = Refusal.objects.count()
            with CaptureQueriesContext(connection) as queries:
                run_until_idle()
            assert Refusal.objects.count() - before == people
            inserts = [q for q in queries.captured_queries if "refusal" in q["sql"].lower()]
            counts.append(len(inserts))
        assert counts == [1, 1]
