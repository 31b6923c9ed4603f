"""Parked runs: a person has looked, and says "try again"."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log

from ..core import clock
from ..engine.lifecycle import retry_parked
from ..engine.models import Enrolment
from .permissions import may_retry, may_steer
from .states import explained

#: As it stands in the audit log, and in `register_log_actions`.
ACTION = "wagtail_triggers.retry"
#: Runs of one request: what is left is offered again.
MOST_RUNS = 500


class RetryView(WagtailAdminTemplateMixin, TemplateView):
    """GET asks, POST does it: for one run (`pk`), or for all that are parked.

    The query may narrow these to one `journey`, and to those parked for one `reason`.
    """

    template_name = "wagtail_triggers/admin/retry.html"
    page_title = _("Try again")
    header_icon = "rotate"
    http_method_names = ("get", "post", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not publish journeys or may not see runs."""
        if not may_retry(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def runs(self) -> QuerySet[Enrolment]:
        """The parked runs that are meant."""
        rows = may_steer(self.request.user, Enrolment.objects.filter(state=Enrolment.State.PARKED))
        if "pk" in self.kwargs:
            return rows.filter(pk=get_object_or_404(Enrolment, pk=self.kwargs["pk"]).pk)
        journey, reason = self.request.GET.get("journey", ""), self.request.GET.get("reason", "")
        if journey.isdecimal():
            rows = rows.filter(journey_id=int(journey[:18]))
        if reason:
            rows = rows.filter(reason=reason)
        return rows.order_by("pk")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Set the runs going again, log who did it, and say how many they were."""
        chosen = list(self.runs.select_related("journey", "contact")[:MOST_RUNS])
        retry_parked([run.pk for run in chosen], clock.now())
        with transaction.atomic():
            for run in chosen:
                data = {"journey": str(run.journey), "reason": run.reason, "node": run.node}
                log(run, ACTION, user=request.user, title=str(run.journey), data=data)
        if chosen:
            messages.success(request, self._done(len(chosen)))
        else:
            messages.info(request, _t("No run is parked any more. Nothing was changed."))
        return redirect(self._back())

    @staticmethod
    def _done(number: int) -> str:
        text = ngettext("%(n)d run goes on.", "%(n)d runs go on.", number)
        return text % {"n": number}

    def _back(self) -> str:
        if "pk" in self.kwargs:
            return reverse("triggers_enrolments:inspect", args=[self.kwargs["pk"]])
        return reverse("triggers_enrolments:index")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_enrolments:index"), "label": _("Enrolments")},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return how many runs are meant and why they are parked."""
        number = self.runs.count()
        reasons = self.runs.order_by().values_list("reason", flat=True).distinct()[:10]
        return {
            **super().get_context_data(**kwargs),
            "number": min(number, MOST_RUNS),
            "left": max(0, number - MOST_RUNS),
            "reasons": [explained(reason) for reason in reasons],
            "back": self._back(),
        }
