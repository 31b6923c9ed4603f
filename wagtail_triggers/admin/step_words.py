"""What the settings of our steps are called in their forms; a host's kind brings its own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: By the name of the setting.
LABELS: Final[Mapping[str, StrOrPromise]] = {
    "add_tags": _("Add tags"),
    "amount": _("How long"),
    "at": _("At this time of day"),
    "channel": _("Channel"),
    "condition": _("Condition"),
    "converted": _("Counts as converted"),
    "converts": _("Counts as converted"),
    "days": _("Days later"),
    "deadline": _("Deadline"),
    "event": _("Event"),
    "every": _("Not before this has passed"),
    "expires_after": _("Not sent any more after"),
    "fact": _("Fact"),
    "facts": _("Facts"),
    "feb29": _("29 February in other years"),
    "filter": _("Only if"),
    "from": _("From"),
    "instructions": _("What to do"),
    "jitter": _("Spread over up to"),
    "journey": _("Journey"),
    "key": _("Key"),
    "label": _("Name for people"),
    "match": _("About"),
    "max_runs": _("At most so many times in all"),
    "name": _("Short name"),
    "offset": _("So long"),
    "paths": _("Paths"),
    "payload": _("Data of the event"),
    "percent": _("Percent"),
    "reason": _("Reason"),
    "reentry": _("Coming again"),
    "remove_tags": _("Remove tags"),
    "rule": _("Rule"),
    "score": _("Change the score by"),
    "segment": _("Segment"),
    "side": _("Before or after"),
    "since": _("Counts from"),
    "template": _("Message template"),
    "timeout": _("Give up after"),
    "title": _("Title"),
    "to": _("To"),
    "unit": _("Unit"),
    "url": _("Address"),
    "variants": _("Variants"),
    "weekdays": _("On these days"),
    "weight": _("Weight"),
    "windows": _("Windows"),
    "yearly": _("Every year"),
}

#: By the value, where a setting has few.
CHOICES: Final[Mapping[str, StrOrPromise]] = {
    "after": _("after it"),
    "any": _("anything"),
    "before": _("before it"),
    "days": _("days"),
    "each_key": _("one run at a time for each object"),
    "every": _("again after a time"),
    "feb28": _("28 February"),
    "fri": _("Friday"),
    "hours": _("hours"),
    "last_message": _("the last message"),
    "mar1": _("1 March"),
    "minutes": _("minutes"),
    "mon": _("Monday"),
    "now": _("the moment they come here"),
    "once": _("each person once"),
    "one_at_a_time": _("one run at a time"),
    "run_start": _("the start of the run"),
    "same_object": _("the same cart or order"),
    "sat": _("Saturday"),
    "sun": _("Sunday"),
    "thu": _("Thursday"),
    "tue": _("Tuesday"),
    "wed": _("Wednesday"),
    "weeks": _("weeks"),
}


def humanised(name: str) -> str:
    """Return "max_runs" as "Max runs": for what nobody has given a word."""
    return name.replace("_", " ").strip().capitalize()
