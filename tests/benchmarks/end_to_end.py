"""P6 and P8: from an event to a mail in an SMTP sink, against what a shop would write itself.

Both sides get the same news from the same signals, in a transaction each, and have a Celery worker
with two processes, the same broker, database and sink. Ours keeps its ledger, asks its guards and
commits each hand-over. The baseline is a task per mail that renders with Django's templates, with
database sessions that are kept.

P8 is the number of database sessions that ours opens for ten thousand sends, measured meanwhile.

The customers are known to both sides: a first round, which does not count, made their contacts.

The other half of P6, a newsletter against wagtail-birdsong's loop, is in `bulk.py`.
"""

from __future__ import annotations

import email
import email.policy
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import count

from django.db import connection, transaction
from django.dispatch import Signal

from tests.benchmarks import bulk, cpu, letters, world
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.floors import reached
from tests.benchmarks.shop.models import Customer, Order, OrderLine
from tests.benchmarks.shop.signals import order_placed, order_placed_plainly
from tests.benchmarks.shop.tasks import QUEUE
from tests.benchmarks.workers import worker
from wagtail_triggers.conf import QUEUES
from wagtail_triggers.messages.models import Message

#: Seconds that one mail may take at the very most before a round counts as lost.
PATIENCE_EACH = 0.25
#: And the least that a round may take.
PATIENCE = 60.0
#: Whose CPU it was, by a piece of its command line.
SORTS = {
    "-n plain@": "workers",
    "-n triggers@": "workers",
    "postgres": "database",
    "valkey": "broker",
    "benchmarks.sink": "sink",
}
_numbers = count(1)


@dataclass(frozen=True)
class Round:
    """What one round of one side came to.

    Attributes:
        rate: Mails a second.
        size: Bytes of a mail.
        sessions: Database sessions that were opened meanwhile.
        cpu_ms: Milliseconds of CPU for each mail, by who spent them.
    """

    rate: float
    size: float
    sessions: int
    cpu_ms: dict[str, float]


def measure(plan: Plan) -> Report:
    """Send `plan.size` mails a round, by each side in turn."""
    letters.publish_ours()
    letters.write_baseline(world.letters())
    customers = Customer.objects.bulk_create(
        Customer(first_name=f"Ada {n}", last_name="Lovelace", email=f"ada{n}@shop.example")
        for n in range(plan.size)
    )
    with ExitStack() as stack:
        stack.enter_context(worker("plain", [QUEUE]))
        own = sorted(set(QUEUES.values()))
        options = ["--prefetch-multiplier", "1", "-B"]
        stack.enter_context(worker("triggers", own, options=options))
        for signal in (order_placed_plainly, order_placed):
            _round(signal, customers)
            _look_at_a_mail()
        rounds = []
        for _number in range(plan.rounds):
            baseline = _round(order_placed_plainly, customers)
            ours = _round(order_placed, customers)
            rounds.append((ours, baseline))
        _check_ledger(plan.size * (plan.rounds + 1))
    rates = [(ours.rate, baseline.rate) for ours, baseline in rounds]
    figure = Figure.of_rounds(
        "p6", rates, goal=4.0, better="higher", unit="/s", reached=reached("p6")
    )
    opened = sum(ours.sessions for ours, _baseline in rounds) + plan.handicap * 1_000
    sends = plan.size * plan.rounds / 10_000
    sessions = Figure.of_rounds("p8", [(opened, sends)], goal=10.0, better="lower", unit="")
    kept = [{"ours": asdict(ours), "baseline": asdict(baseline)} for ours, baseline in rounds]
    newsletter, in_bulk = bulk.measure(plan)
    details = {"size": plan.size, "rounds": kept, "bulk": in_bulk}
    return Report([figure, sessions, newsletter], details)


def _round(signal: Signal, customers: Sequence[Customer]) -> Round:
    """Place an order for everybody, and wait for their mails."""
    orders = new_orders(customers)
    sink = world.sink()
    sink.ask("forget")
    before, sessions = cpu.spent(SORTS), _sessions()
    began = time.monotonic()
    for order in orders:
        with transaction.atomic():
            signal.send(sender=Order, order=order)
    patience = max(PATIENCE, PATIENCE_EACH * len(orders))
    found = sink.ask(f"wait {len(orders)} {patience}")
    after = cpu.spent(SORTS)
    wanted = Counter(customer.email for customer in customers)
    if found["received"] != wanted:
        missing = wanted - Counter(found["received"])
        twice = Counter(found["received"]) - wanted
        raise AssertionError(
            f"{missing.total()} mails did not arrive, {twice.total()} came too often; "
            f"{Message.objects.exclude(state='accepted').count()} of ours are not accepted."
        )
    return Round(
        rate=len(orders) / (found["last_at"] - began),
        size=found["bytes"] / len(orders),
        sessions=_sessions() - sessions,
        cpu_ms={
            name: (seconds - before.get(name, 0.0)) * 1_000 / len(orders)
            for name, seconds in after.items()
        },
    )


def _sessions() -> int:
    """Sessions that the database has opened so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
        (found,) = cursor.fetchone()
    return int(found)


def new_orders(customers: Sequence[Customer]) -> list[Order]:
    """A new order of three lines for each customer, loaded as a checkout would have it."""
    orders = Order.objects.bulk_create(
        Order(number=f"B{next(_numbers)}", customer=customer, total=Decimal("70.50"))
        for customer in customers
    )
    goods = (("Gong Fu teapot", 1, "42.00"), ("Sencha", 2, "9.50"), ("Tea towel", 1, "9.50"))
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order, sku=name.lower(), name=name, quantity=number, unit_price=Decimal(price)
        )
        for order in orders
        for name, number, price in goods
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    ids = [order.pk for order in orders]
    rows = Order.objects.select_related("customer").prefetch_related("lines")
    return list(rows.filter(pk__in=ids).order_by("pk"))


def _look_at_a_mail() -> None:
    """Both sides must send the same letter: read the newest back and look for what is in it."""
    mail = email.message_from_string(world.sink().ask("last")["mail"], policy=email.policy.default)
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None, kind
        content = part.get_content()
        for words in ("Ada ", "B", "Gong Fu teapot", "Sencha", "Tea towel", "42.00", "70.50"):
            assert words in content, (kind, words, content)
    assert str(mail["subject"]).startswith("Thank you for order B")


def _check_ledger(expected: int) -> None:
    """Every message of ours ends accepted, and there is none too many."""
    ends = time.monotonic() + PATIENCE
    while True:
        states = Counter(Message.objects.values_list("state", flat=True))
        if states == {"accepted": expected}:
            return
        if time.monotonic() > ends:
            raise AssertionError(f"The ledger says {dict(states)}; {expected} should be accepted.")
        time.sleep(0.2)
