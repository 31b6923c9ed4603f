"""Tokens of the HTTP API. A secret is shown once; only its hash is kept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a token may do."""

    EVENTS = "events:write", _("Send events")
    CONTACTS = "contacts:write", _("Say what is known of people")
    READ = "journeys:read", _("Read journeys and their numbers")
    PEOPLE = "people:read", _("Read runs and messages of people")


class ApiToken(models.Model):
    """A key for one caller, one site and some scopes."""

    wagtail_reference_index_ignore = True

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100, help_text=_("Who uses it."))
    #: The part of the secret that finds the row; it opens nothing by itself.
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    #: SHA-256 of the secret, which has 256 random bits: nothing slower is needed.
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(_("may"), default=list)
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    #: The minute that is counted, and how much of its limit is used.
    counted_minute = models.BigIntegerField(default=0, editable=False)
    counted = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
