# ruff: noqa: E402 - models can be imported only once Django is set up
"""Visits to a real Salesman shop, over its own API; prints what they left as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal as D
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.hosts.salesman_shop.settings")

import django

django.setup()

from django.conf import settings

settings.LOGGING_CONFIG = None

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from salesman.basket.models import Basket
from salesman.orders.models import Order
from wagtail.models import Site

from tests.hosts.salesman_shop.goods.models import Tea
from wagtail_triggers.core.shop import get_shop
from wagtail_triggers.events.models import Event, MappingFault
from wagtail_triggers.integrations.salesman.payloads import cart_payload
from wagtail_triggers.testing_shops import NotTold, ShopDriver, play

BROWSER = {"User-Agent": "Mozilla/5.0 Firefox/141.0", "Accept": "text/html,application/json,*/*"}


def build() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    Site.objects.update(hostname="testserver")
    Tea.objects.create(code="A", name="Assam", price=D("9.50"))
    Tea.objects.create(code="B", name="Bowl", price=D("28.00"))


def visitor() -> Client:
    client = Client(headers=BROWSER)
    client.get("/")
    return client


def call(client: Client, method: str, path: str, **data: Any) -> Any:
    answer = getattr(client, method)(
        f"/api/{path}", json.dumps(data), content_type="application/json"
    )
    assert answer.status_code < 300, answer.content.decode()[:2000]
    return answer.json() if answer.content else None


def add(client: Client, code: str, quantity: int = 1) -> Any:
    product = Tea.objects.get(code=code)
    return call(
        client, "post", "basket/", product_type="goods.Tea", product_id=product.pk,
        quantity=quantity,
    )  # fmt: skip


def check_out(client: Client, email: str) -> Order:
    call(
        client, "post", "checkout/", email=email, shipping_address="1 Pier Road",
        billing_address="1 Pier Road", payment_method="invoice",
    )  # fmt: skip
    order: Order = Order.objects.latest("pk")
    return order


def registers() -> None:
    visitor().post("/register/", {"email": "ada@example.org"})


def made_by_staff_or_a_command() -> None:
    User.objects.create_user("staff@example.org", "staff@example.org", is_staff=True)
    User.objects.create_user("import@example.org", "import@example.org")


def guest_fills_a_basket() -> None:
    client = visitor()
    add(client, "A", 2)
    item = add(client, "B")
    call(client, "put", f"basket/{item['ref']}/", quantity=3)
    client.delete(f"/api/basket/{item['ref']}/")


def guest_empties_a_basket() -> None:
    client = visitor()
    add(client, "A")
    client.delete("/api/basket/")


def guest_buys() -> None:
    client = visitor()
    add(client, "A", 2)
    check_out(client, "gwen@example.org")


def customer_buys() -> None:
    client = visitor()
    client.post("/register/", {"email": "ben@example.org"})
    add(client, "B")
    check_out(client, "ben@example.org")


def order_goes_its_way() -> None:
    order = Order.objects.get(email="ben@example.org")
    order.pay(D("8.00"), "part")
    Order.objects.get(pk=order.pk).pay(D("20.00"), "rest")
    for status in ("PROCESSING", "SHIPPED", "COMPLETED"):
        order.status = status
        order.save()
        # Salesman keeps the status from before in the object, and sends it again.
        order.save()
        order.save()


def order_is_cancelled() -> None:
    order = Order.objects.get(email="gwen@example.org")
    order.status = "CANCELLED"
    order.save()
    order.save()


def guest_signs_in_with_a_basket() -> None:
    visitor().post("/register/", {"email": "cleo@example.org"})
    owner = visitor()
    owner.post("/sign-in/", {"email": "cleo@example.org"})
    add(owner, "B")
    guest = visitor()
    add(guest, "A")
    guest.post("/sign-in/", {"email": "cleo@example.org"})
    guest.get("/api/basket/")


VISITS: tuple[Callable[[], None], ...] = (
    registers, made_by_staff_or_a_command, guest_fills_a_basket, guest_empties_a_basket,
    guest_buys, customer_buys, order_goes_its_way, order_is_cancelled,
    guest_signs_in_with_a_basket,
)  # fmt: skip


def left_behind(visit: Callable[[], None]) -> list[dict[str, Any]]:
    before = set(Event.objects.values_list("pk", flat=True))
    visit()
    return [
        {"name": one.name, "who": one.who, "key": one.key, "payload": one.payload}
        for one in Event.objects.exclude(pk__in=before).order_by("pk")
    ]


def asked() -> dict[str, Any]:
    shop = get_shop()
    assert shop is not None
    baskets = [str(one.pk) for one in Basket.objects.order_by("pk")]
    carts = shop.carts([*baskets, "999999", "x"], timeout=2) or {}
    orders = shop.orders([str(one.pk) for one in Order.objects.all()], timeout=2) or {}
    Tea.objects.filter(code="B").update(live=False)
    products = shop.products(["A", "B", "nothing"], timeout=2) or {}
    return {
        "carts": [carts[pk].status for pk in baskets],
        "unknown": sorted(set(carts) - set(baskets)),
        "orders": sorted(one.status for one in orders.values()),
        "products": {sku: [one.available, one.price] for sku, one in products.items()},
        "faults": list(MappingFault.objects.values_list("mapping", "error")),
    }


def queries() -> dict[str, int]:
    found = {}
    for size in (1, 20):
        basket = Basket.objects.create()
        for number in range(size):
            tea: Any = Tea.objects.create(code=f"{size}-{number}", name="Tea", price=D(1))
            basket.add(tea)
        with CaptureQueriesContext(connection) as seen:
            cart_payload(basket)
        found[str(size)] = len(seen)
    return found


class SalesmanDriver(ShopDriver):
    """The day of the conformance script, in this shop."""

    def __init__(self) -> None:
        self.ada, self.gwen = visitor(), visitor()

    def recorded(self) -> list[dict[str, Any]]:
        rows = Event.objects.order_by("pk").values("name", "who", "key", "payload")
        return [dict(one) for one in rows]

    def register(self) -> None:
        self.ada.post("/register/", {"email": "ada@example.org"})

    def add_a(self) -> None:
        self.a = add(self.ada, "A", 2)

    def add_b(self) -> None:
        self.b = add(self.ada, "B")

    def change_a(self) -> None:
        call(self.ada, "put", f"basket/{self.a['ref']}/", quantity=3)

    def remove_b(self) -> None:
        self.ada.delete(f"/api/basket/{self.b['ref']}/")

    def check_out(self) -> None:
        """Salesman's checkout is one request: the address and the order come together."""
        raise NotTold

    def order(self) -> None:
        with _without("checkout_started"):
            self.mine = check_out(self.ada, "ada@example.org")

    def pay(self) -> None:
        self.mine.pay(self.mine.total, "all")

    def ship(self) -> None:
        self._to(self.mine, "SHIPPED")

    def deliver(self) -> None:
        self._to(self.mine, "COMPLETED")

    def refund(self) -> None:
        self._to(self.mine, "REFUNDED")

    def guest_adds(self) -> None:
        add(self.gwen, "B")

    def guest_orders(self) -> None:
        with _without("checkout_started"):
            self.theirs = check_out(self.gwen, "gwen@example.org")

    def cancel(self) -> None:
        self._to(self.theirs, "CANCELLED")

    def _to(self, order: Order, status: str) -> None:
        order.status = status
        order.save()
        order.save()


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Leave out what a checkout of one request tells on its way to the order."""
    before = set(Event.objects.values_list("pk", flat=True))
    yield
    Event.objects.exclude(pk__in=before).filter(name=name).delete()


def conformance() -> tuple[list[str], list[str]]:
    """The script of `testing_shops`, in a transaction that is taken back."""
    with transaction.atomic():
        found = play(SalesmanDriver())
        transaction.set_rollback(True)
    return found


def main() -> None:
    build()
    conforms = conformance()
    visits = {visit.__name__: left_behind(visit) for visit in VISITS}
    found = {"visits": visits, "asked": asked(), "queries": queries(), "conformance": conforms}
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main()
