# ruff: noqa: E402 - models can be imported only once Django is set up
"""Visits to a real django-oscar shop, through its own views; prints what they left as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.hosts.oscar_shop.settings")

import django
import oscar

django.setup()

from django.conf import settings

settings.LOGGING_CONFIG = None

from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site as DjangoSite
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_model
from oscar.test import factories
from wagtail.models import Locale, Page, Site

from wagtail_triggers.core import clock
from wagtail_triggers.core.coupons import CouponSpec, get_provider
from wagtail_triggers.core.shop import get_shop
from wagtail_triggers.events.models import Event
from wagtail_triggers.testing_shops import ShopDriver, play

Basket, Line = get_model("basket", "Basket"), get_model("basket", "Line")
Order, StockRecord = get_model("order", "Order"), get_model("partner", "StockRecord")
User = get_user_model()
#: A browser that a person uses.
BROWSER = {"User-Agent": "Mozilla/5.0 Firefox/141.0", "Accept": "text/html,*/*"}
ADDRESS = {
    "first_name": "Gwen", "last_name": "Byrne", "line1": "1 Pier Road", "line4": "Ballyquay",
    "postcode": "D02 X285", "country": "IE",
}  # fmt: skip


def build() -> None:
    """Make tables, a site, and a shop of one shelf with two articles."""
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    DjangoSite.objects.get_or_create(pk=1, defaults={"domain": "oscar.example", "name": "Oscar"})
    Locale.objects.get_or_create(language_code="en-gb")
    root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
    home = root.add_child(title="Home", slug="home")
    Site.objects.create(hostname="testserver", root_page=home, is_default_site=True)
    factories.CountryFactory(
        iso_3166_1_a2="IE", name="Ireland", printable_name="Ireland", is_shipping_country=True
    )
    # Oscar wants a picture for what has none.
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(oscar.__file__).parent / "static/oscar/img/image_not_found.jpg"
    (folder / "image_not_found.jpg").write_bytes(source.read_bytes())
    kind = factories.ProductClassFactory(name="Tea", requires_shipping=True, track_stock=True)
    shelf = factories.CategoryFactory(name="Teas")
    for sku, title, price in (("A", "Assam", "9.50"), ("B", "Bowl", "28.00")):
        product = factories.ProductFactory(
            title=title, upc=None, product_class=kind, stockrecords=[], categories=[]
        )
        product.categories.add(shelf)
        factories.StockRecordFactory(
            product=product, partner_sku=sku, price=D(price), num_in_stock=50, price_currency="EUR"
        )


def visitor() -> Client:
    return Client(headers=BROWSER)


def product(sku: str) -> Any:
    return StockRecord.objects.get(partner_sku=sku).product


def add(client: Client, sku: str, quantity: int = 1) -> Any:
    one = product(sku)
    return client.post(f"/basket/add/{one.pk}/", {"action": "add", "quantity": quantity})


def register(client: Client, email: str) -> None:
    answer = client.post(
        "/accounts/login/",
        {
            "registration-email": email,
            "registration-password1": "three-minutes-sharp",
            "registration-password2": "three-minutes-sharp",
            "registration_submit": "Register",
        },
    )
    assert answer.status_code == 302, answer.content.decode()[:3000]


def sign_in(client: Client, email: str) -> None:
    answer = client.post(
        "/accounts/login/",
        {
            "login-username": email,
            "login-password": "three-minutes-sharp",
            "login_submit": "Log In",
        },
    )
    assert answer.status_code == 302


def check_out(client: Client, *, email: str = "") -> Any:
    """Walk the checkout to its end, through every view of it; the order that was placed."""
    if email:
        client.post("/checkout/", {"username": email, "options": "anonymous"})
    else:
        client.get("/checkout/")
    return finish(client)


def finish(client: Client) -> Any:
    """The rest of a checkout that was entered; the order that was placed."""
    client.post("/checkout/shipping-address/", {**ADDRESS, "action": "ship_to"})
    client.get("/checkout/shipping-method/")
    client.get("/checkout/payment-method/")
    client.get("/checkout/payment-details/")
    answer = client.post("/checkout/preview/", {"action": "place_order"})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    assert "thank-you" in answer.headers["Location"]
    return Order.objects.order_by("pk").last()


# The visits -------------------------------------------------------------------------------------


def registers() -> None:
    register(visitor(), "ada@example.org")


def looks_and_searches() -> None:
    client = visitor()
    client.get("/")
    client.get(product("A").get_absolute_url())
    client.get("/search/?q=assam")


def robot_looks() -> None:
    client = Client(HTTP_USER_AGENT="Googlebot/2.1", HTTP_ACCEPT="text/html")
    client.get(product("A").get_absolute_url())


def guest_fills_a_basket() -> None:
    client = visitor()
    client.get("/")
    add(client, "A", 2)
    add(client, "B")
    basket = Basket.objects.order_by("pk").last()
    one = basket.lines.get(product=product("A"))
    form = {
        "form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "form-MAX_NUM_FORMS": 1000,
        "form-0-id": one.pk, "form-0-quantity": 3,
        "form-1-id": basket.lines.get(product=product("B")).pk, "form-1-quantity": 0,
    }  # fmt: skip
    answer = client.post("/basket/", form)
    assert answer.status_code == 302, answer.content.decode()[:3000]


def guest_buys() -> None:
    client = visitor()
    client.get("/")
    add(client, "A", 2)
    check_out(client, email="gwen@example.org")


def customer_buys() -> None:
    client = visitor()
    client.get("/")
    register(client, "ben@example.org")
    add(client, "B")
    check_out(client)


def order_goes_its_way() -> None:
    order = Order.objects.filter(user__email="ben@example.org").first()
    order.set_status("Sent")
    order.set_status("Complete")
    kind = get_model("order", "PaymentEventType").objects.create(name="Settled")
    order.payment_events.create(event_type=kind, amount=order.total_incl_tax)
    refund = get_model("order", "PaymentEventType").objects.create(name="Refunded")
    order.payment_events.create(event_type=refund, amount=D("5.00"))
    shipped = get_model("order", "ShippingEventType").objects.create(name="Shipped")
    order.shipping_events.create(event_type=shipped)


def order_is_cancelled() -> None:
    Order.objects.filter(guest_email="gwen@example.org").first().set_status("Cancelled")


def guest_signs_in_with_a_basket() -> None:
    register(visitor(), "cleo@example.org")
    owner = visitor()
    sign_in(owner, "cleo@example.org")
    add(owner, "B")
    guest = visitor()
    guest.get("/")
    add(guest, "A")
    sign_in(guest, "cleo@example.org")
    guest.get("/basket/")


def basket_is_flushed() -> None:
    client = visitor()
    client.get("/")
    add(client, "A")
    add(client, "B")
    Basket.objects.order_by("pk").last().flush()


def review_and_wish_list() -> None:
    client = visitor()
    client.get("/")
    register(client, "dora@example.org")
    one = product("A")
    url = f"/catalogue/{one.slug}_{one.pk}/reviews/add/"
    answer = client.post(url, {"title": "Lovely", "score": 5, "body": "Warm and malty."})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    answer = client.post(f"/accounts/wishlists/add/{one.pk}/")
    assert answer.status_code == 302, answer.content.decode()[:3000]


def stock_and_price() -> None:
    record = StockRecord.objects.get(partner_sku="B")
    record.num_in_stock, record.num_allocated = 0, 0
    record.save()
    record.num_in_stock = 7
    record.save()
    record.price = D("25.00")
    record.save()
    record.price = D("26.00")
    record.save()


def staff_touch_a_guests_basket() -> None:
    """Somebody at the till changes a basket that is not theirs: nobody is behind that."""
    basket = Basket.objects.filter(owner=None).order_by("pk").first()
    line = Line.objects.filter(basket=basket).first()
    if line is not None:
        line.quantity += 1
        line.save()


VISITS: tuple[Callable[[], None], ...] = (
    registers, looks_and_searches, robot_looks, guest_fills_a_basket, guest_buys, customer_buys,
    order_goes_its_way, order_is_cancelled, guest_signs_in_with_a_basket, basket_is_flushed,
    review_and_wish_list, stock_and_price, staff_touch_a_guests_basket,
)  # fmt: skip


def left_behind(visit: Callable[[], None]) -> list[dict[str, Any]]:
    """The events that a visit left, in order."""
    before = set(Event.objects.values_list("pk", flat=True))
    visit()
    return [
        {"name": one.name, "who": one.who, "key": one.key, "payload": one.payload}
        for one in Event.objects.exclude(pk__in=before).order_by("pk")
    ]


def asked() -> dict[str, Any]:
    """What the adapter answers when it is asked."""
    shop = get_shop()
    assert shop is not None
    baskets = {one.status: str(one.pk) for one in Basket.objects.order_by("pk")}
    carts = shop.carts([*baskets.values(), "999999", "x"], timeout=2) or {}
    orders = shop.orders([str(one.pk) for one in Order.objects.all()], timeout=2) or {}
    products = shop.products(["A", "B", "nothing"], timeout=2) or {}
    return {
        "carts": {state: carts[pk].status for state, pk in baskets.items()},
        "unknown": sorted(set(carts) - set(baskets.values())),
        "orders": sorted(one.status for one in orders.values()),
        "products": {sku: [one.available, one.price] for sku, one in products.items()},
        "faults": list(get_model_of_faults()),
    }


def get_model_of_faults() -> Any:
    from wagtail_triggers.events.models import MappingFault

    return MappingFault.objects.values_list("mapping", "error")


def coupons() -> dict[str, Any]:
    """Vouchers of three worths, and one that a customer spends."""
    provider = get_provider()

    def spec(owner: str, **more: Any) -> CouponSpec:
        known: dict[str, Any] = {
            "discount": "percent", "value": D(10), "currency": "EUR", "minimum": D(20),
            "expires_at": clock.now() + timedelta(days=7), "owner": owner,
        }  # fmt: skip
        return CouponSpec(**{**known, **more})

    first = provider.create("spring-1", spec("run:1"))
    again = provider.create("spring-1", spec("run:1"))
    provider.create("SPRING-2", spec("run:2"))
    provider.create("SPRING-3", spec("run:3", discount="amount", value=D(5), minimum=None))
    provider.create("SPRING-4", spec("run:4", discount="free_shipping", value=None, minimum=None))
    client = visitor()
    client.get("/")
    register(client, "eve@example.org")
    add(client, "A")
    poor = client.post("/basket/vouchers/add/", {"code": "SPRING-1"}, follow=True).content.decode()
    add(client, "B")
    client.post("/basket/vouchers/add/", {"code": "SPRING-1"})
    order = check_out(client)
    other = visitor()
    other.get("/")
    add(other, "B")
    used = other.post("/basket/vouchers/add/", {"code": "SPRING-1"}, follow=True).content.decode()
    return {
        "made": [first.fate, first.exists],
        "again": [again.fate, again.exists],
        "find": [provider.find("spring-1"), provider.find("SPRING-9")],
        "offers": get_model("offer", "ConditionalOffer").objects.count(),
        "too small a basket": "does not qualify" in poor or "not available for this basket" in poor,
        "total": str(order.total_incl_tax),
        "discount": str(order.total_discount_incl_tax),
        "used twice": "already been used" not in used,
    }


def queries() -> dict[str, int]:
    """How many statements an event about a basket of one line and of twenty takes."""
    from wagtail_triggers.integrations.oscar.payloads import cart_payload

    found = {}
    for size in (1, 20):
        basket = factories.BasketFactory()
        for number in range(size):
            one = factories.ProductFactory(
                stockrecords=[], product_class=product("A").product_class
            )
            record = factories.StockRecordFactory(product=one, partner_sku=f"{size}-{number}")
            Line.objects.create(
                basket=basket, product=one, stockrecord=record, line_reference=f"{number}",
                price_currency="EUR", price_excl_tax=D(1),
            )  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as seen:
            cart_payload(basket)
        found[str(size)] = len(seen)
    return found


class OscarDriver(ShopDriver):
    """The day of the conformance script, in this shop."""

    def __init__(self) -> None:
        self.ada, self.gwen = visitor(), visitor()
        self.ada.get("/")
        self.gwen.get("/")

    def recorded(self) -> list[dict[str, Any]]:
        rows = Event.objects.order_by("pk").values("name", "who", "key", "payload")
        return [dict(one) for one in rows]

    def register(self) -> None:
        register(self.ada, "ada@example.org")

    def view_product(self) -> None:
        self.ada.get(product("A").get_absolute_url())

    def search(self) -> None:
        self.ada.get("/search/?q=assam")

    def add_a(self) -> None:
        add(self.ada, "A", 2)

    def add_b(self) -> None:
        add(self.ada, "B")

    def change_a(self) -> None:
        self._set({"A": 3, "B": 1})

    def remove_b(self) -> None:
        self._set({"A": 3, "B": 0})

    def _set(self, wanted: dict[str, int]) -> None:
        basket = Basket.objects.get(owner__email="ada@example.org", status="Open")
        form = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "form-MAX_NUM_FORMS": 1000}
        for number, (sku, quantity) in enumerate(wanted.items()):
            form[f"form-{number}-id"] = basket.lines.get(product=product(sku)).pk
            form[f"form-{number}-quantity"] = quantity
        assert self.ada.post("/basket/", form).status_code == 302

    def check_out(self) -> None:
        self.ada.get("/checkout/")

    def order(self) -> None:
        self.mine = finish(self.ada)

    def pay(self) -> None:
        kind, _ = get_model("order", "PaymentEventType").objects.get_or_create(name="Settled")
        self.mine.payment_events.create(event_type=kind, amount=self.mine.total_incl_tax)

    def ship(self) -> None:
        self.mine.set_status("Sent")

    def deliver(self) -> None:
        self.mine.set_status("Complete")

    def refund(self) -> None:
        kind, _ = get_model("order", "PaymentEventType").objects.get_or_create(name="Refunded")
        self.mine.payment_events.create(event_type=kind, amount=D("5.00"))

    def guest_adds(self) -> None:
        add(self.gwen, "B")

    def guest_checks_out(self) -> None:
        form = {"username": "gwen@example.org", "options": "anonymous"}
        self.gwen.post("/checkout/", form)

    def guest_orders(self) -> None:
        self.theirs = finish(self.gwen)

    def cancel(self) -> None:
        self.theirs.set_status("Cancelled")

    def review(self) -> None:
        one = product("A")
        url = f"/catalogue/{one.slug}_{one.pk}/reviews/add/"
        self.ada.post(url, {"title": "Lovely", "score": 5, "body": "Warm and malty."})

    def wish(self) -> None:
        self.ada.post(f"/accounts/wishlists/add/{product('A').pk}/")

    def restock(self) -> None:
        record = StockRecord.objects.get(partner_sku="B")
        record.num_in_stock, record.num_allocated = 0, 0
        record.save()
        record.num_in_stock = 7
        record.save()

    def drop_price(self) -> None:
        record = StockRecord.objects.get(partner_sku="B")
        record.price = D("25.00")
        record.save()


def conformance() -> tuple[list[str], list[str]]:
    """The script of `testing_shops`, in a transaction that is taken back."""
    with transaction.atomic():
        found = play(OscarDriver())
        transaction.set_rollback(True)
    return found


def main() -> None:
    """Make the visits and print what they left."""
    build()
    conforms = conformance()
    visits = {visit.__name__: left_behind(visit) for visit in VISITS}
    print(
        json.dumps(
            {
                "conformance": conforms,
                "visits": visits,
                "asked": asked(),
                "coupons": coupons(),
                "queries": queries(),
            },
            default=str,
        )
    )


if __name__ == "__main__":
    main()
