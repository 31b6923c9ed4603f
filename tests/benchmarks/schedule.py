"""P4: due steps carried out, against the bare statement that claims and moves rows.

Ours locks the people, reads runs, events and plans, asks the steps, and writes positions and the
record of each step. The baseline is one UPDATE with a sub-select that skips locked rows; it knows
nothing of people, plans or records. Both take 500 rows at a time.
"""

from __future__ import annotations

import time
from itertools import pairwise

from django.db import connection

from tests.benchmarks.clients import clients
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.floors import reached
from tests.concurrency.people import enrolled, people
from tests.shop import journey
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment, StepRun

BATCH = 500
RAW = """
UPDATE wagtail_triggers_enrolment SET wake_at = wake_at + interval '1 hour', seq = seq + 1
WHERE id IN (
    SELECT id FROM wagtail_triggers_enrolment WHERE wake_at <= statement_timestamp()
    AND state = 'active' ORDER BY wake_at LIMIT 500 FOR UPDATE SKIP LOCKED
)"""


def measure(plan: Plan) -> Report:
    """Carry out `plan.size` due steps a round: raw, by one worker, and by two."""
    wait = {"kind": "wait", "amount": 1, "unit": "hours"}
    row = journey("Waits", [{"kind": "entry", "event": "order_placed"}, wait, wait, wait])
    enrolled(row, people(plan.size))

    def ours(handicap: float) -> int:
        done = 0
        while count := run_due(BATCH):
            done += count
            time.sleep(handicap)
        return done

    rounds = []
    with clients(1, {"raw": _raw, "ours": ours}) as one, clients(2, {"ours": ours}) as two:
        for everybody in (one, two):
            _due_again()
            everybody.call("ours", 0.0)
        for _number in range(plan.rounds):
            _due_again()
            raw, _answers = one.call("raw")
            singly = _round(one, plan)
            together = _round(two, plan)
            rounds.append((plan.size / singly, plan.size / together, plan.size / raw))
    alone = [(ours, raw) for ours, _both, raw in rounds]
    both = [(together, ours) for ours, together, _raw in rounds]
    figures = [
        Figure.of_rounds(
            "p4", alone, goal=0.4, better="higher", unit="/s", reached=reached("p4")
        ),
        Figure.of_rounds(
            "p4 two workers", both, goal=1.5, better="higher", unit="/s",
            reached=reached("p4 two workers"),
        ),
    ]  # fmt: skip
    return Report(figures, {"size": plan.size, "rounds": rounds})


def _round(workers: object, plan: Plan) -> float:
    """Seconds that the workers take; every due step is done, and none twice."""
    _due_again()
    before = StepRun.objects.count()
    seconds, answers = workers.call("ours", plan.handicap)  # type: ignore[attr-defined]
    assert sum(answers) == plan.size, answers
    # Each run leaves one wait and is asked by the next.
    assert StepRun.objects.count() - before == 2 * plan.size
    assert not Enrolment.objects.exclude(node="n2").exists()
    return float(seconds)


def _due_again() -> None:
    """Put everybody before the wait whose hour is over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wagtail_triggers_enrolment SET node = 'n1', state = 'active', waiting = true,"
            " arrived_at = statement_timestamp() - interval '1 day',"
            " wake_at = statement_timestamp() - interval '1 second'"
        )
        for table in ("enrolment", "steprun", "contact"):
            cursor.execute(f"VACUUM ANALYZE wagtail_triggers_{table}")


def _raw() -> int:
    done = [1]
    with connection.cursor() as cursor:
        while done[-1]:
            cursor.execute(RAW)
            done.append(cursor.rowcount)
    assert all(after <= BATCH for _before, after in pairwise(done))
    return sum(done) - 1
