"""The one row by which the demo clock is ahead."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F


class ClockOffset(models.Model):
    """How far the demo clock is ahead of the real one. There is one row, with the id 1."""

    seconds = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.seconds} s ahead"

    @classmethod
    def current(cls) -> timedelta:
        """Return the offset; zero where nobody has moved the clock."""
        seconds = cls.objects.filter(pk=1).values_list("seconds", flat=True).first()
        return timedelta(seconds=seconds or 0)

    @classmethod
    def skip(cls, by: timedelta) -> None:
        """Move the clock forward."""
        cls.objects.get_or_create(pk=1)
        cls.objects.filter(pk=1).update(seconds=F("seconds") + int(by.total_seconds()))
