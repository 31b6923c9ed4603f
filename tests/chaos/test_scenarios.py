"""Every fault of the list, small: the promise holds, and breaks once its protection is gone.

A real PostgreSQL with fsync, a real Valkey and prefork workers that are shared by all runs; each
run is a fork with a database of its own, and several run at a time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.settings import DATABASE_KIND

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("CHAOS_SEED", "2"))
NAMES = sorted(
    (
        "F" + file.stem[1:3].lstrip("0")
        for file in Path(__file__).with_name("scenarios").glob("f[0-9][0-9]_*.py")
    ),
    key=lambda name: int(name[1:]),
)
LINE = re.compile(
    r"chaos (F\d+): lost=(\d+) duplicates=(\d+) unknown=(\d+) accounted=([\d.]+)% kills=(\d+) "
    r"seconds=[\d.]+ seed=(\d+)"
)

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(400),
    pytest.mark.skipif(DATABASE_KIND != "postgres", reason="Workers are killed on PostgreSQL."),
]


class Drill:
    """All runs that were asked for, in one process that forks."""

    def __init__(self, wanted: list[tuple[str, bool]]) -> None:
        own = ("TRIGGERS_TEST", "DJANGO_SETTINGS_MODULE")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos", "--serve"],
            cwd=ROOT,
            env={key: value for key, value in os.environ.items() if not key.startswith(own)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answers: dict[tuple[str, bool], dict[str, Any]] = {}
        assert self.process.stdin is not None
        for name, broken in wanted:
            order = {"name": name, "broken": broken, "seed": SEED}
            self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.close()

    def answer(self, name: str, broken: bool) -> dict[str, Any]:
        """Wait for the end of one run."""
        assert self.process.stdout is not None
        while (name, broken) not in self.answers:
            line = self.process.stdout.readline()
            assert line, "the drill has ended"
            answer = json.loads(line)
            if answer != "ready":
                plan = answer["plan"]
                self.answers[plan["name"], plan["broken"]] = answer
        return self.answers[name, broken]

    def end(self) -> None:
        """Wait for its servers to be stopped; a test that gave up does not wait for its runs."""
        self.process.terminate()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def drill(request: pytest.FixtureRequest) -> Iterator[Drill]:
    """The runs of the tests that were chosen, all begun at once."""
    params = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    one = Drill([(each["name"], each["broken"]) for each in params if "broken" in each])
    yield one
    one.end()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("broken", [False, True], ids=["kept", "broken"])
def test_fault_run_small_keeps_its_promise_unless_its_protection_is_taken_away(
    drill: Drill, name: str, broken: bool
) -> None:
    answer = drill.answer(name, broken)
    print(answer["output"])
    match = LINE.fullmatch(answer["output"].splitlines()[-1])
    assert match is not None, answer["output"]
    lost, _twice, _unknown, accounted = match.group(2, 3, 4, 5)
    assert (match[1], match[7]) == (name, str(SEED))
    if broken:
        assert answer["status"] == 1, "a run without its protection must fail"
        assert "NOT KEPT" in answer["output"]
    else:
        assert (answer["status"], lost, accounted) == (0, "0", "100"), answer["output"]
