"""Journeys as files in the admin: download, look, choose, make drafts; and who may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry, Site

from tests.admin.conftest import ClientWith, History
from tests.admin.test_markup import inline
from tests.shop import topic
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.journeys.bundles.exporting import export
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import MessageClass, Template

pytestmark = pytest.mark.django_db

WRITER = ("add_journey", "add_template", "change_journey", "change_template")
IMPORT = "/admin/triggers/bundles/import/"


def export_url(history: History) -> str:
    return reverse("triggers_bundles:export", args=[history.journey.pk])


def upload(client: Client, data: bytes, name: str = "journey.json", **more: Any) -> Any:
    site = Site.objects.get(is_default_site=True).pk
    file = SimpleUploadedFile(name, data, content_type="application/json")
    return client.post(IMPORT, {"file": file, "site": site, **more})


def confirm(client: Client, text: str, **choices: str) -> Any:
    site = Site.objects.get(is_default_site=True).pk
    return client.post(IMPORT, {"bundle": text, "site": site, **choices}, follow=True)


def test_export_downloads_the_journey_with_its_letters(
    history: History, client_with: ClientWith
) -> None:
    client = client_with("view_journey", "view_template")
    response = client.get(export_url(history))
    assert response["Content-Disposition"] == 'attachment; filename="abandoned-cart.json"'
    assert response["X-Content-Type-Options"] == "nosniff"
    document = json.loads(response.content)
    assert document["journey"]["name"] == "Abandoned cart"
    assert len(document["templates"]) == 1
    # Whom it was sent to is nobody's business elsewhere.
    assert b"ada@example.com" not in response.content
    assert export_url(history) in client.get("/admin/triggers/journeys/").text


@pytest.mark.parametrize(
    "codenames", [(), ("view_journey",), ("view_template",), ("view_contact", "add_topic")]
)
def test_export_needs_to_see_journey_and_letters(
    codenames: tuple[str, ...], history: History, client_with: ClientWith
) -> None:
    assert client_with(*codenames).get(export_url(history)).status_code == 302


@pytest.mark.parametrize(
    "codenames", [(), ("add_journey",), ("add_template",), ("change_journey", "publish_journey")]
)
def test_import_and_recipes_need_to_add_both(
    codenames: tuple[str, ...], history: History, client_with: ClientWith
) -> None:
    client = client_with(*codenames)
    text = export(history.journey)
    count = Journey.objects.count()
    gallery = reverse("triggers_recipes:gallery")
    recipe = reverse("triggers_recipes:recipe", args=["welcome-series"])
    for response in (
        client.get(IMPORT), upload(client, text.encode()), client.get(gallery),
        client.get(recipe), client.post(recipe),
        client.post(IMPORT, {"bundle": text, "site": history.journey.site_id}),
    ):  # fmt: skip
        assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert Journey.objects.count() == count
    assert gallery not in client.get("/admin/").text


def test_upload_shows_what_it_would_make_and_makes_nothing_yet(
    history: History, client_with: ClientWith
) -> None:
    client = client_with(*WRITER)
    text = export(history.journey)
    page = upload(client, text.encode()).text
    assert "This journey is here already" in page
    assert "It is here already, word for word." in page
    assert "Make the drafts" in page
    assert Journey.objects.count() == 2  # the history's
    assert Template.objects.count() == 2


def test_confirmation_makes_drafts_notes_who_did_it_and_leads_to_the_letters(
    history: History, client_with: ClientWith
) -> None:
    client = client_with(*WRITER)
    key = str(history.template.translation_key)
    response = confirm(client, export(history.journey), **{f"letter-{key}": "copy"})
    made = Journey.objects.get(name="Abandoned cart (2)")
    assert response.request["PATH_INFO"] == reverse("triggers_bundles:letters", args=[made.pk])
    assert "as a draft" in response.text
    assert (made.live, made.live_version) == (False, None)
    letter = Template.objects.exclude(pk=history.template.pk).get(subject=history.template.subject)
    assert (letter.live, str(letter.translation_key) == key) == (False, False)
    entry = ModelLogEntry.objects.get(action="wagtail_triggers.import")
    assert entry.object_id == str(made.pk)
    assert entry.user is not None


def test_import_by_somebody_without_topics_makes_none_and_says_so(
    history: History, client_with: ClientWith
) -> None:
    text = export(history.journey).replace('"carts"', '"brand-new"')
    assert '"brand-new"' in text
    page = upload(client_with(*WRITER), text.encode()).text
    assert "There is no topic “brand-new”. Add it under Triggers" in page
    confirm(client_with(*WRITER), text)
    assert not Topic.objects.filter(slug="brand-new").exists()
    page = upload(client_with(*WRITER, "add_topic"), text.encode()).text
    assert "New topics" in page
    confirm(client_with(*WRITER, "add_topic"), text)
    assert Topic.objects.filter(slug="brand-new").exists()


HOSTILE = [
    (b"not json", "not valid JSON"),
    (b"[" * 5_000, "nested more than 32 deep"),
    (b'{"format": "x", "format": "y"}', "is there twice"),
    (b"PK\x03\x04../../../../etc/cron.d/x", "not valid JSON"),
    (b"x" * (1024 * 1024 + 1), "may have 1024"),
    (b'{"format": "<script>alert(1)</script>"}', "no journey that was exported"),
]


@pytest.mark.parametrize(("data", "why"), HOSTILE)
def test_hostile_file_is_refused_on_the_page_and_changes_nothing(
    data: bytes, why: str, history: History, client_with: ClientWith
) -> None:
    client = client_with(*WRITER)
    before = Journey.objects.count(), Template.objects.count(), Topic.objects.count()
    response = upload(client, data, name="../../../evil.json")
    assert response.status_code == 200
    assert why in response.text
    assert "Nothing was changed." in response.text
    assert "<script>alert" not in response.text
    assert "Make the drafts" not in response.text
    # And around the page: as if it had been looked at.
    confirm(client, data[:1_000_000].decode("latin-1"))
    assert (Journey.objects.count(), Template.objects.count(), Topic.objects.count()) == before


def test_names_in_a_file_are_text_on_the_page(history: History, client_with: ClientWith) -> None:
    document = json.loads(export(history.journey))
    evil = "<script>alert(1)</script>"
    document["journey"]["name"] = document["journey"]["description"] = evil
    document["templates"][0]["translations"]["en"]["name"] = evil
    document["journey"]["graph"]["nodes"][0]["kind"] = "boom"
    page = upload(client_with(*WRITER), json.dumps(document).encode()).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_raw_mjml_is_imported_only_by_those_who_may_write_it(
    history: History, client_with: ClientWith
) -> None:
    document = json.loads(export(history.journey))
    block = {"type": "mjml", "value": "<mj-section><mj-include path='/etc/passwd'/></mj-section>"}
    inside = {"type": "columns", "value": {}}
    document["templates"][0]["translations"]["en"]["body"].append(block)
    text = json.dumps(document)
    assert "which you may not write" in upload(client_with(*WRITER), text.encode()).text
    count = Journey.objects.count()
    assert "which you may not write" in confirm(client_with(*WRITER), text).text
    assert Journey.objects.count() == count
    assert inside["type"] != block["type"]
    allowed = client_with(*WRITER, "use_raw_mjml")
    assert "Make the drafts" in upload(allowed, text.encode()).text


def test_block_that_is_not_known_here_is_refused_with_its_place(
    history: History, client_with: ClientWith
) -> None:
    document = json.loads(export(history.journey))
    document["templates"][0]["translations"]["en"]["body"] = [{"type": "countdwn", "value": 1}]
    page = upload(client_with(*WRITER), json.dumps(document).encode()).text
    assert "There is no block “countdwn” here." in page
    assert "en.body.0" in page


def test_recipe_becomes_a_draft_in_one_click_in_the_language_of_whoever_clicks(
    client_with: ClientWith, settings: Any
) -> None:
    client = client_with(*WRITER, "add_topic")
    url = reverse("triggers_recipes:recipe", args=["cart-three-reminders"])
    assert Journey.objects.count() == 0
    client.get(url)
    assert Journey.objects.count() == 0
    client.post(url, headers={"accept-language": "ru"})
    made = Journey.objects.get()
    assert (made.name, made.live) == ("Брошенная корзина: три письма", False)
    assert set(Template.objects.values_list("live", flat=True)) == {False}
    assert Topic.objects.get(slug="cart-reminders").consent == "soft"
    client.post(url)
    assert Journey.objects.count() == 2
    assert Template.objects.count() == 6  # letters of its own for the second


def test_gallery_and_recipe_pages_show_drawing_steps_and_letters(
    client_with: ClientWith, settings: Any
) -> None:
    client = client_with(*WRITER)
    page = client.get(reverse("triggers_recipes:gallery"), {"language": "ru"}).text
    assert "Брошенная корзина: три письма" in page
    assert page.count('class="triggers-drawing"') == 12
    assert reverse("triggers_recipes:gallery") in client.get("/admin/").text
    page = client.get(reverse("triggers_recipes:recipe", args=["welcome-series"])).text
    assert "Nobody makes coupons here." in page  # what this shop lacks, before anything is made
    assert "Wait 4 days" in page
    assert "Welcome: hello" in page
    assert client.get(reverse("triggers_recipes:recipe", args=["nothing"])).status_code == 404


@pytest.mark.parametrize("language", ["en", "ru", "zh-hans"])
def test_letter_of_a_recipe_is_shown_locked_in(language: str, client_with: ClientWith) -> None:
    from wagtail_triggers.journeys.bundles.gallery import recipes

    client = client_with(*WRITER)
    part = recipes()[0].bundle.templates[0]
    url = reverse("triggers_recipes:letter", args=["welcome-series", part.key, language])
    response = client.get(url)
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "Anna" in response.text
    assert client_with().get(url).status_code == 302
    assert client.get(url.replace(language, "fr")).status_code == 404


def test_letters_are_published_together_and_faults_are_named(
    client_with: ClientWith, settings: Any
) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }
    writer = client_with(*WRITER, "add_topic")
    writer.post(reverse("triggers_recipes:recipe", args=["shipping-notice"]))
    made = Journey.objects.get()
    url = reverse("triggers_bundles:letters", args=[made.pk])
    assert "Publish the message" not in writer.get(url).text
    writer.post(url)
    assert not Template.objects.filter(live=True).exists()
    publisher = client_with("view_journey", "view_template", "publish_template", "change_template")
    assert "Publish the message" in publisher.get(url).text
    letter = Template.objects.get()
    letter.subject = "{{ contact.fist_name }}"
    letter.save_revision()
    page = publisher.post(url, follow=True).text
    assert "is not published:" in page
    assert "contact.first_name" in page
    assert not Template.objects.filter(live=True).exists()
    letter.subject = "On its way"
    letter.save_revision()
    assert "1 message is published." in publisher.post(url, follow=True).text
    letter.refresh_from_db()
    assert (letter.live, letter.live_version is not None) == (True, True)


def test_marketing_letter_without_a_topic_is_not_published(client_with: ClientWith) -> None:
    writer = client_with(*WRITER)
    writer.post(reverse("triggers_recipes:recipe", args=["did-you-forget"]))
    made = Journey.objects.get()
    letter = Template.objects.get()
    assert (letter.topic, letter.message_class) == (None, MessageClass.MARKETING)
    url = reverse("triggers_bundles:letters", args=[made.pk])
    page = (
        client_with("view_journey", "view_template", "publish_template").post(url, follow=True).text
    )
    assert "A marketing message needs a topic" in page
    letter.refresh_from_db()
    assert (letter.live, letter.live_version) == (False, None)


def test_somebody_of_another_site_imports_only_there(
    history: History, client_with: ClientWith, chief: Client
) -> None:
    from wagtail_triggers.admin.models import SiteAccess

    client = client_with(*WRITER)
    other = Site.objects.create(
        hostname="other.example", root_page=history.journey.site.root_page, site_name="Other"
    )
    group = client.request().wsgi_request.user.groups.get()
    SiteAccess.objects.create(group=group, site=other)
    text = export(history.journey)
    assert client.get(export_url(history)).status_code == 302
    assert upload(client, text.encode()).status_code == 200  # the form again: no such site
    client.post(IMPORT, {"bundle": text, "site": history.journey.site_id})
    assert not Journey.objects.filter(name__endswith="(2)").exists()
    client.post(IMPORT, {"bundle": text, "site": other.pk})
    assert Journey.objects.filter(site=other).count() == 1
    assert Journey.objects.filter(site=history.journey.site).count() == 2


def test_pages_bring_no_script_and_no_style_inside_the_page(
    history: History, chief: Client
) -> None:
    topic("carts")
    wagtail = inline(chief, "/admin/") | inline(chief, "/admin/reports/site-history/")
    for url in (
        reverse("triggers_recipes:gallery"),
        reverse("triggers_recipes:recipe", args=["review-request"]),
        IMPORT,
        reverse("triggers_bundles:letters", args=[history.journey.pk]),
    ):
        assert inline(chief, url) - wagtail == set(), url


def test_empty_list_of_journeys_offers_recipes(client_with: ClientWith) -> None:
    page = client_with(*WRITER).get("/admin/triggers/journeys/").text
    assert "No journey yet" in page
    assert page.count(reverse("triggers_recipes:gallery")) >= 2
    page = client_with("add_journey").get("/admin/triggers/journeys/").text
    assert "Begin with an empty one" in page
    assert reverse("triggers_recipes:gallery") not in page
