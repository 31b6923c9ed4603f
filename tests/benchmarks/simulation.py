"""More senders than this machine can run: a simulation of what they share.

`python3 -m tests.benchmarks.simulation [--senders 8 32 128 512] [--cores 8] …`

Each sender claims 50 messages in one transaction and hands them over one by one: its own CPU, one
transaction at the database, and the provider's answer, which nobody computes for. What all of them
share is modelled as it is: the database's cores (who comes first is served first), the log (one
flush at a time, and everybody who has arrived by its start is in it), and the head of the queue
(a claim looks at up to three windows of 50 and comes back with nothing if three others are just
claiming there). With `--limited` the provider's account has a rate limit, whose bucket each claim
holds until its end. The times are what `tests.benchmarks.scale` measures; give your own.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

BATCH = 50
WINDOWS = 3


@dataclass(frozen=True)
class Costs:
    """Seconds, but for the cores.

    Attributes:
        latency: The provider's answer.
        worker: A sender's own CPU for a message.
        database: The database's CPU for a hand-over.
        claim: The database's CPU for a claim.
        flush: One flush of the log.
        trip: A round trip to the database.
        idle: How long a sender is idle that found nothing to claim.
        cores: The database's.
        limited: Whether claims wait for each other at the bucket of a rate limit.
    """

    latency: float = 0.05
    worker: float = 0.0035
    database: float = 0.002
    claim: float = 0.05
    flush: float = 0.002
    trip: float = 0.0005
    idle: float = 0.25
    cores: int = 8
    limited: bool = False


#: What a sender waits for next: given the world and the way to go on.
Wait = Callable[["World", Callable[[], None]], None]


@dataclass
class World:
    """The clock, and what the senders share."""

    costs: Costs
    now: float = 0.0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    free_at: list[float] = field(default_factory=list)
    flush_ends: float = 0.0
    next_flush: float = 0.0
    claiming: int = 0
    bucket_free_at: float = 0.0
    sent: int = 0
    empty: int = 0
    spent: dict[str, float] = field(default_factory=dict)
    _order: int = 0

    def __post_init__(self) -> None:
        self.free_at = [0.0] * self.costs.cores

    def at(self, moment: float, what: Callable[[], None]) -> None:
        """Do something later."""
        self._order += 1
        heapq.heappush(self.events, (moment, self._order, what))

    def note(self, kind: str, seconds: float) -> None:
        """Add to what senders spent their time on."""
        self.spent[kind] = self.spent.get(kind, 0.0) + seconds

    def run(self, until: float) -> None:
        """Let time pass."""
        while self.events and self.events[0][0] <= until:
            self.now, _order, what = heapq.heappop(self.events)
            what()


def sleep(kind: str, seconds: float) -> Wait:
    """What costs nobody but the sender anything."""

    def wait(world: World, go_on: Callable[[], None]) -> None:
        world.note(kind, seconds)
        world.at(world.now + seconds, go_on)

    return wait


def compute(seconds: float) -> Wait:
    """The database's CPU: the core that is free first."""

    def wait(world: World, go_on: Callable[[], None]) -> None:
        begins = max(world.now, heapq.heappop(world.free_at))
        heapq.heappush(world.free_at, begins + seconds)
        world.note("database queue", begins - world.now)
        world.note("database", seconds)
        world.at(begins + seconds, go_on)

    return wait


def commit() -> Wait:
    """The log: a flush that has begun is too late for us; the next takes everybody."""

    def wait(world: World, go_on: Callable[[], None]) -> None:
        flush = world.costs.flush
        if world.now >= world.flush_ends:
            world.flush_ends = ends = world.now + flush
        else:
            ends = world.flush_ends + flush
            if world.next_flush < ends:
                world.next_flush = ends
                world.at(world.flush_ends, lambda: setattr(world, "flush_ends", ends))
        world.note("log", ends - world.now)
        world.at(ends, go_on)

    return wait


def bucket(seconds: float) -> Wait:
    """The row of a rate limit, held to the end of the claim."""

    def wait(world: World, go_on: Callable[[], None]) -> None:
        begins = max(world.now, world.bucket_free_at)
        world.bucket_free_at = begins + seconds
        world.note("rate limit's row", begins - world.now)
        world.at(begins, go_on)

    return wait


def sender(world: World, rng: random.Random) -> Generator[Wait, None, None]:
    """One process that sends."""
    costs = world.costs
    yield sleep("start", rng.random() * (costs.latency + costs.worker) * BATCH)
    while True:
        if world.claiming >= WINDOWS:
            world.empty += 1
            yield sleep("head of the queue", costs.idle * (0.5 + rng.random()))
            continue
        world.claiming += 1
        if costs.limited:
            yield bucket(costs.claim + costs.flush)
        yield compute(costs.claim)
        yield commit()
        world.claiming -= 1
        for _message in range(BATCH):
            yield sleep("own CPU", costs.worker + costs.trip)
            yield compute(costs.database)
            yield commit()
            yield sleep("provider", costs.latency * rng.uniform(0.7, 1.3))
            world.sent += 1


def simulate(senders: int, costs: Costs, *, seconds: float = 60.0, seed: int = 1) -> World:
    """Let so many senders work on a queue that never ends."""
    world, rng = World(costs), random.Random(seed)
    for _one in range(senders):
        _go_on(world, sender(world, rng))
    world.run(seconds)
    return world


def _go_on(world: World, process: Generator[Wait, None, None]) -> None:
    next(process)(world, lambda: _go_on(world, process))


def main(argv: Sequence[str]) -> int:
    """Simulate and print; returns 0."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.benchmarks.simulation")
    parser.add_argument("--senders", type=int, nargs="+", default=[1, 8, 32, 128, 256, 512, 1024])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--limited", action="store_true", help="a rate limit on the account")
    for name, value in vars(Costs()).items():
        if name != "limited":
            parser.add_argument(f"--{name}", type=type(value), default=value)
    options = vars(parser.parse_args(argv))
    numbers, seconds = options.pop("senders"), options.pop("seconds")
    costs = Costs(**options)
    alone: Any = None
    for number in numbers:
        world = simulate(number, costs, seconds=seconds)
        rate = world.sent / seconds
        alone = alone or rate / number
        total = sum(world.spent.values())
        shares = sorted(world.spent.items(), key=lambda item: -item[1])[:4]
        told = " ".join(f"{kind}={share / total:.0%}" for kind, share in shares)
        print(
            f"simulated: senders={number} rate={rate:.0f}/s times={rate / alone:.0f} "
            f"empty_claims={world.empty / seconds:.1f}/s {told}"
        )
    print(f"simulated: {costs}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
