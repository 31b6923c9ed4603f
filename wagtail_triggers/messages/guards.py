"""What may stop a message, asked when it is claimed and again just before it is handed over.

A guard is a condition in SQL, so that all of them are one query, for one message or for many.
Rooms above register theirs; nobody below is imported for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.utils.translation import gettext_noop

from ..consent.models import Subscription, Suppression, Topic
from ..contacts.models import Contact
from ..core.registry import Registry
from ..events.models import Cart, Event
from .models import Message, MessageClass, TriggersSettings

#: Builds the condition, on the table of messages, under which the guard stops one.
Condition = Callable[[datetime], Q]


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that stops a message.

    Attributes:
        identifier: Its name.
        order: Guards are asked in this order; the first that stops gives the reason.
        state: What becomes of the message: a terminal state, or `planned` to hold it.
        reason: Why, in English; translated when it is shown.
        condition: When it stops one.
        hold_for: How long a held message waits before it is looked at again.
    """

    identifier: str
    order: int
    state: str
    reason: str
    condition: Condition
    hold_for: timedelta = timedelta(0)


guards: Final[Registry[Guard]] = Registry("guard")

_MARKETING: Final = Q(message_class=MessageClass.MARKETING)


def register_guard(guard: Guard) -> Guard:
    """Add a guard; raises RegistrationError if its identifier is taken."""
    return guards.register(guard.identifier)(guard)


def verdict(moment: datetime) -> Case:
    """An expression on messages: the identifier of the guard that stops it, or ""."""
    ordered = sorted(guards.all().values(), key=lambda guard: guard.order)
    return Case(
        *(When(guard.condition(moment), then=Value(guard.identifier)) for guard in ordered),
        default=Value(""),
        output_field=CharField(),
    )


def _expired(moment: datetime) -> Q:
    return Q(expires_at__lte=moment)


def _no_address(moment: datetime) -> Q:
    return Q(address="")


def _suppressed(scope: Q) -> Q:
    return Q(
        Exists(
            Suppression.objects.filter(
                scope,
                site=OuterRef("site"),
                channel=OuterRef("channel"),
                address_hash=OuterRef("address_hash"),
            )
        )
    )


def _suppressed_all(moment: datetime) -> Q:
    return _suppressed(Q(scope=Suppression.Scope.ALL))


def _suppressed_marketing(moment: datetime) -> Q:
    return _MARKETING & _suppressed(Q(scope=Suppression.Scope.MARKETING))


def _answer(state: str) -> Exists:
    return Exists(
        Subscription.objects.filter(
            site=OuterRef("site"),
            channel=OuterRef("channel"),
            topic=OuterRef("topic"),
            address=OuterRef("address"),
            state=state,
        )
    )


def _unsubscribed(moment: datetime) -> Q:
    return _MARKETING & Q(_answer(Subscription.State.UNSUBSCRIBED))


def _no_consent(moment: datetime) -> Q:
    needs_yes = Q(topic__isnull=True) | Q(
        Exists(Topic.objects.filter(pk=OuterRef("topic"), consent=Topic.Consent.OPT_IN))
    )
    return _MARKETING & needs_yes & ~Q(_answer(Subscription.State.SUBSCRIBED))


def _address_changed(moment: datetime) -> Q:
    """The person has another address since the claim; consent must be looked up for that one."""
    moved = Exists(
        Contact.objects.filter(pk=OuterRef("contact")).exclude(email=OuterRef("address"))
    )
    return _MARKETING & Q(channel="email", ambiguous=0) & Q(moved)


def _cart_closed(moment: datetime) -> Q:
    closed = Exists(
        Cart.objects.filter(site=OuterRef("site"), cart_id=OuterRef("subject_id")).exclude(
            status=Cart.Status.OPEN
        )
    )
    return _MARKETING & Q(subject_kind="cart") & Q(closed)


def _news_of_the_person(moment: datetime) -> Q:
    """Something has happened to this person that no router has looked at: it may be an order."""
    return Q(Exists(Event.objects.filter(contact_id=OuterRef("contact"), routed_at=None)))


def _switched_off(moment: datetime) -> Q:
    return Q(Exists(TriggersSettings.objects.filter(site=OuterRef("site"), sending_on=False)))


_SKIPPED, _CANCELLED, _HELD = (
    Message.State.SKIPPED,
    Message.State.CANCELLED,
    Message.State.PLANNED,
)

for _guard in (
    Guard("expired", 10, Message.State.EXPIRED, gettext_noop("It was too late to send."), _expired),
    Guard("no_address", 20, _SKIPPED, gettext_noop("There is no address."), _no_address),
    Guard(
        "suppressed", 30, _SKIPPED,
        gettext_noop("The address is suppressed: it bounced, complained or was blocked."),
        _suppressed_all,
    ),
    Guard(
        "unsubscribed_all", 31, _SKIPPED,
        gettext_noop("The person unsubscribed from all marketing."), _suppressed_marketing,
    ),
    Guard(
        "unsubscribed", 32, _SKIPPED,
        gettext_noop("The person unsubscribed from this topic."), _unsubscribed,
    ),
    Guard(
        "no_consent", 33, _SKIPPED,
        gettext_noop("The person has not subscribed to this topic."), _no_consent,
    ),
    Guard(
        "cart_closed", 40, _CANCELLED,
        gettext_noop("The cart was ordered or emptied."), _cart_closed,
    ),
    Guard(
        "address_changed", 60, _HELD, gettext_noop("The address has changed."), _address_changed,
    ),
    Guard(
        "unrouted_events", 70, _HELD,
        gettext_noop("Something has just happened that may change this."),
        _news_of_the_person, timedelta(seconds=1),
    ),
    Guard(
        "switched_off", 80, _HELD,
        gettext_noop("Sending is switched off for this site."), _switched_off,
        timedelta(seconds=30),
    ),
):  # fmt: skip
    register_guard(_guard)
