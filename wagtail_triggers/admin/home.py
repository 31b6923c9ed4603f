"""The start page: what runs, what left today, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from ..analytics.rollups import sent_on, today
from ..core import clock
from ..engine.models import Enrolment, Task
from ..journeys.models import Journey
from ..messages.models import Circuit, Message, TriggersSettings
from . import access
from .permissions import ANY_ACTION, may_view, policy_of, visible
from .states import explained

#: Beyond this nobody counts: "more than" says enough, and costs as much as this.
COUNTED_UP_TO: Final = 1_000
#: Journeys with a trouble of their own that are named.
NAMED: Final = 5
#: A task is a problem when its deadline comes so soon.
SOON: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, with the page that lists what it counts."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that somebody should look at."""

    text: str
    url: str = ""
    reason: str = ""


class TriggersPanel(Component):
    """Journeys on the admin's start page, as far as the reader may see them."""

    name = "triggers"
    template_name = "wagtail_triggers/admin/home_panel.html"
    order = 90

    def __init__(self, user: Any) -> None:
        self.user = user

    def get_context_data(self, parent_context: Any = None) -> Mapping[str, Any]:
        """Return numbers and problems; a fixed number of queries, each bounded."""
        return {"figures": list(self._figures()), "problems": list(self._problems())}

    def _figures(self) -> Iterable[Figure]:
        user = self.user
        if may_view(user, Journey):
            running = Q(state=Journey.State.RUNNING, live=True, live_version__isnull=False)
            count = visible(user, Journey.objects.filter(running)).count()
            yield Figure(_("Journeys that run"), str(count), reverse("triggers_journeys:list"))
        if may_view(user, Message):
            sites = policy_of(Message).sites(user, ANY_ACTION)
            sent = sent_on(today(clock.now()), clock.now(), sites)
            url = f"{reverse('triggers_messages:index')}?{urlencode({'state': 'accepted'})}"
            yield Figure(_("Sent today"), str(sent), url)
        if may_view(user, Enrolment):
            rows = visible(user, Enrolment.objects.filter(state=Enrolment.State.ACTIVE))
            url = f"{reverse('triggers_enrolments:index')}?{urlencode({'state': 'active'})}"
            yield Figure(_("People under way"), _up_to(rows), url)

    def _problems(self) -> Iterable[Problem]:
        user = self.user
        if may_view(user, Journey):
            yield from self._of_journeys()
        if may_view(user, Enrolment):
            yield from self._parked()
        if may_view(user, Task):
            yield from self._tasks()
        if may_view(user, Message):
            yield from self._channels()

    def _of_journeys(self) -> Iterable[Problem]:
        stopped = Q(state=Journey.State.PAUSED) & ~Q(pause_reason="")
        rows = visible(self.user, Journey.objects.filter(stopped | ~Q(publish_problem="")))
        for journey in rows.order_by("-paused_at", "pk")[:NAMED]:
            url = reverse("triggers_journeys:inspect", args=[journey.pk])
            if journey.state == Journey.State.PAUSED and journey.pause_reason:
                text = _("“%(name)s” has paused itself.") % {"name": journey}
                yield Problem(text, url, explained(journey.pause_reason))
            else:
                text = _("“%(name)s” was published with errors; what was live before goes on.")
                yield Problem(text % {"name": journey}, url)
        off = TriggersSettings.objects.filter(sending_on=False).select_related("site")
        sites = policy_of(Journey).sites(self.user, ANY_ACTION)
        for row in _of_sites(off, sites)[:NAMED]:
            text = _("Sending is switched off for %(site)s.") % {"site": row.site}
            url = reverse(
                "wagtailsettings:edit",
                args=["wagtail_triggers", "triggerssettings", row.site_id],
            )
            yield Problem(text, url)

    def _parked(self) -> Iterable[Problem]:
        rows = visible(self.user, Enrolment.objects.filter(state=Enrolment.State.PARKED))
        number = rows[: COUNTED_UP_TO + 1].count()
        if number:
            text = ngettext(
                "%(n)s run is parked and waits for somebody to try it again.",
                "%(n)s runs are parked and wait for somebody to try them again.",
                number,
            ) % {"n": _shown(number)}
            url = f"{reverse('triggers_enrolments:index')}?{urlencode({'state': 'parked'})}"
            yield Problem(text, url)

    def _tasks(self) -> Iterable[Problem]:
        soon = clock.now() + SOON
        rows = visible(self.user, Task.objects.filter(state=Task.State.OPEN, deadline__lte=soon))
        number = rows[: COUNTED_UP_TO + 1].count()
        if number:
            text = ngettext(
                "%(n)s task must be decided within a day.",
                "%(n)s tasks must be decided within a day.",
                number,
            ) % {"n": _shown(number)}
            yield Problem(text, reverse("triggers_tasks:index"))

    def _channels(self) -> Iterable[Problem]:
        closed = Circuit.objects.filter(bulk_until__gt=clock.now()).order_by("name")
        for name in closed.values_list("name", flat=True)[:NAMED]:
            text = _("Most attempts through “%(name)s” fail; it is left alone for a while.")
            yield Problem(text % {"name": name}, reverse("triggers_messages:index"))


def _of_sites(rows: Any, sites: access.Sites) -> Any:
    return rows if sites is None else rows.filter(site_id__in=sites)


def _up_to(rows: Any) -> str:
    return _shown(rows.order_by()[: COUNTED_UP_TO + 1].count())


def _shown(number: int) -> str:
    if number <= COUNTED_UP_TO:
        return str(number)
    return _("over %(n)s") % {"n": COUNTED_UP_TO}


def add_home_panel(request: HttpRequest, panels: list[Component]) -> None:
    """Show the panel to those who may see any of it: the hook `construct_homepage_panels`."""
    if any(may_view(request.user, model) for model in (Journey, Enrolment, Message, Task)):
        panels.append(TriggersPanel(request.user))
