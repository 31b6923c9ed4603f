"""Rows written and read in sets say the same as the ORM, on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.concurrency.people import enrolled, people
from tests.shop import journey
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.any_of import AnyOf
from wagtail_triggers.core.bulk import insert_columns, update_rows
from wagtail_triggers.core.reading import tuples
from wagtail_triggers.engine.models import Enrolment, StepRun

pytestmark = pytest.mark.django_db

#: What an array, a string or JSON might make something else of.
AWKWARD = ["", "NULL", "null", 'a "quoted" \\ word', "{1,2}", "a,b", "%s", "'; --", "Zoë\n\t漢"]
MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def test_update_writes_what_each_row_says_whatever_is_in_it() -> None:
    rows = people(len(AWKWARD))
    for number, (row, text) in enumerate(zip(rows, AWKWARD, strict=True)):
        row.first_name = row.last_name = text
        row.last_name = "the same"
        row.facts = {"text": text, "yes": bool(number % 2), "one": number % 2}
        row.tags = [text]
        row.last_seen_at = MOMENT + timedelta(microseconds=number) if number % 3 else None
        row.spent = Decimal("12.30") + number
        row.birthday = MOMENT.date() if number % 2 else None
    fields = ["first_name", "last_name", "facts", "tags", "last_seen_at", "spent", "birthday"]
    assert update_rows(Contact, rows, fields) == len(rows)
    found = Contact.objects.order_by("pk").values_list(*fields)
    assert list(found) == [tuple(getattr(row, name) for name in fields) for row in rows]
    # `1 == True`, and in JSON they are two things.
    assert {type(row[2]["yes"]) for row in found} == {bool}
    assert {type(row[2]["one"]) for row in found} == {int}


def test_update_takes_light_objects_and_leaves_other_fields_and_rows_alone() -> None:
    first, second = people(2)
    light = SimpleNamespace(pk=first.pk, score=7)
    assert update_rows(Contact, [light], ["score"]) == 1
    scores = dict(Contact.objects.values_list("pk", "score"))
    assert scores == {first.pk: 7, second.pk: 0}
    first.refresh_from_db()
    assert first.email == "p0@example.com"
    assert update_rows(Contact, [], ["score"]) == 0


def test_update_refuses_a_moment_without_a_zone() -> None:
    (row,) = people(1)
    row.last_seen_at = datetime(2026, 3, 29)  # noqa: DTZ001 - that is the point
    if connection.vendor != "postgresql":
        pytest.skip("the ORM warns of it")
    with pytest.raises(ValueError, match="no time zone"):
        update_rows(Contact, [row], ["last_seen_at"])


def test_insert_writes_columns_in_one_statement_and_nothing_for_none() -> None:
    plan = journey("Waits", [{"kind": "entry", "event": "order_placed"}])
    runs = enrolled(plan, people(len(AWKWARD)))
    columns = {
        "enrolment": [run.pk for run in runs],
        "seq": [1] * len(runs),
        "version": [plan.live_version_id] * len(runs),
        "node": ["n1"] * len(runs),
        "kind": ["wait"] * len(runs),
        "decision": ["wait"] * len(runs),
        "port": [""] * len(runs),
        "detail": [{"note": text, "until": MOMENT} for text in AWKWARD],
        "at": [MOMENT] * len(runs),
    }
    with CaptureQueriesContext(connection) as queries:
        insert_columns(StepRun, columns)
        insert_columns(StepRun, {name: [] for name in columns})
    assert len([one for one in queries if "INSERT" in one["sql"]]) == 1
    found = StepRun.objects.order_by("enrolment_id")
    assert [row.detail["note"] for row in found] == AWKWARD
    assert {row.detail["until"] for row in found} == {"2026-03-29T01:30:00.123Z"}
    assert {(row.seq, row.node, row.at) for row in found} == {(1, "n1", MOMENT)}


def test_insert_writes_rows_that_are_all_the_same() -> None:
    plan = journey("Waits", [{"kind": "entry", "event": "order_placed"}])
    (run,) = enrolled(plan, people(1))
    same = {"node": "n1", "kind": "wait", "decision": "wait", "port": "", "detail": {}}
    columns = {name: [value] for name, value in same.items()}
    insert_columns(
        StepRun,
        {"enrolment": [run.pk], "seq": [4], "version": [run.version_id], "at": [MOMENT], **columns},
    )
    assert list(StepRun.objects.values_list("seq", "at")) == [(4, MOMENT)]


def test_tuples_are_what_the_orm_reads() -> None:
    plan = journey("Waits", [{"kind": "entry", "event": "order_placed"}])
    enrolled(plan, people(3))
    rows = Enrolment.objects.order_by("pk").values_list("pk", "refs", "wake_at", "stood_still")
    found = tuples(rows)
    assert [tuple(row) for row in found] == list(rows)
    assert {row[2].utcoffset() for row in found} == {timedelta(0)}
    assert tuples(rows.filter(pk__in=[])) == []


def test_any_of_means_what_in_means() -> None:
    first, second, third = people(3)
    rows = Contact.objects.order_by("pk")
    assert list(rows.filter(AnyOf("pk", {first.pk, third.pk}))) == [first, third]
    assert list(rows.filter(AnyOf("pk", []))) == []
    assert list(rows.exclude(AnyOf("pk", [second.pk]))) == [first, third]
    assert list(rows.exclude(AnyOf("pk", []))) == [first, second, third]
    assert list(rows.filter(AnyOf("site_id", [first.site_id]))) == [first, second, third]
