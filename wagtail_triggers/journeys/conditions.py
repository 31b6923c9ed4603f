"""Conditions: a tree that an editor writes as JSON, judged by what is known of a person.

`null` holds always. `{"all": [c, …]}`, `{"any": [c, …]}` and `{"not": c}` join conditions; leaves
are `{"fact": name, "op": op, "value": v}`, `{"event": path, "op": op, "value": v}`,
`{"done": event, "match": "same_object" | "any"}`, `{"message": node, "was": "clicked"}` and
`{"segment": slug}`. How values compare stands in `comparisons`.

A new kind of leaf is one class with `@register_condition`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, ClassVar, Self, TypeVar

from django.utils.translation import gettext as _
from pydantic import PlainSerializer, PlainValidator

from ..core.registry import Registry
from ..exceptions import TriggersError
from .problems import Problem, did_you_mean
from .steps.base import ANY_EVENT, Evidence, Surroundings

#: Deeper than any editor can still read.
MAX_DEPTH = 10
#: A condition is judged for every person at a branch: its cost must stay small and known.
MAX_LEAVES = 50
MAX_TEXT = 500


class ConditionError(TriggersError, ValueError):
    """The condition cannot be read. `problems` holds everything that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems) or None)


class Condition(ABC):
    """One node of a condition. Subclasses are frozen dataclasses."""

    #: The key by which the JSON form is known.
    key: ClassVar[str]
    #: The further keys that it may have.
    further: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    @abstractmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        """Build from JSON; tell `reader` what is wrong (what is returned is then thrown away)."""

    @abstractmethod
    def holds(self, evidence: Evidence) -> bool:
        """Judge by `evidence`. Reads nothing else and changes nothing."""

    @abstractmethod
    def describe(self, surroundings: Surroundings) -> str:
        """Return the condition in words, as the middle of a sentence."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; reading it gives an equal condition."""

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        """Yield what does not fit the surroundings. `events`: whose payload `event` leaves read."""
        return ()

    def parts(self) -> tuple[Condition, ...]:
        """Return the conditions right below this one."""
        return ()

    def listens_for(self) -> frozenset[str]:
        """Return the names of the events that it looks for in the history."""
        return frozenset().union(*(part.listens_for() for part in self.parts()))

    def wakes_on(self) -> frozenset[str]:
        """Return the names of the events that may change its answer.

        Every event, unless it says otherwise: a leaf of a host's own may look at anything.
        """
        if not self.parts():
            return frozenset({ANY_EVENT})
        return frozenset().union(*(part.wakes_on() for part in self.parts()))

    def segments(self) -> frozenset[str]:
        """Return the segments that it asks about."""
        return frozenset().union(*(part.segments() for part in self.parts()))

    def messages(self) -> frozenset[str]:
        """Return the nodes whose messages it asks about."""
        return frozenset().union(*(part.messages() for part in self.parts()))


def _load_leaves() -> None:
    import_module(".condition_leaves", __package__)


#: Every kind of condition by the key of its JSON form.
kinds: Registry[type[Condition]] = Registry("condition", load=_load_leaves)

C = TypeVar("C", bound=type[Condition])


def register_condition(cls: C) -> C:
    """Register a kind of condition under its `key`. Raises RegistrationError if that is taken."""
    kinds.register(cls.key)(cls)
    return cls


# The functions that the other modules use.


def parse(data: object) -> Condition | None:
    """Read a condition from JSON; `null` gives None, which always holds.

    Raises ConditionError with all that is wrong, each with its place ("all.0.value").
    """
    if data is None or isinstance(data, Condition):
        return data
    reader = Reader()
    condition = reader.read(data, "", 1)
    if reader.found or condition is None:
        raise ConditionError(reader.found)
    return condition


def evaluate(condition: Condition | None, evidence: Evidence) -> bool:
    """Say whether `condition` holds for a run (or an occurrence); None always holds."""
    return condition is None or condition.holds(evidence)


def problems(
    condition: Condition | None,
    surroundings: Surroundings,
    events: frozenset[str],
    path: str = "",
) -> Iterator[Problem]:
    """Yield what does not fit the surroundings; `path` is put before each field."""
    if condition is not None:
        yield from condition.problems(surroundings, events, path)


def describe(condition: Condition | None, surroundings: Surroundings) -> str:
    """Return the condition in words: "orders_count is at least 3 and not (…)"."""
    return _("always") if condition is None else condition.describe(surroundings)


def listens_for(condition: Condition | None) -> frozenset[str]:
    """Return the names of the events that must be in the history for `evaluate`."""
    return frozenset() if condition is None else condition.listens_for()


def wakes_on(condition: Condition | None) -> frozenset[str]:
    """Return the names of the events that may change what `evaluate` says."""
    return frozenset() if condition is None else condition.wakes_on()


def segments(condition: Condition | None) -> frozenset[str]:
    """Return the segments that must be looked up for `evaluate`."""
    return frozenset() if condition is None else condition.segments()


def messages(condition: Condition | None) -> frozenset[str]:
    """Return the nodes whose messages `evaluate` asks about."""
    return frozenset() if condition is None else condition.messages()


def to_json(condition: Condition | None) -> dict[str, Any] | None:
    """Return the JSON form."""
    return None if condition is None else condition.to_json()


#: A condition as a field of a step's settings.
ConditionField = Annotated[
    Condition | None,
    PlainValidator(parse),
    PlainSerializer(to_json),
]


@dataclass(slots=True)
class Reader:
    """Reads one tree, counts, and collects what is wrong instead of stopping at the first."""

    found: list[Problem] = field(default_factory=list)
    leaves: int = 0

    def fault(self, path: str, message: str) -> None:
        """Note that the value at `path` is wrong."""
        self.found.append(Problem("", path, message))

    def read(self, data: object, path: str, depth: int) -> Condition | None:
        """Return the condition at `path`, or None after noting why there is none."""
        if not isinstance(data, Mapping):
            self.fault(path, _("A condition must be an object such as {“fact”: …}."))
            return None
        if depth > MAX_DEPTH:
            self.fault(path, _("Conditions are nested more than %(n)d deep.") % {"n": MAX_DEPTH})
            return None
        named = [key for key in kinds.all() if key in data]
        if len(named) != 1:
            self.fault(
                path,
                _("A condition must have exactly one of these keys: %(keys)s.")
                % {"keys": ", ".join(kinds.all())},
            )
            return None
        cls = kinds.get(named[0])
        for key in data.keys() - cls.further - {cls.key}:
            hint = did_you_mean(key, cls.further)
            self.fault(join(path, str(key)), _("There is no such key here.") + hint)
        return cls.read(data, self, path, depth)

    def count_leaf(self, path: str) -> None:
        """Count one leaf; note it once if there are too many."""
        self.leaves += 1
        if self.leaves == MAX_LEAVES + 1:
            self.fault(path, _("A condition may compare at most %(n)d things.") % {"n": MAX_LEAVES})

    def text(self, data: Mapping[str, Any], key: str, path: str) -> str:
        """Return the text under `key`, noting it if it is none, empty or too long."""
        value = data.get(key)
        if isinstance(value, str) and value.strip() and len(value) <= MAX_TEXT:
            return value
        self.fault(
            join(path, key),
            _("This must be a text of 1 to %(n)d characters.") % {"n": MAX_TEXT},
        )
        return ""


def join(path: str, key: str) -> str:
    """Return `path` lengthened by `key`."""
    return f"{path}.{key}" if path else key


# Joining conditions.


@dataclass(frozen=True)
class _Group(Condition):
    """Conditions side by side."""

    of: tuple[Condition, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        items, here = data[cls.key], join(path, cls.key)
        if not isinstance(items, Sequence) or isinstance(items, str) or not items:
            reader.fault(here, _("This must be a list of at least one condition."))
            return cls(())
        read = (reader.read(one, join(here, str(n)), depth + 1) for n, one in enumerate(items))
        return cls(tuple(one for one in read if one is not None))

    def parts(self) -> tuple[Condition, ...]:
        return self.of

    def to_json(self) -> dict[str, Any]:
        return {self.key: [one.to_json() for one in self.of]}

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        here = join(path, self.key)
        for n, one in enumerate(self.of):
            yield from one.problems(surroundings, events, join(here, str(n)))

    def _words(self, surroundings: Surroundings, between: str) -> str:
        words = [one.describe(surroundings) for one in self.of]
        if len(words) > 1:
            pairs = zip(self.of, words, strict=True)
            words = [f"({text})" if len(one.parts()) > 1 else text for one, text in pairs]
        return f" {between} ".join(words)


@register_condition
@dataclass(frozen=True)
class AllOf(_Group):
    """Holds if every part holds."""

    key: ClassVar[str] = "all"

    def holds(self, evidence: Evidence) -> bool:
        """Judge the parts in order, up to the first that does not hold."""
        return all(one.holds(evidence) for one in self.of)

    def describe(self, surroundings: Surroundings) -> str:
        """Return the parts joined by "and"."""
        return self._words(surroundings, _("and"))


@register_condition
@dataclass(frozen=True)
class AnyOf(_Group):
    """Holds if at least one part holds."""

    key: ClassVar[str] = "any"

    def holds(self, evidence: Evidence) -> bool:
        """Judge the parts in order, up to the first that holds."""
        return any(one.holds(evidence) for one in self.of)

    def describe(self, surroundings: Surroundings) -> str:
        """Return the parts joined by "or"."""
        return self._words(surroundings, _("or"))


@register_condition
@dataclass(frozen=True)
class Not(Condition):
    """Holds if its part does not. With missing data: `not (x is 3)` holds where x is missing."""

    of: Condition
    key: ClassVar[str] = "not"

    @classmethod
    def read(cls, data: Mapping[str, Any], reader: Reader, path: str, depth: int) -> Self:
        """Read the one condition below."""
        below = reader.read(data[cls.key], join(path, cls.key), depth + 1)
        return cls(below or AllOf(()))

    def holds(self, evidence: Evidence) -> bool:
        """Turn the part's answer round."""
        return not self.of.holds(evidence)

    def parts(self) -> tuple[Condition, ...]:
        """Return the one part."""
        return (self.of,)

    def describe(self, surroundings: Surroundings) -> str:
        """Return "not (…)"."""
        return _("not (%(condition)s)") % {"condition": self.of.describe(surroundings)}

    def to_json(self) -> dict[str, Any]:
        """Return {"not": …}."""
        return {self.key: self.of.to_json()}

    def problems(
        self, surroundings: Surroundings, events: frozenset[str], path: str = ""
    ) -> Iterable[Problem]:
        """Pass on what the part finds."""
        return self.of.problems(surroundings, events, join(path, self.key))
