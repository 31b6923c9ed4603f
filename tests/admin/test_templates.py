"""Message templates: drafts hold anything, publications must render; previews show made-up data."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.test.utils.form_data import nested_form_data, querydict_from_html, streamfield

from tests.admin.conftest import ClientWith, History
from tests.shop import topic
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.events.types import event_types
from wagtail_triggers.messages.models import Template, TemplateVersion
from wagtail_triggers.messages.preview import preview

ADD = "triggers_templates:add"
GOOD = {
    "name": "Thank you",
    "subject": "Thank you, {{ contact.first_name }}",
    "body": "<p>Order {{ order.number }}: {{ order.total | money }}</p>",
    "message_class": "transactional",
    "event": "order_placed",
}


def body_data(*blocks: tuple[str, Any]) -> dict[str, str]:
    """What a browser posts for a body; without it, the body is what it was."""
    data: dict[str, str] = nested_form_data({"body": streamfield(blocks)})
    return data


def submit(client: Client, url: str, *, body: str | None = None, **values: str) -> Any:
    """Post what the form shows back, with other values; `body` is one block of HTML."""
    form = querydict_from_html(client.get(url).content.decode(), form_id="w-editor-form")
    form.update({**values, **(body_data(("html", body)) if body is not None else body_data())})
    return client.post(url, form)


def publish(client: Client, **values: str) -> list[str]:
    """Publish, and return the errors that are shown."""
    answer = submit(client, reverse(ADD), **{**GOOD, **values, "action-publish": "x"})
    if answer.context is None or "form" not in answer.context:
        return []
    return [
        words
        for errors in answer.context["form"].errors.as_data().values()
        for error in errors
        for words in words_of(error)
    ]


def words_of(error: Any) -> list[str]:
    """The words of an error, whichever block it stands at."""
    inner = getattr(error, "block_errors", None)
    if inner is None:
        return list(error.messages)
    return [words for one in inner.values() for words in words_of(one)]


def test_publication_of_a_sound_template_makes_a_version(chief: Client) -> None:
    publish(chief)
    row = Template.objects.get()
    assert row.live
    assert row.live_version is not None
    assert row.live_version.subject == "Thank you, {{ contact.first_name }}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"body": "<p>\n{{ contact.frist_name }}</p>"},
            "Line 2: There is no variable “contact.frist_name”. Did you mean “contact.first_name”?",
        ),
        ({"subject": "{{ event.totl | money }}"}, "There is no variable “event.totl”."),
        ({"body": "{{ contact.name | upcas }}"}, "There is no filter “upcas”."),
        ({"preheader": "{% include 'x' %}"}, "There is no tag “include”."),
        ({"body": "{% if contact.name %}"}, "Line 1:"),
        ({"message_class": "marketing"}, "A marketing message needs a topic"),
    ],
)
def test_publication_of_a_faulty_template_is_refused_and_names_the_fault(
    values: dict[str, str], words: str, chief: Client
) -> None:
    assert words in "\n".join(publish(chief, **values))
    assert not Template.objects.exists()
    assert not TemplateVersion.objects.exists()


def test_draft_of_a_faulty_template_is_saved(chief: Client) -> None:
    submit(chief, reverse(ADD), name="Half done", body="{{ nobody.knows }}", subject="{% if %}")
    row = Template.objects.get()
    assert (row.live, row.body[0].value) == (False, "{{ nobody.knows }}")
    assert not TemplateVersion.objects.exists()


def test_topics_of_the_form_are_those_of_the_site(chief: Client) -> None:
    topic("news")
    assert ">News</option>" in chief.get(reverse(ADD)).content.decode()


def shown_as(client: Client, template: Template, mode: str) -> Any:
    """Open the preview as Wagtail's panel does: the form first, then the page."""
    url = reverse("triggers_templates:preview_on_edit", args=[template.pk])
    edit = client.get(reverse("triggers_templates:edit", args=[template.pk])).content.decode()
    form = querydict_from_html(edit, form_id="w-editor-form")
    form.update(body_data(*((one.block_type, one.value) for one in template.body)))
    assert client.post(url, form).json() == {"is_valid": True, "is_available": True}
    return client.get(url, {"mode": mode}, secure=True)


def test_preview_as_html_shows_made_up_data_in_a_frame_that_cannot_run(
    history: History, chief: Client
) -> None:
    response = shown_as(chief, history.template, "html")
    html = unescape(response.content.decode())
    assert "Anna, you left something" in html
    assert "Linen shirt Wool blanket" in html
    assert "Ada" not in html
    frame = html[html.index("<iframe") :]
    assert frame.startswith('<iframe class="triggers-inbox__body" sandbox srcdoc="')
    assert " href=" not in frame[frame.index("<body") :]
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src https: data:; style-src ")
    assert policy.endswith("; sandbox allow-same-origin")
    assert "script" not in policy


def test_preview_as_text_shows_the_plain_text(history: History, chief: Client) -> None:
    html = unescape(shown_as(chief, history.template, "text").content.decode())
    assert "<iframe" not in html
    assert "Linen shirt Wool blanket" in html


def test_preview_of_a_faulty_draft_says_what_is_wrong(history: History, chief: Client) -> None:
    draft = history.template
    draft.body = [("html", "{% for x in cart.lines %}")]
    draft.save_revision()
    html = shown_as(chief, draft, "html").content.decode()
    assert "This cannot be shown yet" in html


def test_preview_for_somebody_who_may_only_view_is_refused(
    history: History, client_with: ClientWith
) -> None:
    url = reverse("triggers_templates:preview_on_edit", args=[history.template.pk])
    assert client_with("view_template").get(url)["Location"] == "/admin/"


def test_preview_for_every_event_renders_what_its_data_holds(history: History) -> None:
    before = Contact.objects.count()
    draft = history.template
    draft.body = [("html", "<p>{{ site.name }} {{ contact.birthday | date: 'd MMMM y' }}</p>")]
    subjects = {}
    for name, kind in event_types.all().items():
        draft.event = name
        fields = kind.payload.model_fields
        wanted = [field for field in ("order_id", "cart_id", "sku") if field in fields]
        draft.subject = "".join(f"{{{{ event.{field} }}}}" for field in wanted)
        shown = preview(draft)
        assert shown.problem == "", name
        assert shown.rendered is not None
        subjects[name] = shown.rendered.subject
    assert subjects["cart_abandoned"] == "1042"
    assert subjects["order_placed"] == "771042"
    assert subjects["price_dropped"] == "SKU-1"
    assert Contact.objects.count() == before


def test_help_panel_lists_the_variables_of_the_chosen_event(
    history: History, chief: Client
) -> None:
    Template.objects.filter(pk=history.template.pk).update(event="order_shipped")
    draft = Template.objects.get(pk=history.template.pk)
    draft.save_revision()
    url = reverse("triggers_templates:edit", args=[draft.pk])
    html = unescape(chief.get(url).content.decode())
    for path in ("contact.first_name", "event.tracking_url", "event.lines[].name", "money"):
        assert path in html
    assert "For the event “Order shipped”" in html


def test_listing_shows_kind_and_event(history: History, chief: Client) -> None:
    Template.objects.filter(pk=history.template.pk).update(event="cart_abandoned")
    html = chief.get(reverse("triggers_templates:list")).content.decode()
    assert "Marketing" in html
    assert "Cart abandoned" in html
