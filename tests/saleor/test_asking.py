"""What Saleor is asked: carts, orders, products, vouchers, what it could not deliver."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from saleor_sdk.marina.exceptions import InvalidSaleorDomain, Unauthorized
from saleor_sdk.marina.install import install_app

from tests.saleor.conftest import all_captures, capture, jwks
from tests.saleor.server import FakeSaleor
from wagtail_triggers.core import clock as time
from wagtail_triggers.core.coupons import CouponSpec
from wagtail_triggers.core.http import Fate
from wagtail_triggers.core.shop import CartNow, ProductNow
from wagtail_triggers.events.models import Event
from wagtail_triggers.integrations.saleor import sdk
from wagtail_triggers.integrations.saleor.client import AsyncSaleorClient, SaleorClient, client_of
from wagtail_triggers.integrations.saleor.configuration import configuration
from wagtail_triggers.integrations.saleor.coupons import SaleorCoupons
from wagtail_triggers.integrations.saleor.exceptions import (
    NotInstalled,
    SaleorRefused,
    SaleorUnavailable,
    SaleorUncertain,
)
from wagtail_triggers.integrations.saleor.models import Instance
from wagtail_triggers.integrations.saleor.reconcile import reconcile
from wagtail_triggers.integrations.saleor.shop import SaleorShop

CART, GONE, ORDER = "Q2hlY2tvdXQ6MQ==", "Q2hlY2tvdXQ6Mg==", "T3JkZXI6MQ=="


@pytest.fixture
def client(installed: Instance) -> SaleorClient:
    return client_of(installed)


# The client -------------------------------------------------------------------------------------


def test_question_is_asked_again_when_saleor_is_busy(
    client: SaleorClient, saleor: FakeSaleor
) -> None:
    saleor.answers = {"shop": {"shop": {"name": "Lab"}}}
    saleor.faults = [(429, {"Retry-After": "0.1"}), (503, {"Retry-After": "0.1"})]
    assert client.query("query { shop { name } }") == {"shop": {"name": "Lab"}}
    assert len(saleor.asked) == 3


def test_question_is_not_asked_again_past_its_time(
    client: SaleorClient, saleor: FakeSaleor
) -> None:
    saleor.faults = [(429, {"Retry-After": "30"})] * 3
    with pytest.raises(SaleorUnavailable) as caught:
        client.query("query { shop { name } }", total=2)
    assert (caught.value.retry_after, len(saleor.asked)) == (30.0, 1)


def test_mutation_is_asked_once(client: SaleorClient, saleor: FakeSaleor) -> None:
    saleor.faults = [(500, {})] * 3
    with pytest.raises(SaleorUncertain):
        client.mutate("mutation { x { id } }")
    assert len(saleor.asked) == 1


def test_saleors_own_words_are_told(client: SaleorClient) -> None:
    with pytest.raises(SaleorRefused, match="Saleor says: Cannot query this field"):
        client.query("query { nonsense }")


def test_async_twin_gets_the_same(installed: Instance, saleor: FakeSaleor) -> None:
    saleor.answers = {"shop": {"shop": {"name": "Lab"}}}
    twin = AsyncSaleorClient(saleor.api_url, saleor.token)
    assert asyncio.run(twin.query("query { shop { name } }")) == {"shop": {"name": "Lab"}}


def test_pages_are_turned_to_the_end(client: SaleorClient, saleor: FakeSaleor) -> None:
    def page(variables: dict[str, Any]) -> dict[str, Any]:
        start = int(variables["after"] or 0)
        edges = [{"node": {"id": str(n)}} for n in range(start, start + 2)]
        info = {"hasNextPage": start < 4, "endCursor": str(start + 2)}
        return {"orders": {"edges": edges, "pageInfo": info}}

    saleor.answers = {"orders": page}
    found = [one["id"] for one in client.pages("query Q { orders }", ("orders",))]
    assert found == ["0", "1", "2", "3", "4", "5"]


def test_token_of_a_removed_app_is_not_used(installed: Instance) -> None:
    installed.token = ""
    with pytest.raises(NotInstalled, match="triggers_saleor manifest"):
        client_of(installed)


# The shop ---------------------------------------------------------------------------------------


def test_carts_are_looked_up_in_one_question(installed: Instance, saleor: FakeSaleor) -> None:
    money = {"gross": {"amount": 20.0, "currency": "EUR"}}
    variant = {"id": "V", "sku": "tee", "name": "S", "product": {"name": "Tee", "slug": "tee"}}
    line = {"id": "L", "quantity": 2, "unitPrice": money, "variant": variant}
    saleor.answers = {
        "checkout(": {"i0": {"id": CART, "lines": [line], "totalPrice": money}, "i1": None}
    }
    found = SaleorShop().carts([CART, GONE, "not-an-id"], timeout=2)
    assert found == {
        CART: CartNow(
            "open",
            {
                "cart_id": CART,
                "checkout_id": CART,
                "lines": [
                    {
                        "sku": "tee", "name": "Tee", "quantity": 2,
                        "unit_price": {"amount": "20.00", "currency": "EUR"},
                        "url": "https://store.example/products/tee",
                    }
                ],
                "total": {"amount": "20.00", "currency": "EUR"},
                "url": f"https://store.example/checkout?checkout={CART.replace('=', '%3D')}",
            },
        ),
        GONE: CartNow("ordered"),
        "not-an-id": CartNow("ordered"),
    }  # fmt: skip
    assert len(saleor.asked) == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": "UNCONFIRMED", "isPaid": False}, "placed"),
        ({"status": "UNFULFILLED", "isPaid": True}, "paid"),
        ({"status": "FULFILLED", "isPaid": True}, "shipped"),
        ({"status": "CANCELED", "isPaid": True}, "cancelled"),
        ({"status": "RETURNED", "isPaid": True}, "refunded"),
    ],
)
def test_orders_have_our_status(
    installed: Instance, saleor: FakeSaleor, said: dict[str, Any], status: str
) -> None:
    saleor.answers = {"order(": {"i0": {"id": ORDER, "lines": [], **said}}}
    found = SaleorShop().orders([ORDER, "T3JkZXI6OQ=="], timeout=2)
    assert found is not None
    assert (found[ORDER].status, "T3JkZXI6OQ==" in found) == (status, False)


def test_products_are_looked_up_by_sku_and_those_without_one_by_id(
    installed: Instance, saleor: FakeSaleor
) -> None:
    def priced(**more: Any) -> dict[str, Any]:
        price = {"price": {"gross": {"amount": 9.5, "currency": "EUR"}}}
        return {"trackInventory": True, "pricing": price, **more}

    saleor.answers = {
        "productVariants(": {
            "productVariants": {
                "edges": [
                    {"node": priced(id="1", sku="tee", quantityAvailable=3)},
                    {"node": priced(id="2", sku="out", quantityAvailable=0)},
                    {"node": priced(id="3", sku="made", quantityAvailable=0, trackInventory=False)},
                    {"node": priced(id="4", sku="elsewhere", quantityAvailable=5, pricing=None)},
                ]
            }
        },
        "productVariant(": {"i0": priced(id="VjoxMQ==", sku=None, quantityAvailable=1)},
    }
    price = {"amount": "9.5", "currency": "EUR"}
    found = SaleorShop().products(["tee", "out", "made", "elsewhere", "VjoxMQ=="], timeout=2)
    assert found == {
        "tee": ProductNow(True, price),
        "out": ProductNow(False, price),
        "made": ProductNow(True, price),
        "elsewhere": ProductNow(False),
        "VjoxMQ==": ProductNow(True, price),
    }


# Vouchers ---------------------------------------------------------------------------------------


def spec(**changed: Any) -> CouponSpec:
    known: dict[str, Any] = {
        "discount": "percent", "value": Decimal(10), "currency": "", "minimum": None,
        "expires_at": time.now() + timedelta(days=7), "owner": "run:7",
    }  # fmt: skip
    return CouponSpec(**{**known, **changed})


@pytest.fixture
def channels(saleor: FakeSaleor) -> None:
    def channel(number: int, slug: str, currency: str) -> dict[str, Any]:
        return {"id": str(number), "slug": slug, "currencyCode": currency, "isActive": True}

    saleor.answers["channels"] = {
        "channels": [channel(1, "default-channel", "EUR"), channel(2, "usa", "USD")]
    }


def test_voucher_is_made_for_one_use_with_our_id(
    installed: Instance, saleor: FakeSaleor, channels: None
) -> None:
    made = SaleorCoupons().create("SPRING-1", spec(minimum=Decimal("50.00")))
    assert made.fate is Fate.ACCEPTED
    (voucher,) = saleor.vouchers.values()
    assert voucher["addCodes"] == ["SPRING-1"]
    assert (voucher["name"], voucher["usageLimit"], voucher["singleUse"]) == (
        "triggers:run:7", 1, True,
    )  # fmt: skip
    assert voucher["listings"] == [
        {"channelId": "1", "discountValue": "10", "minAmountSpent": "50.00"}
    ]
    assert SaleorCoupons().find("SPRING-1") == "run:7"
    assert SaleorCoupons().find("SPRING-2") is None


def test_voucher_whose_answer_was_lost_is_found_again_and_completed(
    installed: Instance, saleor: FakeSaleor, channels: None
) -> None:
    saleor.cut = 1
    assert SaleorCoupons().create("SPRING-1", spec()).fate is Fate.AMBIGUOUS
    again = SaleorCoupons().create("SPRING-1", spec())
    assert (again.exists, SaleorCoupons().find("SPRING-1")) == (True, "run:7")
    (voucher,) = saleor.vouchers.values()
    assert len(voucher["listings"]) == 1


def test_voucher_of_somebody_else_is_not_touched(
    installed: Instance, saleor: FakeSaleor, channels: None
) -> None:
    saleor.vouchers["x"] = {"addCodes": ["SPRING-1"], "name": "Black Friday"}
    assert SaleorCoupons().create("SPRING-1", spec()).exists
    assert SaleorCoupons().find("SPRING-1") == ""
    assert "listings" not in saleor.vouchers["x"]


def test_voucher_in_a_currency_that_no_channel_has_is_refused(
    installed: Instance, channels: None
) -> None:
    made = SaleorCoupons().create("A", spec(discount="amount", value=Decimal(5), currency="PLN"))
    assert made.fate is Fate.REFUSED
    assert "no active channel" in made.detail


def test_voucher_while_saleor_is_busy_never_left(installed: Instance, saleor: FakeSaleor) -> None:
    saleor.faults = [(429, {"Retry-After": "40"})]
    made = SaleorCoupons().create("A", spec())
    assert (made.fate, made.retry_after) == (Fate.NEVER_LEFT, 40.0)


# Reconciliation ---------------------------------------------------------------------------------


def test_what_saleor_could_not_deliver_is_taken_in_once(
    installed: Instance, saleor: FakeSaleor
) -> None:
    bodies = [capture(name).body.decode() for name in all_captures()]
    failed = [{"node": {"id": str(n), "payload": one}} for n, one in enumerate(bodies)]
    saleor.answers = {
        "webhooks {": {"app": {"webhooks": [{"id": "W1"}]}},
        "eventDeliveries": {"webhook": {"eventDeliveries": {"edges": failed, "pageInfo": {}}}},
    }
    known = configuration().instance(installed.api_url)
    assert known is not None
    first = reconcile(installed, known)
    assert (first.failed, first.too_old, first.recorded + first.ignored) == (0, 0, len(bodies))
    told = Event.objects.count()
    assert told == 9
    again = reconcile(installed, known)
    assert (again.recorded, again.ignored) == (0, len(bodies))
    assert Event.objects.count() == told


# Saleor's own SDK -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_sdks_installation_works_with_our_store(saleor: FakeSaleor) -> None:
    saleor.answers, saleor.jwks = {"app { id }": {"app": {"id": "QXBwOjE="}}}, jwks()
    domain = saleor.api_url.split("/")[2]

    async def story() -> Any:
        store = sdk.TriggersConfigProvider()
        await install_app(
            config_provider=store,
            jwks_provider=sdk.TriggersJWKSProvider(),
            saleor_client=sdk.TriggersSaleorClient(domain),
            saleor_domain=domain,
            saleor_url=saleor.api_url,
            saleor_auth_token="lab-token",
        )
        return await store.get_by_saleor_domain(domain)

    found = asyncio.run(story())
    assert (found.auth_token, found.saleor_app_id) == ("lab-token", "QXBwOjE=")


@pytest.mark.django_db(transaction=True)
def test_sdks_hole_is_closed(saleor: FakeSaleor) -> None:
    """Theirs returns None for a key that nobody knows; None reads as "fine"."""
    saleor.jwks = {"keys": []}
    Instance.objects.create(
        api_url=saleor.api_url, domain="x", app_id="y", token="z", installed_at=time.now()
    )
    genuine = capture("001")

    async def check(keys: dict[str, Any], body: bytes) -> None:
        provider = sdk.TriggersJWKSProvider()
        await provider.set(saleor.api_url, json.dumps(keys))
        await sdk.verify_webhook_signature(body, genuine.signature, saleor.api_url, provider)

    asyncio.run(check(jwks(), genuine.body))  # the genuine one returns
    saleor.jwks = jwks()
    with pytest.raises(Unauthorized):
        asyncio.run(check(jwks(), genuine.body + b" "))
    with pytest.raises(Unauthorized):
        asyncio.run(sdk.TriggersJWKSProvider().get("https://evil.example/graphql/"))
    with pytest.raises(InvalidSaleorDomain):
        sdk.TriggersSaleorClient("evil.example")


def test_manifest_is_one_for_the_sdk(saleor: FakeSaleor) -> None:
    assert sdk.sdk_manifest().id == "wagtail-triggers"
