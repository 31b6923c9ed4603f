"""The benchmarks run, small; and a planted slow-down makes them fail.

They are commands that start servers of their own, so they run as commands here too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests import settings as test_settings
from tests.benchmarks.figures import Figure, Reached

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"bench ([\w ]+): ours=\S+ baseline=\S+ ratio=\S+ goal=\S+( reached=\S+)?")
#: Every figure that there is.
FIGURES = {
    "p1 insert", "p1 delay", "p2", "p3", "p4", "p4 two workers", "p5 0 due", "p5 500 due", "p6",
    "p6 bulk", "p7", "p7 fields", "p8", "p9 waiting", "p9 sends", "p10 receipt", "p10 stop", "p12",
}  # fmt: skip
#: What a planted slow-down of ours cannot touch: it compares two workers with one, who all dawdle.
NOT_OURS_ALONE = {"p4 two workers"}

#: Without this only one of them is run; CI runs none, for want of time.
FULL = bool(os.environ.get("TRIGGERS_FULL"))


def of(name: str) -> set[str]:
    """The figures of one benchmark, or of all."""
    beside = {"p6": {"p8"}}.get(name, set())
    return {one for one in FIGURES if name == "all" or one.split()[0] in {name, *beside}}


needs_postgres = pytest.mark.skipif(
    test_settings.DATABASE_KIND != "postgres", reason="the benchmarks measure PostgreSQL"
)


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run benchmarks on servers of their own."""
    own = ("TRIGGERS_TEST", "TRIGGERS_BENCH", "DJANGO_SETTINGS_MODULE")
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments, "--json", str(path)],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith(own)},
        capture_output=True,
        text=True,
    )


def figures(path: Path) -> dict[str, dict[str, Any]]:
    """The figures in the benchmarks' JSON, by name."""
    found: dict[str, dict[str, Any]] = {}
    for one in path.glob("*.json"):
        content = json.loads(one.read_text(encoding="utf-8"))
        found |= {figure["name"]: figure for figure in content["figures"]}
    return found


@needs_postgres
@pytest.mark.timeout(900 if FULL else 120)
@pytest.mark.parametrize("name", ["all"] if FULL else ["p7"])
def test_benchmark_run_small_measures_both_sides_and_is_not_worse_than_half_its_mark(
    name: str, tmp_path: Path
) -> None:
    done = run(tmp_path, name, "--small")
    assert done.stdout, done.stderr
    told = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
    assert all(told), done.stdout
    assert {match[1] for match in told if match} == set(figures(tmp_path)) == of(name)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_postgres
@pytest.mark.timeout(900 if FULL else 120)
@pytest.mark.parametrize("name", ["all"] if FULL else ["p7"])
def test_benchmark_with_a_planted_slow_down_fails(name: str, tmp_path: Path) -> None:
    done = run(tmp_path, name, "--planted")
    assert done.returncode == 1, done.stdout + done.stderr
    failed = {name for name, figure in figures(tmp_path).items() if figure["failed"]}
    assert failed == of(name) - NOT_OURS_ALONE, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("better", "goal", "ratio", "failed"),
    [
        ("higher", 4.0, 4.1, False),
        ("higher", 4.0, 2.1, False),
        ("higher", 4.0, 1.9, True),
        ("lower", 0.3, 0.29, False),
        ("lower", 0.3, 0.59, False),
        ("lower", 0.3, 0.61, True),
    ],
)
def test_figure_fails_only_when_worse_than_half_its_goal(
    better: Any, goal: float, ratio: float, failed: bool
) -> None:
    figure = Figure.of_rounds("x", [(ratio, 1.0)], goal=goal, better=better, unit="/s")
    assert figure.failed is failed


def test_figure_of_a_goal_not_reached_is_judged_by_what_was_reached() -> None:
    mark = Reached(1.2, date(2026, 11, 22))
    for ratio, failed in ((0.7, False), (0.5, True)):
        figure = Figure.of_rounds(
            "x", [(ratio, 1.0)], goal=4.0, better="higher", unit="/s", reached=mark
        )
        assert figure.failed is failed
    assert figure.line() == (
        "bench x: ours=0.500/s baseline=1.000/s ratio=0.500 goal=>=4.0 reached=1.2"
    )


def test_figure_of_rounds_is_the_median_of_their_ratios() -> None:
    rounds = [(4.0, 1.0), (9.0, 3.0), (10.0, 1.0)]
    figure = Figure.of_rounds("x", rounds, goal=4.0, better="higher", unit="/s")
    assert (figure.ours, figure.baseline, figure.ratio) == (9.0, 1.0, 4.0)
    assert figure.line() == "bench x: ours=9.000/s baseline=1.000/s ratio=4.000 goal=>=4.0"
