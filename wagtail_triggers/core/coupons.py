"""Where coupons are made: what a shop's adapter is asked, and what it promises.

Name yours in `WAGTAIL_TRIGGERS_COUPONS`. See docs/how-to/coupons.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from django.core.checks import CheckMessage

from ..conf import load_backend, settings
from ..exceptions import ConfigurationError
from .http import Fate

Discount = Literal["percent", "amount", "free_shipping"]

_SETTING: Final = "WAGTAIL_TRIGGERS_COUPONS"


@dataclass(frozen=True, slots=True)
class CouponSpec:
    """What a coupon is worth, to whom and until when.

    Attributes:
        discount: What kind of advantage.
        value: Per cent, or an amount of `currency`; None for free shipping.
        currency: Of `value` and `minimum`; "" where neither is money.
        minimum: What the order must come to, or None.
        expires_at: When it ends; aware.
        owner: Our id. Keep it with the coupon: `find` gives it back, and so a coupon that was made
            by an attempt whose answer was lost is known to be ours.
        email: Whose it is, as far as it is known; "" if not.
        site_id: Wagtail's id of the site.
        uses: How often it can be used.
    """

    discount: Discount
    value: Decimal | None
    currency: str
    minimum: Decimal | None
    expires_at: datetime
    owner: str
    email: str = ""
    site_id: int = 0
    uses: int = 1


@dataclass(frozen=True, slots=True)
class Creation:
    """What became of one attempt to make a coupon.

    Attributes:
        fate: Which of the four.
        exists: There is a coupon with this code already. `fate` says nothing then.
        detail: Why, for staff.
        retry_after: Seconds that the shop asked to wait, or None.
    """

    fate: Fate
    exists: bool = False
    detail: str = ""
    retry_after: float | None = None


class CouponProvider(ABC):
    """A shop that makes coupons."""

    #: Seconds after which `create` and `find` have ended together, whatever the shop does.
    hard_timeout: float = 15.0

    @abstractmethod
    def create(self, code: str, spec: CouponSpec) -> Creation:
        """Make a coupon with this code. Never called inside a transaction of ours.

        Making the same one twice is harmless: the second time it `exists`. A fault of the shop is
        an answer; whatever is raised is taken as ambiguous, and it is tried again.
        """

    @abstractmethod
    def find(self, code: str) -> str | None:
        """Return the `owner` of the coupon with this code ("" where it has none), or None.

        None means that there is no such coupon.
        """

    def checks(self) -> Sequence[CheckMessage]:
        """What the host should put right, for `manage.py check`."""
        return []


def get_provider() -> CouponProvider:
    """Build the provider that `WAGTAIL_TRIGGERS_COUPONS` names.

    Raises:
        ConfigurationError: There is none, or it is no `CouponProvider`.
    """
    if not settings.COUPONS:
        raise ConfigurationError(
            f'Nobody makes coupons. Set {_SETTING} = {{"BACKEND": "dotted.path.Class"}}.'
        )
    try:
        provider = load_backend(settings.COUPONS, setting=_SETTING)
    except TypeError as error:
        raise ConfigurationError(
            f"{_SETTING}: the class does not take these OPTIONS ({error})."
        ) from error
    if not isinstance(provider, CouponProvider):
        raise ConfigurationError(
            f"{_SETTING} names {type(provider).__name__}, which makes no coupons. Subclass "
            "wagtail_triggers.core.coupons.CouponProvider."
        )
    return provider
