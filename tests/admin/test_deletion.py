"""What was published is kept; a person is told why, and what to do instead."""

from __future__ import annotations

from html import unescape

from django.test import Client
from django.urls import reverse
from wagtail.models import Locale, Site

from tests.admin.conftest import ClientWith, History
from tests.shop import topic
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Template


def answer_of(client: Client, url: str) -> str:
    return unescape(client.post(url, follow=True).content.decode())


def test_journey_that_was_published_is_not_deleted(history: History, chief: Client) -> None:
    url = reverse("triggers_journeys:delete", args=[history.journey.pk])
    assert "“Abandoned cart” was not deleted: it has been published" in answer_of(chief, url)
    assert Journey.objects.filter(pk=history.journey.pk).exists()


def test_template_that_was_published_is_not_deleted(history: History, chief: Client) -> None:
    url = reverse("triggers_templates:delete", args=[history.template.pk])
    assert "was not deleted: it has been published" in answer_of(chief, url)
    assert Template.objects.filter(pk=history.template.pk).exists()


def test_draft_that_was_never_published_is_deleted(chief: Client) -> None:
    site = Site.objects.get(is_default_site=True)
    row = Journey.objects.create(site=site, name="Idea", live=False)
    answer_of(chief, reverse("triggers_journeys:delete", args=[row.pk]))
    assert not Journey.objects.exists()


def test_selection_with_something_published_is_not_deleted(history: History, chief: Client) -> None:
    draft = Journey.objects.create(site_id=history.journey.site_id, name="Idea", live=False)
    path = reverse("wagtail_bulk_action", args=["wagtail_triggers", "journey", "delete"])
    url = f"{path}?id={draft.pk}&id={history.journey.pk}"
    assert "“Abandoned cart” was not deleted" in answer_of(chief, url)
    assert Journey.objects.filter(name__in=["Idea", "Abandoned cart"]).count() == 2


def test_selection_of_drafts_is_deleted(chief: Client) -> None:
    site = Site.objects.get(is_default_site=True)
    rows = [
        Template.objects.create(
            site=site,
            name=name,
            subject="x",
            body=[("html", "x")],
            live=False,
            locale=Locale.get_default(),
        )
        for name in ("One", "Two")
    ]
    path = reverse("wagtail_bulk_action", args=["wagtail_triggers", "template", "delete"])
    chief.post(path + "?" + "&".join(f"id={row.pk}" for row in rows))
    assert not Template.objects.exists()


def test_topic_in_use_is_not_deleted(history: History, chief: Client) -> None:
    row = Topic.objects.get(slug="carts")
    url = reverse("triggers_topics:delete", args=[row.pk])
    assert "“Carts” was not deleted: it is in use." in answer_of(chief, url)
    assert Topic.objects.filter(pk=row.pk).exists()


def test_topic_nobody_uses_is_deleted_by_those_who_may_and_by_nobody_else(
    client_with: ClientWith, db: None
) -> None:
    row = topic("gifts")
    url = reverse("triggers_topics:delete", args=[row.pk])
    assert client_with("change_topic").post(url)["Location"] == "/admin/"
    assert Topic.objects.filter(pk=row.pk).exists()
    client_with("delete_topic").post(url)
    assert not Topic.objects.filter(pk=row.pk).exists()
