"""Run one benchmark in an environment that is ready: start the servers, measure, report."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Report
from tests.benchmarks.world import ready

#: Git ignores it.
RESULTS = Path(__file__).resolve().parents[2] / "test-results" / "benchmarks"


@dataclass(frozen=True)
class Plan:
    """How a benchmark is to run.

    Attributes:
        size: Things measured in a round.
        rounds: Rounds of each side, interleaved.
        handicap: Seconds that our side sleeps for each thing; shows that a benchmark can fail.
    """

    size: int
    rounds: int
    handicap: float = 0.0


@dataclass(frozen=True)
class Benchmark:
    """A module of this folder with `measure(plan)`, its usual size, and what it needs."""

    module: str
    size: int
    rounds: int = 5
    mails: bool = False


BENCHMARKS = {
    "p1": Benchmark("checkout", size=300),
    "p6": Benchmark("end_to_end", size=1_000, mails=True),
}


def main(argv: Sequence[str]) -> int:
    """Run the benchmark that the arguments name.

    Returns:
        1 if a ratio is worse than half its goal, else 0.
    """
    options = _parser().parse_args(argv)
    benchmark = BENCHMARKS[options.name]
    plan = Plan(
        size=options.size or benchmark.size,
        rounds=options.rounds or benchmark.rounds,
        handicap=options.handicap,
    )
    with ready(mails=benchmark.mails, handicap=plan.handicap):
        # Models can be imported only once Django is set up.
        module = importlib.import_module(f"tests.benchmarks.{benchmark.module}")
        report: Report = module.measure(plan)
    path = options.json or RESULTS / f"{options.name}.json"
    report.write(path)
    *others, last = sorted(report.figures, key=lambda figure: -figure.distance)
    for figure in others:
        print("also " + figure.line())
    if last.failed:
        print(f"The ratio is worse than half its goal: {path} has the rounds.", file=sys.stderr)
    print(last.line(), flush=True)
    return 1 if last.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--size", type=int, help="things measured in a round")
    parser.add_argument("--rounds", type=int, help="rounds of each side, interleaved")
    parser.add_argument("--json", type=Path, help="where the result is written")
    parser.add_argument(
        "--handicap",
        type=float,
        default=0.0,
        help="seconds that our side sleeps each time; to see that the benchmark can fail",
    )
    return parser
