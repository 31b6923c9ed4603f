"""Message templates: written in Liquid, previewed with made-up data, checked when published."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
)
from wagtail.admin.ui.tables import Column, LocaleColumn, UpdatedAtColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from ..events.types import event_types
from ..messages.models import Template
from ..messages.samples import variables_for
from ..messages.sandbox import HTML
from .columns import MINOR, WrappingColumn
from .deletion import KeptDeleteView
from .doors import SiteChooserViewSet
from .forms import TemplateForm
from .panels import ExplainingPanel
from .publication import PublicationColumn, PublicationIndexView
from .template_preview import (
    TemplateCreateView,
    TemplateEditView,
    TemplatePreviewOnCreateView,
    TemplatePreviewOnEditView,
    preview_urls,
)


class VariablesPanel(ExplainingPanel):
    """Lists the variables that the text may use, for the event that the template is written for."""

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
            context["groups"] = list(groups.items())
            context["event_label"] = known.label if known else ""
            context["filters"] = sorted(HTML.filters)
            return context


def _event_label(template: Template) -> str:
    known = event_types.all().get(template.event)
    return str(known.label) if known else template.event


class TemplateViewSet(SnippetViewSet):
    """Triggers > Message templates."""

    model = Template
    icon = "triggers-message"
    url_prefix = "triggers/templates"
    url_namespace = "triggers_templates"
    index_view_class = PublicationIndexView
    chooser_viewset_class = SiteChooserViewSet
    add_view_class = TemplateCreateView
    edit_view_class = TemplateEditView
    preview_on_add_view_class = TemplatePreviewOnCreateView
    preview_on_edit_view_class = TemplatePreviewOnEditView
    delete_view_class = KeptDeleteView
    inspect_view_enabled = True
    inspect_view_fields = (
        "name",
        "message_class",
        "topic",
        "subject",
        "preheader",
    )
    list_display = (
        "name",
        WrappingColumn("subject", label=_("Subject")),
        Column(
            "message_class", label=_("Kind"), accessor="get_message_class_display", classname=MINOR
        ),
        Column("event", label=_("Written for"), accessor=_event_label, classname=MINOR),
        LocaleColumn(classname=f"w-text-16 {MINOR}"),
        PublicationColumn(),
        UpdatedAtColumn(classname=MINOR),
    )
    list_filter = ("message_class", "live")
    list_per_page = 50
    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    FieldPanel("name"),
                    FieldPanel("subject"),
                    FieldPanel("preheader"),
                    FieldPanel("body"),
                    VariablesPanel(),
                    FieldPanel("follow", heading=_("When this is published")),
                    PublishingPanel(),
                ],
                heading=_("Text"),
            ),
            ObjectList(
                [
                    FieldRowPanel([FieldPanel("message_class"), FieldPanel("topic")]),
                    FieldPanel("event"),
                    FieldPanel("site"),
                ],
                heading=_("Settings"),
            ),
        ],
        base_form_class=TemplateForm,
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the snippet's URLs, and those of the preview."""
        return [*super().get_urlpatterns(), *preview_urls()]
