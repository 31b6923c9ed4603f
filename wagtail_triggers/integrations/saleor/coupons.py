"""Coupons as Saleor's vouchers: one voucher with one code a person.

::

    WAGTAIL_TRIGGERS_COUPONS = {
        "BACKEND": "wagtail_triggers.integrations.saleor.coupons.SaleorCoupons"
    }

Saleor cannot bind a voucher to an account; `applyOncePerCustomer`, one use and an expiry are what
it can. The voucher's name holds our id, and is written in the same mutation as the code: so a
voucher that was made by an attempt whose answer was lost is known to be ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...core.coupons import CouponProvider, CouponSpec, Creation
from ...core.http import Fate
from .client import SaleorClient, client_of, installed, refused
from .configuration import configuration
from .exceptions import (
    NotInstalled,
    SaleorError,
    SaleorRefused,
    SaleorUnavailable,
    SaleorUncertain,
)

_OURS: Final = "triggers:"
_KINDS: Final = {"percent": "PERCENTAGE", "amount": "FIXED", "free_shipping": "PERCENTAGE"}
#: Seconds for each of the questions that one coupon takes.
_SECONDS: Final = 4.0

_CREATE: Final = """
mutation Make($input: VoucherInput!) {
  voucherCreate(input: $input) { voucher { id } errors { field code message } }
}
"""
_LIST: Final = """
mutation List($id: ID!, $input: VoucherChannelListingInput!) {
  voucherChannelListingUpdate(id: $id, input: $input) { errors { field code message } }
}
"""
_CHANNELS: Final = "query { channels { id slug currencyCode isActive } }"
_FIND: Final = """
query Find($code: String!) {
  vouchers(first: 5, filter: {search: $code}) {
    edges { node { id name codes(first: 5) { edges { node { code } } } channelListings { id } } }
  }
}
"""


class SaleorCoupons(CouponProvider):
    """Makes vouchers in one Saleor.

    Args:
        api_url: Its GraphQL address; not needed where the setting names one instance.
    """

    hard_timeout = 20.0

    def __init__(self, api_url: str = "") -> None:
        self._api_url = api_url

    def create(self, code: str, spec: CouponSpec) -> Creation:
        """Make the voucher and put it on sale in the instance's channels."""
        try:
            client = self._client()
            return self._create(client, code, spec)
        except SaleorUncertain as error:
            return Creation(Fate.AMBIGUOUS, detail=str(error), retry_after=error.retry_after)
        except SaleorUnavailable as error:
            return Creation(Fate.NEVER_LEFT, detail=str(error), retry_after=error.retry_after)
        except NotInstalled as error:
            # Somebody may install the app again; the coupon can wait for it.
            return Creation(Fate.NEVER_LEFT, detail=str(error))
        except SaleorError as error:
            return Creation(Fate.REFUSED, detail=str(error))

    def find(self, code: str) -> str | None:
        """Whose the voucher with this code is."""
        found = _voucher(self._client(), code)
        return None if found is None else _owner(found)

    def _create(self, client: SaleorClient, code: str, spec: CouponSpec) -> Creation:
        made = client.mutate(_CREATE, {"input": _input(code, spec)}, total=_SECONDS)
        part = made.get("voucherCreate") or {}
        if not _is_taken(part):
            refused(part)
            self._put_on_sale(client, part["voucher"]["id"], spec)
            return Creation(Fate.ACCEPTED)
        found = _voucher(client, code)
        # An attempt that was cut between the two mutations left a voucher that nobody can use.
        if found is not None and _owner(found) == spec.owner and not found.get("channelListings"):
            self._put_on_sale(client, found["id"], spec)
        return Creation(Fate.REFUSED, exists=True, detail="There is a voucher with this code.")

    def _put_on_sale(self, client: SaleorClient, voucher: str, spec: CouponSpec) -> None:
        wanted = self._channels(client, spec)
        listing = {
            "addChannels": [
                {
                    "channelId": one["id"],
                    "discountValue": str(spec.value if spec.value is not None else 100),
                    **({"minAmountSpent": str(spec.minimum)} if spec.minimum is not None else {}),
                }
                for one in wanted
            ]
        }
        answer = client.mutate(_LIST, {"id": voucher, "input": listing}, total=_SECONDS)
        refused(answer.get("voucherChannelListingUpdate"))

    def _channels(self, client: SaleorClient, spec: CouponSpec) -> list[Mapping[str, Any]]:
        """The channels that it is good in: ours, and of its currency where it is worth money."""
        known = configuration().instance(client.api_url)
        slugs = known.channels if known else ()
        found = [
            one
            for one in client.query(_CHANNELS, total=_SECONDS).get("channels") or ()
            if one.get("isActive")
            and (not slugs or one["slug"] in slugs)
            and (not spec.currency or one["currencyCode"] == spec.currency)
        ]
        if not found:
            raise SaleorRefused(
                f"Saleor has no active channel for this coupon (currency {spec.currency or 'any'})."
                " Look at CHANNELS in WAGTAIL_TRIGGERS_SALEOR."
            )
        return found

    def _client(self) -> SaleorClient:
        return client_of(installed(self._api_url))


def _input(code: str, spec: CouponSpec) -> dict[str, Any]:
    return {
        "name": f"{_OURS}{spec.owner}"[:255],
        "addCodes": [code],
        "type": "SHIPPING" if spec.discount == "free_shipping" else "ENTIRE_ORDER",
        "discountValueType": _KINDS[spec.discount],
        "endDate": spec.expires_at.isoformat(),
        "usageLimit": spec.uses,
        "applyOncePerCustomer": spec.uses == 1,
        "singleUse": spec.uses == 1,
    }


def _is_taken(part: Mapping[str, Any]) -> bool:
    return any(
        str(one.get("code")) in ("ALREADY_EXISTS", "UNIQUE", "DUPLICATED_INPUT_ITEM")
        for one in part.get("errors") or ()
    )


def _voucher(client: SaleorClient, code: str) -> Mapping[str, Any] | None:
    answer = client.query(_FIND, {"code": code}, total=_SECONDS)
    for edge in (answer.get("vouchers") or {}).get("edges") or ():
        codes = (edge["node"].get("codes") or {}).get("edges") or ()
        if any(one["node"]["code"] == code for one in codes):
            found: Mapping[str, Any] = edge["node"]
            return found
    return None


def _owner(voucher: Mapping[str, Any]) -> str:
    name = str(voucher.get("name") or "")
    return name.removeprefix(_OURS) if name.startswith(_OURS) else ""
