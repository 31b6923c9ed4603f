"""Pausing a journey, letting it go on, taking it out of use: decisions of who may publish it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button
from wagtail.log_actions import log

from ..engine.lifecycle import archive, pause, resume, take_up
from ..engine.models import Enrolment, Switch
from ..exceptions import TriggersError
from ..journeys.models import Journey
from .permissions import policy_of
from .states import explained

#: As they stand in the audit log, and in `register_log_actions`.
PAUSE = "wagtail_triggers.pause"
RESUME = "wagtail_triggers.resume"
ARCHIVE = "wagtail_triggers.archive"
TAKE_UP = "wagtail_triggers.take_up"

#: How long a request goes on with the rows itself; workers do the rest.
SECONDS = 5.0


def may_switch(user: Any, journey: Journey) -> bool:
    """Say whether `user` may pause `journey` and let it go on: as publishing, it moves messages."""
    return policy_of(Journey).user_has_permission_for_instance(user, "publish", journey)


def switch_buttons(user: Any, journey: Journey) -> list[Button]:
    """Return what may be decided about a published journey now, for those who may; else none."""
    if journey.live_version_id is None or not may_switch(user, journey):
        return []
    underway = _button(journey, "underway", _("People under way"), "triggers-run")
    archived = _button(journey, "archive", _("Archive"), "download")
    if journey.state == Journey.State.RUNNING:
        return [_button(journey, "pause", _("Pause"), "no-view"), underway, archived]
    if journey.state == Journey.State.PAUSED:
        return [_button(journey, "resume", _("Resume"), "rotate"), underway, archived]
    return [_button(journey, "take_up", _("Take up again"), "rotate"), underway]


def _button(journey: Journey, view: str, label: Promise, icon: str) -> Button:
    url = reverse(f"triggers_journeys:{view}", args=[journey.pk])
    return Button(label, url=url, icon_name=icon, priority=25)


class JourneyDecisionView(WagtailAdminTemplateMixin, TemplateView):
    """A page on which somebody who may publish a journey decides something about it."""

    header_icon = "triggers-journey"
    http_method_names = ("get", "post", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not publish the journey."""
        if not may_switch(request.user, self.journey):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def journey(self) -> Journey:
        """The journey that is meant."""
        return get_object_or_404(Journey, pk=self.kwargs["pk"])

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


class SwitchView(JourneyDecisionView, ABC):
    """GET asks, POST does it."""

    template_name = "wagtail_triggers/admin/switch.html"
    #: The states in which a journey may be.
    wanted: ClassVar[tuple[str, ...]] = ()
    action: ClassVar[str] = ""
    explanation: ClassVar[str | Promise] = ""
    form_class: ClassVar[type[forms.Form]] = forms.Form

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Switch, log who did it, and say what became of the runs."""
        form = self.form
        if self.journey.state not in self.wanted:
            messages.info(request, _t("Somebody was faster. Nothing was changed."))
        elif not form.is_valid():
            return self.render_to_response(self.get_context_data())
        else:
            try:
                runs = self.switch(form.cleaned_data)
            except TriggersError as error:
                messages.error(request, _t(str(error)))
                return self.render_to_response(self.get_context_data())
            log(
                self.journey,
                self.action,
                user=request.user,
                data={"runs": runs, **form.cleaned_data},
            )
            messages.success(request, self.done(runs))
        return redirect(reverse("triggers_journeys:list"))

    @cached_property
    def form(self) -> forms.Form:
        """What is asked."""
        return self.form_class(self.request.POST if self.request.method == "POST" else None)

    @abstractmethod
    def switch(self, answers: dict[str, Any]) -> int:
        """Do it; return the number of runs that it moved so far."""

    @abstractmethod
    def done(self, runs: int) -> str:
        """Return the words for having done it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the question needs."""
        alive = Enrolment.objects.filter(journey=self.journey, state__in=Enrolment.ALIVE)
        return {
            **super().get_context_data(**kwargs),
            "explanation": self.explanation,
            "applies": self.journey.state in self.wanted,
            "journey": self.journey,
            "pause_reason": explained(self.journey.pause_reason),
            "people": alive.count(),
            "form": self.form,
            "back": reverse("triggers_journeys:list"),
        }


class PauseView(SwitchView):
    """Nobody enters, nobody moves, nothing is sent."""

    page_title = _("Pause")
    wanted = (Journey.State.RUNNING,)
    action = PAUSE
    explanation = _(
        "Nobody enters the journey any more, those in it stay where they are, and nothing of it is "
        "sent. What happens meanwhile does not start it later."
    )

    def switch(self, answers: dict[str, Any]) -> int:
        """Pause."""
        return pause(self.journey, seconds=SECONDS)

    def done(self, runs: int) -> str:
        """Say it."""
        return ngettext(
            "“%(name)s” is paused; %(runs)d run waits.",
            "“%(name)s” is paused; %(runs)d runs wait.",
            runs,
        ) % {"name": self.journey, "runs": runs}


class ResumeForm(forms.Form):
    """What becomes of waits."""

    clocks = forms.ChoiceField(
        label=_("Waits"),
        choices=Switch.Clocks.choices,
        initial=Switch.Clocks.RUN,
        widget=forms.RadioSelect,
    )


class ResumeView(SwitchView):
    """It goes on, by the chosen clocks; what is overdue goes in a ramp."""

    page_title = _("Resume")
    wanted = (Journey.State.PAUSED,)
    action = RESUME
    form_class = ResumeForm
    explanation = _(
        "The journey goes on. Those whose next step is overdue go on a few hundred a minute, not "
        "all at once, and messages that are too late are not sent."
    )

    def switch(self, answers: dict[str, Any]) -> int:
        """Let it go on."""
        return resume(self.journey, clocks=answers["clocks"], seconds=SECONDS)

    def done(self, runs: int) -> str:
        """Say it."""
        return ngettext(
            "“%(name)s” goes on, with %(runs)d run.",
            "“%(name)s” goes on, with %(runs)d runs.",
            runs,
        ) % {"name": self.journey, "runs": runs}


class ArchiveForm(forms.Form):
    """What becomes of those who are under way."""

    people = forms.ChoiceField(
        label=_("Those who are under way"),
        choices=[
            ("finish", _("Go on to the end of the journey")),
            ("leave", _("Leave it now; what was planned for them is not sent")),
        ],
        initial="finish",
        widget=forms.RadioSelect,
    )


class ArchiveView(SwitchView):
    """Nobody enters any more; those in it finish or leave."""

    page_title = _("Archive")
    wanted = (Journey.State.RUNNING, Journey.State.PAUSED)
    action = ARCHIVE
    form_class = ArchiveForm
    explanation = _("Nobody enters the journey any more. It can be taken up again later.")

    def switch(self, answers: dict[str, Any]) -> int:
        """Archive."""
        return archive(
            self.journey,
            let_finish=answers["people"] == "finish",
            by=self.request.user,
            seconds=SECONDS,
        )

    def done(self, runs: int) -> str:
        """Say it."""
        return _t("“%(name)s” is archived.") % {"name": self.journey}


class TakeUpView(SwitchView):
    """People may enter again."""

    page_title = _("Take up again")
    wanted = (Journey.State.ARCHIVED,)
    action = TAKE_UP
    explanation = _("The journey runs again: what happens from now on lets people enter it.")

    def switch(self, answers: dict[str, Any]) -> int:
        """Take it up."""
        take_up(self.journey)
        return 0

    def done(self, runs: int) -> str:
        """Say it."""
        return _t("“%(name)s” runs again.") % {"name": self.journey}


def switch_urls() -> list[URLPattern]:
    """Return the URLs, for those of the journeys."""
    views: dict[str, type[SwitchView]] = {
        "pause": PauseView,
        "resume": ResumeView,
        "archive": ArchiveView,
        "take_up": TakeUpView,
    }
    return [
        path(f"<int:pk>/{name.replace('_', '-')}/", view.as_view(), name=name)
        for name, view in views.items()
    ]
