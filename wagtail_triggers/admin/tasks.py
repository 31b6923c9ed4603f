"""Tasks: what journeys want somebody of the staff to decide."""

from __future__ import annotations

from typing import Any, Final

import django_filters
from django import forms
from django.contrib import messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin.filters import WagtailFilterSet
from wagtail.log_actions import log

from ..contacts.models import Contact
from ..core import clock
from ..engine.jobs.tasks import Decision, Release, choices, closes_at, release
from ..engine.models import Enrolment, Task
from ..journeys.models import Journey
from .columns import (
    MINOR,
    MomentColumn,
    RecordTitleColumn,
    RelatedColumn,
    StateColumn,
    WrappingColumn,
)
from .permissions import may_decide, may_view, view_permission
from .records import RecordIndexView, RecordInspectView, RecordViewSet
from .states import explained, tone

#: As it stands in the audit log, and in `register_log_actions`.
ACTION: Final = "wagtail_triggers.decide"
#: Of a note, so much is kept.
LONGEST_NOTE: Final = 1_000

_STATES: Final = (
    (Task.State.OPEN, _("Open")),
    (Task.State.DONE, _("Decided")),
    (Task.State.CANCELLED, _("Not decided")),
)


class TaskFilterSet(WagtailFilterSet):
    """Narrows the listing of tasks; open ones unless others are asked for."""

    state = django_filters.ChoiceFilter(
        label=_("State"), choices=_STATES, empty_label=_("All"), widget=forms.RadioSelect
    )
    journey = django_filters.ModelChoiceFilter(
        field_name="enrolment__journey",
        label=_("Journey"),
        queryset=Journey.objects.order_by("name"),
        empty_label=_("All"),
    )

    class Meta:
        model = Task
        fields = ("state", "journey")

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None and "state" not in data:
            data = data.copy()
            data["state"] = Task.State.OPEN
        super().__init__(data, *args, **kwargs)


class TaskIndexView(RecordIndexView):
    """Tasks, newest first."""

    def get_base_queryset(self) -> QuerySet[Task]:
        """Return tasks with what the columns show of their neighbours."""
        rows: QuerySet[Task] = super().get_base_queryset()
        return rows.select_related("contact", "enrolment__journey")

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give each task of the page its journey's name; know an empty desk from a poor search."""
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["nothing_waits"] = not any(self.request.GET.values())
        for job in context["object_list"]:
            job.journey = job.enrolment.journey
        return context


class TaskInspectView(RecordInspectView):
    """One task: what is to be decided, about whom, and the buttons to do it."""

    def get_object(self, queryset: QuerySet[Task] | None = None) -> Task:
        """Return the task; a job of another kind is none."""
        rows = Task.objects.select_related("contact", "enrolment__journey")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        """Return what is to be decided."""
        return str(self.object)

    def get_record_context(self) -> dict[str, Any]:
        """Return what the reader may see and do."""
        job: Task = self.object
        user = self.request.user
        run = job.enrolment
        closes = closes_at(job, run)
        late = closes is not None and closes <= clock.now()
        parked = run.state == Enrolment.State.PARKED
        is_open = job.state == Task.State.OPEN and not late and not parked
        offered = choices(job)
        chosen = str(job.result.get("choice") or "")
        return {
            "instructions": job.data.get("instructions") or "",
            "state_tone": tone(job.state),
            "reason": explained(job.reason),
            "closes": closes,
            "late": late and job.state == Task.State.OPEN,
            "parked": parked and job.state == Task.State.OPEN,
            "is_open": is_open,
            "choices": [(name, _t(label)) for name, label in offered.items()],
            "chosen": _t(offered[chosen]) if chosen in offered else chosen,
            "may_decide": may_decide(user),
            "may_view_contact": may_view(user, Contact),
            "may_view_run": may_view(user, Enrolment),
            "longest_note": LONGEST_NOTE,
        }


class DecideView(View):
    """A click on one of the buttons: it counts once, and not after the deadline."""

    http_method_names = ("post",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not decide."""
        if not may_decide(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Release the run, log who did it and say so; or say why not."""
        job = get_object_or_404(Task, pk=pk)
        user: Any = request.user
        choice = request.POST.get("choice", "")
        note = request.POST.get("note", "").strip()[:LONGEST_NOTE]
        name = user.get_full_name() or user.get_username()
        became = release(pk, Decision(choice, by=name, by_id=user.pk, note=note))
        if became is not Release.DONE:
            messages.warning(request, _why_not(became))
            return redirect(reverse("triggers_tasks:inspect", args=[pk]))
        log(job, ACTION, user=user, title=str(job), data={"choice": choice, "note": note})
        words = {"title": job, "choice": _t(choices(job)[choice])}
        messages.success(request, _t("“%(title)s”: %(choice)s. The run goes on.") % words)
        return redirect(reverse("triggers_tasks:index"))


def _why_not(became: Release) -> str:
    match became:
        case Release.LATE:
            return _t("The deadline has passed. The run goes on without a decision.")
        case Release.PARKED:
            return _t("The run is parked. Try it again under Enrolments, then decide.")
        case Release.UNKNOWN:
            return _t("There is no such choice. Nothing was changed.")
        case _:
            return _t("Somebody was faster, or the run has ended. Nothing was changed.")


class TaskViewSet(RecordViewSet):
    """Triggers > Tasks."""

    model = Task
    icon = "tasks"
    url_prefix = "triggers/tasks"
    url_namespace = "triggers_tasks"
    index_view_class = TaskIndexView
    inspect_view_class = TaskInspectView
    index_results_template_name = "wagtail_triggers/admin/tasks_results.html"
    inspect_template_name = "wagtail_triggers/admin/task.html"
    filterset_class = TaskFilterSet
    search_fields = ("contact__email", "contact__last_name")
    list_display = (
        RecordTitleColumn(
            "title", "triggers_tasks:inspect", label=_("Task"), accessor=str, width="30%"
        ),
        RelatedColumn(
            "contact", model=Contact, url_name="triggers_contacts:inspect", label=_("Contact")
        ),
        WrappingColumn("journey", label=_("Journey"), classname=f"triggers-wrap {MINOR}"),
        StateColumn("state", reason="reason", label=_("State"), classname=MINOR),
        MomentColumn("created_at", label=_("Since"), sort_key="created_at", classname=MINOR),
        MomentColumn("deadline", label=_("Deadline"), sort_key="deadline"),
    )

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Return the permissions to look and to decide."""
        decide = Q(content_type__app_label="wagtail_triggers", codename="decide_task")
        looking = view_permission(self.model).values("pk")
        return Permission.objects.filter(Q(pk__in=looking) | decide)

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the record's URLs, and the one that decides."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/decide/", DecideView.as_view(), name="decide"),
        ]
