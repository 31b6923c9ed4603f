"""Settings > Triggers > Look of mails: what cannot be read is said, and the look is brought out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file, get_test_image_file_svg
from wagtail.models import ModelLogEntry, Site

from tests.admin.conftest import ClientWith
from tests.admin.test_site_settings import form, url
from tests.shop import template
from wagtail_triggers.admin.look import RECOMPILE
from wagtail_triggers.messages.branding import brand_of
from wagtail_triggers.messages.models import Template, TemplateVersion, TriggersSettings

pytestmark = pytest.mark.django_db


#: Wagtail leaves it to Python to close the file from which it made a rendition.
UNCLOSED = (
    "ignore:Exception ignored in.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)


def words(answer: Any) -> list[str]:
    """What the page says at its top."""
    return [str(one) for one in answer.context["messages"]]


def recompile_url() -> str:
    return reverse("triggers_look:recompile", args=[Site.objects.get().pk])


def test_colours_that_cannot_be_read_are_saved_with_a_warning_that_names_the_ratio(
    chief: Client,
) -> None:
    said = words(chief.post(url(), form(link_colour="#ffcc00"), follow=True))
    assert TriggersSettings.objects.get().link_colour == "#ffcc00"
    assert (
        "Links: #ffcc00 on #ffffff has a contrast of 1.5 : 1. It takes 4.5 : 1 to be read by "
        "everybody." in said
    )


def test_colours_that_can_be_read_are_saved_without_a_word_about_them(chief: Client) -> None:
    said = words(chief.post(url(), form(), follow=True))
    assert not [one for one in said if "contrast" in one]


def test_what_is_no_colour_is_refused(chief: Client) -> None:
    answer = chief.post(url(), form(text_colour="red; }"))
    assert "Write it like #2b5fd9." in answer.content.decode()


def test_page_shows_the_ratios_and_how_many_templates_wear_an_older_look(chief: Client) -> None:
    template("Hello")
    TriggersSettings.objects.update_or_create(
        site=Site.objects.get(), defaults={"page_colour": "#aa0000"}
    )
    html = chief.get(url()).content.decode()
    assert "21.0 : 1" not in html
    assert "Bring the look to one template" in html
    assert recompile_url() in html


@pytest.mark.filterwarnings(UNCLOSED)
def test_logo_is_scaled_and_shown_in_mails(chief: Client, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.WAGTAIL_TRIGGERS_BASE_URL = "https://shop.example"
    logo = get_image_model().objects.create(title="Logo", file=get_test_image_file())
    assert chief.post(url(), form(logo=str(logo.pk))).status_code == 302
    assert TriggersSettings.objects.get().logo == str(logo.pk)
    brand = brand_of(Site.objects.get())
    assert brand.logo_url.startswith("https://shop.example/")
    key = template("Hello")
    assert brand.logo_url in TemplateVersion.objects.get(template__translation_key=key).html
    logo.delete()
    assert brand_of(Site.objects.get()).logo_url == ""


@pytest.mark.filterwarnings(UNCLOSED)
def test_logo_in_svg_is_refused(chief: Client, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    logo = get_image_model().objects.create(title="Logo", file=get_test_image_file_svg())
    answer = chief.post(url(), form(logo=str(logo.pk)))
    assert "Mail programs do not show SVG pictures." in answer.content.decode()


def test_new_look_is_brought_to_live_templates_and_logged(chief: Client) -> None:
    template("Hello")
    TriggersSettings.objects.update_or_create(
        site=Site.objects.get(), defaults={"page_colour": "#aa0000"}
    )
    page = chief.get(recompile_url())
    assert "One template is live; 1 has an older look." in " ".join(page.content.decode().split())
    assert TemplateVersion.objects.count() == 1
    said = words(chief.post(recompile_url(), follow=True))
    assert "One template has a new version now." in said
    row = Template.objects.get()
    assert row.live_version is not None
    assert row.live_version.number == 2
    entry = ModelLogEntry.objects.get(action=RECOMPILE)
    assert entry.data == {"version": 2}


@pytest.mark.parametrize(
    "rights",
    [
        ("view_template", "change_template"),
        ("publish_template", "change_template"),
        ("change_triggerssettings",),
    ],
)
def test_look_is_brought_out_only_by_who_may_set_it_and_publish(
    rights: tuple[str, ...], client_with: ClientWith
) -> None:
    template("Hello")
    TriggersSettings.objects.update_or_create(
        site=Site.objects.get(), defaults={"page_colour": "#aa0000"}
    )
    client = client_with(*rights)
    for answer in (client.get(recompile_url()), client.post(recompile_url())):
        assert answer.status_code in {302, 403}
    assert TemplateVersion.objects.count() == 1


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_preview_shows_a_mail_in_the_colours_of_the_form_and_keeps_none(
    mode: str, chief: Client
) -> None:
    site = Site.objects.get()
    args = ["wagtail_triggers", "triggerssettings", site.pk]
    preview = reverse("wagtailsettings:preview_on_edit", args=args)
    posted = chief.post(preview, form(page_colour="#aa0000", dark_page_colour="#00bb00"))
    assert posted.json() == {"is_valid": True, "is_available": True}
    answer = chief.get(preview, {"mode": mode})
    html = answer.content.decode()
    assert "#aa0000" in html
    assert "Linen shirt" in html
    assert ("@media all" in html) is (mode == "dark")
    assert answer["Content-Security-Policy"].endswith("; sandbox")
    assert not TriggersSettings.objects.filter(page_colour="#aa0000").exists()
