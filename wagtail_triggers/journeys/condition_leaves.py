"""The leaves of conditions: facts, the event's data, what was done since, messages, segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, cast

from django.utils.translation import gettext as _

from .comparisons import (
    OPS,
    ORDERED,
    VALUELESS,
    as_bool,
    as_number,
    as_time,
    compare,
    has_order,
)
from .conditions import MAX_TEXT, Condition, Reader, join, register_condition
from .payloads import MAX_PARTS, field_of, values_at
from .problems import Problem, did_you_mean
from .steps.base import EventView, Evidence, Surroundings

#: For `in`.
MAX_VALUES = 200

Match = Literal["same_object", "any"]
MATCHES: tuple[Match, ...] = ("same_object", "any")


@dataclass(frozen=True)
class _Comparison(Condition):
    """A thing that is found under a name, compared with a value."""

    name: str
    op: str
    value: str | int | float | bool | tuple[str | int | float | bool, ...] | None = None
    further: ClassVar[frozenset[str]] = frozenset({"op", "value"})

    @classmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        reader.count_leaf(path)
        name = reader.text(data, cls.key, path)
        op, value = data.get("op"), data.get("value")
        if not isinstance(op, str) or op not in OPS:
            hint = did_you_mean(op, OPS) if op else did_you_mean("", OPS)
            reader.fault(join(path, "op"), _("There is no such comparison.") + hint)
            return cls(name, "is_set")
        fault = _value_fault(op, value)
        if fault:
            reader.fault(join(path, "value"), fault)
            return cls(name, "is_set")
        return cls(name, op, tuple(value) if isinstance(value, Sequence) and op == "in" else value)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {self.key: self.name, "op": self.op}
        if self.op not in VALUELESS:
            data["value"] = list(self.value) if isinstance(self.value, tuple) else self.value
        return data

    def describe(self, surroundings: Surroundings) -> str:
        words = f"{self._label(surroundings)} {OPS[self.op]}"
        if self.op in VALUELESS:
            return words
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        return f"{words} {', '.join(_spoken(one) for one in values)}"

    def _label(self, surroundings: Surroundings) -> str:
        return self.name


@register_condition
@dataclass(frozen=True)
class Fact(_Comparison):
    """Compares a fact of the contact."""

    key: ClassVar[str] = "fact"

    def holds(self, evidence: Evidence) -> bool:
        """Compare the fact; one that the contact lacks is missing.

        A list, such as the tags, contains what one of its elements *is*: "vip" is not in "vip2".
        """
        found = evidence.contact.get(self.name)
        is_list = isinstance(found, Sequence) and not isinstance(found, str)
        op = "eq" if is_list and self.op == "contains" else self.op
        return compare(op, found, self.value, evidence.time_zone)

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        """Yield an unknown fact, and a value that its kind can never have."""
        known = surroundings.facts()
        if self.name not in known:
            message = _("There is no fact “%(name)s” of a contact.") % {"name": self.name}
            yield Problem("", join(path, self.key), message + did_you_mean(self.name, known))
            return
        fault = _kind_fault(known[self.name], self.op, self.value)
        if fault:
            yield Problem("", join(path, "value"), fault)


@register_condition
@dataclass(frozen=True)
class EventData(_Comparison):
    """Compares a field of the event that started the run (in a goal: of the goal's event)."""

    key: ClassVar[str] = "event"

    def holds(self, evidence: Evidence) -> bool:
        """Compare every value at the path; see `comparisons` for how a list is judged."""
        return compare(self.op, self.values(evidence), self.value, evidence.time_zone)

    def values(self, evidence: Evidence) -> list[Any]:
        """Return every value at the path."""
        return values_at(evidence.event.payload, self.name)

    def wakes_on(self) -> frozenset[str]:
        """Return nothing: the event that started the run stays what it was."""
        return frozenset()

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        """Yield a field that none of `events` has, and an object where a field must be chosen."""
        schemas = [surroundings.payload_schema(event) for event in sorted(events)]
        fields = [field_of(schema, self.name) for schema in schemas if schema is not None]
        declared = [one for one in fields if one.declared]
        names = {name for one in declared or fields for name in one.siblings}
        here, value = join(path, self.key), {"name": self.name}
        if self.name.count(".") >= MAX_PARTS:
            yield Problem("", here, _("This path has too many parts."))
        elif fields and not declared:
            if not any(one.open for one in fields):
                message = _("The event has no field “%(name)s”.") % value
                yield Problem("", here, message + did_you_mean(self.name, names))
            elif names:  # an event without any declared field leaves it all to the host
                message = _("The event declares no field “%(name)s”; it may still have it.")
                hint = did_you_mean(self.name, names)
                yield Problem("", here, message % value + hint, "warning")
        elif declared and self.op not in VALUELESS and all(one.is_object for one in declared):
            message = _("“%(name)s” is a group of fields: compare one of them.") % value
            yield Problem("", here, message + did_you_mean("", names))

    def _label(self, surroundings: Surroundings) -> str:
        return _("the event's %(field)s") % {"field": self.name}


@register_condition
@dataclass(frozen=True)
class Done(Condition):
    """Holds if the person has done something since entering, other than what started the run."""

    event: str
    match: Match
    key: ClassVar[str] = "done"
    further: ClassVar[frozenset[str]] = frozenset({"match"})

    @classmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        """Read the event's name and what it must be about; there is no default for the latter."""
        reader.count_leaf(path)
        event, match = reader.text(data, cls.key, path), data.get("match")
        if match not in MATCHES:
            reader.fault(
                join(path, "match"),
                _(
                    "Say what the event must be about: “same_object” (the same cart or order as "
                    "the run) or “any”."
                ),
            )
        return cls(event, cast(Match, match))

    def holds(self, evidence: Evidence) -> bool:
        """Look through the history for an event of that name that matches."""
        return any(
            past.name == self.event
            and past.id != evidence.event.id
            and matches(self.match, past, evidence.refs)
            for past in evidence.history
        )

    def listens_for(self) -> frozenset[str]:
        """Return the one event."""
        return frozenset({self.event})

    def wakes_on(self) -> frozenset[str]:
        """Return the one event."""
        return frozenset({self.event})

    def describe(self, surroundings: Surroundings) -> str:
        """Return "… has happened since entering"."""
        words = (
            _("“%(event)s” has happened for the same object since entering")
            if self.match == "same_object"
            else _("“%(event)s” has happened since entering")
        )
        return words % {"event": surroundings.events().get(self.event, self.event)}

    def to_json(self) -> dict[str, Any]:
        """Return {"done": …, "match": …}."""
        return {self.key: self.event, "match": self.match}

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        """Yield an unknown event, and one that can never be about the same object."""
        if self.event not in surroundings.events():
            yield unknown_event(self.event, surroundings, join(path, self.key))
        elif self.match == "same_object":
            yield from never_same(self.event, events, surroundings, join(path, "match"))


#: What can become of a message, with the events that tell it. Who follows a link has opened the
#: message, also where images are blocked and no opening is ever seen.
_TELLS: Mapping[str, frozenset[str]] = {
    "opened": frozenset({"message_opened", "message_clicked"}),
    "clicked": frozenset({"message_clicked"}),
    "delivered": frozenset({"message_delivered"}),
    "bounced": frozenset({"message_bounced"}),
    "complained": frozenset({"message_complained"}),
}
#: In the place of a node: every message of the run.
ANY_MESSAGE = "any"


@register_condition
@dataclass(frozen=True)
class MessageWas(Condition):
    """Holds if a message of this very run was opened, clicked … by a person, not by a machine."""

    node: str
    was: str
    key: ClassVar[str] = "message"
    further: ClassVar[frozenset[str]] = frozenset({"was"})

    @classmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        """Read the node that sent it, or "any", and what must have become of it."""
        reader.count_leaf(path)
        node, was = reader.text(data, cls.key, path), data.get("was")
        if not isinstance(was, str) or was not in _TELLS:
            message = _("Say what must have become of the message.")
            reader.fault(join(path, "was"), message + did_you_mean(was or "", _TELLS))
            return cls(node, "opened")
        return cls(node, was)

    def holds(self, evidence: Evidence) -> bool:
        """Look through the history for a report of a message of this run and node."""
        return bool(evidence.enrolment_id) and any(
            past.name in _TELLS[self.was]
            and past.payload.get("run") == evidence.enrolment_id
            and self.node in (ANY_MESSAGE, past.payload.get("node"))
            and not past.payload.get("machine")
            for past in evidence.history
        )

    def listens_for(self) -> frozenset[str]:
        """Return the events that tell it."""
        return _TELLS[self.was]

    def wakes_on(self) -> frozenset[str]:
        """Return the events that tell it."""
        return _TELLS[self.was]

    def messages(self) -> frozenset[str]:
        """Return the node, if it is one."""
        return frozenset() if self.node == ANY_MESSAGE else frozenset({self.node})

    def describe(self, surroundings: Surroundings) -> str:
        """Return "the message of “mail1” was clicked"."""
        was = {
            "opened": _("opened"),
            "clicked": _("clicked"),
            "delivered": _("delivered"),
            "bounced": _("bounced"),
            "complained": _("reported as spam"),
        }[self.was]
        if self.node == ANY_MESSAGE:
            return _("a message of this run was %(done)s") % {"done": was}
        return _("the message of “%(node)s” was %(done)s") % {"node": self.node, "done": was}

    def to_json(self) -> dict[str, Any]:
        """Return {"message": …, "was": …}."""
        return {self.key: self.node, "was": self.was}


@register_condition
@dataclass(frozen=True)
class InSegment(Condition):
    """Holds while the person is in a segment."""

    segment: str
    key: ClassVar[str] = "segment"

    @classmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        """Read the segment's identifier."""
        reader.count_leaf(path)
        return cls(reader.text(data, cls.key, path))

    def holds(self, evidence: Evidence) -> bool:
        """Say whether the engine found the person in it."""
        return self.segment in evidence.segments

    def segments(self) -> frozenset[str]:
        """Return the one segment."""
        return frozenset({self.segment})

    def describe(self, surroundings: Surroundings) -> str:
        """Return "the person is in the segment “…”"."""
        name = surroundings.segments().get(self.segment, self.segment)
        return _("the person is in the segment “%(name)s”") % {"name": name}

    def to_json(self) -> dict[str, Any]:
        """Return {"segment": …}."""
        return {self.key: self.segment}

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        """Yield an unknown segment, and say where there are none at all."""
        known = surroundings.segments()
        if self.segment in known:
            return
        message = (
            _("There is no segment “%(name)s”.") % {"name": self.segment}
            if known
            else _("Nothing here keeps segments yet, so nobody is in one. Remove this condition.")
        )
        yield Problem("", join(path, self.key), message + did_you_mean(self.segment, known))


def matches(match: Match, event: EventView, refs: frozenset[str]) -> bool:
    """Say whether `event` is about what the run with `refs` is about.

    "same_object" asks for at least one reference in common; a run without any never matches so.
    """
    return match == "any" or not event.refs.isdisjoint(refs)


def unknown_event(event: str, surroundings: Surroundings, path: str) -> Problem:
    """Return the problem of an event name that nobody registered."""
    message = _("There is no event “%(name)s”.") % {"name": event}
    return Problem("", path, message + did_you_mean(event, surroundings.events()))


def never_same(
    event: str, triggers: frozenset[str], surroundings: Surroundings, path: str
) -> Iterable[Problem]:
    """Yield a warning if `event` names no kind of object that an event in `triggers` names."""
    known = [one for one in triggers if one in surroundings.events()]
    objects = surroundings.objects_of(event)
    if not known or any(objects & surroundings.objects_of(one) for one in known):
        return
    message = _(
        "“%(event)s” is about no object that the start of the journey knows of, so it never is "
        "about the same. Choose “any”."
    )
    label = surroundings.events().get(event, event)
    yield Problem("", path, message % {"event": label}, "warning")


def _value_fault(op: str, value: object) -> str | None:
    """Return why `value` cannot be compared by `op`, or None."""
    if op in VALUELESS:
        return None if value is None else _("This comparison takes no value. Remove it.")
    if op == "in":
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            return _("This must be a list of at least one value.")
        if len(value) > MAX_VALUES:
            return _("There may be at most %(n)d values.") % {"n": MAX_VALUES}
        return next((fault for one in value if (fault := _value_fault("eq", one))), None)
    if value is None or value == "":
        return _("A value is missing. To ask whether there is one at all, use “is_set”.")
    if not isinstance(value, str | int | float) or value != value:  # NaN alone differs from itself
        return _("This must be a text, a number, or true or false.")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return _("This may have at most %(n)d characters.") % {"n": MAX_TEXT}
    if op in ORDERED and not has_order(value):
        return _("This must be a number such as 12.50, or a date such as 2026-05-01.")
    return None


def _kind_fault(kind: str, op: str, value: object) -> str | None:
    """Return why a fact of this kind can never compare with `value`, or None."""
    if op in VALUELESS or op == "contains":
        return None
    wanted = {
        "number": (as_number, _("This fact is a number: write one, such as 12.50.")),
        "date": (as_time, _("This fact is a date: write one, such as 2026-05-01.")),
        "datetime": (as_time, _("This fact is a moment: write a date or a moment.")),
        "yes_no": (as_bool, _("This fact is true or false: write one of these.")),
    }.get(kind)
    if wanted is None:
        return None
    read, message = wanted
    values = value if isinstance(value, tuple) else (value,)
    return message if any(read(one) is None for one in values) else None


def _spoken(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"“{value}”" if isinstance(value, str) and not has_order(value) else str(value)
