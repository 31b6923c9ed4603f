"""A shop with a history, and people with different rights in its admin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from tests.shop import ADA, cart, journey, line, order, template, topic
from wagtail_triggers.api import subscribe, track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message, MessageClass, Template
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

#: Makes a logged-in client of somebody with these permissions and the admin's door open.
ClientWith = Callable[..., Client]


@dataclass(frozen=True, slots=True)
class History:
    """What the fixture `history` left behind."""

    journey: Journey
    template: Template
    contact: Contact
    run: Enrolment
    parked: Enrolment
    message: Message
    event: Event


@pytest.fixture
def clock(db: None) -> Iterator[FrozenClock]:
    """Noon of a Friday in May; `clock.travel(...)` moves on."""
    with travelling("2026-05-01 12:00") as moving:
        yield moving


@pytest.fixture
def history(clock: FrozenClock) -> History:
    """A cart that was left, reminded of and bought; and a run that is parked."""
    carts = topic("carts")
    reminder = template(
        "{{ contact.first_name }}, you left something",
        "<p>{% for line in cart.lines %}{{ line.name }} {% endfor %}"
        '<a href="{{ cart.url }}">Back</a></p>',
        kind=MessageClass.MARKETING,
        topic=carts,
    )
    welcome = template("Welcome")
    plan = journey(
        "Abandoned cart",
        [
            {"kind": "entry", "event": "cart_abandoned"},
            {"kind": "send", "template": reminder},
            {"kind": "wait", "amount": 1, "unit": "days"},
        ],
        goals=[{"event": "order_placed", "match": "same_object", "converts": True}],
    )
    registered = {"kind": "entry", "event": "user_registered"}
    journey("Welcome", [registered, {"kind": "send", "template": welcome}])
    with captured_messages():
        subscribe(ADA, "carts", source="checkout")
        cart("12", line("Linen shirt"))
        run_until_idle()
        clock.travel(timedelta(hours=2))
        run_until_idle()
        clock.travel(timedelta(minutes=10))
        order("77", line("Linen shirt"), cart_id="12")
        Template.objects.get(name="Welcome").unpublish()
        track("user_registered", contact=ADA)
        run_until_idle()
    run = Enrolment.objects.get(journey=plan)
    return History(
        journey=plan,
        template=Template.objects.get(translation_key=reminder),
        contact=Contact.objects.get(email="ada@example.com"),
        run=run,
        parked=Enrolment.objects.get(state=Enrolment.State.PARKED),
        message=Message.objects.get(enrolment=run),
        event=Event.objects.get(pk=run.event_id),
    )


@pytest.fixture
def client_with(db: None) -> ClientWith:
    """Log somebody in who has these permissions of ours, by codename, and no others."""

    def make(*codenames: str) -> Client:
        group = Group.objects.create(name=f"Group {Group.objects.count()}")
        wanted = Permission.objects.filter(
            content_type__app_label="wagtail_triggers", codename__in=codenames
        )
        assert {one.codename for one in wanted} == set(codenames)
        group.permissions.set([*wanted, Permission.objects.get(codename="access_admin")])
        user = User.objects.create_user(f"user{User.objects.count()}", password="x")
        user.groups.add(group)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def chief(db: None) -> Client:
    """A superuser, logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("chief", "chief@example.com", "x"))
    return client
