"""Test sends, variables to pick, and lengths: who may, where to, and what it says."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.admin.conftest import ClientWith, History
from tests.admin.test_templates import publish, submit
from wagtail_triggers.consent.models import SendLedger
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Conversion
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.lint import lint
from wagtail_triggers.messages.models import Message, MessageEvent, Template, TemplateVersion, Trial
from wagtail_triggers.messages.trials import is_allowed

SENDER = ("change_template", "view_template", "send_test")


def url(history: History) -> str:
    return reverse("triggers_templates:test_send", args=[history.template.pk])


def send(client: Client, history: History, **values: str) -> Any:
    given = {"address": "me@example.com", "channel": "email", "reader": "regular", **values}
    return client.post(url(history), given)


def sender(client_with: ClientWith, *more: str) -> Client:
    """Somebody who may write and test, with an address of their own."""
    client = client_with(*SENDER, *more)
    User.objects.update(email="me@example.com")
    return client


def test_test_goes_to_the_senders_own_address_and_counts_for_nothing(
    history: History, client_with: ClientWith, settings: Any
) -> None:
    client = sender(client_with)
    counted = (Message, SendLedger, MessageEvent, Event, Conversion, Contact)
    before = [model._default_manager.count() for model in counted]
    assert send(client, history)["Location"] == url(history)
    (letter,) = mail.outbox
    assert letter.to == ["me@example.com"]
    assert letter.subject == "[Test] Anna, you left something"
    assert "Linen shirt" in letter.body
    assert "List-Unsubscribe" not in letter.extra_headers
    trial = Trial.objects.get()
    assert letter.extra_headers["X-WT-Id"] == f"trial:{trial.public_id}"
    assert (trial.state, trial.channel, trial.user) == ("accepted", "email", User.objects.get())
    assert [model._default_manager.count() for model in counted] == before
    html = unescape(client.get(url(history)).content.decode())
    assert "The test is on its way to me@example.com." in html
    assert "[Test] Anna, you left something" in html
    entry = ModelLogEntry.objects.get(action="wagtail_triggers.send_test")
    assert entry.data["address"] == "me@example.com"


def test_test_shows_the_draft_and_not_what_is_live(
    history: History, client_with: ClientWith
) -> None:
    history.template.subject = "A newer word for {{ contact.first_name }}"
    history.template.save_revision()
    send(sender(client_with), history, reader="ru")
    assert mail.outbox[0].subject == "[Test] A newer word for Екатерина"


def test_test_with_the_data_of_a_contact_keeps_nothing_of_them(
    history: History, client_with: ClientWith
) -> None:
    client = sender(client_with, "view_contact")
    chosen = reverse("triggers_templates:read_by", args=[history.template.pk])
    client.post(chosen, {"reader": f"contact:{history.contact.pk}"})
    send(client, history, reader="previewed")
    assert mail.outbox[0].subject == "[Test] Ada, you left something"
    trial = Trial.objects.get()
    assert trial.subject == "[Test] {{ contact.first_name }}, you left something"
    assert trial.shown_as == f"contact {history.contact.pk}"
    assert "Ada" not in str(ModelLogEntry.objects.get(action="wagtail_triggers.send_test").data)


@pytest.mark.parametrize(
    ("address", "own", "allowed"),
    [
        ("me@example.com", "me@example.com", True),
        ("ME@Example.com ", "me@example.com", True),
        ("you@example.com", "me@example.com", False),
        ("", "", False),
        ("qa@shop.example", "", True),
        ("anyone@team.example", "", True),
        ("anyone@sub.team.example", "", False),
        ("anyone@team.example.attacker.example", "", False),
        ("anyone@attacker.example@team.example", "", True),
        ("team.example", "", False),
    ],
)
def test_address_is_allowed_by_being_ones_own_or_on_the_list(
    address: str, own: str, allowed: bool, settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_TEST_ADDRESSES = ["QA@shop.example", "*@team.example"]
    assert is_allowed(address, own) is allowed


def test_test_to_anybody_else_is_refused(history: History, client_with: ClientWith) -> None:
    client = sender(client_with)
    answer = send(client, history, address="customer@example.com")
    assert answer.status_code == 422
    assert "Tests cannot go to “customer@example.com”" in unescape(answer.content.decode())
    assert mail.outbox == []
    assert not Trial.objects.exists()


def test_address_with_a_second_one_hidden_in_it_is_refused(
    history: History, client_with: ClientWith, settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_TEST_ADDRESSES = ["*@team.example"]
    client = sender(client_with)
    for address in (
        "victim@attacker.example@team.example",
        "victim@attacker.example,a@team.example",
        "a@team.example\r\nBcc: victim@attacker.example@team.example",
        "<victim@attacker.example> a@team.example",
    ):
        assert send(client, history, address=address).status_code == 422
    assert mail.outbox == []


def test_tests_beyond_the_limit_wait_for_the_hour_to_pass(
    history: History, client_with: ClientWith, clock: FrozenClock, settings: Any
) -> None:
    from datetime import timedelta

    settings.WAGTAIL_TRIGGERS_TESTS_PER_HOUR = 2
    client = sender(client_with)
    send(client, history)
    send(client, history)
    answer = send(client, history)
    assert answer.status_code == 422
    assert "You have sent 2 tests within an hour." in unescape(answer.content.decode())
    assert len(mail.outbox) == 2
    clock.travel(timedelta(minutes=61))
    assert send(client, history).status_code == 302
    assert len(mail.outbox) == 3


@pytest.mark.parametrize(
    "permissions", [("change_template",), ("send_test",), ("view_template", "send_test"), ()]
)
def test_test_without_both_rights_is_refused(
    permissions: tuple[str, ...], history: History, client_with: ClientWith
) -> None:
    client = client_with(*permissions)
    assert client.get(url(history))["Location"] == "/admin/"
    assert send(client, history)["Location"] == "/admin/"
    assert mail.outbox == []


def test_test_needs_a_csrf_token_and_is_not_sent_by_get(history: History, chief: Client) -> None:
    chief.get(url(history), {"address": "chief@example.com", "channel": "email"})
    assert mail.outbox == []
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="chief"))
    assert send(strict, history).status_code == 403
    assert mail.outbox == []


def test_test_of_a_faulty_draft_says_what_is_wrong(
    history: History, client_with: ClientWith
) -> None:
    history.template.subject = "{{ 1 | divided_by: 0 }}"
    history.template.save_revision()
    answer = send(sender(client_with), history)
    assert "divide by zero" in unescape(answer.content.decode())
    assert not Trial.objects.exists()


def test_provider_that_refuses_is_quoted(
    history: History, client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind
    from wagtail_triggers.messages.channels.email import EmailChannel

    refusal = Outcome(OutcomeKind.REFUSED, detail="550 no such mailbox")
    monkeypatch.setattr(EmailChannel, "send", lambda self, outgoing: refusal)
    client = sender(client_with)
    send(client, history)
    assert Trial.objects.get().state == Trial.State.FAILED
    assert (
        "The test did not leave: 550 no such mailbox" in client.get(url(history)).content.decode()
    )


def test_report_on_a_test_touches_no_message(history: History, client_with: ClientWith) -> None:
    from wagtail_triggers.messages.reports import Report, record

    send(sender(client_with), history)
    states = list(Message.objects.values_list("pk", "state"))
    trial = Trial.objects.get()
    record([Report(kind="bounced", provider="Test", public_id=trial.idempotency_key)])
    assert list(Message.objects.values_list("pk", "state")) == states


def test_variables_follow_the_event_that_is_asked_for(history: History, chief: Client) -> None:
    address = reverse("triggers_templates:variables")
    shipped = chief.get(address, {"event": "order_shipped"}).json()
    paths = {one["path"]: one for one in shipped["choices"]}
    assert "event.tracking_number" in paths
    assert "order.total" in paths
    assert "cart.total" not in paths
    total = paths["order.total"]
    assert total["label"] == "Total"
    assert total["ways"][0] == {"code": "{{ order.total | money }}", "sample": "€74.70"}
    birthday = paths["contact.birthday"]["ways"]
    assert [one["code"] for one in birthday] == [
        "{{ contact.birthday | date: 'long' }}",
        "{{ contact.birthday | date: 'medium' }}",
        "{{ contact.birthday | date: 'short' }}",
        "{{ contact.birthday | date: 'd MMMM' }}",
        "{{ contact.birthday | date: 'EEEE' }}",
    ]
    assert birthday[0]["sample"] == "May 1, 1990"
    assert shipped["groups"]["contact"] == "Person"
    left = chief.get(address, {"event": "cart_abandoned"}).json()["choices"]
    assert {"cart.total", "event.cart_id"} <= {one["path"] for one in left}
    assert not any(one["path"].startswith("order.") for one in left)


def test_every_variable_that_is_offered_can_be_published(history: History) -> None:
    from wagtail_triggers.messages.picking import choices_for

    draft = history.template
    for event in ("", "cart_abandoned", "order_placed", "digest"):
        draft.event = event
        codes = [way["code"] for one in choices_for(draft) for way in one["ways"]]
        assert len(codes) > 30
        draft.body = [("html", "<p>" + "</p><p>".join(codes) + "</p>")]
        draft.subject = "x"
        assert [f"{field}: {problem}" for field, problem in lint(draft)] == [], event


def test_lengths_are_measured_with_sample_values(history: History, chief: Client) -> None:
    answer = chief.post(
        reverse("triggers_templates:measure"),
        {
            "event": "cart_abandoned",
            "subject": "RE: {{ cart.total | money }}",
            "sms_body": "{{ contact.first_name }}" + "ё" * 70,
            "preheader": "",
            "body": "not measured",
        },
    ).json()
    assert set(answer) == {"subject", "sms_body", "preheader"}
    assert "10 characters; Gmail" in answer["subject"]
    assert "looks like an answer" in answer["subject"]
    assert "2 parts, 74 characters (UCS-2), 60 left" in answer["sms_body"]
    assert answer["preheader"] == ""


def test_lengths_are_shown_without_scripts_after_saving(history: History, chief: Client) -> None:
    draft = history.template
    draft.subject = "{{ contact.first_name }}, {{ cart.total | money }}"
    draft.sms_body = "Hi {{ contact.first_name }}"
    draft.save_revision()
    html = chief.get(reverse("triggers_templates:edit", args=[draft.pk])).content.decode()
    assert "12 characters; Gmail on a computer shows about 70" in html
    assert "1 part, 7 characters (GSM-7), 153 left" in html
    assert 'aria-describedby="id_subject-measure"' in html or "id_subject-measure" in html


def test_measure_and_variables_are_for_those_who_write(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_template", "view_contact")
    assert client.get(reverse("triggers_templates:variables"))["Location"] == "/admin/"
    assert client.post(reverse("triggers_templates:measure"))["Location"] == "/admin/"
    assert Client().get(reverse("triggers_templates:variables")).status_code == 302


def test_template_without_a_mail_is_published_with_its_other_texts(chief: Client) -> None:
    answer = submit(
        chief,
        reverse("triggers_templates:add"),
        name="Arrived",
        event="order_placed",
        message_class="transactional",
        sms_body="Order {{ order.number }} is here",
        push_title="Order {{ order.number }}",
        push_body="It is here",
        push_url="{{ order.url }}",
        **{"action-publish": "x"},
    )
    assert answer.status_code == 302
    version = TemplateVersion.objects.get()
    assert version.sms == "Order {{ order.number }} is here"
    assert (version.push_title, version.push_body) == ("Order {{ order.number }}", "It is here")
    assert version.push_url == "{{ order.url }}"
    assert (version.html, version.onsite) == ("", "")
    has = [name for name in ("email", "sms", "push", "onsite") if version.has_text_for(name)]
    assert has == ["sms", "push"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"sms_body": "a\n{{ contact.frist_name }}"},
            "Line 2: There is no variable “contact.frist_name”. Did you mean “contact.first_name”?",
        ),
        ({"push_title": "{{ event.nothing }}", "push_body": "x"}, "no variable “event.nothing”"),
        ({"push_title": "Only a title"}, "needs a text below its title"),
        ({"push_body": "Only a text"}, "needs a title"),
        (
            {"push_title": "x", "push_body": "x", "push_url": "javascript:alert(1)"},
            "“javascript:alert(1)” leads nowhere.",
        ),
        ({"subject": ""}, "A mail needs a subject. Write one."),
    ],
)
def test_publication_with_faulty_other_texts_names_the_fault(
    values: dict[str, str], words: str, chief: Client
) -> None:
    assert any(words in error for error in publish(chief, **values))
    assert not Template.objects.exists()
