"""Workers are killed all the time while they send: nothing is lost and nothing comes twice.

A real PostgreSQL with fsync, a real Valkey, prefork workers; the sink's log is the only truth. A
second run with a sender as most code has it must fail, or the first one would prove nothing.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests import servers
from tests.chaos.sink import deliveries
from tests.chaos.workers import ROOT, Crew
from tests.settings import DATABASE_KIND

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        DATABASE_KIND != "postgres", reason="Workers that are killed need PostgreSQL."
    ),
]

SEED = int(os.environ.get("CHAOS_SEED", "2"))


@dataclass
class World:
    """Everything that outlives the workers."""

    postgres: servers.Postgres
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def prepare(self, prefix: str, count: int) -> None:
        """Place so many orders."""
        subprocess.run(
            [sys.executable, "-m", "tests.chaos.prepare", prefix, str(count)],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            check=True,
        )

    def states(self, prefix: str) -> dict[str, list[str]]:
        """The ledger's messages to the people of one run, by state."""
        found: dict[str, list[str]] = {}
        for state, key, _ambiguous in self._messages(prefix):
            found.setdefault(state, []).append(str(key))
        return found

    def in_doubt(self, prefix: str) -> int:
        """How many of them were once in doubt."""
        return sum(ambiguous > 0 for _state, _key, ambiguous in self._messages(prefix))

    def _messages(self, prefix: str) -> list[tuple[str, UUID, int]]:
        # At the level of the driver: this process has another database.
        with psycopg.connect(self.postgres.dsn.replace("dbname=postgres", "dbname=triggers")) as db:
            return db.execute(
                "SELECT m.state, m.public_id, m.ambiguous FROM wagtail_triggers_message m"
                " JOIN wagtail_triggers_contact c ON c.id = m.contact_id WHERE c.email LIKE %s",
                [f"{prefix}%"],
            ).fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A durable PostgreSQL and a Valkey."""
    folder = tmp_path_factory.mktemp("chaos")
    with servers.postgres(durable=True) as postgres, servers.valkey() as broker:
        with psycopg.connect(postgres.dsn, autocommit=True) as db:
            db.execute("CREATE DATABASE triggers")
        environment = {"TRIGGERS_TEST_DB_HOME": postgres.host, "TRIGGERS_TEST_BROKER": broker}
        yield World(postgres, folder, environment)


@dataclass
class Result:
    """What a run came to."""

    expected: int
    kills: int
    seconds: float
    states: dict[str, list[str]]
    delivered: Counter[str]
    #: Messages of which nobody knew, at some time, whether they had left.
    in_doubt: int

    @property
    def lost(self) -> int:
        """Messages that never came to be accepted, or that were and did not arrive."""
        accepted = self.states.get("accepted", [])
        return self.expected - len(accepted) + sum(key not in self.delivered for key in accepted)

    @property
    def duplicates(self) -> int:
        """Deliveries beyond the first of each message."""
        return sum(count - 1 for count in self.delivered.values())

    def __str__(self) -> str:
        terminal = sum(len(keys) for keys in self.states.values())
        return (
            f"crash: messages={self.expected} kills={self.kills} lost={self.lost} "
            f"duplicates={self.duplicates} accounted={100 * terminal / self.expected:.0f}% "
            f"states={ {state: len(keys) for state, keys in self.states.items()} } "
            f"in_doubt={self.in_doubt} seconds={self.seconds:.0f} seed={SEED}"
        )


def crash(world: World, prefix: str, count: int, kills: int, *, naive: bool = False) -> Result:
    """Send while workers die, until all is settled or the patience is over."""
    folder = world.folder / prefix
    folder.mkdir()
    log = folder / "deliveries.jsonl"
    world.prepare(prefix, count)
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.sink", str(log), "0.1" if naive else "0.05"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert sink.stdout is not None
    port = sink.stdout.readline().strip()
    environment = {**world.environment, "CHAOS_SINK_PORT": port}
    crew = Crew({**environment, "CHAOS_NAIVE": "1"} if naive else environment, folder)
    began = time.monotonic()
    try:
        crew.start(workers=2)
        done = _kill_while_they_send(crew, log, kills)
        states = _settled(world, prefix, count, crew)
    finally:
        crew.stop()
        sink.communicate(timeout=10)
    took = time.monotonic() - began
    doubts = world.in_doubt(prefix)
    return Result(count, done, took, states, Counter(deliveries(log)), doubts)


def _kill_while_they_send(crew: Crew, log: Path, kills: int) -> int:
    """SIGKILL a child about every second once something was delivered, and one whole worker."""
    chance = random.Random(SEED)
    done, idle_since = 0, time.monotonic()
    while done < kills and time.monotonic() - idle_since < 30:
        time.sleep(chance.uniform(0.4, 0.9))
        children = crew.children()
        if not children or not log.exists() or not log.stat().st_size:
            continue
        if done == kills // 2:
            crew.kill_worker()
        elif not crew.kill_child(chance.choice(children)):
            continue
        done, idle_since = done + 1, time.monotonic()
    assert done, f"nothing was delivered, nobody could be killed\n{crew.logs()}"
    return done


def _settled(world: World, prefix: str, count: int, crew: Crew) -> dict[str, list[str]]:
    give_up = time.monotonic() + 90
    while time.monotonic() < give_up:
        states = world.states(prefix)
        ended = ("accepted", "failed", "unknown_parked", "expired", "skipped", "cancelled")
        if sum(len(states.get(state, ())) for state in ended) == count:
            return states
        time.sleep(0.5)
    counts = {state: len(keys) for state, keys in states.items()}
    raise AssertionError(f"not settled: {counts} of {count}\n{crew.logs()}")


def test_workers_killed_while_sending_lose_nothing_and_send_nothing_twice(world: World) -> None:
    result = crash(world, "order", 600, kills=18)
    print(f"\n{result}")
    assert result.kills >= 10
    assert {state: len(keys) for state, keys in result.states.items()} == {"accepted": 600}
    assert (result.lost, result.duplicates) == (0, 0)
    assert len(result.delivered) == 600


def test_naive_sender_sends_twice_so_that_a_zero_means_something(world: World) -> None:
    result = crash(world, "naive", 200, kills=10, naive=True)
    print(f"\nnaive {result}")
    assert result.lost == 0
    assert result.duplicates > 0
