"""Rows that give a person away: one of every table that can, made from the models' own fields."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from wagtail.models import ModelLogEntry

from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.models import ConsentEvent, LinkToken, Subscription, Topic
from wagtail_triggers.contacts.models import Contact, Identity
from wagtail_triggers.core import clock
from wagtail_triggers.engine.models import Enrolment, Job, Task
from wagtail_triggers.events.models import MappingFault
from wagtail_triggers.messages.models import Template
from wagtail_triggers.messages.trial_models import Trial

#: Columns of a person's rows that say nothing of a person, and why.
SAY_NOTHING = {
    "contact.public_id": "random, and made anew",
    "event.name": "the type of the event, from code",
    "event.source": "which system told it, from code",
    "order.status": "one of six words, from code",
    "orderline.sku": "a product of the catalogue",
    "orderline.category": "a category of the catalogue",
    "enrolment.node": "a step of the journey's graph",
    "steprun.node": "a step of the journey's graph",
    "steprun.kind": "a kind of step, from code",
    "steprun.decision": "one of eight words of the engine",
    "steprun.port": "a way out of a step, as its editor called it",
    "job.node": "a step of the journey's graph",
    "job.kind": "a kind of job, from code",
    "refusal.reason": "the name of a rule of the engine",
    "message.node": "a step of the journey's graph",
    "message.channel": "a name from the settings",
    "message.idempotency_key": "numbers of the run and its step",
    "message.address_hash": "a keyed hash: a late complaint suppresses by it",
    "message.subject_kind": "cart, order: the kind of an object, from code",
    "sendledger.channel": "a name from the settings",
    "messageevent.provider": "the provider's name",
    "messageevent.provider_event_id": "the provider's random id of a report",
    "messageevent.stops": "a value of Suppression.Reason",
    "modellogentry.action": "what was done, from code",
    "modellogentry.object_id": "the primary key of the row",
}

#: Tables with text in which no person has a row, and why.
OF_NOBODY = {
    "apitoken": "a key of the shop's own systems",
    "batchattempt": "ids of what a worker is about to touch",
    "circuit": "how a channel fares",
    "consentevent": "found by address: planted by hand",
    "erasure": "made by the erasure under test",
    "frequencycap": "settings",
    "journey": "written by editors",
    "journeyversion": "written by editors",
    "linktoken": "found by address: planted by hand",
    "mappingfault": "found by what it quotes: planted by hand",
    "pulse": "counts",
    "quiethours": "settings",
    "ratebucket": "how a channel fares",
    "stepnumber": "counts",
    "subscription": "found by address: planted by hand",
    "suppression": "a keyed hash",
    "rollupmark": "how far daily numbers have come",
    "standing": "how a journey stood",
    "sweep": "counts",
    "switch": "decisions about journeys",
    "template": "written by editors",
    "templateversion": "written by editors",
    "topic": "written by editors",
    "trial": "sent by staff, found by what it quotes: planted by hand",
    "transfer": "decisions about journeys",
    "transferrule": "decisions about journeys",
    "triggerssettings": "settings",
}  # fmt: skip

#: What a choice must be for the row to be one that an erasure finds at rest.
AT_REST = {"message.state": "skipped", "job.state": "done", "enrolment.state": "completed"}

TEXT = (models.CharField, models.TextField, models.JSONField)


def ours() -> Iterator[type[models.Model]]:
    """Every table of the package."""
    for model in apps.get_app_config("wagtail_triggers").get_models():
        if not model._meta.proxy:
            yield model


def of_people() -> set[type[models.Model]]:
    """Tables whose rows lead to a contact by foreign keys."""
    found: set[type[models.Model]] = {Contact}
    while True:
        more = {
            model
            for model in ours()
            if model not in found and any(field.related_model in found for field in _links(model))
        }
        if not more:
            return found
        found |= more


def _links(model: type[models.Model]) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.related_model is not model
    ]


class Person:
    """Somebody with a row in every table that can tell of people; `word` is in every text of it."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.address = f"{word}@example.com"
        self.rows: dict[type[models.Model], models.Model] = {}
        self.shared: dict[type[models.Model], models.Model] = {}
        self._number = 0

    def plant(self) -> Contact:
        """Make all of the rows."""
        waiting = of_people()
        while waiting:
            ready = [m for m in waiting if not waiting & {f.related_model for f in _links(m)}]
            assert ready, f"{waiting} lead to each other in a circle"
            for model in sorted(ready, key=lambda one: one.__name__):
                self.rows[model] = self._make(model)
                waiting.discard(model)
        contact = self.rows[Contact]
        assert isinstance(contact, Contact)
        Contact.objects.filter(pk=contact.pk).update(email=self.address, phone=f"+49{self.word}")
        for kind in Identity.Kind.values:
            value = self.address if kind == "email" else f"{self.word}-{kind}"
            Identity.objects.create(
                site_id=contact.site_id, kind=kind, value=value, contact=contact,
                created_at=clock.now(),
            )  # fmt: skip
        self._plant_by_address(contact)
        self._plant_history()
        contact.refresh_from_db()
        return contact

    def planted(self) -> set[str]:
        """`model.column` of every text that holds the word now."""
        found = set()
        for model, row in self.rows.items():
            row.refresh_from_db()
            for field in model._meta.concrete_fields:
                if self.word in str(getattr(row, field.attname)):
                    found.add(f"{model._meta.model_name}.{field.name}")
        return found

    def values(self) -> list[tuple[str, dict[str, Any]]]:
        """Every row of this person, column by column."""
        return [
            (model.__name__, model._default_manager.filter(pk=row.pk).values().get())
            for model, row in self.rows.items()
        ]

    def _make(self, model: type[models.Model]) -> models.Model:
        self._number += 1
        values = {
            field.attname: self._value(model, field)
            for field in model._meta.concrete_fields
            if not field.primary_key
        }
        row: models.Model = model._default_manager.create(**values)
        return row

    def _value(self, model: type[models.Model], field: Any) -> Any:
        name = f"{model._meta.model_name}.{field.name}"
        if isinstance(field, models.ForeignKey):
            return self._link(model, field)
        if name in AT_REST:
            return AT_REST[name]
        if field.choices:
            return field.choices[0][0]
        if isinstance(field, models.JSONField):
            return {"canary": [self.word], "number": self._number}
        if isinstance(field, models.CharField | models.TextField):
            text = f"{self.word}-{self._number}"
            return text if field.max_length is None or len(text) <= field.max_length else "x"
        if isinstance(field, models.UUIDField):
            return uuid.uuid4()
        if field.null:
            return None
        return _plain(field)

    def _link(self, model: type[models.Model], field: Any) -> Any:
        target = field.related_model
        if target in self.rows:
            return self.rows[target].pk
        if target is model:
            return None
        found = target._default_manager.order_by("pk").first()
        assert found is not None or field.null, f"{model.__name__}.{field.name} leads nowhere"
        return found.pk if found else None

    def _plant_by_address(self, contact: Contact) -> None:
        """What is kept by address, and leads to no contact."""
        now = clock.now()
        here = {"site_id": contact.site_id, "channel": "email"}
        topic = Topic.objects.order_by("pk")[0]
        Subscription.objects.create(
            **here, topic=topic, address=self.address, state="subscribed", changed_at=now
        )
        ConsentEvent.objects.create(
            **here, address=self.address, action="subscribed", source="checkout", at=now
        )
        LinkToken.objects.create(
            **here, topic=topic, address=self.address, created_at=now,
            address_hash=current_hash("email", self.address),
        )  # fmt: skip
        Trial.objects.create(
            site_id=contact.site_id, template=Template.objects.order_by("pk")[0],
            channel="email", address="editor@example.com", shown_as=f"{self.address}",
            subject="Hello", state="accepted", created_at=now,
        )  # fmt: skip
        MappingFault.objects.create(
            mapping=f"shop.triggers.{uuid.uuid4().hex}", event="order_placed",
            error=f"ValueError: {self.address} is odd", count=1, last_at=now,
        )  # fmt: skip

    def _plant_history(self) -> None:
        """What Wagtail's history says of their task and their run."""
        for model, row in ((Task, self.rows[Job]), (Enrolment, self.rows[Enrolment])):
            ModelLogEntry.objects.create(
                content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
                object_id=str(row.pk), label=f"Call {self.word}", action="wagtail.edit",
                data={"note": f"{self.word} was called"}, timestamp=clock.now(),
            )  # fmt: skip


def _plain(field: Any) -> Any:
    match field:
        case models.DateTimeField():
            return clock.now()
        case models.DateField():
            return date(1990, 5, 1)
        case models.DecimalField():
            return Decimal(1)
        case models.DurationField():
            return timedelta(0)
        case models.BooleanField():
            return False
    return 1


def dump(words: Iterable[str]) -> dict[str, list[str]]:
    """Every row of every table of the database that holds one of the words, by table."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            rows = [str(row) for row in cursor.fetchall()]
            hits = [row for row in rows if any(word in row for word in words)]
            if hits:
                found[table] = hits
    return found
