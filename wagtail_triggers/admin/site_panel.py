"""Settings > Groups: on which sites a group's permissions about Triggers hold."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from .models import SiteAccess


class SiteAccessForm(forms.Form):
    """One box for each site; none ticked stands for every site."""

    sites = forms.ModelMultipleChoiceField(
        label=_("Sites"),
        queryset=Site.objects.order_by("hostname", "port"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    #: Whether somebody was asked: a form that left the panel out must not widen anything.
    shown = forms.BooleanField(initial=True, required=False, widget=forms.HiddenInput)
    template_name = "wagtail_triggers/admin/site_access.html"

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        instance: Group | None = None,
        prefix: str = "triggers_sites",
    ) -> None:
        self.instance = instance or Group()
        served: list[int] = []
        if self.instance.pk is not None:
            rows = SiteAccess.objects.filter(group=self.instance)
            served = list(rows.values_list("site_id", flat=True))
        super().__init__(data, files, initial={"sites": served}, prefix=prefix)

    @transaction.atomic
    def save(self) -> None:
        """Bind the group to what was ticked, and to nothing else."""
        if not self.cleaned_data["shown"]:
            return
        rows = SiteAccess.objects.filter(group=self.instance)
        wanted = set(self.cleaned_data["sites"])
        rows.exclude(site__in=wanted).delete()
        known = set(rows.values_list("site_id", flat=True))
        SiteAccess.objects.bulk_create(
            SiteAccess(group=self.instance, site=site) for site in wanted if site.pk not in known
        )

    def as_admin_panel(self) -> str:
        """Return the panel; nothing where there is but one site."""
        if self.fields["sites"].queryset.count() < 2:  # type: ignore[attr-defined]
            return ""
        return render_to_string(self.template_name, {"form": self})


def site_access_panel() -> type[SiteAccessForm]:
    """Return the panel's class: the hook `register_group_permission_panel`."""
    return SiteAccessForm
