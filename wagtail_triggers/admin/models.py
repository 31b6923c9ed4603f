"""Which groups of the staff serve which sites."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class SiteAccess(models.Model):
    """A group's permissions about journeys, templates and people hold on this site.

    A group without any row serves every site: with one site, and after an upgrade, there is nothing
    to set up.
    """

    wagtail_reference_index_ignore = True

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="triggers_sites")
    site = models.ForeignKey("wagtailcore.Site", on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("site that a group serves")
        verbose_name_plural = _("sites that groups serve")
        constraints = (
            models.UniqueConstraint(fields=["group", "site"], name="triggers_site_access"),
        )

    def __str__(self) -> str:
        return f"{self.group} / {self.site}"
