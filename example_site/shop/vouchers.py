"""Vouchers that are made for one person: where wagtail_triggers has its coupons made.

A real shop has such a table already, and writes the second class of this file alone.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from wagtail_triggers.core import clock
from wagtail_triggers.core.coupons import CouponProvider, CouponSpec, Creation
from wagtail_triggers.core.http import Fate

#: What is worth the same for everybody who knows it.
PRINTED = {"WARMCUP10": Decimal("0.10")}


class Voucher(models.Model):
    """One code, for one order."""

    code = models.CharField(max_length=40, unique=True)
    discount = models.CharField(max_length=16)
    value = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    minimum = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    expires_at = models.DateTimeField()
    email = models.EmailField(blank=True)
    #: By whom it was made: wagtail_triggers asks for it when an answer of ours was lost.
    owner = models.CharField(max_length=200)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.code

    def takes_off(self, subtotal: Decimal) -> Decimal:
        """Return what it takes off an order of so much."""
        if self.minimum is not None and subtotal < self.minimum:
            return Decimal(0)
        if self.discount == "percent" and self.value is not None:
            return (subtotal * self.value / 100).quantize(Decimal("0.01"))
        return min(self.value or Decimal(0), subtotal) if self.discount == "amount" else Decimal(0)


def find(code: str) -> Voucher | None:
    """Return the voucher with this code, if it can still be used."""
    live = Voucher.objects.filter(used_at=None, expires_at__gt=clock.now())
    return live.filter(code=code.strip().upper()).first()


def is_good(code: str) -> bool:
    """Say whether a code is worth anything."""
    return code.strip().upper() in PRINTED or find(code) is not None


def takes_off(code: str, subtotal: Decimal) -> Decimal:
    """Return what a code takes off an order of so much; nothing if it is none."""
    share = PRINTED.get(code.strip().upper())
    if share is not None:
        return (subtotal * share).quantize(Decimal("0.01"))
    voucher = find(code) if code else None
    return voucher.takes_off(subtotal) if voucher else Decimal(0)


def frees_delivery(code: str) -> bool:
    """Say whether a code pays for the delivery."""
    voucher = find(code) if code else None
    return voucher is not None and voucher.discount == "free_shipping"


def use(code: str) -> None:
    """Remember that a code has served: an order was placed with it."""
    Voucher.objects.filter(code=code.strip().upper(), used_at=None).update(used_at=clock.now())


class ShopVouchers(CouponProvider):
    """Makes the coupons of journeys in the table above."""

    def create(self, code: str, spec: CouponSpec) -> Creation:
        _voucher, made = Voucher.objects.get_or_create(
            code=code,
            defaults={
                "discount": spec.discount,
                "value": spec.value,
                "minimum": spec.minimum,
                "expires_at": spec.expires_at,
                "email": spec.email,
                "owner": spec.owner,
            },
        )
        return Creation(Fate.ACCEPTED, exists=not made)

    def find(self, code: str) -> str | None:
        return Voucher.objects.filter(code=code).values_list("owner", flat=True).first()
