"""Many people with runs and messages, put into the database in a few statements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from wagtail.models import Site

from tests.shop import template
from wagtail_triggers.api import Who
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.contacts.models import Contact, Identity
from wagtail_triggers.core import clock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message, MessageClass, TemplateVersion


def site() -> Site:
    """The default site."""
    return Site.objects.get(is_default_site=True)


def people(count: int, prefix: str = "p") -> list[Contact]:
    """Customers `p0@example.com` and so on, with their user ids as identities."""
    here, moment = site(), clock.now()
    rows = Contact.objects.bulk_create(
        Contact(site=here, email=f"{prefix}{n}@example.com", first_name=f"P{n}", created_at=moment)
        for n in range(count)
    )
    Identity.objects.bulk_create(
        Identity(site=here, kind="user_id", value=f"{prefix}{n}", contact=row, created_at=moment)
        for n, row in enumerate(rows)
    )
    return rows


def who(contact: Contact) -> Who:
    """The description by which events name a customer of `people`."""
    return Who(user_id=contact.email.partition("@")[0], email=contact.email)


def enrolled(journey: Journey, contacts: list[Contact], node: str = "n1") -> list[Enrolment]:
    """A due run for each, standing at `node`."""
    assert journey.live_version is not None
    here, moment = site(), clock.now() - timedelta(seconds=1)
    events = Event.objects.bulk_create(
        Event(
            site=here, name="order_placed", dedupe_key=f"{journey.pk}:{row.pk}", contact=row,
            resolved=True, routed_at=moment, occurred_at=moment, recorded_at=moment,
            payload={"order_id": str(row.pk), "lines": []}, refs=[f"order:{row.pk}"],
            key=str(row.pk),
        )
        for row in contacts
    )  # fmt: skip
    return Enrolment.objects.bulk_create(
        Enrolment(
            site=here, journey=journey, version=journey.live_version, contact=row,
            key=f"order:{row.pk}", event=event, refs=event.refs, node=node,
            entered_at=moment, arrived_at=moment, wake_at=moment,
        )
        for row, event in zip(contacts, events, strict=True)
    )  # fmt: skip


def letter(subject: str = "Hello", *, marketing: bool = False) -> TemplateVersion:
    """A published template; marketing on a topic that needs no explicit yes."""
    topic = None
    if marketing:
        topic, _made = Topic.objects.get_or_create(
            site=site(), slug="soft", defaults={"name": "Soft", "consent": Topic.Consent.SOFT}
        )
    kind = MessageClass.MARKETING if marketing else MessageClass.TRANSACTIONAL
    key = template(subject, kind=kind, topic=topic)
    return TemplateVersion.objects.get(template__translation_key=key)


def planned(version: TemplateVersion, contacts: list[Contact], **more: Any) -> list[Message]:
    """A due message for each."""
    moment = clock.now() - timedelta(seconds=1)
    return Message.objects.bulk_create(
        Message(
            site_id=row.site_id, contact=row, template_version=version, channel="email",
            message_class=version.message_class, topic_id=version.topic_id,
            idempotency_key=f"{version.pk}:{row.pk}", due_at=moment, planned_at=moment,
            expires_at=moment + timedelta(days=1), **more,
        )
        for row in contacts
    )  # fmt: skip
