"""Coupons as Oscar's own vouchers: one a person, one use, with an expiry and a minimum basket.

::

    WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.integrations.oscar.coupons.OscarCoupons"
    }

Coupons of the same worth share one offer. Oscar's vouchers know no owner: the name holds our id.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from oscar.core.loading import get_model

from ...core import clock
from ...core.coupons import CouponProvider, CouponSpec, Creation
from ...core.http import Fate

_OURS: Final = "triggers:"
_RANGE: Final = "Triggers: every product"


class OscarCoupons(CouponProvider):
    """Makes vouchers in Oscar's tables."""

    hard_timeout = 10.0

    def create(self, code: str, spec: CouponSpec) -> Creation:
        """Make the voucher, and the offer that it stands for if there is none of that worth."""
        code = code.upper()  # as Oscar's own save writes it
        voucher = get_model("voucher", "Voucher")
        try:
            with transaction.atomic():
                made = voucher(
                    name=f"{_OURS}{spec.owner}:{code}"[:128],
                    code=code,
                    usage=voucher.SINGLE_USE if spec.uses == 1 else voucher.MULTI_USE,
                    start_datetime=clock.now(),
                    end_datetime=spec.expires_at,
                )
                made.save(force_insert=True)
                made.offers.add(_offer(spec))
        except IntegrityError:
            if voucher.objects.filter(code=code).exists():
                return Creation(Fate.REFUSED, exists=True, detail="There is one with this code.")
            raise
        return Creation(Fate.ACCEPTED)

    def find(self, code: str) -> str | None:
        """Whose the voucher with this code is."""
        vouchers = get_model("voucher", "Voucher").objects.filter(code=code.upper())
        name = vouchers.values_list("name", flat=True).first()
        if name is None:
            return None
        return name.removeprefix(_OURS).rpartition(":")[0] if name.startswith(_OURS) else ""


def _offer(spec: CouponSpec) -> Any:
    """The offer of this worth; made once, also where two ask for it at the same time."""
    offers = get_model("offer", "ConditionalOffer")
    name = _offer_name(spec)
    found = offers.objects.filter(name=name).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return offers.objects.create(
                name=name,
                offer_type=offers.VOUCHER,
                benefit=_benefit(spec),
                condition=_condition(spec),
            )
    except IntegrityError:
        return offers.objects.get(name=name)


def _offer_name(spec: CouponSpec) -> str:
    worth = "free shipping" if spec.value is None else f"{_short(spec.value)}"
    unit = "%" if spec.discount == "percent" else spec.currency
    least = f" from {_short(spec.minimum)} {spec.currency}" if spec.minimum else ""
    return f"Triggers: {worth}{unit if spec.value is not None else ''}{least}"


def _benefit(spec: CouponSpec) -> Any:
    benefits = get_model("offer", "Benefit")
    kind = {
        "percent": benefits.PERCENTAGE,
        "amount": benefits.FIXED,
        "free_shipping": benefits.SHIPPING_PERCENTAGE,
    }[spec.discount]
    shipping = spec.discount == "free_shipping"
    return benefits.objects.create(
        type=kind,
        value=Decimal(100) if shipping or spec.value is None else spec.value,
        # Oscar refuses a range for what it takes off the shipping.
        range=None if shipping else _every_product(),
    )


def _condition(spec: CouponSpec) -> Any:
    conditions = get_model("offer", "Condition")
    kind, value = (
        (conditions.VALUE, spec.minimum) if spec.minimum else (conditions.COUNT, Decimal(1))
    )
    return conditions.objects.create(type=kind, value=value, range=_every_product())


def _every_product() -> Any:
    ranges = get_model("offer", "Range")
    return ranges.objects.get_or_create(name=_RANGE, defaults={"includes_all_products": True})[0]


def _short(value: Decimal) -> str:
    return format(value.normalize(), "f")
