"""P5: what a tick costs where a million runs wait, against ten thousand; with 0 and 500 due.

Both sizes stand side by side, in two schemas of one database, and every turn ticks in each: the
search path says which. A tick looks for what is due and carries it out.
"""

from __future__ import annotations

import statistics
import time

from django.db import connection

from tests.benchmarks.clients import clients
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.floors import reached
from tests.concurrency.people import enrolled, people
from tests.shop import journey
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.scheduler import due_tasks
from wagtail_triggers.journeys.models import Journey

DUE = 500
#: Ticks of a turn where nothing is due. Each is so short that anything may fall into it: what a
#: tick costs is what the quickest of them took.
IDLE = 15
#: The greater size is so many times the smaller one.
TIMES = 100
#: The tables that grow with the runs; everything else is the same for both.
TABLES = ("wagtail_triggers_enrolment", "wagtail_triggers_steprun")
WAITING = """
INSERT INTO wagtail_triggers_enrolment ({columns}, key, wake_at)
SELECT {columns}, 'waits:' || number,
    statement_timestamp() + interval '1 day' + random() * interval '30 days'
FROM (SELECT * FROM public.wagtail_triggers_enrolment ORDER BY id LIMIT %s) AS runs,
    generate_series(1, %s) AS number
"""


def measure(plan: Plan) -> Report:
    """Tick `plan.rounds` times with `plan.size` runs that wait, and with a hundredth of them."""
    populate({"few": max(plan.size // TIMES, DUE), "many": plan.size})
    turns: dict[tuple[str, int], list[float]] = {}
    try:
        for turn in range(plan.rounds + 2):
            for schema in ("few", "many") if turn % 2 else ("many", "few"):
                for due in (0, DUE):
                    taken = _tick(schema, due, plan.handicap if schema == "many" else 0.0)
                    if turn > 1:  # connections, plans and caches
                        turns.setdefault((schema, due), []).append(taken * 1_000)
    finally:
        _look_at("public")
    figures = []
    for due in (0, DUE):
        many, few = turns["many", due], turns["few", due]
        # One tick is short, and whatever else the machine does falls into it: medians, first.
        pair = (statistics.median(many), statistics.median(few))
        name = f"p5 {due} due"
        figures.append(
            Figure.of_rounds(
                name, [pair], goal=1.15, better="lower", unit="ms", reached=reached(name)
            )
        )
    return Report(figures, {"waiting": plan.size, "ms": {str(k): v for k, v in turns.items()}})


def populate(sizes: dict[str, int]) -> None:
    """Make a schema for each size, with so many runs that wait for a time to come."""
    wait = {"kind": "wait", "amount": 1, "unit": "hours"}
    name = "Waits"
    if not Journey.objects.filter(name=name).exists():
        row = journey(name, [{"kind": "entry", "event": "order_placed"}, wait, wait])
        enrolled(row, people(DUE))
    columns = ", ".join(
        connection.ops.quote_name(str(field.column))
        for field in Enrolment._meta.concrete_fields
        if field.name not in ("id", "key", "wake_at")
    )
    with connection.cursor() as cursor:
        for schema, size in sizes.items():
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            cursor.execute(f"CREATE SCHEMA {schema}")
            for table in TABLES:
                cursor.execute(f"CREATE TABLE {schema}.{table} (LIKE public.{table} INCLUDING ALL)")
            _look_at(schema)
            cursor.execute(
                "INSERT INTO wagtail_triggers_enrolment OVERRIDING SYSTEM VALUE"
                " SELECT * FROM public.wagtail_triggers_enrolment"
            )
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), 100000000)",
                [f"{schema}.{TABLES[0]}"],
            )
            cursor.execute(WAITING.format(columns=columns), [DUE, -(-size // DUE)])
            for table in TABLES:
                cursor.execute(f"VACUUM ANALYZE {table}")
    _look_at("public")


def _look_at(schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {schema}, public")


def _tick(schema: str, due: int, handicap: float) -> float:
    """Seconds of one tick with so many due."""
    _look_at(schema)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wagtail_triggers_enrolment SET node = 'n1', state = 'active', waiting = true,"
            " arrived_at = statement_timestamp() - interval '1 day',"
            " wake_at = statement_timestamp()"
            " + CASE WHEN %s THEN interval '-1 second' ELSE interval '1 day' END"
            " WHERE key NOT LIKE 'waits:%%' AND id <= %s",
            [bool(due), _highest_of_ours()],
        )
    taken = []
    for _once in range(1 if due or handicap else IDLE):
        began = time.perf_counter()
        due_tasks()
        time.sleep(handicap)
        done = run_due(DUE)
        taken.append(time.perf_counter() - began)
        assert done == due, (done, due)
    return min(taken)


def _highest_of_ours() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM public.wagtail_triggers_enrolment")
        (found,) = cursor.fetchone()
    return int(found)


def peak_of(schema: str) -> float:
    """The most memory, in MB, that a process of its own takes to carry out what is due there."""

    def work() -> float:
        _look_at(schema)
        for _turn in range(5):
            due_tasks()
            run_due(DUE)
        return _resident("VmHWM")

    with clients(1, {"work": work}) as one:
        _seconds, (peak,) = one.call("work")
    return float(peak)


def _resident(name: str) -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"No {name} in /proc/self/status; this needs Linux.")
