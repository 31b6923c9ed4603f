"""Refusal: why an event let nobody into a journey that listens to it."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class Refusal(models.Model):
    """An event that a journey listens to and that started no run, with the rule behind it.

    One event may be refused by dozens of journeys, so that this is what a router writes most. It is
    asked for by person, which is its one index, and no key is enforced.
    """

    wagtail_reference_index_ignore = True

    journey = models.ForeignKey(
        "wagtail_triggers.Journey",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    contact = models.ForeignKey(
        "wagtail_triggers.Contact",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    event = models.ForeignKey(
        "wagtail_triggers.Event",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    reason = models.CharField(_("reason"), max_length=64)
    #: The version that listened then; NULL where the event came from a chain that was cut.
    version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    #: What the rule saw: of a filter, the conditions that did not hold with what they found.
    detail = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("refused enrolment")
        verbose_name_plural = _("refused enrolments")
        indexes = (models.Index(fields=["contact", "journey"], name="triggers_refusal"),)

    def __str__(self) -> str:
        return f"{self.journey_id}/{self.contact_id}: {self.reason}"
