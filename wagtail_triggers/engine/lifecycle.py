"""What people decide about runs: pause, resume, archive a journey; try a parked run again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from ..conf import TASK_LIFECYCLE, TASK_RUN
from ..contacts import erasures
from ..contacts.locking import lock_ids
from ..contacts.models import Contact
from ..core import clock
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..exceptions import SwitchedOff
from ..journeys.models import Journey, Standing
from ..journeys.standing import note_standing
from ..messages import ledger
from ..messages.models import TriggersSettings
from . import holding, jobs, transfer
from .models import Enrolment, Switch, Transfer

ASKED_ANEW: Final = gettext_noop("The run was tried again, and has asked anew.")

#: Why somebody has left whom the staff has taken out.
TAKEN_OUT: Final = "taken_out"

_SWITCHED: Final = ("state", "paused_at", "pause_reason", "resumed_at")


@retrying
def retry_parked(enrolment_ids: Iterable[int], moment: datetime) -> int:
    """Let parked runs try their step again.

    Args:
        enrolment_ids: Runs; those that are not parked are left alone.
        moment: Now, of the database's clock.

    Returns:
        How many runs go on.
    """
    wanted = Enrolment.objects.filter(pk__in=set(enrolment_ids), state=Enrolment.State.PARKED)
    with engine_transaction():
        people = Contact.objects.filter(pk__in=wanted.values("contact_id"))
        lock_ids(people)
        # Not waiting: a step that had asked for something asks for it again.
        changes: dict[str, Any] = {
            "state": Enrolment.State.ACTIVE,
            "tries": 0,
            "reason": "",
            "waiting": False,
        }
        # In a paused journey they wait with the others: due, they would be in everybody's way.
        held = wanted.filter(holding.stopped())
        jobs.cancel(wanted.values_list("pk", flat=True), ASKED_ANEW, moment)
        count = held.update(wake_at=None, held_wake_at=moment, due_since=moment, **changes)
        count += wanted.update(wake_at=moment, **changes)
        nudge(TASK_RUN)
    return count


@retrying
def end_runs(enrolment_ids: Iterable[int], moment: datetime, *, reason: str = TAKEN_OUT) -> int:
    """Let people leave their journeys at once; marketing that was planned for them is cancelled.

    Args:
        enrolment_ids: Runs; those that have ended are left alone.
        moment: Now, of the database's clock.
        reason: A short code.

    Returns:
        How many runs have ended by it.
    """
    wanted = Enrolment.objects.filter(pk__in=set(enrolment_ids), state__in=Enrolment.ALIVE)
    with engine_transaction():
        lock_ids(Contact.objects.filter(pk__in=wanted.values("contact_id")))
        ids = list(locked(wanted).order_by("pk").values_list("pk", flat=True))
        count = Enrolment.objects.filter(pk__in=ids).update(
            state=Enrolment.State.EXITED,
            reason=reason,
            active_slot=None,
            wake_at=None,
            held_wake_at=None,
            ended_at=moment,
        )
        ledger.cancel(ids, reason, moment)
        jobs.cancel(ids, reason, moment)
    return count


def pause(journey: Journey, *, reason: str = "", seconds: float | None = None) -> int:
    """Stop a journey: nobody enters, nobody moves, nothing of it is sent.

    Args:
        journey: A running or an archived one; nothing happens to a paused one.
        reason: Why, in English, where it is the engine that pauses it.
        seconds: When to leave the rest of the rows to the workers; None: when all are held.

    Returns:
        How many runs are held by now.
    """
    moment = clock.now()
    with transaction.atomic():
        held = _held(journey)
        if held.state == Journey.State.PAUSED:
            return 0
        held.state, held.paused_at, held.pause_reason = Journey.State.PAUSED, moment, reason[:255]
        held.save(update_fields=_SWITCHED)
        note_standing(held, Standing.State.PAUSED, moment, reason)
        switch = holding.decide(
            Switch.Kind.HOLD, moment, site_id=held.site_id, journey=held, held_at=moment
        )
    _copy(held, journey)
    return _follow(switch, seconds)


def resume(
    journey: Journey, *, clocks: str = Switch.Clocks.RUN, seconds: float | None = None
) -> int:
    """Let a paused journey go on.

    What is overdue by then goes in a ramp of `WAGTAIL_TRIGGERS_RESUME_PER_MINUTE`, and messages are
    as old as the moment at which their step was due: what is too late for that expires.

    Args:
        journey: A paused one; nothing happens to another.
        clocks: Whether waits kept running, or stood still.
        seconds: When to leave the rest of the rows to the workers; None: when all are let go.

    Returns:
        How many runs go on by now.

    Raises:
        SwitchedOff: The journey's site is switched off.
    """
    moment = clock.now()
    with transaction.atomic():
        held = _held(journey)
        if held.state != Journey.State.PAUSED:
            return 0
        if TriggersSettings.objects.filter(site_id=held.site_id, sending_on=False).exists():
            raise SwitchedOff
        switch = holding.decide(
            Switch.Kind.RELEASE,
            moment,
            site_id=held.site_id,
            journey=held,
            clocks=clocks,
            held_at=held.paused_at,
        )
        held.state, held.paused_at, held.pause_reason = Journey.State.RUNNING, None, ""
        held.resumed_at = moment
        held.save(update_fields=_SWITCHED)
        note_standing(held, Standing.State.RUNNING, moment)
    _copy(held, journey)
    return _follow(switch, seconds)


def archive(
    journey: Journey, *, let_finish: bool, by: Any = None, seconds: float | None = None
) -> int:
    """Take a journey out of use: nobody enters any more.

    Args:
        journey: Any that is not archived.
        let_finish: Whether those in it go on to its end (waits of a paused one kept running); if
            not, they leave at once and what was planned for them is cancelled.
        by: The user who decides it.
        seconds: When to leave the rest to the workers; None: when all is done.

    Returns:
        How many runs were let go on, or taken out, by now.
    """
    moment = clock.now()
    with transaction.atomic():
        held = _held(journey)
        if held.state == Journey.State.PAUSED:
            holding.decide(Switch.Kind.RELEASE, moment, site_id=held.site_id, journey=held)
        held.state, held.paused_at, held.pause_reason = Journey.State.ARCHIVED, None, ""
        held.save(update_fields=_SWITCHED)
        note_standing(held, Standing.State.ARCHIVED, moment)
    _copy(held, journey)
    if not let_finish:
        return transfer.take_out(held, by=by, seconds=seconds)
    return sum(
        holding.follow(switch, seconds=seconds)
        for switch in Switch.objects.filter(journey=held, done_at=None)
    )


def take_up(journey: Journey) -> None:
    """Let people enter an archived journey again."""
    with transaction.atomic():
        held = _held(journey)
        if held.state == Journey.State.ARCHIVED:
            held.state, held.resumed_at = Journey.State.RUNNING, clock.now()
            held.save(update_fields=_SWITCHED)
            note_standing(held, Standing.State.RUNNING, held.resumed_at)
            # Those who are still to be taken out have entered before; whoever enters now stays.
            Transfer.objects.filter(journey=held, to_version=None).update(done_at=clock.now())
    _copy(held, journey)


def carry_on(*, seconds: float = 20.0) -> int:
    """Go on with everything that people decided and that is not carried out yet.

    Returns:
        How many runs followed, or people were erased; 0 means that nothing is left to do now.
    """
    gone = erasures.carry_on(seconds=seconds)
    return gone + holding.carry_on(seconds=seconds) + transfer.carry_on(seconds=seconds)


def is_open() -> bool:
    """Whether there is anything for `carry_on` to do; three cheap look-ups."""
    return (
        erasures.is_open()
        or Switch.objects.filter(done_at=None).exists()
        or Transfer.objects.filter(done_at=None).exists()
    )


def _held(journey: Journey) -> Journey:
    # Routers hold the journey FOR SHARE while they enrol: nobody enters behind our back.
    found: Journey = Journey.objects.select_for_update().get(pk=journey.pk)
    return found


def _copy(held: Journey, journey: Journey) -> None:
    for name in _SWITCHED:
        setattr(journey, name, getattr(held, name))


def _follow(switch: Switch, seconds: float | None) -> int:
    count = holding.follow(switch, seconds=seconds)
    nudge(TASK_LIFECYCLE)
    return count
