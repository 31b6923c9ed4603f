"""A worker's turn: one stage's batches, and others' while a few more of its own come together.

A batch costs the same twenty statements for one row as for two hundred, so what comes in one by one
is left to gather for a moment. A worker that also serves other queues does not sleep meanwhile: it
carries on with what its own batches have led to, without a hop through the broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .scheduler import FULL

#: Does one batch, and says how much it did.
Step = Callable[[], int]

#: Between batches that are not full.
GATHER_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Stage:
    """What one task does, batch by batch."""

    task: str
    step: Step


def take(
    own: Stage,
    others: Sequence[Stage] = (),
    *,
    seconds: float,
    gather: float = GATHER_SECONDS,
    on_full: Callable[[], None] | None = None,
) -> int:
    """Repeat a stage's batch until it finds nothing or the turn is over.

    Args:
        own: Whose turn it is.
        others: What may be done while its batches are not full, the most urgent first.
        seconds: When to stop, although there is more to do.
        gather: Seconds until a batch that was not full is followed by the next of its stage.
        on_full: Called once, after the first batch of its own that was full: there is more than
            one batch.

    Returns:
        How much was done, by all stages together.
    """
    ends = time.monotonic() + seconds
    done = 0
    while True:
        count = own.step()
        done += count
        if on_full is not None and count >= FULL:
            on_full()
            on_full = None
        if count == 0 or time.monotonic() >= ends:
            return done
        if gather and count < FULL:
            done += _meanwhile(others, min(time.monotonic() + gather, ends))


def _meanwhile(others: Sequence[Stage], until: float) -> int:
    """Do batches of other stages until a moment; sleep once none of them finds a full one."""
    done = 0
    waiting = list(others)
    while waiting and time.monotonic() < until:
        count = waiting[0].step()
        done += count
        if count < FULL:  # it gathers too
            del waiting[0]
    time.sleep(max(0.0, until - time.monotonic()))
    return done
