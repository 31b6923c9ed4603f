"""What may stop a message, asked when it is claimed and again just before it is handed over.

A guard is a condition in SQL, so that all of them are one query, for one message or for many.
Rooms above register theirs; nobody below is imported for it.

The query is compiled once per process: Django took 12 ms to build it, and PostgreSQL 0.1 ms to
answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import connection, connections
from django.db.models import Case, CharField, DateTimeField, Exists, OuterRef, Q, Value, When
from django.utils.translation import gettext_noop

from ..consent.models import SendLedger, Subscription, Suppression, Topic
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
        condition: When it stops one. Built once per process, so that it may depend on nothing but
            the moment that it is given: what else it wants to know belongs into the SQL.
        hold_for: How long a held message waits before it is looked at again; None: until whoever
            stopped it lets it go (`held_due_at`). Left in the queue, it would be in the way.
    """

    identifier: str
    order: int
    state: str
    reason: str
    condition: Condition
    hold_for: timedelta | None = timedelta(0)


guards: Final[Registry[Guard]] = Registry("guard")

_MARKETING: Final = Q(message_class=MessageClass.MARKETING)


def register_guard(guard: Guard) -> Guard:
    """Add a guard; raises RegistrationError if its identifier is taken."""
    return guards.register(guard.identifier)(guard)


def verdict(moment: datetime) -> Case:
    """An expression on messages: the identifier of the guard that stops it, or ""."""
    return _verdict(in_force(), moment)


def in_force() -> tuple[Guard, ...]:
    """Every guard, in the order of registration; what is compiled is kept under this."""
    return tuple(guards.all().values())


def _verdict(all_guards: Sequence[Guard], moment: datetime) -> Case:
    ordered = sorted(all_guards, key=lambda guard: guard.order)
    return Case(
        *(When(guard.condition(moment), then=Value(guard.identifier)) for guard in ordered),
        default=Value(""),
        output_field=CharField(),
    )


def stopped_by(ids: Sequence[int], moment: datetime) -> dict[int, Guard]:
    """The guard that stops each of these messages; one query, in a statement of its own.

    Args:
        ids: Primary keys of messages whose contacts are locked.
        moment: Now.
    """
    if not ids:
        return {}
    question = question_on(connection.alias, in_force())
    if question is None:
        rows = Message.objects.filter(pk__in=ids).annotate(stop=verdict(moment))
        return {pk: guards.get(stop) for pk, stop in rows.values_list("pk", "stop") if stop}
    value = DateTimeField().get_db_prep_value(moment, connection)
    sql, params = question.about((", ".join(["%s"] * len(ids)), list(ids)), ("%s", [value]))
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {pk: guards.get(stop) for pk, stop in cursor.fetchall() if stop}


_ANY_ID: Final = 2**62 + 7
_ONE_MOMENT: Final = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
_OTHER_MOMENT: Final = datetime(2012, 11, 10, 9, 8, 7, 654321, tzinfo=UTC)

#: A piece of SQL with the parameters of its markers.
Sql = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """All guards as one SELECT of id and verdict, with room for the messages and the moment.

    Attributes:
        pieces: The SQL between the markers.
        params: One for each marker.
        ids: The marker that stands for the messages' ids.
        moments: Markers that stand for the moment, or for so long after it.
    """

    pieces: tuple[str, ...]
    params: tuple[Any, ...]
    ids: int
    moments: Mapping[int, timedelta]

    def about(self, ids: Sql, moment: Sql) -> Sql:
        """The SELECT about these messages at this moment."""
        sql: list[str] = [self.pieces[0]]
        params: list[Any] = []
        for number, (param, piece) in enumerate(zip(self.params, self.pieces[1:], strict=True)):
            marker: Sql = ("%s", [param])
            if number == self.ids:
                marker = ids
            elif (after := self.moments.get(number)) is not None:
                marker = (f"({moment[0]} + %s)", [*moment[1], after]) if after else moment
            sql += [marker[0], piece]
            params += marker[1]
        return "".join(sql), params


@lru_cache(maxsize=8)
def question_on(alias: str, all_guards: tuple[Guard, ...]) -> Question | None:
    """Compile guards for a database, once per process.

    They are compiled with two moments: where the parameters differ, a moment stands.

    Returns:
        None where a guard makes something else of the moment than a moment so long after it.
    """
    (sql, params), (other_sql, other_params) = (
        _sql(alias, all_guards, moment) for moment in (_ONE_MOMENT, _OTHER_MOMENT)
    )
    pieces = sql.split("%s")
    if sql != other_sql or "%%" in sql or len(pieces) != len(params) + 1:
        return None
    moments: dict[int, timedelta] = {}
    for number, (one, other) in enumerate(zip(params, other_params, strict=True)):
        if one == other:
            continue
        after = _after(alias, one, other)
        if after is None:
            return None
        moments[number] = after
    ids = [number for number, param in enumerate(params) if param == _ANY_ID]
    return Question(tuple(pieces), params, ids[0], moments) if len(ids) == 1 else None


def _sql(
    alias: str, all_guards: tuple[Guard, ...], moment: datetime
) -> tuple[str, tuple[Any, ...]]:
    rows = Message.objects.filter(pk__in=[_ANY_ID]).annotate(stop=_verdict(all_guards, moment))
    query = rows.order_by().values_list("pk", "stop").query
    sql, params = query.get_compiler(using=alias).as_sql()
    return sql, tuple(params)


def _after(alias: str, one: Any, other: Any) -> timedelta | None:
    """How long after the moment both parameters are, or None."""
    prepared = [
        DateTimeField().get_db_prep_value(moment, connections[alias])
        for moment in (_ONE_MOMENT, _OTHER_MOMENT)
    ]
    if [one, other] == prepared:
        return timedelta(0)
    if not isinstance(one, datetime) or not isinstance(other, datetime):
        return None
    after = one - _ONE_MOMENT
    return after if other - _OTHER_MOMENT == after else None


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


def _order_undone(moment: datetime) -> Q:
    """The order was cancelled or refunded since the event that this message answers.

    The run that planned it may have come to its end, so that no exit of it can take it back; and a
    journey that begins with the cancellation has a message about just that.
    """
    undone = Event.objects.filter(
        contact=OuterRef("contact"),
        name__in=("order_cancelled", "order_refunded"),
        pk__gt=OuterRef("event"),
        key=OuterRef("subject_id"),
        site=OuterRef("site"),
    )
    return _MARKETING & Q(subject_kind="order") & Q(Exists(undone))


def _no_permit(moment: datetime) -> Q:
    """What the claim decided (caps, quiet hours) holds no longer: it must be decided anew."""
    permit = SendLedger.objects.filter(message=OuterRef("pk"), until__gt=moment)
    return _MARKETING & Q(state=Message.State.CLAIMED) & ~Q(Exists(permit))


def _digest_has_closed_cart(moment: datetime) -> Q:
    closed = Cart.objects.filter(site=OuterRef("site"), cart_id=OuterRef("subject_id")).exclude(
        status=Cart.Status.OPEN
    )
    item = Message.objects.filter(
        Exists(closed),
        merged_into=OuterRef("pk"),
        state=Message.State.MERGED,
        subject_kind="cart",
    )
    return Q(state=Message.State.CLAIMED, enrolment=None) & Q(Exists(item))


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
        "order_undone", 42, _CANCELLED,
        gettext_noop("The order was cancelled or refunded."), _order_undone,
    ),
    Guard(
        "address_changed", 60, _HELD, gettext_noop("The address has changed."), _address_changed,
    ),
    Guard(
        "digest_changed", 61, _HELD, gettext_noop("A part of this digest is no longer true."),
        _digest_has_closed_cart,
    ),
    Guard(
        "no_permit", 62, _HELD,
        gettext_noop("The time in which it might have left is over; it is decided anew."),
        _no_permit,
    ),
    Guard(
        "unrouted_events", 70, _HELD,
        gettext_noop("Something has just happened that may change this."),
        _news_of_the_person, timedelta(seconds=1),
    ),
    Guard(
        "switched_off", 80, _HELD,
        gettext_noop("Sending is switched off for this site."), _switched_off, None,
    ),
):  # fmt: skip
    register_guard(_guard)
