"""What happened to a person who is erased: events lose what they say of them, carts go.

An order stays as a sum and its products, for the shop's own figures; what connects it with anybody
is emptied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from ..contacts.erasing import Eraser, Subject, Trace, on_erasure
from ..contacts.models import Contact
from .models import Cart, Event, MappingFault, Order, OrderLine

#: Shorter texts would be found in the errors of others.
_LONG_ENOUGH: Final = 5

#: In the place of an id that must be unique and may tell who it was.
_NUMBERED: Final = Concat(Value("erased:"), Cast("pk", CharField()))


def _events(subject: Subject) -> QuerySet[Event]:
    return Event.objects.filter(contact_id__in=subject.contacts)


def _carts(subject: Subject) -> QuerySet[Cart]:
    return Cart.objects.filter(contact_id__in=subject.contacts)


def _orders(subject: Subject) -> QuerySet[Order]:
    return Order.objects.filter(contact_id__in=subject.contacts)


def _lines(subject: Subject) -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(order__contact_id__in=subject.contacts)


def _stop(subject: Subject, addresses: Collection[tuple[str, str]]) -> dict[str, int]:
    """Route nothing more of the person, and derive nothing from their carts."""
    names = {address for _channel, address in addresses}
    names |= {value for _kind, value in subject.identities}
    unresolved = _unresolved(subject)
    Event.objects.filter(pk__in=unresolved).update(
        resolved=True, contact=subject.contacts[0] if subject.contacts else None
    )
    if not subject.contacts:
        # Nobody was found for them yet: no trace leads to them once they are routed.
        Event.objects.filter(pk__in=unresolved).update(**_EMPTY)
    waiting = Event.objects.filter(
        Q(contact_id__in=subject.contacts) | Q(pk__in=unresolved), routed_at=None
    )
    waiting.update(routed_at=subject.moment, resolved=True)
    _carts(subject).update(abandon_at=None)
    return {"mappingfault": _forget_errors(names)}


def _unresolved(subject: Subject) -> list[int]:
    """Events of the person that no router has looked at."""
    if not subject.identities:
        return []
    named = reduce(or_, (Q(**{f"who__{kind}": value}) for kind, value in subject.identities))
    rows = Event.objects.filter(
        named, site_id=subject.site_id, routed_at=None, resolved=False
    ).values_list("pk", "who")
    return [pk for pk, who in rows if subject.owns(who)]


def _forget_errors(names: Iterable[str]) -> int:
    """A mapping's last error may quote whoever it failed for."""
    said = [Q(error__icontains=name) for name in names if len(name) >= _LONG_ENOUGH]
    return MappingFault.objects.filter(reduce(or_, said)).update(error="") if said else 0


_EMPTY: Final = {
    "who": {}, "key": "", "refs": [], "payload": {}, "problem": "", "dedupe_key": _NUMBERED,
}  # fmt: skip


def pass_on(contacts: Iterable[Contact]) -> None:
    """Deal with events that came to an erased contact all the same; its row is locked.

    What the person did after the erasure is of somebody new; it finds, or makes, another contact.
    What is older, and what others report of them, is emptied.
    """
    for contact in contacts:
        late = Event.objects.filter(contact_id=contact.pk, routed_at=None)
        late.filter(recorded_at__gt=contact.erased_at).exclude(who={}).update(
            resolved=False, contact=None
        )
        late.update(routed_at=contact.erased_at, resolved=True, **_EMPTY)


on_erasure(
    "events",
    Eraser(
        traces=(
            Trace(Cart, _carts),
            Trace(Event, _events, _EMPTY),
            Trace(OrderLine, _lines, {"name": ""}),
            Trace(Order, _orders, {"order_id": _NUMBERED, "number": "", "cart_id": ""}),
        ),
        stop=_stop,
    ),
)
