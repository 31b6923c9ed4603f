"""The sentences of "why?", by the code of what was found. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Why an event began no run, or why there was none.
ENTRY: Mapping[str, StrOrPromise] = {
    "never_published": _("The journey was never published, so nobody has entered it."),
    "no_event": _(
        "Nothing has happened that starts the journey. It begins with %(events)s, and nothing of "
        "that is recorded for this person."
    ),
    "queued": _(
        "“%(event)s” has happened, and nobody has looked at it yet. That takes seconds; if it "
        "stays so, no worker runs."
    ),
    "set_aside_for_now": _("“%(event)s” could not be worked with. It is tried again: %(problem)s"),
    "set_aside": _("“%(event)s” was set aside, because it could not be worked with: %(problem)s"),
    "not_yet_published": _("The journey was not published yet when “%(event)s” happened."),
    "journey_paused": _(
        "The journey was paused when “%(event)s” happened (since %(since)s). What happens during "
        "a pause starts nothing, also later."
    ),
    "journey_archived": _(
        "The journey was archived when “%(event)s” happened (since %(since)s): nobody entered it."
    ),
    "journey_unpublished": _(
        "The journey was not published when “%(event)s” happened (taken off on %(since)s)."
    ),
    "not_listened": _(
        "Version %(version)s was live when “%(event)s” happened, and it does not begin with that."
    ),
    "not_kept": _("“%(event)s” started nothing. Why is no longer recorded."),
    "filtered": _("“%(event)s” happened, but a condition of the journey's start did not hold."),
    "already_in_journey": _(
        "“%(event)s” happened while the person was in the journey already, and it takes them in "
        "once at a time."
    ),
    "entered_once": _(
        "“%(event)s” happened, but the person has been in the journey before, and it takes each "
        "person once."
    ),
    "entered_too_recently": _(
        "“%(event)s” happened too soon after the person had entered the journey last."
    ),
    "entered_too_often": _(
        "“%(event)s” happened, but the person had entered the journey as often as it allows for "
        "now."
    ),
    "max_runs_reached": _(
        "“%(event)s” happened, but the person has been in the journey as often as it allows."
    ),
    "already_done": _(
        "“%(event)s” happened, but what would end the journey had happened by then as well."
    ),
    "chain_too_long": _(
        "“%(event)s” was the end of a long chain of journeys that start each other; it was cut."
    ),
}

ENTRY_TONES: Mapping[str, str] = {
    "never_published": "neutral",
    "no_event": "neutral",
    "queued": "info",
    "set_aside": "critical",
    "set_aside_for_now": "warning",
}

#: Where a run is, or how it ended.
RUNS: Mapping[str, StrOrPromise] = {
    "parked": _(
        "The run is parked at “%(step)s” since %(since)s: %(reason)s It stays there until somebody "
        "tries it again."
    ),
    "site_off": _("Sending is switched off for the whole site. The run stands at “%(step)s”."),
    "journey_paused_now": _(
        "The journey is paused since %(since)s. The run stands at “%(step)s” until it is resumed."
    ),
    "trying_again": _(
        "The step “%(step)s” failed and is tried again at %(until)s. It said: %(reason)s"
    ),
    "task": _("The run waits for somebody of the staff at “%(step)s”, at the latest %(until)s."),
    "job": _("The run waits for another system at “%(step)s”, at the latest until %(until)s."),
    "waiting": _(
        "The person is in the journey, at “%(step)s” since %(since)s, and goes on at %(until)s."
    ),
    "waiting_for": _(
        "The person is in the journey, at “%(step)s” since %(since)s, at the latest until "
        "%(until)s."
    ),
    "due": _("The run is due at “%(step)s”. That takes seconds; if it stays so, no worker runs."),
    "held_out": _(
        "The person is one of those who are left out on purpose, to see what the journey does for "
        "the rest (“%(step)s”)."
    ),
    "another_way": _(
        "The person went through the journey by a way without a message: “%(step)s”, %(way)s."
    ),
    "converted": _("The person reached the goal, and left the journey with that: %(reason)s."),
    "completed": _("The person went through the journey to its end."),
    "merged_away": _(
        "Two contacts were found to be one person. The other's run about the same thing had come "
        "further; this one ended."
    ),
    "left": _("The person left the journey before its end: %(reason)s."),
}

#: What became of a message, by the rule.
LETTERS: Mapping[str, StrOrPromise] = {
    "sent": _("“%(letter)s” was sent."),
    "leaving": _("“%(letter)s” is leaving at this moment."),
    "planned": _("“%(letter)s” is planned and leaves at %(until)s."),
    "retry": _("“%(letter)s” could not be handed over and is tried again at %(until)s: %(reason)s"),
    "unknown": _(
        "“%(letter)s” was handed over, and nobody knows yet whether it left. It is looked at "
        "again at %(until)s."
    ),
    "unknown_parked": _(
        "“%(letter)s” was handed over, and nobody knows whether it left. It is not repeated: twice "
        "would be worse than once."
    ),
    "failed": _("The provider refused “%(letter)s”: %(reason)s"),
    "not_built": _("“%(letter)s” could not be built: %(reason)s"),
    "no_channel": _("“%(letter)s” has no way to leave: its channel is not set up."),
    "no_template": _("Its template is not published: the run would be parked."),
    "workers_died": _("Workers died each time they were about to send “%(letter)s”."),
    "over_cap": _(
        "The person has had as many messages as the site's limit allows. “%(letter)s” waits until "
        "%(until)s at the latest."
    ),
    "cap_too_late": _(
        "“%(letter)s” was not sent: the person had had as many messages as the site's limit "
        "allows, and by the time that one more fits it is too late for it."
    ),
    "quiet": _("It is quiet time where the person lives. “%(letter)s” waits until %(until)s."),
    "quiet_too_late": _(
        "“%(letter)s” was not sent: it was quiet time where the person lives, and at its end it "
        "was too late for it."
    ),
    "collapsed": _("“%(letter)s” was not sent: a newer message of the journey took its place."),
    "merged": _("“%(letter)s” became a part of a digest."),
    "provider_too_late": _(
        "“%(letter)s” was not sent: the provider could not be reached until it was too late."
    ),
    "expired": _("“%(letter)s” was not sent: it had become too late for it."),
    "no_address": _("“%(letter)s” was not sent: no address of the person is known for it."),
    "suppressed": _(
        "“%(letter)s” was not sent: the address bounced, complained or was blocked, and gets "
        "nothing any more."
    ),
    "unsubscribed_all": _("“%(letter)s” was not sent: the person unsubscribed from everything."),
    "unsubscribed": _("“%(letter)s” was not sent: the person unsubscribed from its topic."),
    "no_consent": _("“%(letter)s” was not sent: the person has not subscribed to its topic."),
    "cart_closed": _("“%(letter)s” was not sent: the cart had been ordered or emptied."),
    "order_undone": _("“%(letter)s” was not sent: the order had been cancelled or refunded."),
    "switched_off": _("“%(letter)s” is held: sending is switched off for the whole site."),
    "paused": _("“%(letter)s” is held: the journey is paused."),
}

#: For every other reason, by the state of the message.
STOPS: Mapping[str, StrOrPromise] = {
    "planned": _("“%(letter)s” waits until %(until)s: %(reason)s"),
    "deferred": _("“%(letter)s” is put off until %(until)s: %(reason)s"),
    "skipped": _("“%(letter)s” was not sent: %(reason)s"),
    "expired": _("“%(letter)s” was not sent: %(reason)s"),
    "cancelled": _("“%(letter)s” was taken back before it left: %(reason)s"),
    "failed": _("“%(letter)s” was not sent: %(reason)s"),
}
