"""What became of a message as one short code, whoever decided it: for answers and for filters.

Reasons are stored in English, as sentences. Here each sentence of ours has its rule.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from .claim import NO_CHANNEL, WORKERS_DIED
from .guards import guards
from .models import Message
from .outcomes import TOO_LATE, UNKNOWN
from .policies.arbiter import CAP_TOO_LATE, OVER_CAP, QUIET, QUIET_TOO_LATE
from .policies.collapse import COLLAPSED
from .policies.digest import MERGED, NOTHING_LEFT

_RULES: Final = {
    OVER_CAP: "over_cap",
    CAP_TOO_LATE: "cap_too_late",
    QUIET: "quiet",
    QUIET_TOO_LATE: "quiet_too_late",
    COLLAPSED: "collapsed",
    MERGED: "merged",
    NOTHING_LEFT: "digest_empty",
    TOO_LATE: "provider_too_late",
    UNKNOWN: "unknown_parked",
    NO_CHANNEL: "no_channel",
    WORKERS_DIED: "workers_died",
}

#: What a message is where no rule of ours gave the reason.
_BY_STATE: Final = {
    Message.State.PLANNED: "planned",
    Message.State.CLAIMED: "leaving",
    Message.State.SENDING: "leaving",
    Message.State.RETRY: "retry",
    Message.State.DEFERRED: "deferred",
    Message.State.UNKNOWN: "unknown",
    Message.State.ACCEPTED: "sent",
    Message.State.FAILED: "failed",
    Message.State.SKIPPED: "skipped",
    Message.State.EXPIRED: "expired",
    Message.State.CANCELLED: "cancelled",
    Message.State.MERGED: "merged",
    Message.State.UNKNOWN_PARKED: "unknown_parked",
}

#: These say enough: what once put the message off is no reason any more.
_BY_STATE_ALONE: Final = (
    Message.State.ACCEPTED,
    Message.State.CLAIMED,
    Message.State.SENDING,
    Message.State.UNKNOWN,
    Message.State.UNKNOWN_PARKED,
)


def code_of(message: Message) -> str:
    """Return the rule that a message stands under, or how it ended where no rule of ours did it."""
    state = Message.State(message.state)
    if state not in _BY_STATE_ALONE:
        code = _rules().get(message.reason)
        if code == "expired":
            return _what_took_so_long(message)
        if code is not None:
            return code
        if message.state == Message.State.FAILED and not message.body_hash:
            return "not_built"
    return _BY_STATE[state]


def _what_took_so_long(message: Message) -> str:
    """The rule that put an expired message off until it was too late, by its trail."""
    last = message.trail[-1] if message.trail else {}
    if last.get("state") == Message.State.RETRY:
        return "provider_too_late"
    put_off = _rules().get(str(last.get("reason")), "")
    return {"over_cap": "cap_too_late", "quiet": "quiet_too_late"}.get(put_off, "expired")


@lru_cache(maxsize=1)
def _rules() -> dict[str, str]:
    """Sentences with their rules, once every guard is registered."""
    return {**{guard.reason: guard.identifier for guard in guards.all().values()}, **_RULES}
