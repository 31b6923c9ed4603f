"""Pausing a journey and letting it go on: a decision of somebody who may publish it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from ..engine.lifecycle import pause, resume
from ..journeys.models import Journey

#: As they stand in the audit log, and in `register_log_actions`.
PAUSE = "wagtail_triggers.pause"
RESUME = "wagtail_triggers.resume"


def may_switch(user: Any, journey: Journey) -> bool:
    """Say whether `user` may pause `journey` and let it go on: as publishing, it moves messages."""
    policy = policy_registry.get_by_type(Journey)
    return bool(policy.user_has_permission_for_instance(user, "publish", journey))


def switch_buttons(user: Any, journey: Journey) -> list[Button]:
    """Return "Pause" or "Resume" for a published journey, for those who may; else none."""
    if journey.live_version_id is None or not may_switch(user, journey):
        return []
    if journey.state == Journey.State.RUNNING:
        return [_button(journey, "pause", _("Pause"), "no-view")]
    if journey.state == Journey.State.PAUSED:
        return [_button(journey, "resume", _("Resume"), "rotate")]
    return []


def _button(journey: Journey, view: str, label: Promise, icon: str) -> Button:
    url = reverse(f"triggers_journeys:{view}", args=[journey.pk])
    return Button(label, url=url, icon_name=icon, priority=25)


class _SwitchView(WagtailAdminTemplateMixin, TemplateView):
    """GET asks, POST does it."""

    template_name = "wagtail_triggers/admin/switch.html"
    header_icon = "triggers-journey"
    http_method_names = ("get", "post", "head")
    #: The state in which a journey must be.
    wanted = ""
    action = ""
    explanation: str | Promise = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not publish the journey."""
        if not may_switch(request.user, self.journey):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def journey(self) -> Journey:
        """The journey that is meant."""
        return get_object_or_404(Journey, pk=self.kwargs["pk"])

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Switch, log who did it, and say what became of the runs."""
        if self.journey.state == self.wanted:
            held = self.switch()
            log(self.journey, self.action, user=request.user, data={"runs": held})
            messages.success(request, self.done(held))
        else:
            messages.info(request, _t("Somebody was faster. Nothing was changed."))
        return redirect(reverse("triggers_journeys:list"))

    def switch(self) -> int:
        """Do it; return the number of runs that it moved."""
        raise NotImplementedError

    def done(self, runs: int) -> str:
        """Return the words for having done it."""
        raise NotImplementedError

    def get_page_subtitle(self) -> str:
        """Return the journey's name."""
        return self.journey.name

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the question needs."""
        return {
            **super().get_context_data(**kwargs),
            "explanation": self.explanation,
            "applies": self.journey.state == self.wanted,
            "back": reverse("triggers_journeys:list"),
        }


class PauseView(_SwitchView):
    """Nobody enters, nobody moves, nothing is sent."""

    page_title = _("Pause")
    wanted = Journey.State.RUNNING
    action = PAUSE
    explanation = _(
        "Nobody enters the journey any more, those in it stay where they are, and nothing of it is "
        "sent. What happens meanwhile does not start it later."
    )

    def switch(self) -> int:
        """Pause."""
        return pause(self.journey)

    def done(self, runs: int) -> str:
        """Say it."""
        return _t("“%(name)s” is paused; %(runs)d runs wait.") % {
            "name": self.journey,
            "runs": runs,
        }


class ResumeView(_SwitchView):
    """It goes on; what fell due meanwhile is due now."""

    page_title = _("Resume")
    wanted = Journey.State.PAUSED
    action = RESUME
    explanation = _(
        "The journey goes on. Waits kept running, so what fell due meanwhile is due at once; "
        "messages that are too late are not sent."
    )

    def switch(self) -> int:
        """Let it go on."""
        return resume(self.journey)

    def done(self, runs: int) -> str:
        """Say it."""
        return _t("“%(name)s” goes on; %(runs)d runs move.") % {"name": self.journey, "runs": runs}


def switch_urls() -> list[URLPattern]:
    """Return the URLs, for those of the journeys."""
    return [
        path("<int:pk>/pause/", PauseView.as_view(), name="pause"),
        path("<int:pk>/resume/", ResumeView.as_view(), name="resume"),
    ]
