"""Daily numbers of each journey. The log is the truth: they can be rebuilt from it at any time."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rollup(models.Model):
    """What one journey did on one day, in the project's time zone."""

    wagtail_reference_index_ignore = True

    journey = models.ForeignKey(
        "wagtail_triggers.Journey", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    entered = models.PositiveIntegerField(default=0)
    #: Runs that came to an end, in whichever way.
    ended = models.PositiveIntegerField(default=0)
    converted = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("daily number")
        verbose_name_plural = _("daily numbers")
        constraints = (
            models.UniqueConstraint(fields=["journey", "day"], name="triggers_rollup_day"),
        )

    def __str__(self) -> str:
        return f"{self.journey_id} {self.day}"


class StepNumber(models.Model):
    """What happened at one step of a journey, over all of its versions."""

    wagtail_reference_index_ignore = True

    journey = models.ForeignKey(
        "wagtail_triggers.Journey", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    node = models.CharField(max_length=64)
    #: Runs that took a decision there, each once.
    entered = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    #: Messages that were refused, or of which nobody knows whether they left.
    failed = models.PositiveIntegerField(default=0)
    converted = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("number of a step")
        verbose_name_plural = _("numbers of steps")
        constraints = (
            models.UniqueConstraint(fields=["journey", "node"], name="triggers_step_number"),
        )

    def __str__(self) -> str:
        return f"{self.journey_id} {self.node}"


class RollupMark(models.Model):
    """How far numbers have come: one row for those of days, one for those of steps."""

    wagtail_reference_index_ignore = True

    name = models.CharField(max_length=16, unique=True)
    #: Everything up to this moment, and nothing after it, is counted.
    until = models.DateTimeField()
    #: No run and no conversion with a lower key is younger than that.
    runs_from = models.BigIntegerField(default=0)
    conversions_from = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("mark of the daily numbers")
        verbose_name_plural = _("marks of the daily numbers")

    def __str__(self) -> str:
        return f"{self.name} {self.until:%Y-%m-%d %H:%M}"
