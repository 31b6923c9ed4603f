"""The benchmarks run, small; and a planted slow-down makes them fail.

They are commands that start servers of their own, so they run as commands here too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import settings as test_settings
from tests.benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"bench (\w+): ours=\S+ baseline=\S+ ratio=\S+ goal=\S+")
SMALL = {"p1": ("--size", "60", "--rounds", "3"), "p6": ("--size", "200", "--rounds", "1")}
#: The goal divided by the ratio (P6: the other way round), before anything was made faster.
FIRST_VERSION = {"p1": 0.04, "p6": 0.1}
#: Seconds that our side sleeps for each thing: far more than either side takes.
HANDICAP = {"p1": "0.05", "p6": "0.2"}

needs_postgres = pytest.mark.skipif(
    test_settings.DATABASE_KIND != "postgres", reason="the benchmarks measure PostgreSQL"
)


def run(name: str, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a benchmark on servers of its own."""
    own = ("TRIGGERS_TEST", "TRIGGERS_BENCH", "DJANGO_SETTINGS_MODULE")
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", name, "--json", str(path), *arguments],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith(own)},
        capture_output=True,
        text=True,
    )


def figures(path: Path) -> list[dict[str, Any]]:
    """The figures in a benchmark's JSON."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return found


@needs_postgres
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["p1", "p6"])
def test_benchmark_run_small_measures_both_sides_and_says_so(name: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    done = run(name, path, *SMALL[name])
    assert done.stdout, done.stderr
    match = LINE.fullmatch(done.stdout.splitlines()[-1])
    assert match is not None, done.stdout + done.stderr
    assert match[1] == name
    # The goals are judged on a quiet machine; here, that it is not as slow as its first version.
    for figure in figures(path):
        assert figure["distance"] > FIRST_VERSION[name]
    assert done.returncode == int(any(figure["failed"] for figure in figures(path)))


@needs_postgres
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["p1", "p6"])
def test_benchmark_with_a_planted_slow_down_fails(name: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    size = ("--size", "20", "--rounds", "1", "--handicap", HANDICAP[name])
    done = run(name, path, *size)
    assert done.returncode == 1, done.stdout + done.stderr
    assert LINE.fullmatch(done.stdout.splitlines()[-1])
    assert "worse than half its goal" in done.stderr
    assert any(figure["failed"] for figure in figures(path))


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


def test_figure_of_rounds_is_the_median_of_their_ratios() -> None:
    rounds = [(4.0, 1.0), (9.0, 3.0), (10.0, 1.0)]
    figure = Figure.of_rounds("x", rounds, goal=4.0, better="higher", unit="/s")
    assert (figure.ours, figure.baseline, figure.ratio) == (9.0, 1.0, 4.0)
    assert figure.line() == "bench x: ours=9.000/s baseline=1.000/s ratio=4.000 goal=>=4.0"
