"""Keep the daily numbers up to date, in sets, and read them: a listing never counts the whole log.

Everything up to a mark is counted, each thing once; what is younger is counted when it is read, so
that numbers are exact at any moment however rarely somebody moves the mark.
"""

from __future__ import annotations

import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from ..core import clock
from ..engine.models import Conversion, Enrolment
from ..messages.models import Message
from .models import Rollup, RollupMark

NAME: Final = "journeys"
#: No transaction of ours lives longer: what is older than this is committed, or never will be.
GRACE: Final = timedelta(minutes=2)
#: The mark is not moved for less.
WORTH_IT: Final = timedelta(seconds=50)
#: Before everything.
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)

FIELDS: Final = ("entered", "ended", "converted", "sent")


@dataclass(slots=True)
class Numbers:
    """What one journey has done.

    `days` are the letters of each day that was asked for, the oldest first.
    """

    entered: int = 0
    ended: int = 0
    converted: int = 0
    sent: int = 0
    days: list[int] = field(default_factory=list)

    @property
    def active(self) -> int:
        """Runs that are alive."""
        return max(0, self.entered - self.ended)


def zone() -> zoneinfo.ZoneInfo:
    """The zone whose days are counted."""
    return zoneinfo.ZoneInfo(django_settings.TIME_ZONE)


def today(moment: datetime) -> date:
    """The day of a moment."""
    return moment.astimezone(zone()).date()


def begin_of(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time(), tzinfo=zone())


@transaction.atomic
def refresh() -> bool:
    """Move the mark to the present, less what may still commit; says whether it was moved.

    Any number of workers may call it: one counts, the others find nothing to do.
    """
    moment = clock.now()
    RollupMark.objects.get_or_create(name=NAME, defaults={"until": EPOCH})
    mark = RollupMark.objects.select_for_update(skip_locked=_skips()).filter(name=NAME).first()
    until = moment - GRACE
    if mark is None or until - mark.until < WORTH_IT:
        return False
    _add(_counted(mark, until))
    mark.runs_from = _floor(Enrolment, "entered_at", mark.runs_from, until)
    mark.conversions_from = _floor(Conversion, "at", mark.conversions_from, until)
    mark.until = until
    mark.save()
    return True


@transaction.atomic
def rebuild() -> None:
    """Count everything anew, from the log alone."""
    RollupMark.objects.filter(name=NAME).delete()
    Rollup.objects.all().delete()
    refresh()


def numbers(journey_ids: Sequence[int], moment: datetime, *, days: int = 30) -> dict[int, Numbers]:
    """Return what these journeys have done; seven queries, however many they are.

    Args:
        journey_ids: The journeys of a page.
        moment: Now.
        days: How many days of letters, the present one among them.
    """
    found = {pk: Numbers(days=[0] * days) for pk in journey_ids}
    rows = Rollup.objects.filter(journey_id__in=journey_ids)
    sums = rows.values_list("journey_id").annotate(*(Sum(name) for name in FIELDS)).order_by()
    for pk, *added in sums:
        for name, value in zip(FIELDS, added, strict=True):
            setattr(found[pk], name, value or 0)
    first = today(moment) - timedelta(days=days - 1)
    for pk, day, sent in rows.filter(day__gte=first).values_list("journey_id", "day", "sent"):
        _on_day(found[pk], day, first, sent)
    young = _counted(_mark(), moment, journey_ids)
    for (pk, day), values in young.items():
        for name in FIELDS:
            setattr(found[pk], name, getattr(found[pk], name) + values.get(name, 0))
        _on_day(found[pk], day, first, values.get("sent", 0))
    return found


def sent_on(day: date, moment: datetime, site_ids: Iterable[int] | None = None) -> int:
    """How many letters have left on a day, of these sites (None: of all); three queries."""
    rows = Rollup.objects.filter(day=day)
    mark = _mark()
    begin = max(mark.until, begin_of(day) - timedelta(microseconds=1))
    young = Message.objects.filter(
        state=Message.State.ACCEPTED,
        journey_version__isnull=False,
        settled_at__gt=begin,
        settled_at__lte=moment,
    )
    if site_ids is not None:
        rows = rows.filter(journey__site_id__in=site_ids)
        young = young.filter(site_id__in=site_ids)
    counted = rows.aggregate(all=Sum("sent"))["all"] or 0
    return int(counted) + young.count()


def _on_day(own: Numbers, day: date, first: date, sent: int) -> None:
    place = (day - first).days
    if 0 <= place < len(own.days):
        own.days[place] += sent


def _mark() -> RollupMark:
    mark: RollupMark | None = RollupMark.objects.filter(name=NAME).first()
    return mark or RollupMark(name=NAME, until=EPOCH)


def _counted(
    mark: RollupMark, until: datetime, journey_ids: Sequence[int] | None = None
) -> dict[tuple[int, date], dict[str, int]]:
    """What happened after the mark and not after `until`, by journey and day; four queries."""
    found: dict[tuple[int, date], dict[str, int]] = defaultdict(dict)
    runs = Enrolment.objects.filter(pk__gte=mark.runs_from)
    conversions = Conversion.objects.filter(pk__gte=mark.conversions_from)
    messages = Message.objects.filter(state=Message.State.ACCEPTED)
    for name, rows, moment, journey in (
        ("entered", runs, "entered_at", "journey_id"),
        ("ended", Enrolment.objects.all(), "ended_at", "journey_id"),
        ("converted", conversions, "at", "enrolment__journey_id"),
        ("sent", messages, "settled_at", "journey_version__journey_id"),
    ):
        rows = rows.filter(**{f"{moment}__gt": mark.until, f"{moment}__lte": until})
        if journey_ids is not None:
            rows = rows.filter(**{f"{journey}__in": journey_ids})
        for pk, day, count in _by_day(rows, moment, journey):
            if pk is not None and day is not None:
                found[pk, day][name] = count
    return found


def _by_day(
    rows: QuerySet[Any], moment: str, journey: str
) -> Iterable[tuple[int | None, date | None, int]]:
    found: Iterable[tuple[int | None, date | None, int]] = (
        rows.annotate(of_journey=F(journey), of_day=TruncDate(moment, tzinfo=zone()))
        .values_list("of_journey", "of_day")
        .annotate(number=Count("pk"))
        .order_by()
    )
    return found


def _add(counted: Mapping[tuple[int, date], Mapping[str, int]]) -> None:
    """Add what was counted to the days' rows; three statements at most."""
    if not counted:
        return
    Rollup.objects.bulk_create(
        [Rollup(journey_id=pk, day=day) for pk, day in sorted(counted)], ignore_conflicts=True
    )
    wanted = Q(journey_id__in={pk for pk, _day in counted}, day__in={day for _pk, day in counted})
    changed = []
    for row in Rollup.objects.filter(wanted):
        values = counted.get((row.journey_id, row.day))
        if values is not None:
            for name, number in values.items():
                setattr(row, name, getattr(row, name) + number)
            changed.append(row)
    Rollup.objects.bulk_update(changed, FIELDS, batch_size=500)


def _floor(
    model: type[Enrolment] | type[Conversion], moment: str, known: int, until: datetime
) -> int:
    """A key that whatever is younger than `until` lies above, committed or not.

    A row gets its key after its moment was read, and within `GRACE` of it. So what is that much
    older than `until` had its key by then, and what is younger gets a higher one.
    """
    rows: QuerySet[Any] = model._default_manager.filter(pk__gte=known)
    old = rows.filter(**{f"{moment}__lte": until - GRACE}).aggregate(high=Max("pk"))["high"]
    return known if old is None else int(old) + 1


def _skips() -> bool:
    return bool(connection.features.has_select_for_update_skip_locked)
