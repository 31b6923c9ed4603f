"""Human task: somebody of the staff decides how the run goes on, until a deadline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..durations import Duration
from .base import Port, Run, Step, StepSettings, Surroundings
from .decisions import Advance, Ask, Decision
from .registry import register_step

TIMEOUT: Final = "timeout"

NOBODY: Final = gettext_noop("Nobody decided in time.")


class Choice(BaseModel):
    """One way out: its name in the edges, and what its button says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    label: Annotated[str, Field(min_length=1, max_length=60)]


class HumanTaskSettings(StepSettings):
    """What is to be decided, how it can be decided, and by when."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    instructions: Annotated[str, Field(max_length=5000)] = ""
    choices: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=5)] = (
        Choice(name="approve", label="Approve"),
        Choice(name="decline", label="Decline"),
    )
    deadline: Duration

    @field_validator("choices")
    @classmethod
    def _differ(cls, value: tuple[Choice, ...]) -> tuple[Choice, ...]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError(_t("Two choices have the same name. Give each its own."))
        if TIMEOUT in names:
            raise ValueError(_t("“timeout” is the way out after the deadline. Take another name."))
        return value


@register_step
class HumanTaskStep(Step[HumanTaskSettings]):
    """Puts a task under Triggers > Tasks and goes on as somebody decides."""

    identifier = "human_task"
    label = _("Ask somebody of the staff")
    description = _("Waits until somebody decides under Triggers > Tasks, or until the deadline.")
    icon = "user"
    reads = frozenset()
    Settings = HumanTaskSettings
    takes_time = True

    def ports(self) -> tuple[Port, ...]:
        """Return a way out for each choice, and "timeout"."""
        chosen = (Port(one.name, one.label) for one in self.settings.choices)
        return (*chosen, Port(TIMEOUT, _("Nobody decided in time")))

    def decide(self, run: Run) -> Decision:
        """Wait for the decision; at the deadline go on without one."""
        until = self.settings.deadline.after(run.counts_from, run.time_zone)
        answer = run.answer
        if answer is not None and answer.state == "done":
            return Advance(str(answer.result["choice"]), note=self._told(answer.result))
        if run.waiting and (run.moment >= until or (answer and answer.state != "pending")):
            return Advance(TIMEOUT, note=NOBODY)
        data = {
            "title": self.settings.title,
            "instructions": self.settings.instructions,
            "choices": [one.model_dump() for one in self.settings.choices],
        }
        return Ask(self.identifier, data, until)

    def _told(self, result: Mapping[str, Any]) -> str:
        """Return "Decline (Ada): Too far": what was decided, by whom, and why."""
        labels = {one.name: one.label for one in self.settings.choices}
        words = labels.get(str(result["choice"]), str(result["choice"]))
        if result.get("by"):
            words = f"{words} ({result['by']})"
        return f"{words}: {result['note']}" if result.get("note") else words

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Let somebody decide “…”, within 2 days"."""
        return _t("Let somebody decide “%(title)s”, within %(time)s") % {
            "title": self.settings.title,
            "time": self.settings.deadline.describe(),
        }
