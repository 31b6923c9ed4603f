"""Topics, subscriptions, suppression, unsubscribe tokens; how often, and not at night.

Consent is attached to an address, not to a profile: whoever takes over an address starts anew,
and two profiles with one address cannot disagree.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.models import Orderable

from .weekdays import WeekdaysField


def new_token() -> str:
    """A random token of 128 bits, safe in a URL."""
    return secrets.token_urlsafe(16)


class Topic(models.Model):
    """What a person subscribes to: news, cart reminders, reviews."""

    class Consent(models.TextChoices):
        """What a marketing message on this topic needs before it may leave."""

        OPT_IN = "opt_in", _("An explicit subscription")
        SOFT = "soft", _("An address given in the shop, and no objection")

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField(_("identifier"), max_length=64)
    name = models.CharField(_("name"), max_length=128)
    description = models.TextField(_("description"), blank=True)
    consent = models.CharField(
        _("consent"),
        max_length=8,
        choices=Consent.choices,
        default=Consent.OPT_IN,
        help_text=_(
            "Ask your lawyer before you choose anything but an explicit subscription: the law "
            "differs from country to country."
        ),
    )

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        constraints = (models.UniqueConstraint(fields=["site", "slug"], name="triggers_topic"),)

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """What an address said of a topic, last."""

    wagtail_reference_index_ignore = True

    class State(models.TextChoices):
        """The answer."""

        SUBSCRIBED = "subscribed", _("subscribed")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(_("channel"), max_length=32, default="email")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="+")
    #: Normalised as `contacts.identities.normalise` does it.
    address = models.CharField(_("address"), max_length=320)
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = (
            models.UniqueConstraint(
                fields=["site", "channel", "topic", "address"], name="triggers_subscription"
            ),
        )

    def __str__(self) -> str:
        return f"{self.address}: {self.topic_id} {self.state}"


class ConsentEvent(models.Model):
    """The append-only proof of what was agreed to or withdrawn, when and where."""

    wagtail_reference_index_ignore = True

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=32)
    #: Empty when everything was meant.
    topic_slug = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=320)
    action = models.CharField(max_length=16)
    source = models.CharField(max_length=128)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("consent record")
        verbose_name_plural = _("consent records")
        indexes = (models.Index(fields=["site", "address"], name="triggers_consent_address"),)

    def __str__(self) -> str:
        return f"{self.action} {self.topic_slug} ({self.source})"


class Suppression(models.Model):
    """An address that must not be written to. Only a keyed hash of it is kept."""

    wagtail_reference_index_ignore = True

    class Scope(models.TextChoices):
        """How much is stopped."""

        MARKETING = "marketing", _("marketing messages")
        ALL = "all", _("every message")

    class Reason(models.TextChoices):
        """Why it was stopped."""

        UNSUBSCRIBED = "unsubscribed", _("unsubscribed from everything")
        BOUNCED = "bounced", _("the address does not exist")
        COMPLAINED = "complained", _("reported as spam")
        MANUAL = "manual", _("added by hand")
        ERASED = "erased", _("the person was erased")

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(_("channel"), max_length=32, default="email")
    address_hash = models.CharField(max_length=64)
    scope = models.CharField(_("scope"), max_length=16, choices=Scope.choices)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = (
            models.UniqueConstraint(
                fields=["site", "channel", "address_hash"], name="triggers_suppression"
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope}: {self.reason}"


class LinkToken(models.Model):
    """A random, purpose-bound token in an unsubscribe link. It works for ever."""

    wagtail_reference_index_ignore = True

    token = models.CharField(max_length=32, unique=True, default=new_token)
    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=32)
    topic = models.ForeignKey(Topic, null=True, on_delete=models.SET_NULL, related_name="+")
    #: Blanked by an erasure; the hash goes on working.
    address = models.CharField(max_length=320, blank=True)
    address_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("link token")
        verbose_name_plural = _("link tokens")
        constraints = (
            models.UniqueConstraint(
                fields=["site", "channel", "topic", "address_hash"], name="triggers_link_token"
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.topic_id}"


class FrequencyCap(Orderable):
    """At most so many marketing messages to one person in any span of so long."""

    class Unit(models.TextChoices):
        """Of what the span is made. A day is 24 hours: the window rolls."""

        HOURS = "hours", _("hours")
        DAYS = "days", _("days")
        WEEKS = "weeks", _("weeks")

    settings = ParentalKey(
        "wagtail_triggers.TriggersSettings", on_delete=models.CASCADE, related_name="caps"
    )
    limit = models.PositiveSmallIntegerField(
        _("messages at most"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1_000)],
    )
    amount = models.PositiveSmallIntegerField(
        _("in"), default=1, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    unit = models.CharField(_("unit"), max_length=8, choices=Unit.choices, default=Unit.DAYS)
    channel = models.CharField(
        _("channel"), max_length=32, blank=True, help_text=_("Empty: all channels together.")
    )

    class Meta(Orderable.Meta):
        verbose_name = _("frequency cap")
        verbose_name_plural = _("frequency caps")

    def __str__(self) -> str:
        return f"{self.limit} / {self.amount} {self.unit}"

    @property
    def window(self) -> timedelta:
        """How long the span is."""
        return timedelta(**{str(self.unit): self.amount})


class QuietHours(Orderable):
    """A span of the day, on the clock of each person, in which marketing is held."""

    settings = ParentalKey(
        "wagtail_triggers.TriggersSettings", on_delete=models.CASCADE, related_name="quiet_hours"
    )
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("Earlier than “from”: of the next day."))
    weekdays = WeekdaysField(
        _("beginning on"), blank=True, help_text=_("None chosen: on every day.")
    )

    class Meta(Orderable.Meta):
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M} {self.weekdays}".strip()

    def clean(self) -> None:
        """Refuse what would never end."""
        super().clean()
        if self.begins == self.ends and self.begins is not None:
            raise ValidationError(
                {"ends": _("This is a whole day or none. For a whole day write 00:00 until 23:59.")}
            )


class SendLedger(models.Model):
    """That a marketing message takes one of its person's slots: what frequency caps count.

    It is also the permit with which the message may leave. At the claim everything that takes
    thinking is decided (caps, quiet hours in the person's own zone), and the permit says until
    when that holds; so the last question before the hand-over is one look at this row.
    """

    wagtail_reference_index_ignore = True

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    contact = models.ForeignKey(
        "wagtail_triggers.Contact", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: One row for each message, however often it is claimed.
    message = models.OneToOneField(
        "wagtail_triggers.Message",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    channel = models.CharField(max_length=32)
    #: The latest moment at which it can have left: a window that is counted from here is never
    #: too short.
    at = models.DateTimeField()
    #: It may be handed over before this, and not without being claimed anew after it.
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("sent to a person")
        verbose_name_plural = _("sent to people")
        indexes = (models.Index(fields=["contact", "at"], name="triggers_ledger_contact"),)

    def __str__(self) -> str:
        return f"{self.contact_id} {self.channel} {self.at:%Y-%m-%d %H:%M}"
