"""What becomes of people in flight when a journey is published anew: stay, move, skip, exit.

Everybody stays on the version on which they began unless somebody decides otherwise, step by step.
Such a decision is a `Transfer` with its rules. It is carried out in chunks under the people's
locks, and by the runner, which transfers whoever it claims before it asks a step: so nobody is
left behind, and a process that dies in the middle is followed by the next one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from ..conf import TASK_LIFECYCLE, TASK_RUN
from ..contacts.locking import lock_ids
from ..contacts.models import Contact
from ..core import clock
from ..core.bulk import update_rows
from ..core.locking import engine_transaction, locked, retrying
from ..core.queue import nudge
from ..exceptions import InvalidTransfer
from ..journeys.models import Journey, JourneyVersion
from ..journeys.plan import Plan, plan_for
from ..messages import ledger
from . import holding, jobs
from .live import plans_of
from .models import Enrolment, Job, StepRun, Transfer, TransferRule
from .places import count, may_stand

#: Runs of one transaction.
CHUNK: Final = 500
#: Runs that are looked up at once: each look walks over those who have been moved already.
LOOK: Final = 20_000

TAKEN_OUT: Final = gettext_noop("Taken out of the journey by an editor.")
STEP_CHANGED: Final = gettext_noop("The person was moved to another version of the journey.")
STEP_REMOVED: Final = gettext_noop("The step that planned it is no longer part of the journey.")

Policy = TransferRule.Policy


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of those at one step of one earlier version.

    Attributes:
        version_id: The earlier version; None for every one.
        node: The step; "" for every one.
        policy: A value of `TransferRule.Policy`.
        target: The step of the new version at which they go on, where they are moved.
        clock: A value of `TransferRule.Clock`: from when a wait at the target counts.
    """

    version_id: int | None
    node: str
    policy: str
    target: str = ""
    clock: str = TransferRule.Clock.KEEP


def begin(
    journey: Journey,
    to_version: JourneyVersion | None,
    rules: Sequence[Rule],
    *,
    cancels_unsent: bool = False,
    by: Any = None,
) -> Transfer:
    """Record the decision, in the place of one that is still under way; `carry_out` acts on it.

    Args:
        journey: Whose people.
        to_version: Its live version; None if all rules are exits.
        rules: Steps without one stay.
        cancels_unsent: Take marketing letters back that were planned by steps which the new
            version has no more, for those who are moved. Otherwise they are sent.
        by: The user who decides it.

    Raises:
        InvalidTransfer: A rule leads nowhere, or another version has been published meanwhile.
    """
    moment = clock.now()
    with transaction.atomic():
        held = Journey.objects.select_for_update().get(pk=journey.pk)
        _check(held, to_version, rules)
        Transfer.objects.filter(journey=held, done_at=None).update(done_at=moment)
        made = Transfer.objects.create(
            journey=held,
            to_version=to_version,
            cancels_unsent=cancels_unsent,
            made_at=moment,
            made_by=by,
        )
        numbers = count(held, rules)
        TransferRule.objects.bulk_create(
            TransferRule(
                transfer=made,
                version_id=rule.version_id,
                node=rule.node,
                policy=rule.policy,
                target=rule.target,
                clock=rule.clock,
                counted=numbers[rule.version_id, rule.node],
            )
            for rule in rules
        )
    nudge(TASK_LIFECYCLE)
    return made


def _check(journey: Journey, to_version: JourneyVersion | None, rules: Sequence[Rule]) -> None:
    if to_version is not None and journey.live_version_id != to_version.pk:
        raise InvalidTransfer(
            "Another version of this journey has been published meanwhile. Look at the numbers "
            "again and decide anew."
        )
    plan = plan_for(to_version.pk, to_version.graph) if to_version is not None else None
    for rule in rules:
        if to_version is not None and rule.version_id == to_version.pk:
            raise InvalidTransfer("A rule names the version to which people are moved. Remove it.")
        if rule.policy in (Policy.STAY, Policy.EXIT):
            continue
        if plan is None or not may_stand(plan, rule.target):
            raise InvalidTransfer(
                f"Nobody can go on at {rule.target!r} from the step {rule.node!r}: the new version "
                "has no such step. Choose another."
            )


def take_out(journey: Journey, *, by: Any = None, seconds: float | None = None) -> int:
    """Let everybody leave a journey; returns how many have left by now."""
    made = begin(journey, None, [Rule(None, "", Policy.EXIT)], by=by)
    return carry_out(made, seconds=seconds)


def carry_out(made: Transfer, *, seconds: float | None = None) -> int:
    """Let the rules of a transfer act on everybody to whom they apply.

    Args:
        made: The transfer; closed once nobody is left.
        seconds: When to leave the rest to others; None: when nobody is left.

    Returns:
        How many runs were moved or ended.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    done = 0
    matching = Enrolment.objects.filter(
        is_moving(), journey_id=made.journey_id, state__in=Enrolment.ALIVE
    )
    while ids := list(matching.order_by("pk").values_list("pk", flat=True)[:LOOK]):
        for begun in range(0, len(ids), CHUNK):
            done += apply_to(ids[begun : begun + CHUNK])
            if ends is not None and time.monotonic() >= ends:
                return done
    Transfer.objects.filter(pk=made.pk, done_at=None).update(done_at=clock.now())
    return done


def carry_on(*, seconds: float = 20.0) -> int:
    """Go on with transfers that are under way; returns how many runs were moved or ended."""
    ends = time.monotonic() + seconds
    return sum(
        carry_out(made, seconds=max(0.0, ends - time.monotonic()))
        for made in Transfer.objects.filter(done_at=None).order_by("pk")
    )


def is_moving() -> Q:
    """The condition on runs under which a transfer that is under way wants them elsewhere."""
    rules = TransferRule.objects.filter(
        Q(version=OuterRef("version")) | Q(version=None),
        Q(node=OuterRef("node")) | Q(node=""),
        transfer__journey=OuterRef("journey"),
        transfer__done_at=None,
    )
    return Q(Exists(rules.exclude(policy=Policy.STAY)))


@retrying
def apply_to(enrolment_ids: Iterable[int]) -> int:
    """Let the transfers that are under way act on these runs, in a transaction of its own.

    Returns:
        How many were moved or ended; those to whom no rule applies any more are left alone.
    """
    wanted = Enrolment.objects.filter(
        is_moving(), pk__in=set(enrolment_ids), state__in=Enrolment.ALIVE
    )
    with engine_transaction():
        people = Contact.objects.filter(pk__in=wanted.values("contact_id"))
        lock_ids(people)
        # A second statement: those who moved on before they were ours are where they are now.
        rows = list(locked(_with_hold(wanted), of=("self",)).order_by("pk"))
        moved = 0
        for journey_id in sorted({row.journey_id for row in rows}):
            made = Transfer.objects.select_related("to_version").filter(done_at=None)
            mine = [row for row in rows if row.journey_id == journey_id]
            moved += _Chunk(made.get(journey_id=journey_id), mine, clock.now()).save()
        if moved:
            nudge(TASK_RUN)
    return moved


def _with_hold(rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    return rows.annotate(is_held=holding.as_expression(holding.stopped()))


class _Chunk:
    """Locked runs of one journey, from their rules to the rows that are written."""

    def __init__(self, made: Transfer, rows: Sequence[Enrolment], moment: datetime) -> None:
        self.made = made
        self.rows = rows
        self.moment = moment
        self.rules = {(rule.version_id, rule.node): rule for rule in made.rules.all()}
        ids = {row.version_id for row in rows}
        if made.to_version_id is not None:
            ids.add(made.to_version_id)
        self.plans: Mapping[int, Plan] = plans_of(ids)
        self.numbers = dict(JourneyVersion.objects.filter(pk__in=ids).values_list("pk", "number"))
        self.done: Counter[int] = Counter()
        self.left: list[Enrolment] = []
        self.moved: list[Enrolment] = []
        #: Those whose step is the same as before: what it has asked for is still wanted.
        self.unchanged: list[Enrolment] = []
        self.steps: list[StepRun] = []

    def save(self) -> int:
        """Decide for every run, and write it; a fixed number of statements for a chunk."""
        for row in self.rows:
            rule = self.rules.get((row.version_id, row.node)) or self.rules.get((None, ""))
            if rule is None or rule.policy == Policy.STAY:
                continue
            self.done[rule.pk] += 1
            if rule.policy == Policy.EXIT:
                self._leave(row)
            else:
                self._move(row, rule)
        self._write()
        return self.done.total()

    def _leave(self, row: Enrolment) -> None:
        row.state, row.reason = Enrolment.State.EXITED, TAKEN_OUT
        row.active_slot = row.wake_at = row.held_wake_at = None
        row.ended_at = self.moment
        self.left.append(row)

    def _move(self, row: Enrolment, rule: TransferRule) -> None:
        assert self.made.to_version_id is not None  # noqa: S101 - `begin` has checked it
        same = self._is_same(row, rule)
        detail = {
            "transfer": self.made.pk,
            "policy": rule.policy,
            "from_version": self.numbers.get(row.version_id),
            "from_node": row.node,
        }
        row.version_id, row.node, row.seq = self.made.to_version_id, rule.target, row.seq + 1
        if same:
            self.unchanged.append(row)
        else:
            self._ask_anew(row, rule)
            self.moved.append(row)
        self.steps.append(
            StepRun(
                enrolment_id=row.pk,
                seq=row.seq,
                version_id=row.version_id,
                node=row.node,
                kind=self.plans[row.version_id].step(row.node).identifier,
                decision="transfer",
                detail=detail,
                at=self.moment,
            )
        )

    def _is_same(self, row: Enrolment, rule: TransferRule) -> bool:
        """Whether the run stands at a step that has not changed: then it simply goes on."""
        before = self.plans.get(row.version_id)
        if before is None or rule.target != row.node or row.node not in before.steps:
            return False
        if rule.policy != Policy.MOVE or rule.clock != TransferRule.Clock.KEEP:
            return False
        if row.state != Enrolment.State.ACTIVE:
            return False  # a parked one tries its step again: it may be the one that was mended
        old = before.step(row.node)
        new = self.plans[self.made.to_version_id or 0].step(rule.target)
        return type(old) is type(new) and bool(old.settings == new.settings)

    def _ask_anew(self, row: Enrolment, rule: TransferRule) -> None:
        if rule.policy == Policy.SKIP or rule.clock == TransferRule.Clock.RESTART:
            row.arrived_at, row.stood_still = self.moment, timedelta(0)
        row.state, row.reason, row.tries, row.waiting = Enrolment.State.ACTIVE, "", 0, False
        row.wake_at, row.held_wake_at, row.due_since = self.moment, None, None
        if row.is_held:  # type: ignore[attr-defined]  # annotated by `_with_hold`
            row.wake_at, row.held_wake_at, row.due_since = None, self.moment, self.moment

    def _write(self) -> None:
        gone = [row.pk for row in self.left]
        if gone:
            ledger.cancel(gone, TAKEN_OUT, self.moment)
            jobs.cancel(gone, TAKEN_OUT, self.moment)
        if self.moved:
            jobs.cancel([row.pk for row in self.moved], STEP_CHANGED, self.moment)
        if self.unchanged:
            # An answer belongs to the visit that asked for it, and that has another number now.
            asked = Job.objects.filter(
                enrolment_id__in=[row.pk for row in self.unchanged], seq=F("enrolment__seq")
            )
            asked.update(seq=F("seq") + 1)
        if self.made.cancels_unsent and self.made.to_version_id is not None:
            ledger.cancel(
                [row.pk for row in (*self.moved, *self.unchanged)],
                STEP_REMOVED,
                self.moment,
                keep_nodes=self.plans[self.made.to_version_id].node_ids,
            )
        update_rows(
            Enrolment,
            [*self.left, *self.moved, *self.unchanged],
            ["version", "node", "seq", "arrived_at", "stood_still", "state", "reason", "tries",
             "waiting", "wake_at", "held_wake_at", "due_since", "active_slot", "ended_at"],
        )  # fmt: skip
        StepRun.objects.bulk_create(self.steps)
        # Last: whoever else transfers runs of this journey waits here, and nowhere before.
        for pk in sorted(self.done):
            TransferRule.objects.filter(pk=pk).update(done=F("done") + self.done[pk])
