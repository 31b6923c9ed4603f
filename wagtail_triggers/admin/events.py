"""Events: what the shop said, what became of it, and what could not be worked with."""

from __future__ import annotations

import json
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet

from ..contacts.models import Contact
from ..engine.models import Enrolment, Refusal
from ..events.models import Event
from ..events.types import event_types
from .columns import (
    MINOR,
    MomentColumn,
    RecordTitleColumn,
    RelatedColumn,
    ToneColumn,
    WrappingColumn,
)
from .permissions import may_view
from .records import RecordIndexView, RecordInspectView, RecordViewSet
from .states import explained


def _names() -> list[tuple[str, str]]:
    return [(name, str(kind.label)) for name, kind in event_types.all().items()]


class EventFilterSet(WagtailFilterSet):
    """Narrows the listing of events."""

    name = django_filters.ChoiceFilter(label=_("Event"), choices=_names, empty_label=_("All"))
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="of_state",
        empty_label=_("All"),
        widget=forms.RadioSelect,
        choices=[
            ("problem", _("Set aside with a problem")),
            ("waiting", _("Not worked on yet")),
            ("done", _("Done")),
        ],
    )

    class Meta:
        model = Event
        fields = ("name", "state")

    def of_state(self, rows: QuerySet[Event], _name: str, value: str) -> QuerySet[Event]:
        """Return the events in one state."""
        if value == "problem":
            return rows.exclude(problem="")
        return rows.filter(problem="", routed_at__isnull=value == "waiting")


class EventIndexView(RecordIndexView):
    """All events, newest first."""

    def get_base_queryset(self) -> QuerySet[Event]:
        """Return events with their contact, without their data."""
        rows: QuerySet[Event] = super().get_base_queryset()
        return rows.select_related("contact").defer("payload", "who")


class EventInspectView(RecordInspectView):
    """One event: its data as it came, and what it led to."""

    def get_page_subtitle(self) -> str:
        """Return what editors call this kind of event."""
        return _label(self.object)

    def get_record_context(self) -> dict[str, Any]:
        """Return the data, pretty-printed, and the runs that it started or did not start."""
        event: Event = self.object
        user = self.request.user
        started: QuerySet[Enrolment] = Enrolment.objects.none()
        refused: list[tuple[str, str]] = []
        if may_view(user, Enrolment):
            started = Enrolment.objects.filter(
                contact_id=event.contact_id or 0, event_id=event.pk
            ).select_related("journey")
            refusals = Refusal.objects.filter(
                contact_id=event.contact_id or 0, event_id=event.pk
            ).select_related("journey")
            refused = [(str(one.journey), explained(one.reason)) for one in refusals]
        return {
            "label": _label(event),
            "payload": _pretty(event.payload),
            "who": _pretty(event.who) if may_view(user, Contact) else "",
            "contact": Contact.objects.filter(pk=event.contact_id or 0).first(),
            "may_view_contact": may_view(user, Contact),
            "started": started,
            "refused": refused,
        }


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _state(event: Event) -> tuple[str, str]:
    """Return the words and the colour for what became of an event."""
    if event.problem:
        return str(_("set aside")), "critical"
    if event.routed_at is None:
        return str(_("waiting")), "info"
    return str(_("done")), "neutral"


def _label(event: Event) -> str:
    known = event_types.all().get(event.name)
    return str(known.label) if known else event.name


class EventViewSet(RecordViewSet):
    """Triggers > Events."""

    model = Event
    icon = "triggers-event"
    url_prefix = "triggers/events"
    url_namespace = "triggers_events"
    index_view_class = EventIndexView
    inspect_view_class = EventInspectView
    inspect_template_name = "wagtail_triggers/admin/event.html"
    filterset_class = EventFilterSet
    search_fields = ("key", "dedupe_key")
    list_display = (
        RecordTitleColumn("name", "triggers_events:inspect", label=_("Event"), accessor=_label),
        RelatedColumn(
            "contact", model=Contact, url_name="triggers_contacts:inspect", label=_("Contact")
        ),
        WrappingColumn("key", label=_("About"), classname=f"triggers-wrap {MINOR}"),
        ToneColumn("state", label=_("State"), accessor=_state),
        MomentColumn("occurred_at", label=_("Occurred")),
    )
