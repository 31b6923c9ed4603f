"""Settings > Triggers: limits, quiet hours and the digest are set here."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.test import Client
from wagtail.models import Locale, Site

from tests.shop import topic
from wagtail_triggers.consent.models import FrequencyCap, QuietHours
from wagtail_triggers.messages.models import MessageClass, Template, TriggersSettings

pytestmark = pytest.mark.django_db


#: An untouched tab "Look of mails".
LOOK = {
    "logo": "", "logo_width": "160", "colour": "#1f5c57", "link_colour": "",
    "text_colour": "#22252b", "card_colour": "#ffffff", "page_colour": "#f2f3f6",
    "dark_link_colour": "", "dark_text_colour": "#eceef2", "dark_card_colour": "#20232a",
    "dark_page_colour": "#16181d", "font": "system", "corner_radius": "8", "footer_text": "",
    "social_links-count": "0",
}  # fmt: skip


def url() -> str:
    return f"/admin/settings/wagtail_triggers/triggerssettings/{Site.objects.get().pk}/"


def form(**more: Any) -> dict[str, Any]:
    """What the browser sends for an untouched page, but for `more`."""
    return {
        "sender_name": "", "sender_email": "", "reply_to": "", "postal_address": "",
        "time_zone": "", "sending_on": "on", **LOOK,
        "weekly_limit": "3", "quiet_spread_minutes": "30", "digest_template": "",
        "caps-TOTAL_FORMS": "0", "caps-INITIAL_FORMS": "0",
        "caps-MIN_NUM_FORMS": "0", "caps-MAX_NUM_FORMS": "1000",
        "quiet_hours-TOTAL_FORMS": "0", "quiet_hours-INITIAL_FORMS": "0",
        "quiet_hours-MIN_NUM_FORMS": "0", "quiet_hours-MAX_NUM_FORMS": "1000",
        **more,
    }  # fmt: skip


def cap(number: int, **fields: str) -> dict[str, str]:
    values = {"limit": "1", "amount": "1", "unit": "days", "channel": "", "id": "",
              "ORDER": str(number + 1), "DELETE": "", **fields}  # fmt: skip
    return {f"caps-{number}-{name}": value for name, value in values.items()}


def quiet(number: int, begins: str, ends: str, days: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"begins": begins, "ends": ends, "weekdays": days, "id": "",
                              "ORDER": str(number + 1), "DELETE": ""}  # fmt: skip
    return {f"quiet_hours-{number}-{name}": value for name, value in values.items()}


def test_page_of_a_site_that_set_nothing_shows_the_default(chief: Client) -> None:
    html = chief.get(url()).content.decode()
    assert 'name="weekly_limit" value="3"' in html
    assert "All channels together" in html
    assert not FrequencyCap.objects.exists()


def test_limits_and_quiet_hours_are_kept_in_their_order(chief: Client) -> None:
    sent = form(
        **{"caps-TOTAL_FORMS": "2", "quiet_hours-TOTAL_FORMS": "2"},
        **cap(0),
        **cap(1, limit="4", amount="2", unit="weeks", channel="email"),
        **quiet(0, "21:00", "08:00", []),
        **quiet(1, "00:00", "12:00", ["7", "6"]),
    )
    assert chief.post(url(), sent).status_code == 302
    found = FrequencyCap.objects.values_list("limit", "amount", "unit", "channel")
    assert list(found) == [(1, 1, "days", ""), (4, 2, "weeks", "email")]
    hours = list(QuietHours.objects.values_list("begins", "ends", "weekdays"))
    assert hours == [(time(21), time(8), ""), (time(0), time(12), "67")]
    html = chief.get(url()).content.decode()
    assert html.count("checked") >= 2


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"caps-TOTAL_FORMS": "1", **cap(0, limit="0")}, "greater than or equal to 1"),
        ({"weekly_limit": "0"}, "greater than or equal to 1"),
        (
            {"quiet_hours-TOTAL_FORMS": "1", **quiet(0, "08:00", "08:00", [])},
            "This is a whole day or none.",
        ),
    ],
)
def test_rule_that_makes_no_sense_is_refused_with_what_to_do(
    chief: Client, wrong: dict[str, Any], complaint: str
) -> None:
    answer = chief.post(url(), form(**wrong))
    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert not FrequencyCap.objects.exists()
    assert not QuietHours.objects.exists()


def test_limit_that_is_taken_away_is_none_and_not_the_default(chief: Client) -> None:
    assert chief.post(url(), form(weekly_limit="")).status_code == 302
    assert TriggersSettings.objects.get().weekly_limit is None


def test_digest_is_chosen_from_templates_that_are_written_for_it(chief: Client) -> None:
    def write(name: str, event: str) -> Template:
        row = Template(
            site=Site.objects.get(), locale=Locale.get_default(), name=name, event=event,
            subject=name, body=[("html", "<p>Hello</p>")], message_class=MessageClass.MARKETING,
            topic=topic("news"),
        )  # fmt: skip
        row.save()
        return row

    digest = write("All at once", "digest")
    write("Just one", "cart_abandoned")
    html = chief.get(url()).content.decode()
    assert f'<option value="{digest.pk}">All at once' in html
    assert "Just one" not in html
    assert chief.post(url(), form(digest_template=str(digest.pk))).status_code == 302
    assert TriggersSettings.objects.get().digest_template == digest


def test_template_can_be_written_for_a_digest_with_its_items(chief: Client) -> None:
    from wagtail_triggers.messages.lint import lint

    row = Template(
        site=Site.objects.get(), locale=Locale.get_default(), name="D", event="digest",
        message_class=MessageClass.MARKETING, topic=topic("news"),
    )  # fmt: skip
    good = "{% for item in items %}<a href='{{ item.url }}'>{{ item.subject }}</a>{% endfor %}"
    row.subject, row.body = "{{ items.size }}", [("html", good)]
    assert list(lint(row)) == []
    row.body = [("html", "{{ cart.total | money }}")]
    faults = list(lint(row))
    assert [field for field, _message in faults] == ["body"]
