"""Whether a person may enter a journey again. Decided under the contact's lock, from counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .durations import UTC_ZONE, Duration

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Why somebody may not enter: the codes that are recorded, with words for people.
REASONS: Mapping[str, StrOrPromise] = {
    "already_in_journey": _("The person is in this journey already."),
    "entered_once": _("The person has been in this journey, and it takes each person once."),
    "entered_too_recently": _("The person entered this journey too short a time ago."),
    "entered_too_often": _("The person entered this journey as often as it allows for now."),
    "max_runs_reached": _("The person has been in this journey as often as it allows."),
}

#: A calendar day can be longer than 24 hours; a zone may even repeat one.
_CLOCKS: Final = timedelta(days=2)


class Reentry(BaseModel):
    """The rule by which a person may enter again.

    - `each_key`: one run at a time for each object (cart, order); an event about no object falls
      under `one_at_a_time`.
    - `one_at_a_time`: again once the run before has ended, whatever it was about.
    - `once`: never again.
    - `every`: again once the run before has ended and `every` has passed since it began.
    - `at_most`: as `each_key`, but at most `times` in any window of the length `per`.

    `max_runs` bounds all of a person's runs in the journey, under each rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["each_key", "one_at_a_time", "once", "every", "at_most"] = "each_key"
    every: Duration | None = None
    times: Annotated[int, Field(gt=0, le=1000, strict=True)] | None = None
    per: Duration | None = None
    max_runs: Annotated[int, Field(gt=0, strict=True)] | None = None

    @model_validator(mode="after")
    def _settings_belong_to_their_rule(self) -> Self:
        if (self.rule == "every") != (self.every is not None):
            raise ValueError(_t("Give “every” with the rule “every”, and with no other rule."))
        given = {self.times is not None, self.per is not None}
        if given != {self.rule == "at_most"}:
            raise ValueError(
                _t("Give “times” and “per” with the rule “at_most”, and with no other rule.")
            )
        return self

    def looks_back(self) -> timedelta:
        """Return how far back `PastRuns.recent` must reach, changes of clocks included."""
        return self.per.span() + _CLOCKS if self.per is not None else timedelta()

    def describe(self) -> str:
        """Return the rule as a clause: "at most once every 30 days"."""
        words = {
            "each_key": _t("one run at a time for each object"),
            "one_at_a_time": _t("one run at a time"),
            "once": _t("each person once"),
        }
        if self.every is not None:
            clause = _t("at most once every %(time)s") % {"time": self.every.describe()}
        elif self.per is not None and self.times is not None:
            form = ngettext(
                "at most %(n)d time in %(time)s", "at most %(n)d times in %(time)s", self.times
            )
            clause = form % {"n": self.times, "time": self.per.describe()}
        else:
            clause = words[self.rule]
        if self.max_runs is None:
            return clause
        return _t("%(rule)s, at most %(n)d in all") % {"rule": clause, "n": self.max_runs}


@dataclass(frozen=True, slots=True)
class PastRuns:
    """A contact's runs in one journey, over all of its versions.

    `count` and `last_entered_at` are over all runs, ended ones too; `active` is how many are
    running, `active_same_key` whether one of these has the key of the event at hand. `recent` are
    when the runs of the last while began, at least of what `Reentry.looks_back()` says.
    """

    count: int = 0
    last_entered_at: datetime | None = None
    active: int = 0
    active_same_key: bool = False
    recent: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the person may enter; `reason` is one of `REASONS` where not, else ""."""

    allowed: bool
    reason: str = ""


def may_enter(
    rule: Reentry, past: PastRuns, key: str, moment: datetime, zone: ZoneInfo = UTC_ZONE
) -> Verdict:
    """Judge whether a run about `key` may begin at `moment`; `zone` is where days are counted."""
    by_key = rule.rule in ("each_key", "at_most") and key
    busy = past.active_same_key if by_key else past.active > 0
    if past.active_same_key or busy:
        return Verdict(False, "already_in_journey")
    if rule.rule == "once" and past.count:
        return Verdict(False, "entered_once")
    if rule.max_runs is not None and past.count >= rule.max_runs:
        return Verdict(False, "max_runs_reached")
    last = past.last_entered_at
    if rule.every is not None and last is not None and moment < rule.every.after(last, zone):
        return Verdict(False, "entered_too_recently")
    if rule.per is not None and rule.times is not None:
        per = rule.per
        # The window rolls: an entry counts until `per` has passed since it.
        if sum(moment < per.after(entered, zone) for entered in past.recent) >= rule.times:
            return Verdict(False, "entered_too_often")
    return Verdict(True)
