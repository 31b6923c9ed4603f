"""Messages: what was planned, what became of it and why, and what was sent as it was sent."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.utils.decorators import xframe_options_sameorigin_override

from ..contacts.models import Contact
from ..engine.models import Enrolment
from ..journeys.models import Journey
from ..messages.models import Message, MessageClass
from ..messages.preview_page import inert, sandboxed
from .columns import MINOR, MomentColumn, RecordTitleColumn, RelatedColumn, StateColumn
from .message_story import chain, reports, states
from .permissions import may_see_people, may_view
from .records import RecordIndexView, RecordInspectView, RecordViewSet
from .sent import as_sent
from .states import explained, tone

#: What everybody may search who may read messages at all.
NAMELESS = ("subject_id",)


class MessageFilterSet(WagtailFilterSet):
    """Narrows the listing of messages."""

    state = django_filters.ChoiceFilter(
        label=_("State"), choices=Message.State.choices, empty_label=_("All")
    )
    message_class = django_filters.ChoiceFilter(
        label=_("Kind"),
        choices=MessageClass.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Message
        fields = ("state", "message_class")


class MessageIndexView(RecordIndexView):
    """All messages, newest first."""

    def get_base_queryset(self) -> QuerySet[Message]:
        """Return messages with what the columns show, without what they were rendered from."""
        rows: QuerySet[Message] = super().get_base_queryset()
        return rows.select_related("contact", "template_version__template").defer(
            "context", "template_version__html", "template_version__text"
        )

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Leave the subjects out for those who may not see whom a message is for."""
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        if not may_see_people(self.request.user):
            for row in context["object_list"]:
                row.subject = ""  # it may greet somebody by name
        return context

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Search subjects and addresses only for those who may see them."""
        if not may_see_people(self.request.user):
            self.search_fields = NAMELESS
        found: QuerySet[Any] = super().search_queryset(queryset)
        return found


class MessageInspectView(RecordInspectView):
    """One message."""

    def get_page_subtitle(self) -> str:
        """Return the subject, or the template's name while there is none."""
        if not may_see_people(self.request.user):
            return str(self.object.template_version.template)
        return _title(self.object)

    def get_record_context(self) -> dict[str, Any]:
        """Return what was sent, to whom, and why."""
        message: Message = self.object
        user = self.request.user
        sees_people = may_see_people(user)
        runs = Enrolment.objects.filter(pk=message.enrolment_id or 0).select_related("journey")
        run = runs.first() if may_view(user, Enrolment) else None
        return {
            "state_tone": tone(message.state),
            "reason": explained(message.reason),
            "sees_people": sees_people,
            "sent": as_sent(message) if sees_people else None,
            "chain": chain(message, user),
            "states": states(message),
            "reports": reports(message),
            "why_url": reverse("triggers_journeys:why", args=[run.journey_id, message.contact_id])
            if run is not None and sees_people and may_view(user, Journey)
            else "",
            "parts": Message.objects.filter(merged_into=message)
            .select_related("template_version__template")
            .order_by("-priority", "planned_at"),
            "body_url": reverse("triggers_messages:body", args=[message.pk]),
            "run": run,
        }


@require_GET
@xframe_options_sameorigin_override
def body_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the HTML of a message as it was sent, locked in: for the frame on its page."""
    if not may_view(request.user, Message) or not may_see_people(request.user):
        raise PermissionDenied
    sent = as_sent(get_object_or_404(Message, pk=pk))
    return sandboxed(HttpResponse(inert(sent.html)), request)


def _title(message: Message) -> str:
    return message.subject or str(message.template_version.template)


class MessageViewSet(RecordViewSet):
    """Triggers > Messages."""

    model = Message
    icon = "triggers-message"
    url_prefix = "triggers/messages"
    url_namespace = "triggers_messages"
    index_view_class = MessageIndexView
    inspect_view_class = MessageInspectView
    inspect_template_name = "wagtail_triggers/admin/message.html"
    filterset_class = MessageFilterSet
    search_fields = ("subject", "address", "subject_id")
    list_display = (
        RecordTitleColumn(
            "subject", "triggers_messages:inspect", label=_("Message"), accessor=_title
        ),
        RelatedColumn(
            "contact", model=Contact, url_name="triggers_contacts:inspect", label=_("Contact")
        ),
        StateColumn("state", reason="reason", label=_("State"), sort_key="state"),
        Column(
            "message_class",
            label=_("Kind"),
            accessor="get_message_class_display",
            classname=MINOR,
        ),
        MomentColumn("due_at", label=_("Due"), sort_key="due_at", classname=MINOR),
        MomentColumn("settled_at", label=_("Settled"), sort_key="settled_at", classname=MINOR),
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the record's URLs, and the body by itself."""
        return [*super().get_urlpatterns(), path("<int:pk>/body/", body_view, name="body")]
