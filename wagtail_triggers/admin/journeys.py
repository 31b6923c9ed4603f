"""Journeys: the listing with its numbers, the editor with its outline, the page to read."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from wagtail.admin.panels import (
    FieldPanel,
    HelpPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
)
from wagtail.admin.ui.tables import UpdatedAtColumn
from wagtail.admin.widgets.button import Button
from wagtail.models import Site
from wagtail.permissions import policy_registry
from wagtail.snippets.views.snippets import EditView, InspectView, SnippetViewSet

from ..analytics.rollups import numbers
from ..core import clock
from ..journeys.comparisons import OPS
from ..journeys.models import Journey
from ..journeys.reading import read_json, read_text
from ..journeys.steps.registry import steps as step_kinds
from ..journeys.surroundings import SiteSurroundings
from ..messages.models import Template
from .bundles import export_buttons
from .canvas import canvas_urls, inspect_canvas
from .columns import MINOR
from .comparison import JourneyCompareView
from .deletion import KeptDeleteView
from .doors import SiteChooserViewSet
from .dry_run import rehearsal_buttons, rehearsal_urls
from .forms import JourneyForm
from .journey_listing import NUMBER_COLUMNS, JourneyIndexView
from .panels import ExplainingPanel
from .publication import PublicationColumn
from .states import explained
from .switching import switch_buttons, switch_urls
from .underway import underway_urls
from .why import why_buttons, why_urls
from .widgets import GraphTextarea, canvas_media

OUTLINE = "wagtail_triggers/admin/outline.html"


class JourneyEditView(EditView):
    """The editor, with the way to what the draft would have done. Locked, it can only be read."""

    def get_form(self, form_class: Any = None) -> Any:
        """Return the form; where somebody has locked the journey, its canvas only shows."""
        form = super().get_form(form_class)
        if self.locked_for_user and "graph" in form.fields:
            form.fields["graph"].widget.attrs["readonly"] = True
        return form

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        """Return Wagtail's buttons, and "What would this have done?"."""
        inherited = EditView.header_more_buttons.func(self)
        return [
            *inherited,
            *rehearsal_buttons(self.request.user, self.object),
            *export_buttons(self.request.user, self.object),
        ]


class JourneyInspectView(InspectView):
    """The journey to read, as it is live, for those who may not edit it too."""

    def get_fields(self) -> list[str]:
        """Return none: the template lays the journey out itself."""
        return []

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        """Return Wagtail's buttons, and "Pause" or "Resume"."""
        inherited = InspectView.header_more_buttons.func(self)
        return [
            *inherited,
            *rehearsal_buttons(self.request.user, self.object),
            *why_buttons(self.request.user, self.object),
            *switch_buttons(self.request.user, self.object),
            *export_buttons(self.request.user, self.object),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the outline of the published graph, or of the draft where nothing is published."""
        journey: Journey = self.object
        asked = self.request.GET.get("version", "")
        live = journey.live_version
        if asked.isdecimal():  # as it was when somebody went through it
            live = journey.versions.filter(number=int(asked[:9])).first() or live
        graph = live.graph if live else journey.graph
        return {
            **super().get_context_data(**kwargs),
            "version": live,
            "pause_reason": explained(journey.pause_reason),
            "reading": read_json(graph, journey.site_id),
            "canvas": json.dumps(inspect_canvas(journey, graph)),
            "canvas_media": canvas_media(),
            "numbers": numbers([journey.pk], clock.now())[journey.pk],
        }


@require_POST
def outline_view(request: HttpRequest) -> JsonResponse:
    """Read the graph that is being typed: the outline as HTML, and whether it is JSON at all.

    POST `graph` (JSON as text) and `site`. It changes nothing, but names templates; so it asks for
    the permission to write journeys.
    """
    policy = policy_registry.get_by_type(Journey)
    if not policy.user_has_any_permission(request.user, {"add", "change"}):
        raise PermissionDenied
    site = request.POST.get("site", "")
    known = Site.objects.filter(pk=site).exists() if site.isdecimal() else False
    reading = read_text(request.POST.get("graph", ""), int(site) if known else None)
    html = render_to_string(OUTLINE, {"reading": reading}, request=request)
    return JsonResponse({"html": html, "readable": not reading.fault})


class ReferencePanel(ExplainingPanel):
    """Lists what the graph may name: kinds of steps, templates with their keys, events, facts."""

    explains = _("What steps may name")
    explained_by = "wagtail_triggers/admin/reference.html"

    class BoundPanel(HelpPanel.BoundPanel):
        """The panel on the page of one journey."""

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return everything that has a name, from the journey's site."""
            context: dict[str, Any] = super().get_context_data(parent_context)
            around = SiteSurroundings(self.instance.site_id)
            templates = Template.objects.filter(site_id=self.instance.site_id).order_by("name")
            context["kinds"] = [
                (kind.identifier, kind.label, kind.description, list(kind.Settings.model_fields))
                for kind in step_kinds.all().values()
            ]
            context["templates"] = templates.only("name", "translation_key", "live")
            context["events"] = around.events().items()
            context["facts"] = around.facts().items()
            context["operators"] = OPS.items()
            return context


class JourneyViewSet(SnippetViewSet):
    """Triggers > Journeys."""

    model = Journey
    icon = "triggers-journey"
    url_prefix = "triggers/journeys"
    url_namespace = "triggers_journeys"
    index_view_class = JourneyIndexView
    chooser_viewset_class = SiteChooserViewSet
    edit_view_class = JourneyEditView
    inspect_view_class = JourneyInspectView
    revisions_compare_view_class = JourneyCompareView
    delete_view_class = KeptDeleteView
    inspect_view_enabled = True
    inspect_template_name = "wagtail_triggers/admin/journey.html"
    index_results_template_name = "wagtail_triggers/admin/journeys_results.html"
    list_display = (
        "name",
        PublicationColumn(classname=MINOR),
        *NUMBER_COLUMNS,
        UpdatedAtColumn(classname=MINOR),
    )
    list_filter = ("state", "live")
    list_per_page = 50
    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    FieldPanel("name"),
                    FieldPanel("graph", widget=GraphTextarea),
                    ReferencePanel(),
                    PublishingPanel(),
                ],
                heading=_("Steps"),
            ),
            ObjectList(
                [FieldPanel("description"), FieldPanel("priority"), FieldPanel("site")],
                heading=_("Settings"),
            ),
        ],
        base_form_class=JourneyForm,
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the snippet's URLs, the outline of what is being typed, pausing and resuming."""
        return [
            *super().get_urlpatterns(),
            path("outline/", outline_view, name="outline"),
            *canvas_urls(),
            *switch_urls(),
            *underway_urls(),
            *why_urls(),
            *rehearsal_urls(),
        ]
