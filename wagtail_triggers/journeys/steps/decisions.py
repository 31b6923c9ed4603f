"""What a step can say. Only the engine acts on it; a new decision is a new class in the union."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Advance:
    """Go on through `port` at once. `note` is kept with the step: why this way."""

    port: str = "next"
    note: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Stay here and ask again at `at` (aware). A step asked at or after `at` goes on."""

    at: datetime


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
class Exit:
    """End the run for `reason` (a short code); `converted` says that it reached its goal."""

    reason: str
    converted: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """Hold the run for a person to look at: the step cannot do its work. Never a silent skip."""

    reason: str


Decision = Advance | WaitUntil | Send | Exit | Park
