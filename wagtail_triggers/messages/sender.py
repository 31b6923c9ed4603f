"""Hand claimed messages over one by one, and settle what became of each.

A batch is *claimed* in one transaction. Only the message that is being handed over is ever in
`sending`: one transaction settles message i and moves i + 1 there, under the lock of its person
and after every guard was asked again. So a killed sender leaves one message in doubt, not a batch.
Nothing crosses the network inside a transaction.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F
from wagtail.models import Site

from ..conf import TASK_ROUTE, settings
from ..contacts.models import Contact
from ..core import clock
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..core.registry import Registry
from ..core.shop import MAX_AGE, get_shop
from ..exceptions import TriggersError
from . import trail
from .branding import Sender, sender_of
from .channels.base import Channel, Outcome, OutcomeKind, Outgoing
from .claim import BATCH, Claim, stop, take
from .context import contexts
from .crossing import cross
from .guards import stopped_by
from .headers import build_headers, message_id_for
from .letter import digest, letter
from .models import Message, MessageClass
from .outcomes import Settlement, settle
from .policies import circuit
from .policies.slots import freed
from .policies.truth import check

logger = logging.getLogger("wagtail_triggers.sender")

#: After so many attempts in a row that never left, the rest of the batch waits.
GIVE_UP_AFTER: Final = 3
GIVE_UP_FOR: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed message with the bytes that will leave."""

    message: Message
    outgoing: Outgoing
    #: What the ledger keeps of it: `context`, `subject`, `body_hash`.
    kept: dict[str, Any]


#: Rooms above that want to know what became of a batch: called outside any transaction.
listeners: Final[Registry[Callable[[Claim], None]]] = Registry("listener of senders")


def after_sending(room: str) -> Callable[[Callable[[Claim], None]], Callable[[Claim], None]]:
    """Register a function that is given every claim once its messages were handed over."""
    return listeners.register(room)


def send_batch(message_class: str, limit: int = BATCH) -> int:
    """Claim and send a batch of one lane.

    Args:
        message_class: `marketing` or `transactional`; each has its queue and its workers.
        limit: Messages at most.

    Returns:
        How many messages were claimed or settled; 0 means that nothing is due.
    """
    claim = take(message_class, limit)
    by_channel: dict[str, list[Message]] = {}
    for message in claim.messages:
        by_channel.setdefault(message.channel, []).append(message)
    for name, messages in by_channel.items():
        channel = claim.channels[name]
        assert channel is not None  # noqa: S101 - a message without a channel is never claimed
        ready = _prepare(claim, messages)
        with channel:
            _hand_over_all(claim, channel, ready)
    circuit.note(claim.attempts, claim.shaky)
    for listener in listeners.all().values():
        listener(claim)
    return claim.handled + len(claim.messages)


def _prepare(claim: Claim, messages: Sequence[Message]) -> list[Ready]:
    """Render everything that was claimed; what cannot be rendered fails with its reason."""
    sites = Site.objects.in_bulk({message.site_id for message in messages})
    senders = {pk: sender_of(site) for pk, site in sites.items()}
    fresh = [message for message in messages if not message.ambiguous]
    made = contexts(fresh, claim.contacts, senders, claim.moment)
    untrue = _untrue(claim, fresh, made)
    ready = []
    for message in messages:
        if message.pk in untrue:
            _write(message, untrue[message.pk], claim.token, expect=Message.State.CLAIMED)
            continue
        context = made.get(message.pk) or message.context
        try:
            ready.append(_ready(message, context, senders[message.site_id], claim))
        except TriggersError as error:
            logger.warning("Message %s cannot be built: %s", message.public_id, error)
            claim.broken.append(message)
            _cannot_be_built(message, str(error), claim)
        except Exception as error:  # a fault of ours or of a host's: one message pays, not all
            logger.exception("Message %s cannot be built", message.public_id)
            claim.broken.append(message)
            _cannot_be_built(message, f"{type(error).__name__}: {error}", claim)
    return ready


def _untrue(
    claim: Claim, messages: Sequence[Message], made: dict[int, dict[str, Any]]
) -> dict[int, Settlement]:
    """Ask the shop whether messages are still true; what becomes of those that are not."""
    shop = get_shop()
    if shop is None or not messages:
        return {}
    claim.asked_at = time.monotonic()
    return check(shop, messages, made, clock.now())


def _cannot_be_built(message: Message, why: str, claim: Claim) -> None:
    failed = Settlement(Message.State.FAILED, why[:255], ambiguous=message.ambiguous)
    _write(message, failed, claim.token, expect=Message.State.CLAIMED)


def _ready(message: Message, context: dict[str, Any], sender: Sender, claim: Claim) -> Ready:
    version = message.template_version
    contact = claim.contacts[message.contact_id]
    rendered = letter(version, context)
    marketing = message.message_class == MessageClass.MARKETING
    key = str(message.public_id)
    outgoing = Outgoing(
        address=message.address,
        name=contact.name,
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        from_email=sender.from_email,
        reply_to=sender.reply_to,
        headers=build_headers(
            marketing=marketing,
            unsubscribe_url=context["links"]["unsubscribe"],
            postal_address=sender.postal_address,
            html=rendered.html,
            text=rendered.text,
        ),
        message_id=message_id_for(key, sender.from_email),
        idempotency_key=key,
        marketing=marketing,
        tags=(f"journey-template-{version.template_id}",),
        metadata={"wt_id": key},
    )
    kept = {
        "context": context,
        "subject": rendered.subject[:255],
        "body_hash": digest(rendered),
    }
    return Ready(message, outgoing, kept)


def _hand_over_all(claim: Claim, channel: Channel, ready: Sequence[Ready]) -> None:
    previous: tuple[Message, Settlement] | None = None
    failures = 0
    waiting = deque(ready)
    while waiting:
        if not _in_time(claim, channel):
            _finish(previous, claim)
            _release([left.message for left in waiting], claim, timedelta(0))
            return
        if claim.asked_at is not None and time.monotonic() - claim.asked_at > MAX_AGE:
            # What the shop said is no longer the latest: ask again, for all that are left.
            waiting = deque(_prepare(claim, [left.message for left in waiting]))
            continue
        item = waiting.popleft()
        moment = _step(previous, item, claim)
        previous = None
        if moment is None:
            continue
        channel.expect(waiting[0].outgoing if waiting else None)
        outcome = _send(channel, item.outgoing)
        previous = (
            item.message,
            settle(item.message, outcome, idempotent=channel.idempotent, moment=moment),
        )
        failed = outcome.kind in (OutcomeKind.NEVER_LEFT, OutcomeKind.AMBIGUOUS)
        name = item.message.channel
        claim.attempts[name] = claim.attempts.get(name, "") + ("x" if failed else ".")
        if outcome.kind is OutcomeKind.ACCEPTED:
            claim.accepted.append(item.message)
        failures = failures + 1 if outcome.kind is OutcomeKind.NEVER_LEFT else 0
        if failures >= GIVE_UP_AFTER:
            _finish(previous, claim)
            _release([left.message for left in waiting], claim, GIVE_UP_FOR)
            return
    _finish(previous, claim)


def _send(channel: Channel, outgoing: Outgoing) -> Outcome:
    began = time.monotonic()
    try:
        outcome = channel.send(outgoing)
    except Exception as error:  # a channel of a host may raise whatever it likes
        logger.exception("The channel %s raised instead of answering", channel.identifier)
        return Outcome(OutcomeKind.AMBIGUOUS, detail=f"{type(error).__name__}: {error}"[:255])
    if outcome.retry_after is None:
        return outcome
    # It counts from the answer, which may have taken 25 s; waits count from the hand-over.
    return replace(outcome, retry_after=outcome.retry_after + time.monotonic() - began)


def _in_time(claim: Claim, channel: Channel) -> bool:
    """Whether one more attempt surely ends inside the lease that the claim began with."""
    left = settings.LEASE_SECONDS - (time.monotonic() - claim.taken_at)
    return left > channel.hard_timeout + 10


def _step(
    previous: tuple[Message, Settlement] | None, item: Ready, claim: Claim
) -> datetime | None:
    """Settle the message before, and move this one to `sending` if nothing stops it.

    Returns:
        The moment of the hand-over, or None where the message was stopped, or is no longer ours.
    """
    # What is to be tried again is written step by step, with the reason in its trail.
    ordinary = previous is None or previous[1].terminal
    crossed = cross(previous, item.message, item.kept, claim.token) if ordinary else None
    if crossed is None:
        return _step_by_step(previous, item, claim)
    if previous is not None:
        message, new = previous
        if crossed.settled:
            freed(message, new.state, crossed.moment)
        else:
            _taken_over(message, new)
    if crossed.moved:
        item.message.attempts += 1
        return crossed.moment
    return _step_by_step(None, item, claim)


@retrying
def _step_by_step(
    previous: tuple[Message, Settlement] | None, item: Ready, claim: Claim
) -> datetime | None:
    message = item.message
    with engine_transaction():
        _lock_person(message)
        moment = clock.now()
        if previous is not None:
            _write(*previous, claim.token, expect=Message.State.SENDING, moment=moment)
        stopped = stopped_by([message.pk], moment).get(message.pk)
        if stopped is not None:
            _write(
                message,
                stop(message, stopped, moment),
                claim.token,
                expect=Message.State.CLAIMED,
                moment=moment,
            )
            if stopped.identifier == "unrouted_events":
                nudge(TASK_ROUTE)
            return None
        moved = Message.objects.filter(
            pk=message.pk, token=claim.token, state=Message.State.CLAIMED
        ).update(
            state=Message.State.SENDING,
            lease_until=moment + settings.lease,
            attempts=F("attempts") + 1,
            **item.kept,
        )
    message.attempts += 1
    return moment if moved else None


def _lock_person(message: Message) -> None:
    """Lock whom the message is for *now*: the contact may have been merged since the claim."""
    while True:
        contact = locked(Contact.objects.filter(pk=message.contact_id)).first()
        if contact is None or contact.merged_into_id is None:
            return
        message.contact_id = contact.merged_into_id


def _finish(previous: tuple[Message, Settlement] | None, claim: Claim) -> None:
    if previous is not None:
        _write(*previous, claim.token, expect=Message.State.SENDING)


def _write(
    message: Message,
    new: Settlement,
    token: uuid.UUID,
    *,
    expect: str,
    moment: datetime | None = None,
) -> bool:
    """Write a new state by compare-and-set on the token; False where somebody else was first."""
    moment = moment or clock.now()
    kept = {} if new.terminal else {"trail": trail.longer(message, new, moment)}
    written = Message.objects.filter(pk=message.pk, token=token, state=expect).update(
        state=new.state,
        reason=new.reason,
        due_at=new.due_at,
        held_due_at=new.held_due_at,
        provider_id=new.provider_id,
        provider_status=new.provider_status,
        ambiguous=new.ambiguous,
        token=None,
        lease_until=None,
        settled_at=moment if new.terminal else None,
        **kept,
    )
    if written:
        freed(message, new.state, moment)
    else:
        _taken_over(message, new)
    return bool(written)


def _taken_over(message: Message, new: Settlement) -> None:
    logger.warning(
        "Message %s was taken over before its outcome (%s) could be written",
        message.public_id,
        new.state,
    )


def _release(messages: Sequence[Message], claim: Claim, wait: timedelta) -> None:
    """Give back what was claimed and not handed over."""
    moment = clock.now()
    held = Message.objects.filter(
        pk__in=[message.pk for message in messages],
        token=claim.token,
        state=Message.State.CLAIMED,
    )
    back = {"token": None, "lease_until": None, "due_at": moment + wait}
    held.filter(ambiguous=0).update(state=Message.State.PLANNED, **back)
    held.filter(ambiguous__gt=0).update(state=Message.State.UNKNOWN, **back)
