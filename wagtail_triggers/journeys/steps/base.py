"""What every kind of step is, what it is shown, and what validation may ask of the outside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict

from ..problems import Problem
from .decisions import Decision

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class EventView:
    """One event as steps and conditions see it. `payload` is the JSON that was recorded."""

    id: int
    name: str
    payload: Mapping[str, Any]
    occurred_at: datetime
    refs: frozenset[str] = frozenset()


class Evidence(Protocol):
    """What a condition is judged by: a `Run`, or an `Occurrence` where there is no run yet."""

    @property
    def contact(self) -> Mapping[str, Any]:
        """The facts of the person, by name."""

    @property
    def event(self) -> EventView:
        """The event whose data an `event` condition reads."""

    @property
    def refs(self) -> frozenset[str]:
        """The objects it is about: "cart:12", "order:77"."""

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone in which dates are compared."""

    @property
    def history(self) -> tuple[EventView, ...]:
        """What the person has done since entering."""

    @property
    def segments(self) -> frozenset[str]:
        """The segments that the person is in, of those that the plan asks about."""

    @property
    def enrolment_id(self) -> int:
        """The run, or 0 where there is none yet: then no message of the run is there either."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of a person, outside any run: what filters of entries and goals are judged by."""

    contact: Mapping[str, Any]
    event: EventView
    time_zone: ZoneInfo
    refs: frozenset[str] = frozenset()
    history: tuple[EventView, ...] = ()
    segments: frozenset[str] = frozenset()
    enrolment_id: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the job that this step asked for.

    `state` is "pending" while somebody is at it, then "done", "failed" or "cancelled"; `result` is
    JSON, `reason` says in words why it failed.
    """

    kind: str
    state: str
    result: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run at one step, as the engine shows it. A step reads nothing else.

    `event` is the one that started the run; `refs` are the objects that the run is about.
    `moment` is the batch's one reading of the clock, `arrived_at` when the run reached this step,
    `entered_at` when it began, `last_message_at` when it last planned a message; all aware.
    `history` holds the contact's events since the one that began the run, of the names that the
    plan asked for (`Plan.history_events`), oldest first. `assignments` are the variants that the
    person has by experiment, `answer` what became of the job that this step asked for.
    `contact_id` is the person's, the same in all of their runs: draw by it, never by chance.
    """

    enrolment_id: int
    contact: Mapping[str, Any]
    event: EventView
    key: str
    refs: frozenset[str]
    entered_at: datetime
    arrived_at: datetime
    moment: datetime
    time_zone: ZoneInfo
    seq: int
    history: tuple[EventView, ...] = field(default=())
    journey_id: int = 0
    contact_id: int = 0
    node: str = ""
    segments: frozenset[str] = frozenset()
    assignments: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    last_message_at: datetime | None = None
    #: Whether the run was already waiting at this step when it was asked.
    waiting: bool = False
    #: How long a pause made the clocks stand still while the run was at this step.
    stood_still: timedelta = timedelta(0)

    @property
    def counts_from(self) -> datetime:
        """From when a span of time at this step counts: the arrival, moved on by such pauses."""
        return self.arrived_at + self.stood_still


class Surroundings(Protocol):
    """What validation and outline ask of the world outside the graph. Answers may be cached."""

    def events(self) -> Mapping[str, str]:
        """Every known event name with its label."""

    def payload_schema(self, event: str) -> Mapping[str, Any] | None:
        """The JSON schema of the event's payload (as pydantic writes it); None if unknown."""

    def objects_of(self, event: str) -> frozenset[str]:
        """The kinds of object that the event can refer to: "cart", "order"."""

    def facts(self) -> Mapping[str, str]:
        """Every known fact with its kind: text, number, date, datetime, yes_no or list."""

    def channels(self) -> Mapping[str, str]:
        """Every channel that is set up, with its label."""

    def template_exists(self, template: str) -> bool:
        """Say whether there is a template with this translation key that can be sent."""

    def template_label(self, template: str) -> str:
        """What an editor calls that template."""

    def lacks_text(self, template: str, channel: str) -> tuple[str, ...]:
        """Languages in which that template has nothing to say on a channel."""

    def lacks_languages(self, template: str) -> tuple[str, ...]:
        """Languages of the site, by name, in which a published template has no text."""

    def segments(self) -> Mapping[str, str]:
        """Every segment with its label; none where nobody keeps segments."""

    def journeys(self) -> Mapping[str, str]:
        """Every journey of the site by its uid, with its name."""

    def takes_calls(self, journey: str) -> bool:
        """Say whether the journey with this uid, as it is live, can be started from elsewhere."""


@dataclass(frozen=True, slots=True)
class Port:
    """A way out of a step: `name` in the graph's edges, `label` for people."""

    name: str
    label: StrOrPromise


class Role(StrEnum):
    """How a kind of step stands in the graph."""

    #: A run begins here; no edge leads to it.
    ENTRY = "entry"
    #: A run comes by here.
    STEP = "step"
    #: Stands apart, without edges, and watches for events during the whole run.
    WATCH = "watch"


class StepSettings(BaseModel):
    """Base of every step's settings. Unknown keys are refused: a typo must not pass in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class NoSettings(StepSettings):
    """For kinds that have nothing to set."""


S = TypeVar("S", bound=StepSettings)

#: The one way out of most steps.
NEXT = Port("next", _("Next"))

#: In `Step.wakes_on`: every event of the person.
ANY_EVENT: Final = "*"


class Step(ABC, Generic[S]):
    """One kind of step. Subclass it, set the class attributes and write `decide`.

    Name the settings twice, once for the type checker and once for reading them::

        @register_step
        class WaitStep(Step[WaitSettings]):
            identifier, Settings = "wait", WaitSettings

    `decide` must be pure: the same run gives the same decision, nothing is read but the run, and
    nothing is changed. Everything else has a default that you may override.
    """

    #: What graphs call this kind. It is stored: never change it.
    identifier: ClassVar[str]
    label: ClassVar[StrOrPromise]
    description: ClassVar[StrOrPromise] = ""
    #: Name of a Wagtail icon.
    icon: ClassVar[str] = "cog"
    Settings: ClassVar[type[StepSettings]] = NoSettings
    role: ClassVar[Role] = Role.STEP
    #: Whether a run always spends time here. A circle of steps needs one that does.
    takes_time: ClassVar[bool] = False
    #: What the canvas gives a new step of this kind; empty settings that must be chosen else.
    starter: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    #: Dotted path of a Django form for the settings; "" makes one from `Settings`.
    form_class: ClassVar[str] = ""
    #: Labels for that form: of a setting by its name ("offset"), of a choice by "name=value".
    form_labels: ClassVar[Mapping[str, StrOrPromise]] = MappingProxyType({})
    #: Whether it plans messages, so that conditions can ask what became of them.
    sends: ClassVar[bool] = False
    #: Which of `Run.contact` and `Run.event` it looks at. Naming fewer spares a batch of runs
    #: reading them; one that is not named here raises when it is looked at.
    reads: ClassVar[frozenset[str]] = frozenset({"contact", "event"})

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def decide(self, run: Run) -> Decision:
        """Say what shall happen to `run` now."""

    @abstractmethod
    def describe(self, surroundings: Surroundings) -> str:
        """Return one translated sentence, without a full stop, that tells what this step does."""

    def ports(self) -> tuple[Port, ...]:
        """Return the ways out; each must be joined to a step."""
        return (NEXT,)

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield what is wrong with the settings beyond their form; leave `Problem.node` empty.

        `triggers` are the events that start the journey: conditions read the payload of one.
        """
        return ()

    def listens_for(self) -> frozenset[str]:
        """Return the names of the events that this step looks for in `Run.history`."""
        return frozenset()

    def wakes_on(self) -> frozenset[str]:
        """Return the names of the events that shall wake a run that waits here; or ANY_EVENT."""
        return frozenset()

    def segments(self) -> frozenset[str]:
        """Return the segments that this step asks about in `Run.segments`."""
        return frozenset()

    def messages(self) -> frozenset[str]:
        """Return the nodes whose messages this step asks about ("any" is no node)."""
        return frozenset()

    def experiment(self, journey_id: int, node: str) -> str | None:
        """Return the key under which this step remembers a variant in `Run.assignments`."""
        return None
