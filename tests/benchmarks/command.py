"""Run benchmarks in an environment that is ready: start the servers, measure, report."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import world
from tests.benchmarks.figures import Figure, Report

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
    """A module of this folder with `measure(plan)`.

    Attributes:
        module: Its name.
        size, rounds: As its figures are meant.
        small: Size and rounds of a run that only shows a gross regression, as CI has it.
        planted: A handicap with which even a small run fails.
        mails: Whether it needs a mail server.
    """

    module: str
    size: int
    small: tuple[int, int]
    planted: float
    rounds: int = 5
    mails: bool = False

    def plan(self, options: argparse.Namespace) -> Plan:
        """What the command line makes of it."""
        size, rounds = self.small if options.small or options.planted else (self.size, self.rounds)
        return Plan(
            size=options.size or size,
            rounds=options.rounds or rounds,
            handicap=self.planted if options.planted else options.handicap,
        )


BENCHMARKS = {
    "p1": Benchmark("checkout", size=300, small=(60, 3), planted=0.05),
    "p2": Benchmark("capture", size=200, small=(20, 2), planted=0.3),
    "p3": Benchmark("signals", size=20_000, small=(2_000, 3), planted=0.001),
    "p4": Benchmark("schedule", size=5_000, small=(600, 1), planted=4.0),
    "p5": Benchmark("tick", size=1_000_000, small=(20_000, 5), planted=1.5, rounds=15),
    "p6": Benchmark("end_to_end", size=1_000, small=(150, 1), planted=0.2, mails=True),
    "p7": Benchmark("rendering", size=300, small=(40, 3), planted=0.02),
    "p9": Benchmark("memory", size=25_000, small=(100, 1), planted=0.3, rounds=1),
    "p10": Benchmark("lanes", size=100_000, small=(1_000, 1), planted=70.0, rounds=1, mails=True),
    "p12": Benchmark("matching", size=10_000, small=(500, 1), planted=5.0),
}
#: P8 is measured where mails are sent by workers, and P11 in `tests/integration`.
ALSO = {"p8": "p6"}


def main(argv: Sequence[str]) -> int:
    """Run the benchmarks that the arguments name.

    Returns:
        1 if a ratio is worse than half its goal (or than half of what was reached), else 0.
    """
    options = _parser().parse_args(argv)
    names = _names(options.names)
    plans = {name: BENCHMARKS[name].plan(options) for name in names}
    failed = False
    mails = any(BENCHMARKS[name].mails for name in names)
    # Workers read it when they start, and only those of P6 do.
    handicap = plans["p6"].handicap if "p6" in plans else 0.0
    with world.ready(mails=mails, handicap=handicap):
        for name in names:
            began = time.monotonic()
            # Models can be imported only once Django is set up.
            module = importlib.import_module(f"tests.benchmarks.{BENCHMARKS[name].module}")
            report: Report = module.measure(plans[name])
            report.write(options.json / f"{name}.json")
            failed = _tell(report) or failed
            print(f"[benchmarks] {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            world.empty()
    return 1 if failed else 0


def _names(given: Sequence[str]) -> list[str]:
    wanted = {ALSO.get(name, name) for name in given}
    return [name for name in BENCHMARKS if "all" in wanted or name in wanted]


def _tell(report: Report) -> bool:
    """Print the figures, the worst last; whether one of them failed."""

    def distance(figure: Figure) -> float:
        return -figure.distance

    for figure in sorted(report.figures, key=distance):
        print(figure.line(), flush=True)
        if figure.failed:
            mark = "its goal" if figure.reached is None else "what was reached"
            print(f"{figure.name}: the ratio is worse than half {mark}.", file=sys.stderr)
    return any(figure.failed for figure in report.figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*BENCHMARKS, *ALSO, "all"], metavar="NAME")
    parser.add_argument("--size", type=int, help="things measured in a round")
    parser.add_argument("--rounds", type=int, help="rounds of each side, interleaved")
    parser.add_argument("--small", action="store_true", help="as small as CI runs it")
    parser.add_argument("--json", type=Path, default=RESULTS, help="folder of the results")
    slower = parser.add_mutually_exclusive_group()
    slower.add_argument(
        "--handicap",
        type=float,
        default=0.0,
        help="seconds that our side sleeps each time; to see that the benchmark can fail",
    )
    slower.add_argument(
        "--planted", action="store_true", help="small, with a handicap that must make it fail"
    )
    return parser
