"""Settings > Triggers: who writes, how often, and when not."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
)

from ..conf import settings


class ChannelSelect(forms.Select):
    """The channels that are set up; read when the page is shown."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = _channels  # type: ignore[assignment]  # Django calls it at each look


def _channels() -> list[tuple[str, Any]]:
    return [("", _("All channels together")), *((name, name) for name in settings.CHANNELS)]


#: The page, section by section.
EDIT_HANDLER = ObjectList(
    [
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("sender_name"), FieldPanel("sender_email")]),
                FieldPanel("reply_to"),
                FieldPanel("postal_address"),
                FieldRowPanel([FieldPanel("logo_url"), FieldPanel("colour")]),
                FieldPanel("time_zone"),
            ],
            heading=_("Sender"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("weekly_limit"),
                InlinePanel(
                    "caps",
                    label=_("further limit"),
                    panels=[
                        FieldRowPanel(
                            [
                                FieldPanel("limit"),
                                FieldPanel("amount"),
                                FieldPanel("unit"),
                                FieldPanel("channel", widget=ChannelSelect),
                            ]
                        )
                    ],
                    help_text=_(
                        "For example: at most 1 message in 1 day. All limits hold together."
                    ),
                ),
            ],
            heading=_("How often"),
            help_text=_("Counts marketing alone. Receipts and the like always leave at once."),
        ),
        MultiFieldPanel(
            [
                InlinePanel(
                    "quiet_hours",
                    label=_("quiet hours"),
                    panels=[
                        FieldRowPanel([FieldPanel("begins"), FieldPanel("ends")]),
                        FieldPanel("weekdays"),
                    ],
                ),
                FieldPanel("quiet_spread_minutes"),
            ],
            heading=_("Quiet hours"),
            help_text=_(
                "On the clock of each person. Marketing that comes due then waits until they end."
            ),
        ),
        MultiFieldPanel(
            [FieldPanel("digest_template", widget=forms.Select)],
            heading=_("Digest"),
        ),
        FieldPanel("sending_on"),
    ]
)
