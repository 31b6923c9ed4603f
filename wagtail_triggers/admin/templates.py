"""Message templates: written in Liquid, previewed with made-up data, checked when published."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
)
from wagtail.admin.ui.tables import Column, LocaleColumn, UpdatedAtColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from ..events.types import event_types
from ..messages.models import Template
from .columns import MINOR, WrappingColumn
from .deletion import KeptDeleteView
from .doors import SiteChooserViewSet
from .forms import TemplateForm
from .liquid_widgets import MeasuredInput, MeasuredTextarea
from .publication import PublicationColumn, PublicationIndexView
from .template_preview import (
    TemplateCreateView,
    TemplateEditView,
    TemplatePreviewOnCreateView,
    TemplatePreviewOnEditView,
    preview_urls,
)
from .template_writing import ChannelsPanel, VariablesPanel, writing_urls
from .test_send import trial_urls


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
                    FieldPanel("subject", widget=MeasuredInput),
                    FieldPanel("preheader", widget=MeasuredInput),
                    FieldPanel("body"),
                    VariablesPanel(),
                    FieldPanel("follow", heading=_("When this is published")),
                    PublishingPanel(),
                ],
                heading=_("Mail"),
            ),
            ObjectList(
                [
                    FieldPanel("sms_body", widget=MeasuredTextarea),
                    MultiFieldPanel(
                        [
                            FieldPanel("push_title", widget=MeasuredInput),
                            FieldPanel("push_body", widget=MeasuredTextarea),
                            FieldPanel("push_url"),
                        ],
                        heading=_("Push notification"),
                    ),
                    FieldPanel("onsite_body"),
                    ChannelsPanel(),
                ],
                heading=_("Other channels"),
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

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Return the snippet's permissions, and the one to send tests."""
        own = Q(content_type__app_label="wagtail_triggers", codename="send_test")
        snippets = super().get_permissions_to_register().values("pk")
        return Permission.objects.filter(Q(pk__in=snippets) | own)

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the snippet's URLs, and those of the preview and of tests."""
        return [
            *super().get_urlpatterns(),
            *preview_urls(),
            *trial_urls(),
            *writing_urls(),
        ]
