"""Coupon: a code of one's own for one person, made where the shop keeps its coupons."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ....core.coupons import CouponProvider, CouponSpec, Creation, get_provider
from ....core.http import Fate
from ....exceptions import ConfigurationError
from ...models import Job
from ..base import JobKind, Outcome, Verdict
from ..registry import register_job

#: Crockford's: without I, L, O and U, so that nobody reads one letter for another.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Four groups of four: 80 bits, which nobody guesses.
GROUPS: Final = 4
GROUP: Final = 4

#: A coupon that ends sooner is not given again; nor is one that has less than half of its time.
WORTH_GIVING: Final = timedelta(days=1)
#: How long a run waits for the coupon that another run of the same person is just getting.
NEXT_LOOK: Final = timedelta(seconds=5)

TAKEN: Final = gettext_noop("The code belongs to another coupon of the shop; another one is made.")
BEING_MADE: Final = gettext_noop("The person is just getting this coupon in another run.")


@register_job
class CouponJob(JobKind):
    """The code is committed before the shop hears of it, so that a repetition makes no second one.

    `data` is as the step `coupon` wrote it; `reference` is the code.
    """

    identifier = "coupon"
    label = _("Coupon")

    def longest(self) -> float:
        """Return what the shop's provider may take."""
        try:
            return get_provider().hard_timeout
        except ConfigurationError:
            return self.hard_timeout

    def prepare(self, jobs: Sequence[Job], moment: datetime) -> Mapping[int, Verdict]:
        """Give each job a code, or the coupon that the person has from this step already."""
        found: dict[int, Verdict] = {}
        journeys = _journeys(jobs)
        held = _held(jobs, journeys)
        for job in jobs:
            place = (job.contact_id, journeys[job.pk], job.node)
            other = _still_good(held.get(place, ()), job, moment) if job.data["reuse"] else None
            if other is None:
                job.reference = new_code(str(job.data.get("prefix") or ""))
                held.setdefault(place, []).append(job)
            elif other.state == Job.State.DONE:
                found[job.pk] = Verdict(Job.State.DONE, result=other.result)
            else:
                due = moment + NEXT_LOOK
                found[job.pk] = Verdict(Job.State.PLANNED, BEING_MADE, due_at=due)
        return found

    def carry_out(self, job: Job, moment: datetime) -> Outcome:
        """Have it made; one that is there already counts if it is ours."""
        code = str(job.reference)
        try:
            provider = get_provider()
        except ConfigurationError as error:
            return Outcome(Fate.NEVER_LEFT, detail=str(error))
        made = provider.create(code, spec_of(job))
        if made.exists:
            return self._existing(provider, job, code)
        return _outcome(made, job, code)

    def _existing(self, provider: CouponProvider, job: Job, code: str) -> Outcome:
        """Tell a coupon of an attempt whose answer was lost from somebody else's."""
        owner = provider.find(code)
        if owner == str(job.public_id):
            return Outcome(Fate.ACCEPTED, result=result_of(job, code))
        return Outcome(Fate.NEVER_LEFT, detail=TAKEN, retry_after=0.0, anew=owner is not None)


def new_code(prefix: str) -> str:
    """A code that nobody guesses: the prefix and 80 random bits, "SPRING-7K2M-0ADN-Q9XE-4TRW"."""
    groups = ["".join(secrets.choice(ALPHABET) for _n in range(GROUP)) for _n in range(GROUPS)]
    return "-".join([*([prefix] if prefix else []), *groups])


def spec_of(job: Job) -> CouponSpec:
    """What the job's coupon is worth."""
    data: dict[str, Any] = job.data
    return CouponSpec(
        discount=data["discount"],
        value=_decimal(data.get("value")),
        currency=data.get("currency") or "",
        minimum=_decimal(data.get("minimum")),
        expires_at=datetime.fromisoformat(data["expires_at"]),
        owner=str(job.public_id),
        email=data.get("email") or "",
        site_id=job.site_id,
    )


def result_of(job: Job, code: str) -> dict[str, Any]:
    """The coupon as messages of the run show it: what `{{ coupon.… }}` holds."""
    data: dict[str, Any] = job.data
    currency = data.get("currency") or ""

    def money(value: Any) -> dict[str, Any] | None:
        return {"amount": value, "currency": currency} if value is not None else None

    discount, value = data["discount"], data.get("value")
    return {
        "code": code,
        "discount": discount,
        "percent": value if discount == "percent" else None,
        "amount": money(value) if discount == "amount" else None,
        "minimum": money(data.get("minimum")),
        "expires_at": data["expires_at"],
    }


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _outcome(made: Creation, job: Job, code: str) -> Outcome:
    result = result_of(job, code) if made.fate is Fate.ACCEPTED else {}
    return Outcome(made.fate, result, made.detail, made.retry_after)


def _journeys(jobs: Sequence[Job]) -> dict[int, int]:
    """The journey of each job, by the job's primary key; one query."""
    return dict(
        Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list(
            "pk", "enrolment__journey_id"
        )
    )


def _held(
    jobs: Sequence[Job], journeys: Mapping[int, int]
) -> dict[tuple[int, int, str], list[Job]]:
    """What each person has, or is getting, from the same step of the same journey; one query."""
    reusing = [job for job in jobs if job.data["reuse"]]
    if not reusing:
        return {}
    rows = Job.objects.filter(
        Q(state=Job.State.DONE) | Q(state__in=Job.PENDING, reference__isnull=False),
        kind=CouponJob.identifier,
        contact_id__in={job.contact_id for job in reusing},
        enrolment__journey_id__in={journeys[job.pk] for job in reusing},
    ).annotate(journey_pk=F("enrolment__journey_id"))
    found: dict[tuple[int, int, str], list[Job]] = {}
    for row in rows.order_by("pk"):
        found.setdefault((row.contact_id, row.journey_pk, row.node), []).append(row)
    return found


def _still_good(others: Iterable[Job], job: Job, moment: datetime) -> Job | None:
    """The newest of `others` that is worth giving again: it holds for some time yet."""
    whole = datetime.fromisoformat(job.data["expires_at"]) - moment
    least = moment + min(WORTH_GIVING, whole / 2)
    good = [one for one in others if _ends(one) >= least]
    done = [one for one in good if one.state == Job.State.DONE]
    return next(iter([*reversed(done), *reversed(good)]), None)


def _ends(job: Job) -> datetime:
    """When a coupon ends; one that was given again keeps the end that it had."""
    return datetime.fromisoformat(job.result.get("expires_at") or job.data["expires_at"])
