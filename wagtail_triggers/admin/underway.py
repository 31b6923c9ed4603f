"""People under way on earlier versions: what shall become of them, step by step.

The numbers are shown before anything happens. Nothing happens to anybody whom nobody decides about:
they finish on the version on which they began.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin import messages as admin_messages
from wagtail.log_actions import log

from ..engine.models import Enrolment, Transfer, TransferRule
from ..engine.places import Place, behind, may_stand, places, unsent_of_removed_steps
from ..engine.transfer import Rule, begin, carry_out
from ..exceptions import TriggersError
from ..journeys.models import Journey, JourneyVersion
from ..journeys.plan import Plan, plan_for
from .sentences import Teller
from .switching import SECONDS, JourneyDecisionView, may_switch

#: As it stands in the audit log, and in `register_log_actions`.
TRANSFER = "wagtail_triggers.transfer"

Policy = TransferRule.Policy


class PlaceForm(forms.Form):
    """What becomes of those at one step of an earlier version."""

    policy = forms.ChoiceField(label=_("What becomes of them"), choices=Policy.choices)
    target = forms.ChoiceField(label=_("They go on at"), required=False)
    clock = forms.ChoiceField(label=_("Waits"), choices=TransferRule.Clock.choices)

    def __init__(self, *args: Any, targets: Sequence[tuple[str, str]], skips: bool, **kw: Any):
        super().__init__(*args, **kw)
        policy, target = self.fields["policy"], self.fields["target"]
        assert isinstance(policy, forms.ChoiceField)  # noqa: S101 - see above
        assert isinstance(target, forms.ChoiceField)  # noqa: S101 - see above
        target.choices = [("", _t("Choose a step")), *targets]
        if not skips:  # nothing follows
            policy.choices = [one for one in Policy.choices if one[0] != Policy.SKIP]

    def clean(self) -> dict[str, Any]:
        """Ask for the step at which those who are moved go on."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("policy") == Policy.MOVE and not cleaned.get("target"):
            self.add_error("target", _t("Choose the step at which they go on."))
        return cleaned


class OptionsForm(forms.Form):
    """What is decided for all steps together."""

    cancels_unsent = forms.BooleanField(
        required=False,
        label=_("Take back marketing messages that are planned by steps which are no longer there"),
        help_text=_("Only of those who are moved. If not ticked, these messages are sent."),
    )


@dataclass(slots=True)
class Row:
    """One step of an earlier version, with what can be decided about those who stand there."""

    place: Place
    sentence: str
    #: Whether the new version has the step, and it does something else there.
    change: str
    skips_to: str
    skips_to_sentence: str
    form: PlaceForm

    def rule(self) -> Rule:
        """The rule that the form's answers make."""
        answers = self.form.cleaned_data
        policy = answers["policy"]
        target = {Policy.MOVE: answers["target"], Policy.SKIP: self.skips_to}.get(policy, "")
        return Rule(self.place.version_id, self.place.node, policy, target, answers["clock"])


class UnderWayView(JourneyDecisionView):
    """GET shows where people stand; POST first shows what will happen, then does it."""

    template_name = "wagtail_triggers/admin/underway.html"
    page_title = _("People under way")
    header_icon = "triggers-run"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what the answers lead to, or do what has been shown."""
        if not self.rows:
            return redirect(self._here())
        valid = self.general.is_valid()
        if not all([row.form.is_valid() for row in self.rows]) or not valid:
            return self.render_to_response(self.get_context_data(is_wrong=True))
        if "confirm" in request.POST and request.POST.get("shown") == self._fingerprint():
            return self._decide(request)
        return self.render_to_response(self.get_context_data(preview=self._preview()))

    def _decide(self, request: HttpRequest) -> HttpResponse:
        rules = [row.rule() for row in self.rows]
        try:
            made = begin(
                self.journey,
                self.version,
                rules,
                cancels_unsent=self.general.cleaned_data["cancels_unsent"],
                by=request.user,
            )
        except TriggersError as error:
            messages.error(request, _t(str(error)))
            return redirect(self._here())
        done = carry_out(made, seconds=SECONDS)
        counted = Counter[str]()
        for rule in made.rules.all():
            counted[rule.policy] += rule.counted
        log(self.journey, TRANSFER, user=request.user, data={"transfer": made.pk, **counted})
        text = ngettext("%(n)d person was moved or let out.", "%(n)d people were moved or let out.",
                        done)  # fmt: skip
        messages.success(request, text % {"n": done})
        return redirect(self._here())

    def _here(self) -> str:
        return reverse("triggers_journeys:underway", args=[self.journey.pk])

    @cached_property
    def version(self) -> JourneyVersion | None:
        """The version that is live."""
        return self.journey.live_version

    @cached_property
    def plan(self) -> Plan | None:
        """The live version's plan; None where there is none, or it can no longer be carried out."""
        return _plan(self.version)

    @cached_property
    def general(self) -> OptionsForm:
        """What is decided for all together."""
        return OptionsForm(self.request.POST if self.request.method == "POST" else None)

    @cached_property
    def rows(self) -> list[Row]:
        """Every step of an earlier version at which somebody stands."""
        if self.plan is None or self.version is None:
            return []
        standing = places(self.journey)
        versions = JourneyVersion.objects.in_bulk({place.version_id for place in standing})
        teller = Teller()
        targets = [
            (node, f"{teller.at(node, self.version, self.journey.site_id)} ({node})")
            for node in self.plan.steps
            if may_stand(self.plan, node)
        ]
        return [self._row(place, versions[place.version_id], targets, teller) for place in standing]

    def _row(
        self, place: Place, old: JourneyVersion, targets: list[tuple[str, str]], teller: Teller
    ) -> Row:
        assert self.plan is not None  # noqa: S101 - there is no row without one
        assert self.version is not None  # noqa: S101 - there is no row without one
        before = _plan(old)
        skips_to = behind(place.node, before, self.plan)
        here = may_stand(self.plan, place.node)
        asked = self.request.GET.get("all", Policy.STAY)
        policy = asked if asked in (Policy.STAY, Policy.EXIT) or here else Policy.STAY
        if asked == Policy.SKIP:
            policy = Policy.SKIP if skips_to else Policy.STAY
        form = PlaceForm(
            self.request.POST if self.request.method == "POST" else None,
            prefix=f"v{place.version_id}-{place.node}",
            targets=targets,
            skips=bool(skips_to),
            initial={"policy": policy, "target": place.node if here else skips_to},
        )
        site = self.journey.site_id
        return Row(
            place=place,
            sentence=teller.at(place.node, old, site) or place.node,
            change=_change(place.node, before, self.plan),
            skips_to=skips_to,
            skips_to_sentence=teller.at(skips_to, self.version, site),
            form=form,
        )

    def _preview(self) -> dict[str, Any]:
        totals = Counter[str]()
        for row in self.rows:
            totals[row.rule().policy] += row.place.people
        return {
            "totals": [(label, totals[policy]) for policy, label in Policy.choices],
            "changes": sum(totals.values()) - totals[Policy.STAY],
            "fingerprint": self._fingerprint(),
        }

    def _fingerprint(self) -> str:
        """What was shown: another answer needs another look."""
        said: list[Any] = [[rule.version_id, rule.node, rule.policy, rule.target, rule.clock]
                for rule in (row.rule() for row in self.rows)]  # fmt: skip
        said.append([self.version.pk if self.version else 0, self.general.cleaned_data])
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the table, the numbers and what was decided last."""
        unsent = 0
        if self.rows and self.plan is not None and self.version is not None:
            unsent = unsent_of_removed_steps(self.journey, self.version, self.plan)
        last = self.journey.transfers.select_related("to_version", "made_by").order_by("-pk")
        return {
            **super().get_context_data(**kwargs),
            "journey": self.journey,
            "version": self.version,
            "rows": self.rows,
            "people": sum(row.place.people for row in self.rows),
            "unsent": unsent,
            "general": self.general,
            "last": _told(last.first()),
            "all_choices": [one for one in Policy.choices if one[0] != Policy.SKIP],
            "rehearsal": reverse("triggers_journeys:rehearsal", args=[self.journey.pk])
            + "?of=live",
            "back": reverse("triggers_journeys:inspect", args=[self.journey.pk]),
        }


def _told(made: Transfer | None) -> dict[str, Any] | None:
    """What was decided last, and how far it is."""
    if made is None:
        return None
    rules = list(made.rules.select_related("version").order_by("version__number", "node"))
    teller = Teller()
    return {
        "made": made,
        "rules": [
            {
                "rule": rule,
                "step": teller.at(rule.node, rule.version, made.journey.site_id)
                if rule.version is not None
                else _t("Every step"),
            }
            for rule in rules
        ],
    }


def _plan(version: JourneyVersion | None) -> Plan | None:
    if version is None:
        return None
    try:
        return plan_for(version.pk, version.graph)
    except TriggersError:
        return None


def _change(node: str, before: Plan | None, after: Plan) -> str:
    """What the new version made of a step, in a word."""
    if not may_stand(after, node):
        return _t("removed")
    old = before.steps.get(node) if before is not None else None
    new = after.step(node)
    if old is not None and type(old) is type(new) and old.settings == new.settings:
        return ""
    return _t("changed")


def tell_after_publishing(request: HttpRequest, instance: Any) -> None:
    """Say that people are still on an earlier version: an `after_edit_snippet` hook."""
    if not isinstance(instance, Journey) or "action-publish" not in request.POST:
        return
    journey = Journey.objects.get(pk=instance.pk)
    people = sum(place.people for place in places(journey))
    if not people or not may_switch(request.user, journey):
        return
    text = ngettext(
        "%(n)d person is under way on an earlier version, and stays there unless you decide "
        "otherwise.",
        "%(n)d people are under way on earlier versions, and stay there unless you decide "
        "otherwise.",
        people,
    )
    url = reverse("triggers_journeys:underway", args=[journey.pk])
    button = admin_messages.button(url, _t("Decide"))
    admin_messages.info(request, text % {"n": people}, buttons=[button])


def tell_after_unpublishing(request: HttpRequest, instance: Any) -> None:
    """Say that those under way finish, and where to let them leave: an `after_unpublish` hook."""
    if not isinstance(instance, Journey) or not may_switch(request.user, instance):
        return
    alive = Enrolment.objects.filter(journey_id=instance.pk, state__in=Enrolment.ALIVE)
    people = alive.count()
    if not people:
        return
    text = ngettext(
        "Nobody enters any more. %(n)d person is under way, and finishes.",
        "Nobody enters any more. %(n)d people are under way, and finish.",
        people,
    )
    url = reverse("triggers_journeys:archive", args=[instance.pk])
    button = admin_messages.button(url, _t("Let them leave"))
    admin_messages.info(request, text % {"n": people}, buttons=[button])


def underway_urls() -> list[URLPattern]:
    """Return the URLs, for those of the journeys."""
    return [path("<int:pk>/under-way/", UnderWayView.as_view(), name="underway")]
