"""Erasing a person from their page: who may, what is said before, and what is logged of it."""

from __future__ import annotations

from html import unescape

from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.admin.conftest import ClientWith, History
from tests.integration.canaries import dump
from wagtail_triggers.admin.erasing import ERASE
from wagtail_triggers.admin.retry import ACTION as RETRY
from wagtail_triggers.contacts import erasures
from wagtail_triggers.contacts.models import Contact, Erasure
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.messages.models import Message


def url_of(history: History) -> str:
    return reverse("triggers_contacts:erase", args=[history.contact.pk])


def test_contact_page_offers_erasing_to_those_who_may_and_to_nobody_else(
    history: History, chief: Client, client_with: ClientWith
) -> None:
    page = reverse("triggers_contacts:inspect", args=[history.contact.pk])
    assert url_of(history) in chief.get(page).content.decode()
    reader = client_with("view_contact")
    assert url_of(history) not in reader.get(page).content.decode()
    eraser = client_with("view_contact", "erase_contact")
    assert url_of(history) in eraser.get(page).content.decode()


def test_question_says_exactly_what_will_happen_and_changes_nothing(
    history: History, chief: Client
) -> None:
    Message.objects.filter(pk=history.message.pk).update(state=Message.State.PLANNED)
    html = unescape(chief.get(url_of(history)).content.decode())
    for words in (
        "Ada Lovelace will be erased. This cannot be undone",
        "One journey that the person is in ends.",
        "One message that waits is cancelled, a receipt too.",
        "ada@example.com gets no marketing any more",
        "Erase this person",
        "csrfmiddlewaretoken",
    ):
        assert words in html
    assert not Erasure.objects.exists()
    assert Contact.objects.get(pk=history.contact.pk).email == "ada@example.com"


def test_answer_erases_logs_it_without_a_name_and_leads_to_the_listing(
    history: History, chief: Client
) -> None:
    answer = chief.post(url_of(history), follow=True)
    html = unescape(answer.content.decode())
    assert "The person was erased." in html
    assert "ada@example.com" not in html
    assert Enrolment.objects.get(pk=history.parked.pk).reason == "subject_gone"
    entry = ModelLogEntry.objects.get(action=ERASE)
    assert entry.user is not None
    assert (entry.label, entry.user.get_username()) == ("Erased person", "chief")
    assert entry.data == {"erasure": str(Erasure.objects.get().public_id)}
    assert dump(["ada@example.com", "Lovelace"]) == {}


def test_page_of_an_erased_person_says_so_and_offers_nothing(
    history: History, chief: Client
) -> None:
    chief.post(url_of(history))
    page = reverse("triggers_contacts:inspect", args=[history.contact.pk])
    html = unescape(chief.get(page).content.decode())
    assert "This person was erased on" in html
    assert url_of(history) not in html
    assert chief.get(url_of(history)).status_code == 404
    for model in ("enrolments", "messages", "events"):
        assert chief.get(reverse(f"triggers_{model}:index")).status_code == 200
    for name, row in (("enrolments", history.run), ("messages", history.message),
                      ("events", history.event)):  # fmt: skip
        found = chief.get(reverse(f"triggers_{name}:inspect", args=[row.pk]))
        assert found.status_code == 200
        assert "Lovelace" not in found.content.decode()


def test_erasure_without_the_permission_is_refused(
    history: History, client_with: ClientWith
) -> None:
    for codenames in (("view_contact",), ("erase_contact",)):
        client = client_with(*codenames)
        for answer in (client.get(url_of(history)), client.post(url_of(history))):
            assert answer.status_code in (302, 403)
    assert not Erasure.objects.exists()
    assert Contact.objects.get(pk=history.contact.pk).erased_at is None


def test_erasure_without_a_csrf_token_is_refused(history: History, chief: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = chief.cookies
    assert strict.post(url_of(history)).status_code == 403
    assert not Erasure.objects.exists()


def test_erasure_that_is_not_finished_says_that_a_worker_goes_on(
    history: History, chief: Client
) -> None:
    Message.objects.filter(pk=history.message.pk).update(state=Message.State.SENDING)
    html = chief.post(url_of(history), follow=True).content.decode()
    assert "Nothing is sent to the person any more." in html
    assert Erasure.objects.get().done_at is None
    page = reverse("triggers_contacts:inspect", args=[history.contact.pk])
    assert "Erased person" in chief.get(page).content.decode()


def test_what_was_logged_of_the_person_before_is_emptied(history: History, chief: Client) -> None:
    chief.post(reverse("triggers_enrolments:retry", args=[history.parked.pk]))
    before = ModelLogEntry.objects.get(action=RETRY)
    assert before.label
    erasures.carry_out(erasures.request_contact(history.contact).pk)
    before.refresh_from_db()
    assert (before.label, before.data) == ("", {})
