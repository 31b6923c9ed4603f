"""How states and reasons are shown: in which colour, and in which words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..engine.models import Enrolment, Job
from ..events.types import event_types
from ..journeys.models import Journey
from ..journeys.reentry import REASONS as REFUSALS
from ..messages.models import Message

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Good news, bad news, work in progress; anything else is neutral.
TONES: Mapping[str, str] = {
    Journey.State.RUNNING: "positive",
    Journey.State.PAUSED: "warning",
    Enrolment.State.ACTIVE: "info",
    Enrolment.State.PARKED: "critical",
    Enrolment.State.CONVERTED: "positive",
    Job.State.WORKING: "info",
    Job.State.OPEN: "info",
    Job.State.DONE: "positive",
    Message.State.PLANNED: "info",
    Message.State.CLAIMED: "info",
    Message.State.SENDING: "info",
    Message.State.RETRY: "warning",
    Message.State.DEFERRED: "warning",
    Message.State.UNKNOWN: "warning",
    Message.State.ACCEPTED: "positive",
    Message.State.FAILED: "critical",
    Message.State.EXPIRED: "warning",
    Message.State.UNKNOWN_PARKED: "critical",
}

#: Reasons are stored as short codes; what is not listed is shown with spaces for underscores.
REASONS: Mapping[str, StrOrPromise] = {
    **REFUSALS,
    "already_done": _("What would end the journey has happened already."),
    "chain_too_long": _("Journeys start each other in a circle; the chain was cut."),
    "completed": _("went through to the end"),
    "end": _("went through to the end"),
    "filtered": _("A condition of the journey's start did not hold."),
    "goal": _("did what ends the journey"),
    "taken_out": _("was taken out of it by the staff"),
    "merged": _("found to be the same person as another"),
}


#: How the router names the goal that ended a run: the event, and the node in brackets.
_GOAL = re.compile(r"(?P<event>\w+) \((?P<node>[\w-]+)\)")


def tone(state: str) -> str:
    """Return the colour of `state`: positive, critical, warning, info or neutral."""
    return TONES.get(state, "neutral")


def explained(reason: str) -> str:
    """Return a stored reason in words."""
    if reason in REASONS:
        return str(REASONS[reason])
    reached = _GOAL.fullmatch(reason)
    if reached is not None and reached["event"] in event_types:
        label = event_types.get(reached["event"]).label
        return gettext("“%(event)s” happened") % {"event": label}
    # Sentences are stored in English, so that each reader gets them in their own language.
    return gettext(reason) if " " in reason else reason.replace("_", " ")
