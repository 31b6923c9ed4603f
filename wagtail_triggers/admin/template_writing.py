"""What helps to write a template: variables to pick, and how long a text comes out."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin.panels import HelpPanel
from wagtail.models import Locale, Site

from ..core.sites import default_site_id
from ..events.types import event_types
from ..messages.measuring import measure_texts
from ..messages.models import Template
from ..messages.picking import choices_for, group_label
from ..messages.samples import variables_for
from ..messages.sandbox import HTML
from ..messages.short_texts import MEASURES
from .liquid_widgets import writing_media
from .panels import ExplainingPanel
from .permissions import policy_of

#: Nobody types more into a field whose length is measured.
_LONGEST = 4_000


class VariablesPanel(ExplainingPanel):
    """Lists the variables that the text may use, for the event that the template is written for.

    It also carries the picker, which offers them at every field.
    """

    explains = _("What the text may use")
    explained_by = "wagtail_triggers/admin/variables.html"

    class BoundPanel(HelpPanel.BoundPanel):
        """The panel on the page of one template."""

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return the variables in groups, and the filters."""
            context: dict[str, Any] = super().get_context_data(parent_context)
            event = self.instance.event
            groups: dict[str, list[tuple[str, str, str]]] = {}
            for name, variable in variables_for(event).paths():
                if variable.kind != "object":
                    root = name.split(".")[0]
                    groups.setdefault(root, []).append((name, variable.kind, variable.label))
            known = event_types.all().get(event)
            context["groups"] = [(group_label(root), paths) for root, paths in groups.items()]
            context["event_label"] = known.label if known else ""
            context["filters"] = sorted(HTML.filters)
            context["variables_url"] = reverse("triggers_templates:variables")
            context["measure_url"] = reverse("triggers_templates:measure")
            context["site_id"] = self.instance.site_id or default_site_id()
            context["locale_id"] = self.instance.locale_id or ""
            context["words"] = json.dumps(_words())
            return context

        @property
        def media(self) -> Media:
            """The picker."""
            media: Media = super().media + writing_media()
            return media


class ChannelsPanel(ExplainingPanel):
    """Says which channels the template has text for, as it is published."""

    explains = _("Which channels it serves")
    explained_by = "wagtail_triggers/admin/channels.html"

    class BoundPanel(HelpPanel.BoundPanel):
        """The panel on the page of one template."""

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return their names."""
            context: dict[str, Any] = super().get_context_data(parent_context)
            version = self.instance.live_version
            named = {"email": _t("mail"), "sms": _t("SMS"), "push": _t("push")}
            named["onsite"] = _t("the shop's pages")
            found = [label for one, label in named.items() if version and version.has_text_for(one)]
            context["live"] = ", ".join(found)
            return context


def _words() -> dict[str, str]:
    """Return what the picker says."""
    return {
        "title": _t("Insert a variable"),
        "search": _t("Search by name, path or sample"),
        "ways": _t("How it is written"),
        "insert": _t("Insert"),
        "cancel": _t("Cancel"),
        "none": _t("Nothing of that name. Search for a part of it."),
        "empty": _t("(empty)"),
        "loading": _t("Loading…"),
        "failed": _t("The server did not answer. Close this and try again."),
    }


class _ForWriters(View):
    """Answers whoever may write templates on the site that is asked about."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may write no template there."""
        policy = policy_of(Template)
        template = self.template(request.POST or request.GET)
        allowed = any(
            policy.user_has_permission_for_instance(request.user, action, template)
            for action in ("add", "change")
        )
        if not allowed:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def template(self, given: Any) -> Template:
        """Return a template that is not saved, as the form describes it."""
        site = _row(Site, given.get("site")) or Site.objects.filter(pk=default_site_id()).first()
        locale = _row(Locale, given.get("locale")) or Locale.get_default()
        event = str(given.get("event", ""))[:64]
        return Template(site=site, locale=locale, event=event)


def _row(model: Any, value: object) -> Any:
    text = str(value or "")
    return model.objects.filter(pk=int(text)).first() if text.isdecimal() else None


class VariablesView(_ForWriters):
    """What the text of a template may name, with samples, for the event that is chosen now."""

    http_method_names = ("get",)

    def get(self, request: HttpRequest) -> JsonResponse:
        """Answer with everything that can be picked."""
        template = self.template(request.GET)
        choices = choices_for(template)
        groups = {one["group"]: group_label(one["group"]) for one in choices}
        return JsonResponse({"choices": choices, "groups": groups})


class MeasureView(_ForWriters):
    """How long texts come out that somebody is typing. It writes nothing."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> JsonResponse:
        """Answer with a piece of HTML for each field that was sent."""
        texts = {name: request.POST[name][:_LONGEST] for name in MEASURES if name in request.POST}
        measured = measure_texts(self.template(request.POST), texts)
        name = "wagtail_triggers/admin/measure.html"
        return JsonResponse(
            {
                field: render_to_string(name, {"measured": measured.get(field)}).strip()
                for field in texts
            }
        )


def writing_urls() -> list[URLPattern]:
    """Return where variables are listed and texts are measured."""
    return [
        path("variables/", VariablesView.as_view(), name="variables"),
        path("measure/", MeasureView.as_view(), name="measure"),
    ]
