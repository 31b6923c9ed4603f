"""What every kind of job is, and what it answers with.

To add a kind, put a file into `engine/jobs/kinds`, or a class into your `triggers.py`. A step of
yours asks for it with `Ask(kind, data, until)`. See docs/ADDING_STEPS.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from ...core.http import Fate
from ..models import Job

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    Attributes:
        fate: Which of the four. Only an accepted job is done; a refused one has failed.
        result: JSON for the step, once it is accepted.
        detail: Why not, for staff.
        retry_after: Seconds that the other side asked to wait, or None.
        anew: What `prepare` made is of no use: prepare again before the next attempt.
    """

    fate: Fate
    result: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""
    retry_after: float | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a job without an attempt, or after one.

    Attributes:
        state: A value of `Job.State`.
        reason: Why, in English; translated when it is shown.
        result: JSON for the step, where it is done.
        due_at: When to look again, where it is planned.
        anew: Forget what `prepare` made.
        held: Take it out of the queue until its journey or its site goes on (`engine.holding`).
    """

    state: str
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    anew: bool = False
    held: bool = False

    @property
    def terminal(self) -> bool:
        """Whether nobody looks at it again."""
        return self.state not in Job.PENDING


class JobKind(ABC):
    """One kind of job. A worker carries it out, or a person does (`by_person`)."""

    #: What steps call this kind. It is stored: never change it.
    identifier: ClassVar[str]
    label: ClassVar[StrOrPromise]
    #: Whether only a person can settle it: no worker ever looks at it.
    by_person: ClassVar[bool] = False
    #: Seconds after which `carry_out` has certainly ended. A lease is longer by 10 s.
    hard_timeout: float = 15.0
    #: How often it is tried before it has failed.
    max_attempts: int = 12

    def prepare(self, jobs: Sequence[Job], moment: datetime) -> Mapping[int, Verdict]:
        """Make what must be committed before the first attempt; in sets, never with the network.

        Called in the transaction of the claim, with the contacts locked, for jobs whose `reference`
        is not set. What is put into `reference` and `data` is saved.

        Returns:
            Verdicts, by primary key, of jobs that are not to be attempted now.
        """
        return {}

    def longest(self) -> float:
        """Return how long an attempt can take; where the settings say so, not the class."""
        return self.hard_timeout

    def lane(self, job: Job) -> str:
        """Return what fails together: jobs of one endpoint are put off together."""
        return self.identifier

    def carry_out(self, job: Job, moment: datetime) -> Outcome:
        """Do it, outside any transaction. It may be repeated: make a repetition harmless.

        A fault of the other side is an outcome; whatever is raised is taken as ambiguous.
        """
        raise NotImplementedError(f"{type(self).__name__} says neither how, nor by_person = True.")
