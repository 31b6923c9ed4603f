"""What a journey would have done with the events of the last days, and what publishing changes.

The page computes and shows; it changes nothing. It is reached while a draft is edited, and from
the page on which it is decided what becomes of people under way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button

from ..contacts.models import Contact
from ..core import clock
from ..engine.live import LiveJourney
from ..engine.places import Standing, may_stand, standing
from ..engine.rehearsal import Rehearsal, rehearse, unasked_guards
from ..exceptions import TriggersError
from ..journeys.graph import Graph
from ..journeys.models import Journey
from ..journeys.plan import Plan, compile_graph
from ..journeys.reading import Reading, read_json
from ..journeys.surroundings import SiteSurroundings
from ..messages.models import Message
from .permissions import may_view, policy_of, visible
from .sentences import Teller
from .states import explained, tone
from .step_changes import changes_of

#: How far back one may look.
DAYS: Final = (7, 30, 90)
#: How long the page may compute.
SECONDS: Final = 10.0
DRAFT: Final = "draft"
LIVE: Final = "live"


def may_rehearse(user: Any, journey: Journey) -> bool:
    """Say whether `user` may see what a journey would have done: who writes or publishes it."""
    policy = policy_of(Journey)
    actions = ("change", "publish")
    return bool(policy.user_has_any_permission_for_instance(user, actions, journey))


def rehearsal_buttons(user: Any, journey: Journey) -> list[Button]:
    """Return the button that leads here, for those who may."""
    if journey.pk is None or not may_rehearse(user, journey):
        return []
    url = reverse("triggers_journeys:rehearsal", args=[journey.pk])
    label = _("What would this have done?")
    return [Button(label, url=url, icon_name="history", priority=24)]


@dataclass(frozen=True, slots=True)
class Line:
    """One step with how many runs would have come to it."""

    sentence: str
    depth: int
    port: str
    runs: int


class RehearsalView(WagtailAdminTemplateMixin, TemplateView):
    """GET computes; there is nothing else."""

    template_name = "wagtail_triggers/admin/rehearsal.html"
    page_title = _("What would this have done?")
    header_icon = "history"
    http_method_names = ("get", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may neither write nor publish the journey."""
        if not may_rehearse(request.user, self.journey):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def journey(self) -> Journey:
        """The journey that is meant."""
        return get_object_or_404(Journey, pk=self.kwargs["pk"])

    @cached_property
    def draft(self) -> Journey:
        """The journey as it was saved last."""
        made: Journey = self.journey.get_latest_revision_as_object()
        return made

    @cached_property
    def days(self) -> int:
        """How far back to look."""
        asked = self.request.GET.get("days", "")
        return int(asked) if asked in map(str, DAYS) else DAYS[0]

    @cached_property
    def which(self) -> str:
        """Whether the draft or the published version is rehearsed."""
        wanted = self.request.GET.get("of", DRAFT)
        return LIVE if wanted == LIVE and self.journey.live_version_id else DRAFT

    @cached_property
    def graph(self) -> Any:
        """The steps that are rehearsed."""
        live = self.journey.live_version
        return live.graph if self.which == LIVE and live is not None else self.draft.graph

    @cached_property
    def plan(self) -> Plan | None:
        """The plan; None where the steps cannot be carried out as they are."""
        try:
            return compile_graph(Graph.from_json(self.graph))
        except TriggersError:
            return None

    def get_page_subtitle(self) -> str:
        """Return the journey's name."""
        return self.journey.name

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {"url": reverse("triggers_journeys:edit", args=[self.journey.pk]),
             "label": self.journey.name},
            {"url": "", "label": self.get_page_title()},
        ]  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what would have happened, and what publishing would change."""
        reading = read_json(self.graph, self.journey.site_id)
        return {
            **super().get_context_data(**kwargs),
            "journey": self.journey,
            "days": self.days,
            "all_days": DAYS,
            "which": self.which,
            "has_live": self.journey.live_version_id is not None,
            "reading": reading,
            **self._publishing(),
            **(self._rehearsed(reading) if self.plan is not None else {}),
        }

    def _publishing(self) -> dict[str, Any]:
        """What publishing the draft would change: the steps, and where people stand."""
        live = self.journey.live_version
        if live is None or self.which == LIVE:
            return {}
        changes = changes_of(live.graph, self.draft.graph, self.journey.site_id)
        teller = Teller()
        people = [
            (place, teller.at(place.node, place.version, self.journey.site_id) or place.node,
             self._fate(place, changes.marks))
            for place in standing(self.journey)
        ]  # fmt: skip
        return {
            "version": live,
            "changes": changes,
            "places": people,
            "people": sum(place.people for place, _sentence, _fate in people),
        }

    def _fate(self, place: Standing, marks: Mapping[str, str]) -> str:
        """What the draft makes of the step at which people stand."""
        if self.plan is not None and not may_stand(self.plan, place.node):
            return _t("removed")
        return _t("changed") if marks.get(place.node) == "changed" else ""

    def _rehearsed(self, reading: Reading) -> dict[str, Any]:
        assert self.plan is not None  # noqa: S101 - the caller has looked
        journey = LiveJourney(
            self.journey.pk, self.journey.site_id, 0, self.draft.priority, self.plan,
            str(self.journey.uid),
        )  # fmt: skip
        found = rehearse(journey, days=self.days, moment=clock.now(), seconds=SECONDS)
        around = SiteSurroundings(self.journey.site_id)
        return {
            "found": found,
            "per_day": _per_day(found, around),
            "stopped": [
                (explained(reason), tone(state), count)
                for (state, reason), count in found.stopped.most_common()
            ],
            "waiting": [(explained(one), count) for one, count in found.waiting.most_common()],
            "refused": [(explained(one), count) for one, count in found.refused.most_common()],
            "parked": [(explained(one), count) for one, count in found.parked.most_common()],
            "lines": _lines(reading, found),
            "letters": self._letters(found, around),
            "unasked": unasked_guards(),
        }

    def _letters(self, found: Rehearsal, around: SiteSurroundings) -> list[dict[str, Any]]:
        """The newest messages with their people: for those who may look at people."""
        if not may_view(self.request.user, Contact):
            return []
        ids = {one.contact_id for one in found.letters}
        contacts = visible(self.request.user, Contact.objects.filter(pk__in=ids)).in_bulk()
        states = dict(Message.State.choices)
        return [
            {
                "contact": contacts[one.contact_id],
                "url": reverse("triggers_contacts:inspect", args=[one.contact_id]),
                "template": around.template_label(one.template),
                "letter": one,
                "state": states[one.state],
                "tone": tone(one.state),
                "reason": explained(one.reason) if one.reason else "",
            }
            for one in found.letters
            if one.contact_id in contacts
        ]


def _per_day(found: Rehearsal, around: SiteSurroundings) -> dict[str, Any] | None:
    """Messages by day and template, as a table; None where there are none."""
    if not found.per_day:
        return None
    totals: dict[str, int] = defaultdict(int)
    by_day: dict[date, dict[str, int]] = defaultdict(dict)
    for (day, template), count in found.per_day.items():
        totals[template] += count
        by_day[day][template] = count
    templates = sorted(totals, key=lambda one: (-totals[one], around.template_label(one)))
    return {
        "templates": [around.template_label(one) for one in templates],
        "totals": [totals[one] for one in templates],
        "days": [
            (day, [by_day[day].get(one, 0) for one in templates])
            for day in sorted(by_day, reverse=True)
        ],
        "most": max(sum(counts.values()) for counts in by_day.values()),
    }


def _lines(reading: Reading, found: Rehearsal) -> list[Line]:
    """The outline with the numbers, flat: how deep a line is says its indent."""
    lines: list[Line] = []
    todo = [(branch, 0) for branch in reversed(reading.branches)]
    while todo:
        branch, depth = todo.pop()
        if not branch.item.again:
            runs = found.by_node.get(branch.item.node, 0)
            lines.append(Line(branch.item.sentence, min(depth, 6), branch.item.port, runs))
        todo += [(below, depth + 1) for below in reversed(branch.below)]
    return lines


def rehearsal_urls() -> list[URLPattern]:
    """Return the URLs, for those of the journeys."""
    return [path("<int:pk>/rehearsal/", RehearsalView.as_view(), name="rehearsal")]
