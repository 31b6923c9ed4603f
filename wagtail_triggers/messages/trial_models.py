"""Test messages that staff send to themselves. Import the model from `models`."""

from __future__ import annotations

import uuid

from django.conf import settings as django_settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Trial(models.Model):
    """One test message.

    It has a table of its own, so that no cap, no statistic and no conversion can ever count it: a
    trial is nobody's message, whatever address it goes to.
    """

    wagtail_reference_index_ignore = True

    class State(models.TextChoices):
        """What became of it."""

        SENDING = "sending", _("being handed over")
        ACCEPTED = "accepted", _("accepted by the provider")
        FAILED = "failed", _("not sent")
        UNKNOWN = "unknown", _("outcome not known")

    #: `trial:` and this are the idempotency key: no message of the ledger's has such a one.
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey("wagtailcore.Site", on_delete=models.CASCADE, related_name="+")
    template = models.ForeignKey(
        "wagtail_triggers.Template", on_delete=models.CASCADE, related_name="trials"
    )
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    channel = models.CharField(_("channel"), max_length=32)
    address = models.CharField(_("address"), max_length=320)
    #: Whose data it was written with, in words.
    shown_as = models.CharField(_("shown as"), max_length=255, blank=True)
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.SENDING
    )
    #: Why, as the provider or we said it.
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    provider_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(_("sent"))

    class Meta:
        verbose_name = _("test message")
        verbose_name_plural = _("test messages")
        indexes = (
            models.Index(fields=["user", "created_at"], name="triggers_trial_user"),
            models.Index(fields=["template", "created_at"], name="triggers_trial_template"),
        )

    def __str__(self) -> str:
        return self.subject or str(self.public_id)

    @property
    def idempotency_key(self) -> str:
        """The provider's key, which no message of the ledger's can have."""
        return f"trial:{self.public_id}"
