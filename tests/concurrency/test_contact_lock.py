"""The one common lock: the contact's row, FOR NO KEY UPDATE, taken before anything else."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.concurrency.parallel import PATIENCE, Strand, holding
from tests.concurrency.people import enrolled, letter, people, planned, site
from tests.shop import journey, line, order, template
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import LinkToken
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact, Identity
from wagtail_triggers.core import clock
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import MessageClass
from wagtail_triggers.messages.sender import send_batch

pytestmark = pytest.mark.django_db(transaction=True)

LOCK_ONE = {
    "FOR SHARE": "SELECT 1 FROM wagtail_triggers_contact WHERE id = %s FOR SHARE",
    "FOR NO KEY UPDATE": "SELECT 1 FROM wagtail_triggers_contact WHERE id = %s FOR NO KEY UPDATE",
}
OF = re.compile(r'\bOF "(\w+)"')
LOCK = re.compile(r'FROM "(\w+)".* (FOR (?:NO KEY )?(?:UPDATE|SHARE)\b.*)$', re.DOTALL)


def without_parentheses(sql: str) -> str:
    """A statement without the questions inside of it, which lock nothing."""
    while (bare := re.sub(r"\([^()]*\)", "", sql)) != sql:
        sql = bare
    return sql


def _route() -> None:
    order("1", line())
    route_batch()


def _run() -> None:
    letters = template("Hello")
    plan = journey("Hello", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": letters},
    ])  # fmt: skip
    enrolled(plan, people(2))
    assert run_due() == 2


def _send() -> None:
    planned(letter(marketing=True), people(2))
    assert send_batch(MessageClass.MARKETING) == 2


def _merge() -> None:
    first, second = people(2)
    assert merge(first.pk, second.pk, moment=clock.now())


def _unsubscribe() -> None:
    (row,) = people(1)
    tokens_for([Wanted(site().pk, "email", None, row.email)], clock.now())
    unsubscribe_by_link(LinkToken.objects.get(), everything=True, source="test")


@pytest.mark.parametrize("party", [_route, _run, _send, _merge, _unsubscribe])
def test_contact_lock_is_the_first_that_each_party_takes_and_never_share(
    outbox: list[Outgoing], party: Callable[[], None]
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        party()
    orders: list[list[tuple[str, str]]] = [[]]
    for query in queries.captured_queries:
        if query["sql"].startswith(("BEGIN", "COMMIT")):
            orders.append([])
        found = LOCK.search(without_parentheses(query["sql"]))
        if found:
            # Of several tables the one that is named.
            named = OF.search(found[2])
            table = named[1] if named else found[1]
            orders[-1].append((table.removeprefix("wagtail_triggers_"), found[2]))
    engine = [
        locks for locks in orders
        # Publishing (a journey or template alone) and the resolving of events hold no person.
        if locks and {table for table, _clause in locks} - {"journey", "template", "event"}
    ]  # fmt: skip
    assert engine
    for locks in engine:
        assert locks[0][0] == "contact", locks
        for table, clause in locks:
            if table == "journey":
                assert clause.startswith("FOR SHARE")
            else:
                assert clause.startswith("FOR NO KEY UPDATE"), locks


def test_contact_lock_is_not_hindered_by_an_uncommitted_row_that_points_to_it(
    transactional_db: None,
) -> None:
    (row,) = people(1)

    def insert() -> None:
        Identity.objects.create(
            site=site(), kind="cookie_id", value="c", contact=row, created_at=clock.now()
        )
        with connection.cursor() as cursor:  # the moment of the commit, held on to
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with holding(insert), transaction.atomic():
        ours = list(locked(Contact.objects.filter(pk=row.pk), skip_locked=True))
        plain = list(Contact.objects.select_for_update(skip_locked=True).filter(pk=row.pk))
    assert ours == [row]
    assert plain == []  # what plain FOR UPDATE would have done: leave the person out


@pytest.mark.parametrize("clause", LOCK_ONE)
def test_contact_lock_shared_would_deadlock_where_both_go_on_to_write(
    transactional_db: None, clause: str
) -> None:
    (row,) = people(1)
    both = threading.Barrier(2)

    def lock_then_write() -> str:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '100ms'")
            cursor.execute(LOCK_ONE[clause], [row.pk])
            if clause == "FOR SHARE":
                both.wait(PATIENCE)
            try:
                Contact.objects.filter(pk=row.pk).update(orders_count=1)
            except OperationalError as error:
                return type(error.__cause__).__name__
        return "written"

    strands = [Strand(lock_then_write) for _ in range(2)]
    fates = sorted(strand.wait() for strand in strands)
    assert fates == (
        ["DeadlockDetected", "written"] if clause == "FOR SHARE" else ["written", "written"]
    )


def test_contact_lock_held_elsewhere_leaves_the_persons_events_for_the_next_round(
    outbox: list[Outgoing],
) -> None:
    from tests.concurrency.people import who
    from wagtail_triggers.events.models import Event

    busy, free = people(2)
    order("1", line(), who=who(busy))
    order("2", line(), who=who(free))
    with holding(lambda: list(locked(Contact.objects.filter(pk=busy.pk)))):
        router = Strand(route_batch)
        assert router.settled() == "done"
        assert router.wait() == 1
        waiting = Event.objects.filter(routed_at=None).values_list("contact_id", flat=True)
        assert list(waiting) == [busy.pk]
    assert route_batch() == 1
