"""Emit: let an event happen to the person, which other journeys can listen to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, field_validator

from ...events.checking import checked_payload, is_too_large
from ...events.types import EventType, event_types
from ...exceptions import InvalidEvent
from ..condition_leaves import unknown_event
from ..copying import Missing, copy_in
from ..problems import Problem
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Act, Decision, Park
from .decisions import Emit as EmitEvent
from .registry import register_step

NOT_ALLOWED: Final = gettext_noop(
    "This event cannot be made by a journey. Is the app that brought it still installed?"
)
MISSING: Final = gettext_noop(
    "The event of the run lacks a field that the new event needs. Give the step an “else”, "
    "and try again."
)
INVALID: Final = gettext_noop(
    "The new event's data are not what its type asks for, or too large. Correct the step, and try "
    "again."
)
#: The column of an event's key.
MAX_KEY: Final = 128
#: Only the person, or a channel, can say these; said by a journey they would mean nothing.
_OTHERS_SAY: Final = ("subscribed", "unsubscribed", "message_")


class EmitSettings(StepSettings):
    """`payload` and `key` hold values, or copies from the run's event ({"event": "field"})."""

    event: Annotated[str, Field(min_length=1, max_length=100)]
    key: Any = None
    payload: Annotated[Mapping[str, Any], Field(max_length=50)] = {}

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: Any) -> Any:
        copy = copy_in(value)
        plain = value is None or (isinstance(value, str | int) and not isinstance(value, bool))
        if copy is None and not plain:
            raise ValueError(_t("This must be a text, a number, or {“event”: “field”}."))
        return value

    @field_validator("payload")
    @classmethod
    def _has_readable_copies(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for wanted in value.values():
            copy_in(wanted)  # raises ValueError where it is half a copy
        return value


@register_step
class EmitStep(Step[EmitSettings]):
    """Records an event of the person, about the objects of the run, and goes on."""

    identifier = "emit"
    label = _("Let an event happen")
    description = _("Records an event of this person, on which other journeys can start.")
    icon = "rotate"
    Settings = EmitSettings

    def decide(self, run: Run) -> Decision:
        """Record the event; park the run if it cannot be made from what there is."""
        kind = event_types.all().get(self.settings.event)
        if kind is None or not _may_be_made(kind):
            return Park(NOT_ALLOWED)
        try:
            payload = checked_payload(kind, _filled(self.settings.payload, run))
            key = self._key(kind, run)
        except Missing:
            return Park(MISSING)
        except InvalidEvent:
            return Park(INVALID)
        if len(key) > MAX_KEY or is_too_large(payload):
            return Park(INVALID)
        return Act((EmitEvent(kind.name, key, payload, run.refs),))

    def _key(self, kind: EventType, run: Run) -> str:
        """The key that was set; else that of the run, where both are about the same kind."""
        if self.settings.key is not None:
            copy = copy_in(self.settings.key)
            return str(copy.value(run.event) if copy else self.settings.key)
        about, _colon, own = run.key.partition(":")
        return own if kind.about and about == kind.about else ""

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Let “…” happen"."""
        event = self.settings.event
        return _t("Let “%(event)s” happen") % {"event": surroundings.events().get(event, event)}

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield an event that cannot be made, copies of fields that are not there, wrong data."""
        event = self.settings.event
        if event not in surroundings.events():
            yield unknown_event(event, surroundings, "event")
            return
        kind = event_types.all().get(event)
        if kind is not None and not _may_be_made(kind):
            message = _t(
                "“%(event)s” is nothing that a journey can say. Choose an event of the shop."
            )
            yield Problem("", "event", message % {"event": surroundings.events()[event]})
            return
        copies = [
            (f"payload.{name}", copy)
            for name, wanted in self.settings.payload.items()
            if (copy := copy_in(wanted)) is not None
        ]
        key = copy_in(self.settings.key)
        for place, copy in [*copies, *([("key", key)] if key else [])]:
            yield from copy.problems(surroundings, triggers, place)
        if kind is not None and not copies:
            try:
                checked_payload(kind, dict(self.settings.payload))
            except InvalidEvent as error:
                yield Problem("", "payload", str(error))


def _may_be_made(kind: EventType) -> bool:
    return kind.needs_contact and not kind.derived and not kind.name.startswith(_OTHERS_SAY)


def _filled(payload: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """The payload with its copies made; one that finds nothing is left out, if the type allows."""
    filled: dict[str, Any] = {}
    for name, wanted in payload.items():
        copy = copy_in(wanted)
        try:
            filled[name] = copy.value(run.event) if copy is not None else wanted
        except Missing:
            continue
    return filled
