"""What an erased person was sent: that it was sent, when and by which template, stays.

To whom, about what and what it said goes. What was planned is cancelled; what is being handed over
may still leave, and is emptied once it is settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_noop

from ..conf import settings
from ..consent.models import SendLedger
from ..contacts.erasing import Eraser, Subject, Trace, on_erasure
from ..contacts.models import Contact
from ..exceptions import TriggersError
from .channels.base import get_channel
from .guards import Guard, register_guard
from .models import Message, MessageEvent
from .trial_models import Trial

#: Shorter names would be found in what is of others.
_LONG_ENOUGH: Final = 5

#: Why a message was not sent, and what stands where a provider's own words stood.
ERASED: Final = gettext_noop("The person was erased.")

_EMPTY: Final[dict[str, Any]] = {
    "address": "",
    "context": {},
    "trail": [],
    "subject": "",
    "subject_id": "",
    "body_hash": "",
    "provider_id": "",
    "provider_status": "",
    # A provider, or an error, may quote the person. That there was a reason stays.
    "reason": Case(When(reason="", then=Value("")), default=Value(ERASED)),
}


def _messages(subject: Subject) -> QuerySet[Message]:
    return Message.objects.filter(contact_id__in=subject.contacts)


def _reports(subject: Subject) -> QuerySet[MessageEvent]:
    return MessageEvent.objects.filter(message__contact_id__in=subject.contacts)


def _permits(subject: Subject) -> QuerySet[SendLedger]:
    return SendLedger.objects.filter(contact_id__in=subject.contacts)


def _addresses(subject: Subject) -> Iterable[tuple[str, str]]:
    """Where the person was written to, and where each channel would write to them."""
    yield from _messages(subject).exclude(address="").values_list("channel", "address").distinct()
    contacts = list(Contact.objects.filter(pk__in=subject.contacts, erased_at=None))
    for name in settings.CHANNELS:
        try:
            channel = get_channel(name)
        except TriggersError:
            continue  # it is not set up: nothing is sent through it, and a check says so
        for contact in contacts:
            yield name, channel.address_of(contact)


def _stop(subject: Subject, addresses: Collection[tuple[str, str]]) -> dict[str, int]:
    """Cancel what nobody has in hand; what may have left already stays visible as such."""
    waiting = _messages(subject).exclude(state__in=(*Message.TERMINAL, Message.State.SENDING))
    gone = {
        "reason": ERASED, "due_at": None, "held_due_at": None, "token": None, "lease_until": None,
        "settled_at": subject.moment,
    }  # fmt: skip
    waiting.filter(ambiguous__gt=0).update(state=Message.State.UNKNOWN_PARKED, **gone)
    waiting.update(state=Message.State.CANCELLED, **gone)
    return {"trial": _forget_trials(subject, {address for _channel, address in addresses})}


def _forget_trials(subject: Subject, addresses: set[str]) -> int:
    """Delete test messages that went to the person, or were shown with their data."""
    people = Contact.objects.filter(pk__in=subject.contacts, erased_at=None)
    words = addresses | {contact.name for contact in people if len(contact.name) >= _LONG_ENOUGH}
    if not words:
        return 0
    quoting = (
        Q(shown_as__icontains=word) | Q(subject__icontains=word) | Q(reason__icontains=word)
        for word in words
    )
    rows = Trial.objects.filter(reduce(or_, quoting, Q(address__in=addresses)))
    gone, _by_model = rows.filter(site_id=subject.site_id).delete()
    return gone


def _busy(subject: Subject) -> bool:
    return _messages(subject).exclude(state__in=Message.TERMINAL).exists()


def _is_gone(moment: datetime) -> Q:
    """A letter that was being handed over, and never left, is not tried again."""
    return Q(Exists(Contact.objects.filter(pk=OuterRef("contact"), erased_at__isnull=False)))


register_guard(Guard("erased", 5, Message.State.CANCELLED, ERASED, _is_gone))

on_erasure(
    "messages",
    Eraser(
        traces=(
            Trace(SendLedger, _permits),
            Trace(
                MessageEvent,
                _reports,
                {"detail": "", "url": "", "provider_message_id": ""},
            ),
            Trace(Message, _messages, _EMPTY),
        ),
        addresses=_addresses,
        stop=_stop,
        busy=_busy,
    ),
)
