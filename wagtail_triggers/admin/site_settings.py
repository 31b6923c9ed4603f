"""Settings > Triggers: who writes, how mails look, how often, and when not."""

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
    TabbedInterface,
)

from ..conf import settings
from .look import ColourInput, LookPanel, SettingsForm


class ChannelSelect(forms.Select):
    """The channels that are set up; read when the page is shown."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = _channels  # type: ignore[assignment]  # Django calls it at each look


def _channels() -> list[tuple[str, Any]]:
    return [("", _("All channels together")), *((name, name) for name in settings.CHANNELS)]


def _colours(*names: str) -> FieldRowPanel:
    return FieldRowPanel([FieldPanel(name, widget=ColourInput) for name in names])


_SENDER = ObjectList(
    [
        FieldRowPanel([FieldPanel("sender_name"), FieldPanel("sender_email")]),
        FieldPanel("reply_to"),
        FieldPanel("postal_address"),
        FieldPanel("time_zone"),
        FieldPanel("sending_on"),
    ],
    heading=_("Sender"),
)

_LOOK = ObjectList(
    [
        LookPanel(),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("logo"), FieldPanel("logo_width")])], heading=_("Logo")
        ),
        MultiFieldPanel(
            [
                _colours("colour", "link_colour"),
                _colours("text_colour", "card_colour"),
                _colours("page_colour"),
            ],
            heading=_("Colours"),
        ),
        MultiFieldPanel(
            [
                _colours("dark_link_colour", "dark_text_colour"),
                _colours("dark_card_colour", "dark_page_colour"),
            ],
            heading=_("Colours in the dark"),
            help_text=_("For readers whose device is set to a dark appearance."),
            classname="collapsed",
        ),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("font"), FieldPanel("corner_radius")])],
            heading=_("Font and corners"),
        ),
        MultiFieldPanel(
            [FieldPanel("footer_text"), FieldPanel("social_links")], heading=_("Footer")
        ),
    ],
    heading=_("Look of mails"),
)

_LIMITS = ObjectList(
    [
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
    ],
    heading=_("How often and when"),
)

#: The page, tab by tab.
EDIT_HANDLER = TabbedInterface([_SENDER, _LOOK, _LIMITS], base_form_class=SettingsForm)
