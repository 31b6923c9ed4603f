"""Deciding about many journeys or runs at once. Wagtail lets everybody; each of these asks.

Nothing here is done in one transaction: journeys have many runs, and each chunk of them has its
own. What is decided stands in the history of each row.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise, classproperty
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail import hooks
from wagtail.admin.views.bulk_action import BulkAction
from wagtail.log_actions import log

from ..contacts.models import Contact
from ..core import clock
from ..engine.lifecycle import archive, end_runs, pause, resume, retry_parked
from ..engine.models import Enrolment
from ..exceptions import TriggersError
from ..journeys.models import Journey
from .permissions import may_retry, may_see_people, may_steer, policy_of, visible
from .retry import ACTION as RETRY
from .states import explained
from .switching import ARCHIVE, PAUSE, RESUME, ArchiveForm, ResumeForm

#: As it stands in the audit log, and in `register_log_actions`.
TAKE_OUT: Final = "wagtail_triggers.take_out"
#: Rows of one request: what is left is offered again.
MOST: Final = 500
#: What the request itself spends on the runs of one journey; workers do the rest.
SECONDS: Final = 1.0


class Decision(BulkAction):
    """One decision about the rows that were ticked, or about all to which it applies."""

    template_name = "wagtail_triggers/admin/bulk_confirm.html"
    explanation: ClassVar[str | Promise] = ""
    #: In the audit log.
    logged_as: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may decide about no row at all."""
        if not self.may_decide():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @abstractmethod
    def may_decide(self) -> bool:
        """Say whether the user may decide this about any row."""

    @abstractmethod
    def applies(self) -> QuerySet[Any]:
        """Return the rows that the user may see and to which it applies."""

    @abstractmethod
    def decide(self, rows: Sequence[Any], answers: dict[str, Any]) -> int:
        """Do it, log it, and return to how many rows it was done."""

    @abstractmethod
    def done(self, number: int) -> str:
        """Return the words for having done it."""

    def get_all_objects_in_listing_query(self, parent_id: object) -> list[int]:
        """Return what "all" means: whatever it applies to, within reason."""
        return list(self.applies().order_by("pk").values_list("pk", flat=True)[:MOST])

    def get_queryset(self, model: type[Model], object_ids: Iterable[object]) -> list[Any]:
        """Return the rows that were ticked and that the user may see; others are not named."""
        ids = [int(str(pk)) for pk in object_ids if str(pk).isdecimal()][:MOST]
        return list(visible(self.request.user, model._default_manager.filter(pk__in=ids)))

    def check_perm(self, obj: Model) -> bool:
        """Say whether it may be decided about this row."""
        return self.applies().filter(pk=obj.pk).exists()

    def get_actionable_objects(self) -> tuple[list[Any], dict[str, list[Any]]]:
        """Return the rows to which it is done, and those to which it is not. Three queries."""
        asked = self.request.GET.getlist("id")
        ids = self.get_all_objects_in_listing_query(None) if "all" in asked else asked
        rows = self.get_queryset(self.model, ids)
        fit = set(
            self.applies().filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)
        )
        return (
            [row for row in rows if row.pk in fit],
            {"items_with_no_access": [row for row in rows if row.pk not in fit]},
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the question needs."""
        return {
            **super().get_context_data(**kwargs),
            "explanation": self.explanation,
            "page_title": self.display_name,
            "left": max(0, self._all_left()),
        }

    def _all_left(self) -> int:
        if "all" not in self.request.GET.getlist("id"):
            return 0
        return self.applies()[: 20 * MOST].count() - MOST

    def form_valid(self, form: Any) -> HttpResponse:
        """Do it, outside of any transaction of the request's."""
        rows, _others = self.get_actionable_objects()
        for hook in hooks.get_hooks("before_bulk_action"):
            answer = hook(self.request, self.action_type, rows, self)
            if isinstance(answer, HttpResponse):
                return answer
        try:
            number = self.decide(rows, form.cleaned_data)
        except TriggersError as error:
            messages.error(self.request, _t(str(error)))
            return redirect(self.next_url)
        for hook in hooks.get_hooks("after_bulk_action"):
            answer = hook(self.request, self.action_type, rows, self)
            if isinstance(answer, HttpResponse):
                return answer
        if number:
            messages.success(self.request, self.done(number))
        else:
            messages.info(self.request, _t("Nothing was changed."))
        return redirect(self.next_url)

    def note(self, row: Model, **data: Any) -> None:
        """Write it into the row's history."""
        log(row, self.logged_as, user=self.request.user, title=str(row), data=data)


class JourneyDecision(Decision):
    """About journeys: whoever may publish one may stop it and let it go on."""

    wanted: ClassVar[tuple[str, ...]] = ()

    @classproperty
    def models(cls) -> list[type[Model]]:
        """Return what it is about."""
        return [Journey]

    def may_decide(self) -> bool:
        """Say whether the user may publish any journey."""
        return policy_of(Journey).user_has_permission(self.request.user, "publish")

    def applies(self) -> QuerySet[Journey]:
        """Return published journeys in a fitting state that the user may publish."""
        mine = policy_of(Journey).instances_user_has_permission_for(self.request.user, "publish")
        rows: QuerySet[Journey] = mine.filter(state__in=self.wanted, live_version__isnull=False)
        return rows


class PauseJourneys(JourneyDecision):
    """Nobody enters, nobody moves, nothing is sent."""

    display_name = _("Pause")
    aria_label = _("Pause the selected journeys")
    action_type = "pause"
    action_priority = 10
    wanted = (Journey.State.RUNNING,)
    logged_as = PAUSE
    explanation = _(
        "Nobody enters these journeys any more, those in them stay where they are, and nothing of "
        "them is sent. What happens meanwhile does not start them later."
    )

    def decide(self, rows: Sequence[Journey], answers: dict[str, Any]) -> int:
        """Pause each."""
        for row in rows:
            self.note(row, runs=pause(row, seconds=SECONDS))
        return len(rows)

    def done(self, number: int) -> str:
        """Say it."""
        return ngettext("%(n)d journey is paused.", "%(n)d journeys are paused.", number) % {
            "n": number
        }


class ResumeJourneys(JourneyDecision):
    """They go on, by the chosen clocks; what is overdue goes in a ramp."""

    display_name = _("Resume")
    aria_label = _("Resume the selected journeys")
    action_type = "resume"
    action_priority = 11
    wanted = (Journey.State.PAUSED,)
    form_class = ResumeForm
    logged_as = RESUME
    explanation = _(
        "These journeys go on. Those whose next step is overdue go on a few hundred a minute, not "
        "all at once, and messages that are too late are not sent."
    )

    def decide(self, rows: Sequence[Journey], answers: dict[str, Any]) -> int:
        """Let each go on."""
        for row in rows:
            runs = resume(row, clocks=answers["clocks"], seconds=SECONDS)
            self.note(row, runs=runs, **answers)
        return len(rows)

    def done(self, number: int) -> str:
        """Say it."""
        return ngettext("%(n)d journey goes on.", "%(n)d journeys go on.", number) % {"n": number}


class ArchiveJourneys(JourneyDecision):
    """Nobody enters any more; those in it finish or leave."""

    display_name = _("Archive")
    aria_label = _("Archive the selected journeys")
    action_type = "archive"
    action_priority = 12
    wanted = (Journey.State.RUNNING, Journey.State.PAUSED)
    form_class = ArchiveForm
    logged_as = ARCHIVE
    explanation = _("Nobody enters these journeys any more. They can be taken up again later.")

    def decide(self, rows: Sequence[Journey], answers: dict[str, Any]) -> int:
        """Archive each."""
        for row in rows:
            finish = answers["people"] == "finish"
            runs = archive(row, let_finish=finish, by=self.request.user, seconds=SECONDS)
            self.note(row, runs=runs, **answers)
        return len(rows)

    def done(self, number: int) -> str:
        """Say it."""
        return ngettext("%(n)d journey is archived.", "%(n)d journeys are archived.", number) % {
            "n": number
        }


class RunDecision(Decision):
    """About runs: messages go out by it, or do not, as by publishing."""

    wanted: ClassVar[tuple[str, ...]] = ()

    @classproperty
    def models(cls) -> list[type[Model]]:
        """Return what it is about."""
        return [Enrolment]

    def may_decide(self) -> bool:
        """Say whether the user may steer any run."""
        return may_retry(self.request.user)

    def applies(self) -> QuerySet[Enrolment]:
        """Return runs in a fitting state that the user may steer."""
        rows = Enrolment.objects.filter(state__in=self.wanted)
        return may_steer(self.request.user, rows)

    def get_queryset(self, model: type[Model], object_ids: Iterable[object]) -> list[Any]:
        """Return the runs with what the question names of them."""
        rows: list[Any] = super().get_queryset(model, object_ids)
        journeys = Journey.objects.in_bulk({row.journey_id for row in rows})
        named = may_see_people(self.request.user)
        people = Contact.objects.in_bulk({row.contact_id for row in rows}) if named else {}
        for row in rows:
            row.journey = journeys[row.journey_id]
            parts = [people.get(row.contact_id), row.journey, row.key]
            row.shown = " · ".join(str(part) for part in parts if part)
        return rows


class RetryRuns(RunDecision):
    """Parked runs try their step again."""

    display_name = _("Try again")
    aria_label = _("Let the selected runs try again")
    action_type = "retry"
    action_priority = 10
    wanted = (Enrolment.State.PARKED,)
    logged_as = RETRY
    explanation = _(
        "These runs go on at the steps at which they were parked. Those whose trouble is still "
        "there will be parked again."
    )

    def decide(self, rows: Sequence[Enrolment], answers: dict[str, Any]) -> int:
        """Let them."""
        number = retry_parked([row.pk for row in rows], clock.now())
        for row in rows:
            self.note(row, journey=str(row.journey), reason=row.reason, node=row.node)
        return number

    def done(self, number: int) -> str:
        """Say it."""
        return ngettext("%(n)d run goes on.", "%(n)d runs go on.", number) % {"n": number}


class TakeRunsOut(RunDecision):
    """Runs end at once."""

    display_name = _("Take out")
    aria_label = _("Take the selected people out of the journey")
    action_type = "take_out"
    action_priority = 20
    classes: ClassVar[set[str]] = {"serious"}
    wanted = tuple(Enrolment.ALIVE)
    logged_as = TAKE_OUT
    explanation = _(
        "These people leave their journeys at once, and marketing that was planned for them is not "
        "sent. What they were promised, such as a receipt, still is."
    )

    def decide(self, rows: Sequence[Enrolment], answers: dict[str, Any]) -> int:
        """End them."""
        number = end_runs([row.pk for row in rows], clock.now())
        for row in rows:
            self.note(row, journey=str(row.journey), node=row.node, was=explained(row.reason))
        return number

    def done(self, number: int) -> str:
        """Say it."""
        return ngettext("%(n)d run has ended.", "%(n)d runs have ended.", number) % {"n": number}


#: What `register_bulk_action` is told.
DECISIONS: Final = (PauseJourneys, ResumeJourneys, ArchiveJourneys, RetryRuns, TakeRunsOut)
