# ruff: noqa: E402 - models can be imported only once Django is set up
"""Visits to the example shop, run in a process of their own: it has other settings than the tests.

Prints one JSON object: for each visit, the events that it left in the outbox, and what the demo
clock showed. Events are stored, never routed: no worker runs here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_site.settings")

import django
from django.conf import settings

settings.WAGTAIL_TRIGGERS_NUDGE = "off"
settings.LOGGING_CONFIG = None
settings.SESSION_COOKIE_SECURE = False
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from salesman.basket.models import Basket
from salesman.orders.models import Order
from wagtail.models import Site

from example_site.demo.models import ClockOffset
from example_site.shop.carts import return_path
from example_site.shop.models import CategoryPage, HomePage, Page, ProductPage
from wagtail_triggers.core import clock
from wagtail_triggers.core.shop import get_shop
from wagtail_triggers.events.models import Event

ADDRESS = {
    "email": "guest@example.org",
    "first_name": "Gwen",
    "last_name": "Byrne",
    "street": "1 Pier Road",
    "postcode": "P17",
    "town": "Ballyquay",
    "country": "Ireland",
}
ACCOUNT = {"first_name": "Ada", "email": "Ada@example.org", "password": "three-minutes-sharp"}


def build() -> None:
    """Make a shop of one shelf with two articles."""
    call_command("migrate", verbosity=0, skip_checks=True)
    home = Page.get_first_root_node().add_child(
        instance=HomePage(title="Shop", slug="shop", heading="Shop", lead="-")
    )
    Site.objects.update(root_page=home.pk, hostname="testserver", port=80)
    shelf = home.add_child(instance=CategoryPage(title="Teas", slug="teas", lead="-"))
    for code, title, price in (("A", "Assam", "9.50"), ("B", "Bowl", "28.00")):
        shelf.add_child(
            instance=ProductPage(
                title=title,
                slug=title.lower(),
                code=code,
                price=Decimal(price),
                summary="-",
                description="-",
            )
        )


def add(client: Client, code: str, quantity: int = 1) -> None:
    product = ProductPage.objects.get(code=code)
    client.post(f"/cart/add/{product.pk}/", {"quantity": quantity})


def change(client: Client, code: str, quantity: int) -> None:
    ref = f"shopproductpage-{ProductPage.objects.get(code=code).pk}"
    client.post(f"/cart/change/{ref}/", {"quantity": quantity})


def order(client: Client, **fields: str) -> Order:
    client.post("/checkout/", {**ADDRESS, **fields})
    client.post("/checkout/payment/", {"payment_method": "invoice"})
    placed: Order = Order.objects.latest("pk")
    return placed


def guest_orders() -> None:
    client = Client()
    add(client, "A", 2)
    order(client)


def guest_orders_twice_at_once() -> None:
    client = Client()
    add(client, "A")
    order(client)
    client.post("/checkout/payment/", {"payment_method": "invoice"})


def guest_empties_the_cart() -> None:
    client = Client()
    add(client, "A")
    change(client, "A", 3)
    change(client, "A", 0)


def guest_pays_by_card() -> None:
    client = Client()
    add(client, "B")
    client.post("/checkout/", ADDRESS)
    client.post("/checkout/payment/", {"payment_method": "card"})


def guest_takes_the_cart_along_at_sign_up() -> None:
    client = Client()
    add(client, "A")
    client.post("/account/register/", {**ACCOUNT, "newsletter": "on"})
    client.get("/cart/")


def customer_looks_and_orders() -> None:
    client = Client()
    client.force_login(User.objects.get(username="ada@example.org"))
    client.get("/teas/bowl/")
    add(client, "B")
    order(client, email="ada@example.org")


def staff_ships_and_saves_again() -> None:
    client = Client()
    add(client, "A")
    placed = order(client)
    placed.status = "PROCESSING"
    placed.save()
    placed.status = "SHIPPED"
    placed.save()
    placed.save()


def guest_cancels() -> None:
    client = Client()
    add(client, "A")
    placed = order(client)
    client.post(f"/order/{placed.ref}/cancel/?token={placed.token}")


def stranger_tries_to_cancel() -> None:
    client = Client()
    add(client, "A")
    placed = order(client)
    Client().post(f"/order/{placed.ref}/cancel/?token=guessed")


def guest_comes_back_by_the_link_on_another_device() -> None:
    client = Client()
    add(client, "A")
    other = Client()
    other.get(return_path(Basket.objects.latest("pk")))
    change(other, "A", 2)


VISITS: tuple[Callable[[], None], ...] = (
    guest_orders,
    guest_orders_twice_at_once,
    guest_empties_the_cart,
    guest_pays_by_card,
    guest_takes_the_cart_along_at_sign_up,
    customer_looks_and_orders,
    staff_ships_and_saves_again,
    guest_cancels,
    stranger_tries_to_cancel,
    guest_comes_back_by_the_link_on_another_device,
)


def events_of(visit: Callable[[], None]) -> list[dict[str, Any]]:
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    visit()
    rows = Event.objects.filter(pk__gt=last).order_by("pk")
    return [
        {"name": row.name, "who": row.who, "refs": row.refs, "payload": row.payload} for row in rows
    ]


def clock_after_two_skips() -> list[float]:
    """Seconds by which the demo clock is ahead: read, as SQL, and as events are stamped."""
    ClockOffset.skip(timedelta(hours=1))
    client = Client(HTTP_REFERER="http://testserver/")
    client.post("/demo/skip/", {"by": "day", "next": "/"})
    add(client, "A")
    real = datetime.now(UTC)
    stamp = Event.objects.latest("pk").occurred_at
    moments = (clock.now(), clock.expression().value, stamp)
    return [(moment - real).total_seconds() for moment in moments]


def truth() -> dict[str, Any]:
    """What the adapter answers before and after a cart is bought and an article withdrawn."""
    adapter = get_shop()
    assert adapter is not None
    client = Client()
    add(client, "A", 2)
    cart = str(Basket.objects.latest("pk").pk)

    def answers() -> dict[str, Any]:
        carts = adapter.carts([cart, "no number"], timeout=2.0) or {}
        products = adapter.products(["A", "B", "Z"], timeout=2.0) or {}
        return {
            "cart": carts[cart].status if cart in carts else "gone",
            "lines": (carts[cart].payload or {}).get("lines") if cart in carts else [],
            "products": {sku: [one.available, one.price] for sku, one in products.items()},
        }

    before = answers()
    ProductPage.objects.filter(code="B").update(live=False)
    ProductPage.objects.filter(code="A").update(price=Decimal("11.00"))
    changed = answers()
    placed = order(client)
    Order.objects.filter(pk=placed.pk).update(status="CANCELLED")
    orders = adapter.orders([str(placed.pk)], timeout=2.0) or {}
    return {"before": before, "changed": changed, "after": answers(),
            "order": orders[str(placed.pk)].status}  # fmt: skip


if __name__ == "__main__":
    build()
    visits = {visit.__name__: events_of(visit) for visit in VISITS}
    print(json.dumps({"visits": visits, "truth": truth(), "clock": clock_after_two_skips()}))
