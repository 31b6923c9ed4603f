"""Assignment: which variant of an experiment a person has, for good."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Assignment(models.Model):
    """A person's variant, kept at its first use: it stays although the shares change later."""

    wagtail_reference_index_ignore = True

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    contact = models.ForeignKey(
        "wagtail_triggers.Contact", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    #: `journey:<id>:<node>` for a split inside a journey.
    experiment = models.CharField(_("experiment"), max_length=128)
    variant = models.CharField(_("variant"), max_length=64)
    at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = (
            models.UniqueConstraint(
                fields=["contact", "experiment"], name="triggers_assignment_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.experiment}: {self.variant}"
