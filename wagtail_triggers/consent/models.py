"""Topics, subscriptions, suppression and unsubscribe tokens.

Consent is attached to an address, not to a profile: whoever takes over an address starts anew,
and two profiles with one address cannot disagree.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _


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
