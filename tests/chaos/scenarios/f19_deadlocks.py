"""F19: deadlocks, serialisation failures and lock time-outs, from others and from the database."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from django.db import DatabaseError, connection, transaction

from tests.chaos import races
from tests.chaos.crowd import all_settled, place, thanks
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.parallel import Strand
from tests.concurrency.people import people
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact, Identity
from wagtail_triggers.core import clock, locking
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.models import MessageClass
from wagtail_triggers.messages.sender import send_batch

SCENARIO = Scenario(
    name="F19",
    title="deadlocks (40P01), serialisation failures (40001) and lock time-outs (55P03)",
    promise=(
        "each is tried again and none surfaces: no error is raised or logged, no run or event "
        "pays for it; lost 0, duplicates 0"
    ),
    broken="a transaction that fails is not tried again",
    small=240,
    broken_small=120,
    full=10_000,
)
#: Of the statements that change rows of ours, so many fail.
SHARE = 0.012
STATES = ("40P01", "40001", "55P03")
TABLES = ("contact", "event", "enrolment", "message")
#: People whom a writer of the host's locks in the other order than ours.
PAIRS = 12


class _Heard(logging.Handler):
    """What the package said, at which level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.again = Counter[str]()
        self.loud: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Count what was tried again, and keep what somebody would be woken for."""
        if record.name == "wagtail_triggers.locking":
            self.again[str(record.args[0]) if isinstance(record.args, tuple) else ""] += 1
        elif record.levelno >= logging.WARNING:
            self.loud.append(record.getMessage())


def run(chaos: Chaos) -> Report:
    """Answer orders while the database refuses now and then and a stranger locks crosswise."""
    thanks()
    place(chaos.messages // 2)
    guests, customers = people(PAIRS, "guest"), people(PAIRS, "customer")
    report = chaos.report()
    heard = _Heard()
    errors: list[str] = []
    crossed: Counter[str] = Counter()
    with races.provider():
        with _faults(chaos.database), _listening(heard), _trying(chaos):
            _all_at_once(guests, customers, errors, crossed, chaos)
        # What was held for a moment by then, in peace.
        races.finish()
        report.count(chaos.messages // 2 * 2, races.deliveries())
    _judge(report, heard, errors, crossed)
    return report


def _all_at_once(
    guests: list[Contact], customers: list[Contact], errors: list[str], crossed: Counter[str],
    chaos: Chaos,
) -> None:  # fmt: skip
    over = threading.Event()

    def keep(step: Callable[[], object]) -> Callable[[], None]:
        def work() -> None:
            while not over.is_set():
                try:
                    step()
                except Exception as error:  # whatever comes out has surfaced
                    errors.append(f"{type(error).__name__}: {error}".splitlines()[0])
                time.sleep(0.002)

        return work

    def send() -> None:
        for kind in (MessageClass.TRANSACTIONAL, MessageClass.MARKETING):
            send_batch(kind, 10)

    pairs = list(zip(guests, customers, strict=True))

    def join() -> None:
        if pairs:
            guest, customer = pairs[-1]
            if merge(guest.pk, customer.pk, moment=clock.now()):
                pairs.pop()

    steps = [
        lambda: route_batch(20), lambda: route_batch(20), lambda: run_due(20), lambda: run_due(20),
        send, send, join,
    ]  # fmt: skip
    strands = [Strand(keep(step)) for step in steps]
    strands.append(Strand(lambda: _stranger(pairs, over, crossed)))
    ends = time.monotonic() + (60 if chaos.plan.small else 1_800)
    while time.monotonic() < ends and (pairs or not all_settled(chaos.messages // 2 * 2)):
        time.sleep(0.2)
    over.set()
    for strand in strands:
        strand.wait(120)
    crossed["pairs left"] = len(pairs)


def _stranger(pairs: list[tuple[Contact, Contact]], over: threading.Event,
              crossed: Counter[str]) -> None:  # fmt: skip
    """Somebody of the host's, who locks two people the other way round, and sometimes for long."""
    turn = 0
    while not over.is_set():
        turn += 1
        if not pairs:
            return
        low, high = sorted((pairs[-1][0].pk, pairs[-1][1].pk))
        try:
            with transaction.atomic():
                list(Contact.objects.select_for_update(no_key=True).filter(pk=high))
                time.sleep(0.6 if turn % 5 == 0 else 0.08)
                list(Contact.objects.select_for_update(no_key=True).filter(pk=low))
            crossed["the stranger had both"] += 1
        except DatabaseError:
            crossed["the stranger lost"] += 1
        time.sleep(0.05)


@contextmanager
def _faults(database: str) -> Iterator[None]:
    """Have PostgreSQL refuse a share of our statements, as it does under contention."""
    errors = ", ".join(f"'{state}'" for state in STATES)
    prefix = "wagtail_triggers_"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE \"{database}\" SET deadlock_timeout = '60ms'")
        cursor.execute(
            "CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF random() < {SHARE} THEN RAISE EXCEPTION 'chaos' USING ERRCODE = "
            f"(ARRAY[{errors}])[1 + floor(random() * {len(STATES)})::int]; END IF; "
            "RETURN NULL; END $$"
        )
        for table in TABLES:
            # Not INSERT on events: that statement is the host's own.
            what = "UPDATE" if table == "event" else "INSERT OR UPDATE"
            cursor.execute(
                f"CREATE TRIGGER chaos_refuse BEFORE {what} ON {prefix}{table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION chaos_refuse()"
            )
    connection.close()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION chaos_refuse CASCADE")


@contextmanager
def _listening(heard: _Heard) -> Iterator[None]:
    logger = logging.getLogger("wagtail_triggers")
    level = logger.level
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(heard)
        logger.setLevel(level)


@contextmanager
def _trying(chaos: Chaos) -> Iterator[None]:
    """Lock waits end after 0.3 s instead of 5; and without the protection, nothing is repeated."""
    with (
        mock.patch.object(locking, "LOCK_TIMEOUT_MS", 300),
        mock.patch.object(locking, "ATTEMPTS", 1 if chaos.broken else locking.ATTEMPTS),
    ):
        yield


def _judge(report: Report, heard: _Heard, errors: list[str], crossed: Counter[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (deadlocks,) = cursor.fetchone()
    paid = Enrolment.objects.filter(tries__gt=0).count() + Event.objects.filter(tries__gt=0).count()
    merged = Contact.objects.exclude(merged_into=None).count()
    again = heard.again.total()
    report.extra |= {
        "tried again": f"{again} ({dict(heard.again)})",
        "deadlocks that PostgreSQL found": deadlocks,
        "the host's writer": dict(crossed),
        "people merged meanwhile": f"{merged} of {PAIRS}",
        "errors that surfaced": f"{len(errors)} {sorted(set(errors))[:3]}",
        "warnings": f"{len(heard.loud)} {sorted(set(heard.loud))[:3]}",
        "runs and events that paid": paid,
    }
    report.demand(not errors, "no error surfaces")
    report.demand(not heard.loud, "nobody is woken")
    report.demand(paid == 0, "no run and no event pays for it")
    report.demand(merged == PAIRS, "who was to be merged is")
    report.demand(Identity.objects.filter(contact__merged_into=None).exists(), "people are known")
    report.demand(again > 3 or not report.expected, "something had to be tried again")
    report.demand(report.duplicates == 0, "nothing comes twice")
