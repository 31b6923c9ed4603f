"""The same message in other words: as an SMS, a push notification, a note on the shop's pages.

What editors write (`OtherBodies`) and what is frozen of it (`OtherSources`). Import the models from
`models`, like the room's others.
"""

from __future__ import annotations

from typing import Final

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.fields import RichTextField

#: What Draftail offers for a note on a page.
ONSITE_FEATURES: Final = ("bold", "italic", "link", "ul", "ol")
#: Longest source of a short text; what it may become is said by `short_texts`.
MAX_SHORT_SOURCE: Final = 4_000


class OtherBodies(models.Model):
    """Texts of a template for what is no mail; all Liquid, all optional."""

    sms_body = models.TextField(
        _("SMS"),
        blank=True,
        validators=[MaxLengthValidator(MAX_SHORT_SOURCE)],
        help_text=_("Plain text with Liquid. An SMS is paid for by its parts."),
    )
    push_title = models.CharField(_("push title"), max_length=255, blank=True)
    push_body = models.TextField(
        _("push text"), blank=True, validators=[MaxLengthValidator(MAX_SHORT_SOURCE)]
    )
    push_url = models.CharField(
        _("push address"),
        max_length=1_000,
        blank=True,
        help_text=_(
            "Where a tap leads, for example {{ cart.url }}. Empty: to the shop's start page."
        ),
    )
    onsite_body = RichTextField(
        _("note on the shop's pages"),
        blank=True,
        features=list(ONSITE_FEATURES),
        validators=[MaxLengthValidator(65_536)],
        help_text=_("Shown when the person next visits the shop."),
    )

    class Meta:
        abstract = True


class OtherSources(models.Model):
    """The Liquid sources of those texts in a frozen version; "" where there is none."""

    sms = models.TextField(blank=True, default="")
    push_title = models.TextField(blank=True, default="")
    push_body = models.TextField(blank=True, default="")
    push_url = models.TextField(blank=True, default="")
    #: HTML, sanitised.
    onsite = models.TextField(blank=True, default="")

    class Meta:
        abstract = True

    def has_text_for(self, channel: str) -> bool:
        """Say whether a message on this channel would have anything in it.

        Args:
            channel: A name in `WAGTAIL_TRIGGERS_CHANNELS`. Channels of a host's own are sent what
                a mail holds.
        """
        return bool(getattr(self, SOURCE_OF.get(channel, MAIL)))


#: The source that every other channel sends.
MAIL: Final = "html"
#: Which source of a version a channel sends.
SOURCE_OF: Final = {
    "sms": "sms",
    "push": "push_body",
    "webpush": "push_body",
    "onsite": "onsite",
}
