"""What happened at each step of a journey, counted as the daily numbers are: once, and in sets.

Everything up to a mark is kept by step; what is younger, and who stands there now, is counted when
it is read. So the numbers on a canvas cost the same whether a thousand people have come by or a
million.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q

from ..core import clock
from ..engine.models import Enrolment, StepRun
from ..messages.models import Message
from .models import RollupMark, StepNumber
from .rollups import EPOCH, GRACE, WORTH_IT

#: The row of `RollupMark`; its `runs_from` is a key of `StepRun` here.
NAME: Final = "steps"
FIELDS: Final = ("entered", "sent", "failed", "converted", "left")

_FAILED: Final = (Message.State.FAILED, Message.State.UNKNOWN_PARKED)

#: The journey, the node, how many; letters of no journey's have none.
_Row = tuple[int | None, str, int]
#: By journey and node, what is to be added.
_Counted = dict[tuple[int, str], dict[str, int]]


@transaction.atomic
def refresh() -> bool:
    """Move the mark to the present, less what may still commit; says whether it was moved.

    Any number of workers may call it: one counts, the others find nothing to do.
    """
    moment = clock.now()
    RollupMark.objects.get_or_create(name=NAME, defaults={"until": EPOCH})
    skips = bool(connection.features.has_select_for_update_skip_locked)
    mark = RollupMark.objects.select_for_update(skip_locked=skips).filter(name=NAME).first()
    until = moment - GRACE
    if mark is None or until - mark.until < WORTH_IT:
        return False
    _add(_counted(mark, until))
    old = StepRun.objects.filter(pk__gte=mark.runs_from, at__lte=until - GRACE)
    high = old.aggregate(high=Max("pk"))["high"]
    mark.runs_from = mark.runs_from if high is None else high + 1
    mark.until = until
    mark.save()
    return True


@transaction.atomic
def rebuild() -> None:
    """Count everything anew, from the log alone."""
    RollupMark.objects.filter(name=NAME).delete()
    StepNumber.objects.all().delete()
    refresh()


def numbers(journey_id: int, moment: datetime) -> dict[str, dict[str, int]]:
    """Return what happened at each step, over all versions, and who stands there; eight queries.

    `entered` are the runs that took a decision there, `sent` the messages that a provider took,
    `converted` and `left` the runs that ended there, `waiting` those that stand there now,
    `errors` what is parked there now, and messages that failed.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)

    def add(node: str, name: str, count: int) -> None:
        if node and count:
            found[node][name] = found[node].get(name, 0) + count

    for row in StepNumber.objects.filter(journey_id=journey_id):
        for name in FIELDS:
            add(row.node, "errors" if name == "failed" else name, getattr(row, name))
    mark = RollupMark.objects.filter(name=NAME).first() or RollupMark(name=NAME, until=EPOCH)
    for (_journey, node), young in _counted(mark, moment, journey_id).items():
        for name, count in young.items():
            add(node, "errors" if name == "failed" else name, count)
    alive = Enrolment.objects.filter(journey_id=journey_id, state__in=Enrolment.ALIVE)
    for node, state, count in alive.values_list("node", "state").annotate(Count("pk")):
        add(node, "errors" if state == Enrolment.State.PARKED else "waiting", count)
    return dict(found)


def _counted(mark: RollupMark, until: datetime, journey_id: int | None = None) -> _Counted:
    """What happened after the mark and not after `until`; five queries."""
    found: _Counted = defaultdict(dict)
    for name, rows in _questions(mark, until, journey_id):
        for journey, node, count in rows:
            if journey is not None and node and count:
                found[journey, node][name] = found[journey, node].get(name, 0) + count
    return found


def _questions(
    mark: RollupMark, until: datetime, journey_id: int | None
) -> Iterable[tuple[str, Iterable[_Row]]]:
    def of(path: str, moment: str) -> Q:
        span = Q(**{f"{moment}__gt": mark.until, f"{moment}__lte": until})
        return span if journey_id is None else span & Q(**{path: journey_id})

    # A run is counted at a step once, however often it waits there or comes back.
    before = StepRun.objects.filter(
        enrolment=OuterRef("enrolment"), node=OuterRef("node"), seq__lt=OuterRef("seq")
    )
    decided = StepRun.objects.filter(
        of("enrolment__journey_id", "at"), ~Exists(before), pk__gte=mark.runs_from
    )
    yield "entered", _grouped(decided, "enrolment__journey_id")
    ended = Enrolment.objects.filter(of("journey_id", "ended_at"))
    converted = Q(state=Enrolment.State.CONVERTED)
    yield "converted", _grouped(ended.filter(converted), "journey_id")
    yield "left", _grouped(ended.exclude(converted), "journey_id")
    settled = Message.objects.filter(of("journey_version__journey_id", "settled_at"))
    path = "journey_version__journey_id"
    yield "sent", _grouped(settled.filter(state=Message.State.ACCEPTED), path)
    yield "failed", _grouped(settled.filter(state__in=_FAILED), path)


def _grouped(rows: Any, journey: str) -> Iterable[_Row]:
    found: Iterable[_Row] = (
        rows.order_by().values_list(journey, "node").annotate(number=Count("pk"))
    )
    return found


def _add(counted: Mapping[tuple[int, str], Mapping[str, int]]) -> None:
    if not counted:
        return
    StepNumber.objects.bulk_create(
        [StepNumber(journey_id=pk, node=node) for pk, node in sorted(counted)],
        ignore_conflicts=True,
    )
    wanted = Q(journey_id__in={pk for pk, _node in counted})
    changed = []
    for row in StepNumber.objects.filter(wanted):
        values = counted.get((row.journey_id, row.node))
        if values is not None:
            for name, number in values.items():
                setattr(row, name, getattr(row, name) + number)
            changed.append(row)
    StepNumber.objects.bulk_update(changed, FIELDS, batch_size=500)
