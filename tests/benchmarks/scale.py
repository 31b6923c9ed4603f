"""How throughput grows with worker processes, stage by stage, and what it waits for.

`python3 -m tests.benchmarks.scale [--processes 1 2 4 8] [--orders 800] [--mails 150]`

The same orders go through router, runner and sender, by one process, then by more, each with a
database session of its own. Every process has the same amount to do, so that the rate of many
would be that of one times their number if nothing stood in the way. The sender hands over to a
provider that takes `--latency` seconds to answer: that is what a real one costs, and why a shop
runs more senders than it has cores. The other stages compute all the time, so that they can only
grow up to the machine's cores. They get more to do (`--orders`), and what is not needed for the
sender (`--mails`) is cancelled before its turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from tests.benchmarks import cpu, world

RESULT = Path(__file__).resolve().parents[2] / "test-results" / "benchmarks" / "scale.json"
SORTS = {"postgres": "database", "tests.benchmarks.scale": "workers"}
#: How often PostgreSQL is asked what its sessions wait for.
LOOK_EVERY = 0.02


@dataclass(frozen=True)
class Stretch:
    """One stage by so many processes.

    Attributes:
        stage: `route`, `run`, `send` or `forget` (retention, by one process).
        processes: How many.
        rate: Things a second, together.
        cpu_ms: CPU of one thing, of workers and of the database.
        waits: Shares of the database's busy moments, by what they waited for; "CPU" is none.
        claim_ms: How long a sender took to claim its batch.
    """

    stage: str
    processes: int
    rate: float
    cpu_ms: dict[str, float]
    waits: dict[str, float]
    claim_ms: float = 0.0


def main(argv: Sequence[str]) -> int:
    """Measure and print; returns 0."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.benchmarks.scale")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--orders", type=int, default=800, help="routed and run by each process")
    parser.add_argument("--mails", type=int, default=150, help="sent by each process")
    parser.add_argument("--latency", type=float, default=0.05, help="of the provider, in seconds")
    parser.add_argument("--json", type=Path, default=RESULT)
    options = parser.parse_args(argv)
    with world.ready(mails=False):
        found = measure(options.processes, options.orders, options.mails, options.latency)
        found.append(_forget())
        bytes_each = _sizes()
    cores = os.cpu_count()
    kept = {
        "cores": cores,
        "latency": options.latency,
        "orders": options.orders,
        "mails": options.mails,
        "bytes": bytes_each,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**kept, "stretches": [asdict(one) for one in found]}, indent=2)
    options.json.write_text(text + "\n", encoding="utf-8")
    first: dict[str, float] = {}
    for one in found:
        first.setdefault(one.stage, one.rate)
    for one in found:
        print(_line(one, first[one.stage]))
    print("scale: " + " ".join(f"{name}={value}" for name, value in kept.items()))
    return 0


def _line(one: Stretch, alone: float) -> str:
    waits = " ".join(f"{name}={share:.0%}" for name, share in list(one.waits.items())[:4])
    spent = " ".join(f"{name}={ms:.2f}ms" for name, ms in sorted(one.cpu_ms.items()))
    claims = f" claim={one.claim_ms:.1f}ms" if one.claim_ms else ""
    return (
        f"scale {one.stage}: processes={one.processes} rate={one.rate:.1f}/s "
        f"times={one.rate / alone:.2f} cpu: {spent}{claims} waits: {waits or 'none seen'}"
    )


def measure(numbers: Sequence[int], orders: int, mails: int, latency: float) -> list[Stretch]:
    """Let the same orders go through every stage, by each number of processes."""
    from django.conf import settings

    from tests.benchmarks import letters
    from tests.concurrency.people import people

    settings.WAGTAIL_TRIGGERS_CHANNELS = {
        "email": {"BACKEND": "tests.benchmarks.far.FarChannel", "OPTIONS": {"latency": latency}}
    }
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    letters.publish_ours()
    everybody = people(orders * max(numbers))
    _pass_through(1, everybody[:50], 50)  # caches fill, tables get their statistics
    return [
        one
        for number in numbers
        for one in _pass_through(number, everybody[: orders * number], mails * number)
    ]


def _pass_through(number: int, persons: Sequence[Any], mails: int) -> list[Stretch]:
    from tests.benchmarks.clients import clients

    _place_orders(persons)
    found = []
    with clients(number, _works()) as workers:
        workers.call("warm")
        for stage, count in (("route", len(persons)), ("run", len(persons)), ("send", mails)):
            if stage == "send":
                _keep(mails)
            before = cpu.spent(SORTS)
            with _watched() as waits:
                seconds, answers = workers.call(stage)
            after = cpu.spent(SORTS)
            assert sum(done for done, _claims in answers) >= count, (stage, answers)
            claims = [ms for _done, own in answers for ms in own]
            found.append(
                Stretch(
                    stage,
                    number,
                    count / seconds,
                    {
                        name: (after[name] - before.get(name, 0.0)) * 1_000 / count
                        for name in ("workers", "database")
                        if name in after
                    },
                    _shares(waits),
                    statistics.median(claims) if claims else 0.0,
                )
            )
    _check(mails)
    return found


def _keep(mails: int) -> None:
    """Cancel what is planned beyond so many."""
    from wagtail_triggers.messages.models import Message

    planned = Message.objects.filter(state=Message.State.PLANNED).order_by("due_at", "pk")
    beyond = list(planned.values_list("pk", flat=True)[mails:])
    Message.objects.filter(pk__in=beyond).update(state=Message.State.CANCELLED, due_at=None)


#: How much was done, and how many milliseconds each claim took.
Answer = tuple[int, list[float]]


def _works() -> dict[str, Callable[[], Answer]]:
    from wagtail_triggers.conf import TASK_ROUTE, TASK_RUN, TASK_SEND_TRANSACTIONAL
    from wagtail_triggers.engine.database import run_due
    from wagtail_triggers.engine.router import route_batch
    from wagtail_triggers.engine.scheduler import due_tasks
    from wagtail_triggers.messages import claim, sender
    from wagtail_triggers.messages.models import MessageClass
    from wagtail_triggers.messages.sender import send_batch

    claims: list[float] = []

    def warm() -> Answer:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            taken = claim.take(*arguments)
            if taken.messages:
                claims.append((time.perf_counter() - began) * 1_000)
            return taken

        # Only in the forked processes, which end with the measurement.
        mock.patch.object(sender, "take", timed).start()
        return len(due_tasks()), []

    def until_done(step: Callable[[], int], task: str) -> Callable[[], Answer]:
        def work() -> Answer:
            done = 0
            while True:
                count = step()
                done += count
                if not count:
                    # Another has claimed what is left, or nothing is left.
                    if task not in due_tasks():
                        return done, claims
                    time.sleep(0.01)

        return work

    return {
        "warm": warm,
        "route": until_done(route_batch, TASK_ROUTE),
        "run": until_done(run_due, TASK_RUN),
        "send": until_done(lambda: send_batch(MessageClass.TRANSACTIONAL), TASK_SEND_TRANSACTIONAL),
    }


def _place_orders(persons: Sequence[Any]) -> None:
    """An order event of each, as `track()` would have left it."""
    from django.db import connection

    from wagtail_triggers.core import clock
    from wagtail_triggers.events.models import Event

    moment, base = clock.now(), Event.objects.count()
    price = {"amount": "42.00", "currency": "EUR"}
    lines = [
        {"sku": name, "name": name, "quantity": 1, "unit_price": price}
        for name in ("teapot", "sencha", "towel")
    ]
    Event.objects.bulk_create(
        Event(
            site_id=person.site_id,
            name="order_placed",
            dedupe_key=str(base + number),
            who={"user_id": person.email.partition("@")[0]},
            key=str(base + number),
            refs=[f"order:{base + number}"],
            payload={
                "order_id": str(base + number),
                "number": str(base + number),
                "lines": lines,
                "total": price,
            },
            occurred_at=moment,
            recorded_at=moment,
        )
        for number, person in enumerate(persons)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _forget() -> Stretch:
    """Let retention delete half of the events, as if they were old."""
    from django.db.models import Max

    from wagtail_triggers.core import clock
    from wagtail_triggers.engine.retention import sweep
    from wagtail_triggers.events.models import Event

    newest = Event.objects.aggregate(newest=Max("pk"))["newest"]
    old = Event.objects.filter(pk__lte=newest // 2)
    old.update(recorded_at=clock.now() - timedelta(days=500))
    began = time.perf_counter()
    before = cpu.spent(SORTS)
    (events,) = [one for one in sweep(seconds=600) if one.table.name == "events"]
    seconds, after = time.perf_counter() - began, cpu.spent(SORTS)
    spent = (after.get("database", 0.0) - before.get("database", 0.0)) * 1_000
    assert events.rows
    assert not old.exists()
    return Stretch("forget", 1, events.rows / seconds, {"database": spent / events.rows}, {})


def _sizes() -> dict[str, int]:
    """Bytes of a row with its share of the indexes, by table."""
    from django.db import connection

    from wagtail_triggers.contacts.models import Contact
    from wagtail_triggers.engine.models import Enrolment, StepRun
    from wagtail_triggers.events.models import Event
    from wagtail_triggers.messages.models import Message

    found = {}
    for model in (Contact, Event, Enrolment, StepRun, Message):
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM FULL {model._meta.db_table}")
            cursor.execute("SELECT pg_total_relation_size(%s)", [model._meta.db_table])
            (size,) = cursor.fetchone()
        found[str(model._meta.model_name)] = size // max(1, model._default_manager.count())
    return found


def _check(count: int) -> None:
    """Everybody was written to, once."""
    from wagtail_triggers.messages.models import Message

    states = Counter(Message.objects.values_list("state", flat=True))
    assert set(states) <= {Message.State.ACCEPTED, Message.State.CANCELLED}, states
    newest = Message.objects.filter(state=Message.State.ACCEPTED).order_by("-settled_at")[:count]
    assert len({row.contact_id for row in newest}) == count


@contextmanager
def _watched() -> Iterator[Counter[str]]:
    """What the database's sessions wait for, looked at all the time from a thread."""
    import psycopg
    from django.db import connection

    settings = connection.settings_dict
    seen: Counter[str] = Counter()
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(
            host=settings["HOST"], dbname=settings["NAME"], user=settings["USER"], autocommit=True
        ) as session:
            while not over.wait(LOOK_EVERY):
                rows = session.execute(
                    "SELECT coalesce(wait_event_type || ':' || wait_event, 'CPU')"
                    " FROM pg_stat_activity WHERE state = 'active'"
                    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
                seen.update(name for (name,) in rows)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _shares(waits: Counter[str]) -> dict[str, float]:
    total = waits.total()
    return {name: count / total for name, count in waits.most_common(8)} if total else {}


if __name__ == "__main__":
    import devenv
    from tests.benchmarks.__main__ import NEEDED

    if all(__import__("importlib.util").util.find_spec(name) for name in NEEDED):
        raise SystemExit(main(sys.argv[1:]))
    argv = ["-m", "tests.benchmarks.scale", *sys.argv[1:]]
    devenv.run("tests", devenv.group(*devenv.PURPOSES["tests"]), argv)
