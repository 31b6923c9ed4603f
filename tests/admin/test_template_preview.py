"""Who reads the preview: personas for everybody, real people for those who may see them."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from tests.admin.conftest import ClientWith, History
from tests.admin.test_templates import shown_as
from tests.shop import ADA, cart, line, order
from wagtail_triggers.admin.models import SiteAccess
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.models import Template
from wagtail_triggers.messages.personas import PERSONAS
from wagtail_triggers.messages.preview import preview
from wagtail_triggers.messages.preview_page import inert, mail_in
from wagtail_triggers.messages.readers import Reader
from wagtail_triggers.testing import run_until_idle


def choose(client: Client, template: Template, reader: str) -> Any:
    url = reverse("triggers_templates:read_by", args=[template.pk])
    return client.post(url, {"reader": reader, "event": template.event})


def shown(client: Client, template: Template, mode: str = "html") -> str:
    """The preview as Wagtail's panel asks for it."""
    return unescape(shown_as(client, template, mode).content.decode())


def test_preview_as_a_persona_shows_their_data(history: History, chief: Client) -> None:
    for persona, name, lines in (
        ("regular", "Anna", 2),
        ("guest", "", 1),
        ("big_spender", "Maximiliane-Josephine", 12),
        ("zh", "伟", 2),
        ("ru", "Екатерина", 2),
        ("ar", "ليلى", 2),
    ):
        assert choose(chief, history.template, f"persona:{persona}").status_code == 200
        html = shown(chief, history.template)
        assert f'dir="auto">{name}, you left something</p>' in html
        assert f"Read by: {PERSONAS[persona].label}." in html
        assert html.count("Linen shirt") == -(-lines // 5)


def test_preview_as_a_contact_shows_what_the_shop_knows(history: History, chief: Client) -> None:
    cart("13", line("Oak tray"))
    run_until_idle()
    assert choose(chief, history.template, f"contact:{history.contact.pk}").json() == {
        "label": "Ada Lovelace"
    }
    html = shown(chief, history.template)
    assert "Ada, you left something" in html
    assert "Oak tray" in html
    assert "Linen shirt" not in html
    assert "Read by: Ada Lovelace." in html


def test_what_is_not_known_of_a_contact_is_said_to_be_made_up(
    history: History, chief: Client
) -> None:
    nobody = Contact.objects.create(
        site_id=history.contact.site_id, first_name="Bo", created_at=history.contact.created_at
    )
    choose(chief, history.template, f"contact:{nobody.pk}")
    html = shown(chief, history.template)
    assert "Of this person not everything is known" in html
    assert "<code>order</code>, <code>cart</code>" in html


def test_preview_as_an_event_shows_its_data_and_its_person(history: History, chief: Client) -> None:
    Template.objects.filter(pk=history.template.pk).update(event="order_placed")
    draft = Template.objects.get(pk=history.template.pk)
    draft.subject = "{{ contact.first_name }}: {{ order.number }} {{ event.order_id }}"
    draft.save_revision()
    placed = Event.objects.get(name="order_placed")
    assert choose(chief, draft, f"event:{placed.pk}").json() == {"label": "Order placed 77"}
    assert "Ada: #77 77" in shown(chief, draft)


def test_event_of_another_kind_is_refused(history: History, chief: Client) -> None:
    Template.objects.filter(pk=history.template.pk).update(event="order_shipped")
    draft = Template.objects.get(pk=history.template.pk)
    placed = Event.objects.get(name="order_placed")
    answer = choose(chief, draft, f"event:{placed.pk}")
    assert answer.status_code == 400
    assert "Choose again" in answer.json()["problem"]


def test_reader_who_does_not_exist_is_refused(history: History, chief: Client) -> None:
    strange = ("", "persona:nobody", "contact:x", "contact:0", f"contact:{9:0>30}", "admin:1")
    for reader in (*strange, "event:"):
        assert choose(chief, history.template, reader).status_code == 400
    assert "Anna, you left something" in shown(chief, history.template)


WRITER = ("change_template", "view_template")


def test_writer_who_may_not_see_contacts_is_shown_personas_only(
    history: History, client_with: ClientWith
) -> None:
    client = client_with(*WRITER)
    edit = client.get(reverse("triggers_templates:edit", args=[history.template.pk]))
    assert "persona:guest" in edit.content.decode()
    assert "A contact…" not in edit.content.decode()
    assert "an event was recorded" not in edit.content.decode()
    assert choose(client, history.template, f"contact:{history.contact.pk}").status_code == 400
    assert choose(client, history.template, f"event:{history.event.pk}").status_code == 400
    url = reverse("triggers_templates:readers", args=[history.template.pk])
    for kind in ("contact", "event"):
        assert client.get(url, {"kind": kind})["Location"] == "/admin/"


def test_right_to_see_people_that_is_taken_away_ends_the_preview_as_them(
    history: History, client_with: ClientWith
) -> None:
    client = client_with(*WRITER, "view_contact")
    choose(client, history.template, f"contact:{history.contact.pk}")
    assert "Ada, you left something" in shown(client, history.template)
    group = Group.objects.get(name__startswith="Group ")
    group.permissions.remove(group.permissions.get(codename="view_contact"))
    html = shown(client, history.template)
    assert "Ada" not in html
    assert "Anna, you left something" in html


def test_event_without_the_right_to_see_contacts_names_nobody(
    history: History, client_with: ClientWith
) -> None:
    client = client_with(*WRITER, "view_event")
    placed = Event.objects.get(name="order_placed")
    choose(client, history.template, f"event:{placed.pk}")
    assert "Anna, you left something" in shown(client, history.template)
    url = reverse("triggers_templates:readers", args=[history.template.pk])
    found = client.get(url, {"kind": "event", "q": "77"}).json()["found"]
    assert [one["label"] for one in found] == ["Order placed 77"]
    assert "Ada" not in str(found)
    assert client.get(url, {"kind": "event", "q": "ada@example.com"}).json() == {"found": []}


def test_contact_of_another_site_is_nobody(history: History, client_with: ClientWith) -> None:
    other = Site.objects.create(hostname="other.example", root_page_id=1)
    client = client_with(*WRITER, "view_contact")
    stranger = Contact.objects.create(
        site=other, first_name="Zoe", created_at=history.contact.created_at
    )
    assert choose(client, history.template, f"contact:{stranger.pk}").status_code == 400
    url = reverse("triggers_templates:readers", args=[history.template.pk])
    assert client.get(url, {"q": "zoe"}).json() == {"found": []}


def test_somebody_of_another_site_may_not_look_for_readers(
    history: History, client_with: ClientWith
) -> None:
    other = Site.objects.create(hostname="other.example", root_page_id=1)
    client = client_with(*WRITER, "view_contact")
    SiteAccess.objects.create(group=Group.objects.get(name__startswith="Group "), site=other)
    url = reverse("triggers_templates:readers", args=[history.template.pk])
    assert client.get(url, {"q": "ada"})["Location"] == "/admin/"
    assert choose(client, history.template, "persona:guest")["Location"] == "/admin/"


def test_viewer_who_may_not_write_chooses_nobody(history: History, client_with: ClientWith) -> None:
    client = client_with("view_template", "view_contact")
    assert choose(client, history.template, "persona:guest")["Location"] == "/admin/"
    url = reverse("triggers_templates:readers_new")
    assert client.get(url, {"q": "ada"})["Location"] == "/admin/"


def test_search_finds_people_by_name_and_address(history: History, chief: Client) -> None:
    url = reverse("triggers_templates:readers", args=[history.template.pk])
    expected = {
        "found": [
            {
                "reader": f"contact:{history.contact.pk}",
                "label": "Ada Lovelace",
                "hint": "ada@example.com",
            }
        ]
    }
    assert chief.get(url, {"q": "love ada"}).json() == expected
    assert chief.get(url, {"q": "ADA@EXAMPLE"}).json() == expected
    assert chief.get(url, {"q": "nobody"}).json() == {"found": []}


def test_choice_by_get_changes_nothing(history: History, chief: Client) -> None:
    url = reverse("triggers_templates:read_by", args=[history.template.pk])
    assert chief.get(url, {"reader": "persona:guest"}).status_code == 405


def test_modes_show_each_way_in_which_a_message_is_read(history: History, chief: Client) -> None:
    draft = history.template
    draft.sms_body = "Hi {{ contact.first_name }}, {{ cart.total | money }}"
    draft.push_title = "Your cart"
    draft.push_body = "{{ cart.lines.first.name }} waits"
    draft.push_url = "{{ cart.url }}"
    draft.onsite_body = '<p>Back, {{ contact.first_name }}? <a href="https://a.example">Go</a></p>'
    draft.save_revision()
    sms = shown(chief, draft, "sms")
    assert '<p class="triggers-phone__bubble" dir="auto">Hi Anna, €74.70</p>' in sms
    assert "1 part, 16 characters (GSM-7), 144 left" in sms
    push = shown(chief, draft, "push")
    assert "Linen shirt waits" in push
    assert "https://shop.example/sample" in push
    onsite = shown(chief, draft, "onsite")
    assert "Back, Anna?" in onsite
    assert "href=" not in onsite[onsite.index("<main") :]
    assert "prefers-color-scheme: dark" not in shown(chief, draft, "html")
    assert "@media not all" in shown(chief, draft, "phone")
    assert "@media all" in shown(chief, draft, "dark")


def test_modes_without_a_text_say_where_to_write_one(history: History, chief: Client) -> None:
    for mode in ("sms", "push", "onsite"):
        assert "on the tab “Other channels”" in shown(chief, history.template, mode)


def test_error_is_shown_with_its_block_and_its_line(history: History, chief: Client) -> None:
    draft = history.template
    draft.body = [("html", "<p>fine</p>"), ("html", "<p>\n\n{{ 1 | divided_by: 0 }}</p>")]
    draft.save_revision()
    html = shown(chief, draft)
    assert "Block 2 (HTML):" in html
    assert "divide by zero" in html
    draft.sms_body = "a\n{{ 1 | modulo: 0 }}"
    draft.body = [("html", "<p>fine</p>")]
    draft.save_revision()
    assert "Line 2:" in shown(chief, draft)


def test_render_time_and_size_are_shown(history: History, chief: Client) -> None:
    html = shown(chief, history.template)
    assert "Rendered in " in html
    assert " of 102 kB." in html


def test_preview_asks_a_fixed_number_of_queries(
    history: History, django_assert_max_num_queries: Any
) -> None:
    order("78", line("Soap"), cart_id="14", who=ADA)
    run_until_idle()
    preview(history.template, reader=Reader(contact=history.contact))
    with django_assert_max_num_queries(8):
        preview(history.template, reader=Reader(contact=history.contact))


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://a.example">',
        "<a class='x>y' href='https://a.example'>",
        '<a title="a>b" href="https://a.example">',
        '<area href="https://a.example">',
        '<A HREF="https://a.example">',
        '<v:roundrect href="https://a.example">',
        '<svg><a xlink:href="https://a.example"></svg>',
        "<a\nhref=https://a.example>",
    ],
)
def test_every_link_is_made_inert(link: str) -> None:
    assert "href" not in inert(link).lower()
    assert "https://a.example" in inert(link)


def test_mail_keeps_to_one_colour_scheme(history: History) -> None:
    made = preview(history.template)
    assert "(prefers-color-scheme" not in mail_in(made, dark=True)
    assert "(prefers-color-scheme" not in mail_in(made, dark=False)
