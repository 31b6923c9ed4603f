"""The rows that providers' reports become. Import them from `models`, like the room's others."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class MessageEvent(models.Model):
    """What a provider reported of a message later: one row for each report, whatever came before.

    No foreign key is enforced: a provider must not wait for our locks, and nothing walks from a
    message over its reports.
    """

    wagtail_reference_index_ignore = True

    class Kind(models.TextChoices):
        """What happened."""

        SENT = "sent", _("taken by the provider")
        DELIVERED = "delivered", _("delivered")
        DEFERRED = "deferred", _("put off by the recipient's server")
        BOUNCED = "bounced", _("bounced")
        REJECTED = "rejected", _("refused by the provider")
        COMPLAINED = "complained", _("reported as spam")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed at the provider")
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")
        OTHER = "other", _("something else")

    site = models.ForeignKey(
        "wagtailcore.Site",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    #: NULL until it is found, and for ever where the report is about no message of ours.
    message = models.ForeignKey(
        "wagtail_triggers.Message",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("what"), max_length=16, choices=Kind.choices)
    #: When it happened, by the provider's clock.
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded"))
    provider = models.CharField(_("provider"), max_length=32)
    #: The provider's id of the report, or a digest of what it says where it has none.
    provider_event_id = models.CharField(max_length=128)
    provider_message_id = models.CharField(max_length=255, blank=True)
    #: Our id of the message, where the provider gave it back.
    public_id = models.UUIDField(null=True)
    #: The provider's words, without addresses.
    detail = models.CharField(_("detail"), max_length=255, blank=True)
    url = models.TextField(_("link"), blank=True)
    #: The provider says that no person did this.
    machine = models.BooleanField(_("by a machine"), default=False)
    #: Why the address is to be suppressed: a value of `Suppression.Reason`, or "".
    stops = models.CharField(max_length=16, blank=True)
    #: When a worker should look at it; NULL once it has had its effects, or will have none.
    due_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("provider's report")
        verbose_name_plural = _("providers' reports")
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "provider_event_id"], name="triggers_report_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"],
                name="triggers_report_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["message", "at"], name="triggers_report_message"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.provider}"
