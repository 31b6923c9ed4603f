"""Findings of the engine in sentences: what, by which rule, of which version, when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import ngettext

from ..contacts.models import Contact
from ..engine.explaining import Attempt, Finding
from ..engine.forecast import Expected, Forecast, Proviso
from ..events.models import Event
from ..events.types import event_types
from ..exceptions import TriggersError
from ..journeys.comparisons import has_order
from ..journeys.conditions import parse
from ..journeys.models import Journey, JourneyVersion
from ..journeys.plan import Plan, plan_for
from ..journeys.steps.entry import EntryStep
from ..journeys.surroundings import SiteSurroundings
from ..messages.models import Template
from .answer_words import ENTRY, ENTRY_TONES, LETTERS, RUNS, STOPS
from .states import explained, tone


@dataclass(frozen=True, slots=True)
class Link:
    """A page behind a sentence."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Told:
    """One finding for people. `code` is for tests and style sheets; `more` are further lines."""

    code: str
    sentence: str
    tone: str = "neutral"
    at: datetime | None = None
    more: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldAttempt:
    """An event with what came of it, and the letters of its run."""

    title: str
    at: datetime | None
    answer: Told
    letters: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldForecast:
    """The days to come."""

    letters: tuple[tuple[Expected, str, tuple[str, ...], str], ...]
    standing: tuple[Link, ...]
    ends: tuple[str, ...]
    until: datetime
    cut_short: bool


class Answers:
    """Tells findings about one person and one journey. Make one for each page.

    Args:
        sees_events: Whether the reader may be led to events.
        sees_messages: Whether the reader may be led to messages.
    """

    def __init__(
        self,
        contact: Contact,
        journey: Journey,
        moment: datetime,
        *,
        sees_events: bool,
        sees_messages: bool,
    ) -> None:
        self.contact, self.journey, self.moment = contact, journey, moment
        self._sees_events, self._sees_messages = sees_events, sees_messages
        self._around = SiteSurroundings(journey.site_id)
        self._plans: dict[int, Plan | None] = {}

    # -- findings -------------------------------------------------------------------------------

    def told(self, finding: Finding) -> Told:
        """Return a finding in words."""
        if finding.message is not None:
            return self._letter(finding)
        if finding.run is not None:
            return self._run(finding)
        return self._entry(finding)

    def attempt(self, attempt: Attempt) -> ToldAttempt:
        """Return an event and everything that came of it in words."""
        event, run = attempt.event, attempt.run
        if event is not None:
            title = self.event(event.name)
            if event.key:
                title = f"{title} · {event.key}"
            at: datetime | None = event.occurred_at
        else:
            title = _t("An event that is no longer kept")
            at = run.entered_at if run is not None else None
        # The answer leads to the run and its version; a letter needs no more than its own page.
        letters = tuple(
            replace(told, links=told.links[:1])
            for told in (self.told(one) for one in attempt.letters if one is not attempt.answer)
        )
        return ToldAttempt(title, at, self.told(attempt.answer), letters)

    def _entry(self, finding: Finding) -> Told:
        event, standing = finding.event, finding.standing
        values: dict[str, Any] = {
            "event": self.event(event.name) if event else "",
            "events": ", ".join(f"“{one}”" for one in self._entry_events(finding.version)),
            "problem": explained(event.problem) if event else "",
            "since": _moment(standing.at) if standing else "",
            "version": finding.version.number if finding.version else "?",
        }
        words = ENTRY.get(finding.code)
        sentence = _closed(words % values if words else explained(finding.code))
        more = [*self._rule(finding)]
        if standing is not None and standing.reason and finding.code == "journey_paused":
            more.append(explained(standing.reason))
        return Told(
            finding.code,
            sentence,
            ENTRY_TONES.get(finding.code, "warning"),
            finding.at,
            tuple(more),
            tuple(self._links(finding)),
        )

    def _run(self, finding: Finding) -> Told:
        run = finding.run
        assert run is not None  # noqa: S101 - the caller has looked
        values = {
            "step": self.step(finding.node, finding.version) or finding.node,
            "way": self._port(finding),
            "until": _moment(finding.until) if finding.until else _t("something happens"),
            "reason": explained(run.reason),
            "since": _moment(finding.at),
        }
        words = RUNS.get(finding.code)
        sentence = _closed(words % values if words else explained(run.reason or finding.code))
        more = []
        if finding.standing is not None and finding.standing.reason:
            more.append(explained(finding.standing.reason))
        state = tone(run.state)
        if finding.code in ("held_out", "another_way"):
            state = "neutral"
        elif finding.code in ("journey_paused_now", "site_off", "trying_again"):
            state = "warning"
        links = tuple(self._links(finding))
        # A sentence that says since when needs no second moment behind it.
        at = None if words and "%(since)s" in str(words) else finding.at
        return Told(finding.code, sentence, state, at, tuple(more), links)

    def _letter(self, finding: Finding) -> Told:
        message = finding.message
        assert message is not None  # noqa: S101 - the caller has looked
        # The reason of a provider may be in any words; ours end with a full stop.
        values = {
            "letter": str(message.template_version.template),
            "reason": explained(message.reason),
            "until": _moment(finding.until) if finding.until else "",
        }
        words = LETTERS.get(finding.code) or STOPS.get(str(message.state)) or STOPS["planned"]
        links = tuple(self._links(finding))
        sentence = _closed(words % values)
        return Told(finding.code, sentence, tone(message.state), finding.at, (), links)

    # -- rules ----------------------------------------------------------------------------------

    def _rule(self, finding: Finding) -> Iterable[str]:
        """The lines that say which rule it was, with what it saw."""
        refusal = finding.refusal
        if refusal is None:
            return
        for door in refusal.detail:
            if refusal.reason == "filtered":
                yield from self._conditions(door)
            elif door.get("event"):
                done = Event.objects.filter(pk=door["event"]).first()
                if done is not None:
                    yield _t("“%(event)s” happened on %(at)s.") % {
                        "event": self.event(done.name),
                        "at": _moment(done.occurred_at),
                    }
            elif door.get("node"):
                yield from self._reentry(str(door["node"]), finding.version)

    def _conditions(self, door: Mapping[str, Any]) -> Iterable[str]:
        for one in door.get("why", ()):
            try:
                leaf = parse(one["leaf"])
            except TriggersError:
                continue  # a kind of condition whose app is gone
            if leaf is None:
                continue
            words = leaf.describe(self._around)
            found = one.get("found")
            if one.get("holds"):
                yield _t("It must not be so that %(condition)s, and it was so.") % {
                    "condition": words
                }
            elif isinstance(found, bool):
                yield _t("It must be so that %(condition)s, and it was not so.") % {
                    "condition": words
                }
            elif found in (None, []):
                yield _t("The condition: %(condition)s. Nothing was known of it.") % {
                    "condition": words
                }
            else:
                yield _t("The condition: %(condition)s. It was %(found)s.") % {
                    "condition": words,
                    "found": _spoken(found),
                }

    def _reentry(self, node: str, version: JourneyVersion | None) -> Iterable[str]:
        plan = self._plan(version)
        step = plan.steps.get(node) if plan is not None else None
        if isinstance(step, EntryStep):
            yield _t("The rule: %(rule)s.") % {"rule": step.settings.reentry.describe()}

    def _links(self, finding: Finding) -> Iterable[Link]:
        """Where the reader can see for themselves."""
        if finding.message is not None and self._sees_messages:
            url = reverse("triggers_messages:inspect", args=[finding.message.pk])
            yield Link(_t("the message"), url)
        if finding.run is not None:
            url = reverse("triggers_enrolments:inspect", args=[finding.run.pk])
            yield Link(_t("the run, step by step"), url)
        if finding.event is not None and self._sees_events:
            url = reverse("triggers_events:inspect", args=[finding.event.pk])
            yield Link(_t("the event"), url)
        if finding.version is not None:
            url = reverse("triggers_journeys:inspect", args=[self.journey.pk])
            label = _t("version %(number)s of the journey") % {"number": finding.version.number}
            yield Link(label, f"{url}?version={finding.version.number}")
        if finding.code in ("over_cap", "cap_too_late", "quiet", "quiet_too_late", "site_off"):
            url = reverse(
                "wagtailsettings:edit",
                args=["wagtail_triggers", "triggerssettings", self.journey.site_id],
            )
            yield Link(_t("the site's limits and quiet hours"), url)
        if finding.code in _OF_CONSENT:
            url = reverse("triggers_contacts:inspect", args=[self.contact.pk])
            yield Link(_t("what the person agreed to"), url)

    # -- the days to come -----------------------------------------------------------------------

    def forecast(self, found: Forecast) -> ToldForecast:
        """Return what is to come in words."""
        letters = tuple(
            (
                one,
                self._template(one.template),
                tuple(self._proviso(two, one.run.version) for two in one.provisos),
                str(LETTERS.get(one.stopped_by, "")) and self._stop(one.stopped_by),
            )
            for one in found.expected
        )
        standing = tuple(
            Link(
                self.step(run.node, run.version) or run.node,
                reverse("triggers_enrolments:inspect", args=[run.pk]),
            )
            for run in found.standing
        )
        return ToldForecast(letters, standing, self._ends(), found.until, found.cut_short)

    def _stop(self, code: str) -> str:
        return str(LETTERS[code]) % {"letter": _t("It"), "reason": "", "until": ""}

    def _proviso(self, proviso: Proviso, version: JourneyVersion) -> str:
        plan = self._plan(version)
        if plan is None or proviso.node not in plan.steps:
            return f"{proviso.node}: {proviso.port}"
        step = plan.steps[proviso.node]
        port = next((one.label for one in step.ports() if one.name == proviso.port), proviso.port)
        return _t("“%(way)s” at “%(step)s”") % {"way": port, "step": step.describe(self._around)}

    def _ends(self) -> tuple[str, ...]:
        """What would end the journey at once, in the words of its goals."""
        plan = self._plan(self.journey.live_version)
        if plan is None:
            return ()
        return tuple(plan.step(goal.node).describe(self._around) for goal in plan.goals)

    # -- names ----------------------------------------------------------------------------------

    def events(self, names: Iterable[str]) -> list[str]:
        """Return the events by their labels."""
        return sorted(self.event(name) for name in names)

    def event(self, name: str) -> str:
        """Return an event's label."""
        return str(event_types.get(name).label) if name in event_types else name

    def step(self, node: str, version: JourneyVersion | None) -> str:
        """Return what a step does; "" where the version has none of that name."""
        plan = self._plan(version)
        if plan is None or node not in plan.steps:
            return ""
        return plan.steps[node].describe(self._around)

    def _port(self, finding: Finding) -> str:
        plan = self._plan(finding.version)
        if plan is None or finding.node not in plan.steps:
            return finding.port
        ports = plan.steps[finding.node].ports()
        return next((str(one.label) for one in ports if one.name == finding.port), finding.port)

    def _entry_events(self, version: JourneyVersion | None) -> list[str]:
        plan = self._plan(version or self.journey.live_version)
        return self.events(plan.entry_events) if plan is not None else []

    def _plan(self, version: JourneyVersion | None) -> Plan | None:
        """Return the plan; None for a version that the installed steps can no longer read."""
        if version is None:
            return None
        if version.pk not in self._plans:
            try:
                self._plans[version.pk] = plan_for(version.pk, version.graph)
            except TriggersError:
                self._plans[version.pk] = None
        return self._plans[version.pk]

    def _template(self, key: str) -> str:
        return self._templates.get(key, key)

    @cached_property
    def _templates(self) -> dict[str, str]:
        rows = Template.objects.filter(site_id=self.journey.site_id)
        return {str(key): name for key, name in rows.values_list("translation_key", "name")}


_OF_CONSENT = frozenset(
    {"no_address", "suppressed", "unsubscribed_all", "unsubscribed", "no_consent"}
)


def _closed(sentence: object) -> str:
    """Return a sentence with one full stop, also where its last word brings its own ("a.m.")."""
    text = str(sentence).rstrip()
    return text[:-1] if text.endswith("..") else text


def _moment(value: datetime | None) -> str:
    if value is None:
        return "?"
    return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")


def _spoken(value: object) -> str:
    if isinstance(value, list):
        words = ", ".join(_spoken(one) for one in value[:3])
        more = len(value) - 3
        if more <= 0:
            return words
        rest = ngettext("%(n)d more", "%(n)d more", more) % {"n": more}
        return f"{words}, {rest}"
    if isinstance(value, bool):
        return _t("yes") if value else _t("no")
    return f"“{value}”" if isinstance(value, str) and not has_order(value) else str(value)
