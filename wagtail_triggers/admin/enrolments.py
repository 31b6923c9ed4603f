"""Enrolments: who is where in which journey, how they got there, and what holds them up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn
from wagtail.admin.widgets.button import HeaderButton

from ..contacts.models import Contact
from ..engine.models import Conversion, Enrolment
from ..events.models import Event
from ..journeys.models import Journey
from ..messages.models import Message
from .columns import (
    MINOR,
    MomentColumn,
    RecordTitleColumn,
    RelatedColumn,
    StateColumn,
    WrappingColumn,
)
from .permissions import may_retry, may_see_people, may_view, visible
from .records import RecordIndexView, RecordInspectView, RecordViewSet
from .retry import RetryView
from .sentences import Teller
from .states import explained, tone

#: Decisions of one run that its page shows; a run of a year of daily waits has fewer.
MOST_STEPS = 500
#: What everybody may search who may read runs at all.
NAMELESS = ("key",)


#: Reasons of parked runs that the filter offers.
MOST_REASONS = 30


def _reasons() -> list[tuple[str, str]]:
    """Return why runs are parked at the moment; one query over what is parked."""
    parked = Enrolment.objects.filter(state=Enrolment.State.PARKED)
    reasons = parked.order_by("reason").values_list("reason", flat=True).distinct()
    return [(reason, explained(reason)) for reason in reasons[:MOST_REASONS] if reason]


def _own_journeys(request: Any) -> QuerySet[Journey]:
    """Return the journeys of the sites that the reader serves."""
    rows: QuerySet[Journey] = Journey.objects.order_by("name")
    return rows if request is None else visible(request.user, rows)


class EnrolmentFilterSet(WagtailFilterSet):
    """Narrows the listing of enrolments."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=Enrolment.State.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    journey = django_filters.ModelChoiceFilter(
        label=_("Journey"), queryset=_own_journeys, empty_label=_("All")
    )
    reason = django_filters.ChoiceFilter(
        label=_("Parked because"), choices=_reasons, empty_label=_("All")
    )

    class Meta:
        model = Enrolment
        fields = ("state", "journey", "reason")


class EnrolmentIndexView(RecordIndexView):
    """All runs, newest first."""

    @cached_property
    def columns(self) -> list[Any]:
        """Return the columns, with boxes to tick for those who may decide about runs."""
        own = super().columns
        if not may_retry(self.request.user):
            return list(own)
        return [BulkActionsCheckboxColumn("bulk_actions", obj_type="enrolment"), *own]

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Search people only for those who may see them."""
        if not may_see_people(self.request.user):
            self.search_fields = NAMELESS
        found: QuerySet[Any] = super().search_queryset(queryset)
        return found

    def get_base_queryset(self) -> QuerySet[Enrolment]:
        """Return runs with what the columns show of their neighbours."""
        rows = super().get_base_queryset()
        return rows.select_related("journey", "version", "contact")

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Tell where each run of the page stands."""
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        teller = Teller()
        for run in context["object_list"]:
            run.stands_at = teller.node(run.node, run) or run.node
        context["may_steer"] = may_retry(self.request.user)
        return context

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        """Return "Try parked runs again" for those who may."""
        if not may_retry(self.request.user):
            return []
        url = reverse("triggers_enrolments:retry_all")
        asked = {
            name: self.request.GET[name]
            for name in ("journey", "reason")
            if self.request.GET.get(name)
        }
        if asked:
            url = f"{url}?{urlencode(asked)}"
        return [HeaderButton(_("Try parked runs again"), url=url, icon_name="rotate")]


class EnrolmentInspectView(RecordInspectView):
    """One run, step by step."""

    def get_page_subtitle(self) -> str:
        """Return the journey's name; the person's stands on the page."""
        return str(self.object.journey)

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        """Return "Why?", and "Try again" for a parked run, for those who may."""
        run: Enrolment = self.object
        user = self.request.user
        found = []
        if may_see_people(user) and may_view(user, Journey):
            why = reverse("triggers_journeys:why", args=[run.journey_id, run.contact_id])
            found.append(HeaderButton(_("Why?"), url=why, icon_name="help"))
        if run.state == Enrolment.State.PARKED and may_retry(user):
            url = reverse("triggers_enrolments:retry", args=[run.pk])
            found.append(HeaderButton(_("Try again"), url=url, icon_name="rotate"))
        return found

    def get_record_context(self) -> dict[str, Any]:
        """Return what was decided and what was planned, as far as the reader may see it."""
        run: Enrolment = self.object
        user = self.request.user
        teller = Teller()
        steps = list(run.steps.select_related("version").order_by("-seq")[:MOST_STEPS])
        messages = Message.objects.none()
        if may_view(user, Message):
            messages = Message.objects.filter(enrolment_id=run.pk).order_by("-pk")
            messages = messages.select_related("template_version__template").defer("context")
        return {
            "state_tone": tone(run.state),
            "reason": explained(run.reason),
            "stands_at": teller.node(run.node, run) or run.node,
            "event": Event.objects.filter(pk=run.event_id).first(),
            "conversion": Conversion.objects.filter(enrolment_id=run.pk).first(),
            "steps": [(step, teller.step(step, run)) for step in reversed(steps)],
            "messages_planned": [(message, tone(message.state)) for message in messages],
            "may_view_contact": may_view(user, Contact),
            "may_view_event": may_view(user, Event),
            "may_view_message": may_view(user, Message),
        }


class EnrolmentViewSet(RecordViewSet):
    """Triggers > Enrolments."""

    model = Enrolment
    icon = "triggers-run"
    url_prefix = "triggers/enrolments"
    url_namespace = "triggers_enrolments"
    index_view_class = EnrolmentIndexView
    inspect_view_class = EnrolmentInspectView
    index_template_name = "wagtail_triggers/admin/enrolments_index.html"
    inspect_template_name = "wagtail_triggers/admin/enrolment.html"
    filterset_class = EnrolmentFilterSet
    search_fields = ("key", "contact__email", "contact__last_name")
    list_display = (
        RecordTitleColumn("journey", "triggers_enrolments:inspect", label=_("Journey")),
        RelatedColumn(
            "contact", model=Contact, url_name="triggers_contacts:inspect", label=_("Contact")
        ),
        StateColumn("state", reason="reason", label=_("State"), sort_key="state"),
        WrappingColumn("stands_at", label=_("Stands at"), classname=f"triggers-wrap {MINOR}"),
        MomentColumn("wake_at", label=_("Next step"), sort_key="wake_at", classname=MINOR),
        MomentColumn("entered_at", label=_("Entered"), sort_key="entered_at", classname=MINOR),
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the record's URLs, and those that set parked runs going again."""
        return [
            *super().get_urlpatterns(),
            path("retry/", RetryView.as_view(), name="retry_all"),
            path("<int:pk>/retry/", RetryView.as_view(), name="retry"),
        ]
