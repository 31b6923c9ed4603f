"""The measurement of scale runs small, and the simulation knows what can be reckoned by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests import settings as test_settings
from tests.benchmarks.simulation import BATCH, Costs, simulate

ROOT = Path(__file__).resolve().parents[2]
FREE = Costs(
    latency=0.05, worker=0.005, database=0.0, claim=0.0, flush=0.0, trip=0.0, idle=0.1, cores=8
)


def rate(senders: int, costs: Costs, seconds: float = 60.0) -> float:
    """Messages a second."""
    return simulate(senders, costs, seconds=seconds).sent / seconds


def test_simulate_one_sender_sends_what_latency_and_its_own_work_allow() -> None:
    assert rate(1, FREE) == pytest.approx(1 / 0.055, rel=0.05)


def test_simulate_senders_that_share_nothing_are_as_many_times_as_fast() -> None:
    assert rate(100, FREE) == pytest.approx(100 * rate(1, FREE), rel=0.05)


def test_simulate_databases_cores_are_a_limit() -> None:
    busy = replace(FREE, database=0.002, cores=4)
    assert rate(400, busy) == pytest.approx(4 / 0.002, rel=0.05)


def test_simulate_one_flush_of_the_log_carries_many_commits() -> None:
    slow = replace(FREE, flush=0.01)
    each_for_itself = 1 / 0.01
    assert rate(64, slow) > 8 * each_for_itself


def test_simulate_claims_at_the_head_of_the_queue_are_a_limit() -> None:
    # Three windows: no more than three claims under way, of fifty messages each.
    most = 3 * BATCH / 0.1
    crowded = replace(FREE, claim=0.1, cores=64)
    assert 0.8 * most < rate(400, crowded) <= 1.05 * most


def test_simulate_a_rate_limits_row_lets_one_claim_through_at_a_time() -> None:
    most = BATCH / 0.1
    limited = replace(FREE, claim=0.1, cores=64, limited=True)
    assert rate(400, limited) == pytest.approx(most, rel=0.1)


@pytest.mark.skipif(test_settings.DATABASE_KIND != "postgres", reason="it measures PostgreSQL")
@pytest.mark.timeout(300)
@pytest.mark.skipif(not os.environ.get("TRIGGERS_FULL"), reason="Minutes; set TRIGGERS_FULL=1.")
def test_scale_runs_small_and_nobody_waits_for_a_row(tmp_path: Path) -> None:
    own = ("TRIGGERS_TEST", "TRIGGERS_BENCH", "DJANGO_SETTINGS_MODULE")
    result = tmp_path / "scale.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.scale", "--processes", "1", "2", "--orders", "60",
         "--mails", "40", "--json", str(result)],
        cwd=ROOT, capture_output=True, text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith(own)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stretches = json.loads(result.read_text(encoding="utf-8"))["stretches"]
    assert [(one["stage"], one["processes"]) for one in stretches] == [
        *((stage, number) for number in (1, 2) for stage in ("route", "run", "send")),
        ("forget", 1),
    ]
    alone, both = (one["rate"] for one in stretches if one["stage"] == "send")
    assert both > 1.2 * alone
    for one in stretches:
        locks = [share for name, share in one["waits"].items() if name.startswith("Lock:")]
        assert sum(locks) < 0.2, one
