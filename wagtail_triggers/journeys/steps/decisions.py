"""What a step can say. Only the engine acts on it; a new decision is a new class in the union."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class ChangeContact:
    """Change what is known of the person.

    `facts` are set (a value of None takes the fact away), tags are added and removed, and `score`
    is added to the score, which never falls below zero.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    score: int = 0


@dataclass(frozen=True, slots=True)
class Emit:
    """Record an event of this person, as a shop would by `api.track`; it is one link deeper.

    `refs` are objects that the event is about beside those that its own payload names.
    """

    event: str
    key: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    refs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assign:
    """Remember for good which variant of an experiment the person has."""

    experiment: str
    variant: str


#: What a step can change on its way.
Effect = ChangeContact | Emit | Assign


@dataclass(frozen=True, slots=True)
class Advance:
    """Go on through `port` at once. `note` is kept with the step: why this way."""

    port: str = "next"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """Change something and go on through `port` at once. `note` is kept with the step."""

    effects: tuple[Effect, ...]
    port: str = "next"
    note: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Stay here and ask again at `at` (aware). A step asked at or after `at` goes on."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Stay here and ask again when one of the step's events happens, at the latest at `until`.

    Which events those are, the step's `wakes_on()` says. The step looks into `Run.history` each
    time that it is asked, also the first time: what it waits for may have happened already.
    `until` is aware, or None where there is no time-out.
    """

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Plan one message from `template` and go on through `port`.

    `template` is the translation key of the template; the language is chosen when it is rendered.
    `expires_after` runs from the moment of the decision; None takes the default of the template.
    """

    template: str
    channel: str = "email"
    port: str = "next"
    expires_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Have a job done outside and stay here until there is an answer, at the latest at `until`.

    `kind` names the kind of job (`engine.jobs`), `data` is JSON for it. The step is asked again
    once `Run.answer` is there, or at `until` without one. While the job is under way, asking for
    it again changes nothing.
    """

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """End the run for `reason` (a short code); `converted` says that it reached its goal."""

    reason: str
    converted: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """Hold the run for a person to look at: the step cannot do its work. Never a silent skip."""

    reason: str


Decision = Advance | Act | WaitUntil | WaitFor | Send | Ask | Exit | Park
