"""Update: change what is known of the person: facts, tags, score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Self

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import AfterValidator, Field, field_validator, model_validator

from ...contacts.known_facts import BUILT_IN, known_facts
from ..comparisons import as_bool, as_number, as_time
from ..copying import Missing, copy_in
from ..problems import Problem, did_you_mean
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Act, ChangeContact, Decision, Park
from .registry import register_step

#: Words that stand for a moment of the run.
_NOW: Final = {"now": True}
_TODAY: Final = {"today": True}
#: As much as a text field of an event may have.
MAX_TEXT: Final = 2_000

MISSING: Final = gettext_noop(
    "The event lacks a field that this step copies. Give the step an “else”, and try again."
)
WRONG_KIND: Final = gettext_noop(
    "The event's field is not of the kind of the fact. Correct the step or the shop, and try again."
)
UNKNOWN: Final = gettext_noop(
    "A fact that this step sets is not declared. Declare it in the shop's code, and try again."
)


def _trimmed(value: str) -> str:
    if not value.strip():
        raise ValueError(_t("A tag must have at least one character."))
    return value.strip()


Tag = Annotated[str, Field(max_length=100), AfterValidator(_trimmed)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=50)]


class UpdateSettings(StepSettings):
    """`facts` by name: a value, null (forget it), {"now": true}, {"today": true}, or a copy."""

    facts: Annotated[Mapping[str, Any], Field(max_length=50)] = {}
    add_tags: Tags = ()
    remove_tags: Tags = ()
    score: Annotated[int, Field(ge=-1_000_000, le=1_000_000, strict=True)] = 0

    @field_validator("facts")
    @classmethod
    def _has_plain_values(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, wanted in value.items():
            if copy_in(wanted) is None and isinstance(wanted, Mapping | list):
                if wanted in (_NOW, _TODAY):
                    continue
                raise ValueError(
                    _t(
                        "“%(name)s” must be a text, a number, true, false, null, {“now”: true}, "
                        "{“today”: true} or {“event”: “field”}."
                    )
                    % {"name": name}
                )
        return value

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not (self.facts or self.add_tags or self.remove_tags or self.score):
            raise ValueError(_t("Say what to change: “facts”, “add_tags”, “remove_tags”, “score”."))
        both = set(self.add_tags) & set(self.remove_tags)
        if both:
            message = _t("“%(tag)s” is added and removed. Decide for one.")
            raise ValueError(message % {"tag": min(both)})
        return self


@register_step
class UpdateStep(Step[UpdateSettings]):
    """Changes declared facts, tags and the score, and goes on."""

    identifier = "update"
    label = _("Change the person")
    description = _("Sets facts, puts tags on or takes them off, adds to the score.")
    icon = "user"
    Settings = UpdateSettings

    def decide(self, run: Run) -> Decision:
        """Change the person; park the run if a value is missing or of the wrong kind."""
        kinds = known_facts()
        facts: dict[str, Any] = {}
        for name, wanted in self.settings.facts.items():
            if name not in kinds or name in BUILT_IN:
                return Park(UNKNOWN)
            try:
                value = _value(wanted, kinds[name], run)
                facts[name] = None if value is None else typed(kinds[name], value, run)
            except Missing:
                return Park(MISSING)
            except ValueError:
                return Park(WRONG_KIND)
        s = self.settings
        return Act((ChangeContact(facts, s.add_tags, s.remove_tags, s.score),))

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Change the person: favourite is “sencha”; add tag “vip”; score +5"."""
        s = self.settings
        parts = [_said(name, wanted) for name, wanted in s.facts.items()]
        parts += [_t("add the tag “%(tag)s”") % {"tag": tag} for tag in s.add_tags]
        parts += [_t("remove the tag “%(tag)s”") % {"tag": tag} for tag in s.remove_tags]
        if s.score:
            parts.append(_t("score %(score)s") % {"score": f"{s.score:+d}"})
        return _t("Change the person: %(changes)s") % {"changes": "; ".join(parts)}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield facts that cannot be set, and values that are not of their kind."""
        known = surroundings.facts()
        for name, wanted in self.settings.facts.items():
            place = f"facts.{name}"
            if name in BUILT_IN:
                message = _t("“%(name)s” is the shop's own to tell; a journey cannot change it.")
                yield Problem("", place, message % {"name": name})
                continue
            if name not in known:
                message = _t("There is no fact “%(name)s” of a contact.") % {"name": name}
                yield Problem("", place, message + did_you_mean(name, set(known) - set(BUILT_IN)))
                continue
            copy = copy_in(wanted)
            if copy is not None:
                yield from copy.problems(surroundings, triggers, place)
                wanted = copy.other
            if wanted is not None and not _fits(known[name], wanted):
                message = _t("This fact is of the kind “%(kind)s”; this value is not.")
                yield Problem("", place, message % {"kind": known[name]})


def typed(kind: str, value: Any, run: Run) -> Any:
    """Return `value` as a fact of this kind is kept, in JSON; a moment as a date is the local one.

    Raises:
        ValueError: It is not of the kind.
    """
    if kind == "text" and isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if kind == "number" and as_number(value) is not None:
        return value
    if kind == "yes_no" and (answer := as_bool(value)) is not None:
        return answer
    moment = as_time(value)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=run.time_zone)
        if kind == "datetime":
            return moment.isoformat()
        if kind == "date":
            return moment.astimezone(run.time_zone).date().isoformat()
    elif isinstance(moment, date) and kind == "date":
        return moment.isoformat()
    raise ValueError(kind)


def _value(wanted: Any, kind: str, run: Run) -> Any:
    if wanted == _NOW and isinstance(wanted, Mapping):
        return run.moment.isoformat()
    if wanted == _TODAY and isinstance(wanted, Mapping):
        return run.moment.astimezone(run.time_zone).date().isoformat()
    copy = copy_in(wanted)
    return copy.value(run.event) if copy is not None else wanted


def _fits(kind: str, wanted: Any) -> bool:
    """Whether a value that the editor gave is of the kind; copies are seen when they are made."""
    if isinstance(wanted, Mapping):
        return kind == "date" or (kind == "datetime" and wanted == _NOW)
    moment = as_time(wanted)
    return {
        "text": isinstance(wanted, str) and len(wanted) <= MAX_TEXT,
        "number": as_number(wanted) is not None,
        "yes_no": as_bool(wanted) is not None,
        "date": moment is not None,
        "datetime": isinstance(moment, datetime),
    }.get(kind, False)


def _said(name: str, wanted: Any) -> str:
    copy = copy_in(wanted)
    if wanted is None:
        return _t("forget %(fact)s") % {"fact": name}
    if copy is not None:
        values = {"fact": name, "field": copy.path}
        return _t("%(fact)s is the event's %(field)s") % values
    if isinstance(wanted, Mapping):
        words = _t("today") if "today" in wanted else _t("now")
        return _t("%(fact)s is %(value)s") % {"fact": name, "value": words}
    words = {True: _t("yes"), False: _t("no")}[wanted] if isinstance(wanted, bool) else wanted
    return _t("%(fact)s is “%(value)s”") % {"fact": name, "value": words}
