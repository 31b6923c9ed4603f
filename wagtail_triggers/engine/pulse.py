"""What every batch did for each journey: one line appended, from which the breaker reads rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from ..events.rows import EventRow
from ..messages.claim import Claim
from ..messages.sender import after_sending
from .advance import Progress
from .models import Enrolment, Pulse
from .rows import RunRow
from .store import Failure

#: Providers' reports, by the events that they become.
_BAD: Final = {"message_bounced": "bounces", "message_complained": "complaints"}


def of_batch(
    rows: Mapping[int, RunRow],
    progress: Sequence[Progress],
    failures: Sequence[Failure],
    moment: datetime,
) -> None:
    """Count the runs of a batch, in its transaction; one statement, or none.

    Args:
        rows: The runs as they were before.
        progress: Those that went on.
        failures: Those that did not.
        moment: Now.
    """
    found: dict[int, Pulse] = {}
    for one in progress:
        pulse = _of(found, rows[one.enrolment_id].journey_id, moment)
        pulse.runs += 1
        pulse.errors += one.state == Enrolment.State.PARKED
    for failure in failures:
        row = rows[failure.enrolment_id]
        pulse = _of(found, row.journey_id, moment)
        pulse.runs += 1
        pulse.errors += row.tries == 0  # one that fails again at its step is no further error
    _write(found)


def of_runs(moment: datetime, **run_ids: Iterable[int | None]) -> None:
    """Count something for the journeys of these runs; two statements, or none.

    Args:
        moment: Now.
        **run_ids: What is counted (`sent`, `errors`, ...), once for each run named; None is no run.
    """
    counted = {name: Counter(pk for pk in ids if pk) for name, ids in run_ids.items()}
    everyone = {pk for runs in counted.values() for pk in runs}
    if not everyone:
        return
    found: dict[int, Pulse] = {}
    journeys = Enrolment.objects.filter(pk__in=everyone).values_list("pk", "journey_id")
    for pk, journey_id in journeys:
        pulse = _of(found, journey_id, moment)
        for name, runs in counted.items():
            setattr(pulse, name, getattr(pulse, name) + runs[pk])
    _write(found)


def of_events(events: Iterable[EventRow], moment: datetime) -> None:
    """Count the bounces and complaints among what is routed; two statements, or none."""
    bad: dict[str, list[int | None]] = {"bounces": [], "complaints": []}
    for event in events:
        name = _BAD.get(event.name)
        if name is not None and event.payload.get("permanent", True) is not False:
            bad[name].append(event.payload.get("run"))
    of_runs(moment, **bad)


@after_sending("pulse")
def of_claim(claim: Claim) -> None:
    """Count what a sender has handed over, and what could not even be built."""
    of_runs(
        claim.moment,
        sent=[message.enrolment_id for message in claim.accepted],
        errors=[message.enrolment_id for message in claim.broken],
    )


def _of(found: dict[int, Pulse], journey_id: int, moment: datetime) -> Pulse:
    if journey_id not in found:
        found[journey_id] = Pulse(
            journey_id=journey_id, at=moment, runs=0, errors=0, sent=0, bounces=0, complaints=0
        )
    return found[journey_id]


def _write(found: Mapping[int, Pulse]) -> None:
    if found:
        Pulse.objects.bulk_create([found[pk] for pk in sorted(found)])
