"""The page of a message: what became of it, why it was planned, and what left as it was sent."""

from __future__ import annotations

from html import unescape

from django.test import Client
from django.urls import reverse

from tests.admin.conftest import ClientWith, History
from wagtail_triggers.messages.models import Message

POLICY = "default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; sandbox"
CHANGED = "This is what the message looks like today."


def page_of(client: Client, message: Message) -> str:
    response = client.get(reverse("triggers_messages:inspect", args=[message.pk]))
    assert response.status_code == 200
    return unescape(response.content.decode())


def body_url(message: Message) -> str:
    return reverse("triggers_messages:body", args=[message.pk])


def test_message_page_names_state_address_template_and_why(history: History, chief: Client) -> None:
    html = page_of(chief, history.message)
    for words in ("accepted by the provider", "ada@example.com", "version 1", "cart:12"):
        assert words in html
    assert reverse("triggers_enrolments:inspect", args=[history.run.pk]) in html
    assert reverse("triggers_events:inspect", args=[history.event.pk]) in html
    assert "1 Sample Street" in html  # in the plain text, with its footer
    assert CHANGED not in html


def test_message_page_frames_the_body_without_letting_it_run(
    history: History, chief: Client
) -> None:
    html = page_of(chief, history.message)
    frame = html[html.index("<iframe") : html.index("</iframe>")]
    assert f'src="{body_url(history.message)}"' in frame
    assert " sandbox " in frame
    assert "allow-" not in frame


def test_message_body_is_what_was_sent_locked_in_with_links_that_lead_nowhere(
    history: History, chief: Client
) -> None:
    response = chief.get(body_url(history.message), secure=True)
    html = response.content.decode()
    assert response["Content-Security-Policy"] == POLICY
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Linen shirt" in html
    assert "href=" not in html[html.index("<body") :]


def test_message_body_over_plain_http_lets_the_shop_s_own_pictures_in(
    history: History, chief: Client
) -> None:
    policy = chief.get(body_url(history.message))["Content-Security-Policy"]
    assert "img-src https: data: http://testserver;" in policy
    assert policy.endswith("; sandbox")


def test_message_body_for_somebody_without_rights_is_out_of_reach(
    history: History, client_with: ClientWith
) -> None:
    response = client_with("view_contact", "view_enrolment").get(body_url(history.message))
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_message_body_by_post_is_refused(history: History, chief: Client) -> None:
    assert chief.post(body_url(history.message)).status_code == 405


def test_message_whose_context_was_changed_since_says_so(history: History, chief: Client) -> None:
    context = {**history.message.context, "contact": {"first_name": "Grace"}}
    Message.objects.filter(pk=history.message.pk).update(context=context)
    html = page_of(chief, history.message)
    assert CHANGED in html
    assert "Grace, you left something" in html


def test_message_that_was_never_built_shows_no_body(history: History, chief: Client) -> None:
    Message.objects.filter(pk=history.message.pk).update(body_hash="", subject="")
    html = page_of(chief, history.message)
    assert "It has not been built yet" in html
    assert "<iframe" not in html
    assert chief.get(body_url(history.message)).content == b""


def test_message_with_markup_in_a_name_is_escaped_on_page_and_in_body(
    history: History, chief: Client
) -> None:
    name = "<script>alert(1)</script>"
    context = {**history.message.context, "contact": {"first_name": name}}
    Message.objects.filter(pk=history.message.pk).update(
        context=context, subject=name, reason="<b>no</b>"
    )
    page = chief.get(reverse("triggers_messages:inspect", args=[history.message.pk]))
    listing = chief.get(reverse("triggers_messages:index"))
    for response in (page, listing, chief.get(body_url(history.message))):
        assert name not in response.content.decode()
        assert "<b>no</b>" not in response.content.decode()
