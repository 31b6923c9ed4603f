"""Saleor instances that have installed us, and what their webhooks brought."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Instance(models.Model):
    """A Saleor that handed us a token (what its App SDK calls an APL entry)."""

    wagtail_reference_index_ignore = True

    api_url = models.URLField(_("GraphQL address"), unique=True, max_length=500)
    domain = models.CharField(_("domain"), max_length=255)
    #: The id that Saleor gave to our app.
    app_id = models.CharField(_("app"), max_length=128)
    #: Encrypted; empty once the app was removed.
    token = models.TextField(editable=False, blank=True)
    #: The public keys as they were fetched last, so that all processes share them.
    jwks = models.JSONField(default=dict, editable=False)
    jwks_at = models.DateTimeField(null=True, editable=False)
    #: Set before keys are asked for: a forged `kid` brings one request a minute, not a flood.
    jwks_asked_at = models.DateTimeField(null=True, editable=False)
    installed_at = models.DateTimeField(_("installed"))
    removed_at = models.DateTimeField(_("removed"), null=True)

    class Meta:
        verbose_name = _("Saleor instance")
        verbose_name_plural = _("Saleor instances")

    def __str__(self) -> str:
        return self.domain


class Outcome(models.TextChoices):
    """What became of a delivery."""

    RECORDED = "recorded", _("Recorded")
    #: It says nothing that a journey could use: an anonymous checkout, another channel.
    IGNORED = "ignored", _("Of no interest")
    #: It was signed and could not be read. It is kept, so that nothing is lost.
    FAILED = "failed", _("Could not be read")


class Delivery(models.Model):
    """One body that Saleor signed. Its hash is what makes a repetition harmless."""

    wagtail_reference_index_ignore = True

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="deliveries")
    #: SHA-256 of the raw body.
    digest = models.CharField(max_length=64)
    event = models.CharField(max_length=64)
    #: The raw text, as it was signed; a stub of it where it was too large.
    body = models.TextField()
    issued_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("Saleor delivery")
        verbose_name_plural = _("Saleor deliveries")
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "digest"], name="triggers_saleor_delivery_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.digest[:8]}"
