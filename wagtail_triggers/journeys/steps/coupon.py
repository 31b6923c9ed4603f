"""Coupon: a code of one's own, made in the shop, for the messages that follow."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field, model_validator

from ...conf import settings
from ..asking import FAILED, done_or_failed
from ..durations import Duration
from ..problems import Problem
from .base import NEXT, Port, Run, Step, StepSettings, Surroundings
from .decisions import Decision
from .registry import register_step

Amount = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]


class CouponSettings(StepSettings):
    """What it is worth; `reuse` gives whoever has one from this step that one again."""

    discount: Literal["percent", "amount", "free_shipping"]
    value: Amount | None = None
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    minimum: Amount | None = None
    valid_for: Duration
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,12}$")] = ""
    reuse: bool = True
    give_up_after: Duration = Duration(amount=1, unit="days")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.discount == "free_shipping":
            if self.value is not None:
                raise ValueError(_t("Free shipping has no value. Leave it out."))
        elif self.value is None:
            raise ValueError(_t("Say how much: give a value."))
        if self.discount == "percent" and self.value is not None and self.value > 100:
            raise ValueError(_t("More than 100 per cent cannot be taken off."))
        if (self.discount == "amount" or self.minimum is not None) and not self.currency:
            raise ValueError(_t("Amounts need a currency, such as EUR."))
        return self


@register_step
class CouponStep(Step[CouponSettings]):
    """Has a coupon made and waits for it; messages of the run show it as `coupon`."""

    identifier = "coupon"
    label = _("Make a coupon")
    description = _("Makes a code for this person. Messages after it show {{ coupon.code }}.")
    icon = "tag"
    Settings = CouponSettings

    def ports(self) -> tuple[Port, ...]:
        """Return "next" and "failed"."""
        return (NEXT, FAILED)

    def decide(self, run: Run) -> Decision:
        """Ask for the coupon; its time begins with the asking."""
        until = self.settings.give_up_after.after(run.counts_from, run.time_zone)
        return done_or_failed(run, self.identifier, self._data(run), until)

    def _data(self, run: Run) -> dict[str, Any]:
        s = self.settings
        return {
            "discount": s.discount,
            "value": None if s.value is None else str(s.value),
            "currency": s.currency,
            "minimum": None if s.minimum is None else str(s.minimum),
            "expires_at": s.valid_for.after(run.moment, run.time_zone).isoformat(),
            "prefix": s.prefix,
            "reuse": s.reuse,
            "email": str(run.contact.get("email") or ""),
        }

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Make a coupon: 10 %, valid for 7 days"."""
        words = _t("Make a coupon: %(worth)s, valid for %(time)s") % {
            "worth": self._worth(),
            "time": self.settings.valid_for.describe(),
        }
        if self.settings.minimum is None:
            return words
        return _t("%(sentence)s, on orders of %(minimum)s %(currency)s or more") % {
            "sentence": words,
            "minimum": self.settings.minimum,
            "currency": self.settings.currency,
        }

    def _worth(self) -> str:
        if self.settings.discount == "free_shipping":
            return _t("free shipping")
        if self.settings.discount == "percent":
            return _t("%(value)s %% off") % {"value": self.settings.value}
        return _t("%(value)s %(currency)s off") % {
            "value": self.settings.value,
            "currency": self.settings.currency,
        }

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield that nobody makes coupons."""
        if not settings.COUPONS:
            message = _t(
                "Nobody makes coupons here. Your developers must set WAGTAIL_TRIGGERS_COUPONS."
            )
            yield Problem("", "", message)
