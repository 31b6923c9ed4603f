"""Products that blocks show are looked up for a whole batch, when its messages are rendered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from wagtail.models import Site

from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.api import Who
from wagtail_triggers.core import memory_shop
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.shop import ProductNow
from wagtail_triggers.events.models import Order
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, TemplateVersion
from wagtail_triggers.messages.picked import of_messages
from wagtail_triggers.recommend.base import Product, Wanted
from wagtail_triggers.recommend.catalogue import look_up
from wagtail_triggers.recommend.kinds import memory, popular
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

PICKED = (
    "products",
    {"source": "picked", "columns": "2", "limit": 4, "price": True, "button": "", "fallback": "",
     "products": [{"sku": "A1", "name": "", "url": "", "image": None},
                  {"sku": "B2", "name": "Our bowl", "url": "/b2/", "image": None}]},
)  # fmt: skip
RECOMMENDED = (
    "recommendations",
    {"recommender": "memory", "columns": "2", "limit": 2, "price": True, "button": "",
     "fallback": "Come and see"},
)  # fmt: skip
NOW = ProductNow(
    price={"amount": "9.00", "currency": "EUR"}, name="Teapot", url="https://s.example/a"
)


@pytest.fixture(autouse=True)
def shop(settings: Any) -> Iterator[None]:
    settings.WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "wagtail_triggers.core.memory_shop.MemoryShop"}
    settings.WAGTAIL_TRIGGERS_BASE_URL = "https://shop.example"
    for one in (memory_shop.clear, memory.clear, popular.forget):
        one()
    yield
    for one in (memory_shop.clear, memory.clear, popular.forget):
        one()


def ordered(*blocks: Any, people: int = 1) -> None:
    """Publish a letter on orders, and let people order."""
    key = template("Thank you", list(blocks))
    journey(
        "Thanks", [{"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": key}]
    )
    for number in range(people):
        who = Who(user_id=number + 1, email=f"p{number}@example.com", first_name=f"P{number}")
        order(str(number), line("Gong Fu teapot"), who=who)
    run_until_idle()


def test_picked_products_are_as_the_shop_has_them_when_the_mail_leaves(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    memory_shop.products["A1"] = NOW
    memory_shop.products["B2"] = ProductNow(name="Bowl")
    ordered(PICKED)
    (sent,) = outbox
    assert (
        "- Teapot (€9.00): https://s.example/a\n- Our bowl: https://shop.example/b2/" in sent.text
    )
    assert ">Teapot</a>" in sent.html


def test_picked_product_that_is_sold_out_is_not_shown(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    memory_shop.products["A1"] = NOW
    memory_shop.products["B2"] = ProductNow(available=False)
    ordered(PICKED)
    assert "Our bowl" not in outbox[0].text
    assert "Teapot" in outbox[0].text


def test_picked_products_are_as_they_were_typed_where_the_shop_is_silent() -> None:
    memory_shop.fail(RuntimeError("down"))
    found = look_up([Product("A1", ""), Product("B2", "Our bowl")])
    assert [one.name for one in found] == ["Our bowl"]


def test_recommendations_leave_out_what_was_ordered_and_are_kept_with_the_message(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    memory.products[:] = [
        Product("gong-fu-teapot", "Gong Fu teapot"), Product("X", "Tea caddy"), Product("Y", "Cup"),
    ]  # fmt: skip
    ordered(RECOMMENDED)
    assert "- Tea caddy\n- Cup" in outbox[0].text
    message = Message.objects.get()
    assert [one["sku"] for one in message.context["wt_picked"]["p1"]] == ["X", "Y"]


def test_nothing_to_recommend_shows_the_fallback(
    clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(popular, "best_sellers", lambda site, moment: ())
    ordered(RECOMMENDED)
    assert "Come and see" in outbox[0].text


def test_batch_of_any_size_asks_once_and_takes_the_same_queries(
    clock: FrozenClock, outbox: list[Outgoing], django_assert_num_queries: Any
) -> None:
    memory.products[:] = [Product("X", "Tea caddy"), Product("Y", "Cup")]
    ordered(RECOMMENDED, PICKED, people=3)
    messages = list(Message.objects.select_related("template_version"))
    for batch in (messages[:1], messages):
        memory.questions.clear()
        memory_shop.questions.clear()
        with django_assert_num_queries(1):
            found = of_messages(batch)
        assert set(found) == {one.pk for one in batch}
        assert len(memory.questions) == 1
        assert len(memory_shop.questions) == 1


def test_template_that_needs_nothing_costs_no_query(
    clock: FrozenClock, outbox: list[Outgoing], django_assert_num_queries: Any
) -> None:
    ordered(("text", "<p>wt_picked</p>"))
    assert TemplateVersion.objects.get().data == {}
    messages = list(Message.objects.select_related("template_version"))
    with django_assert_num_queries(0):
        assert of_messages(messages) == {}


def test_best_sellers_are_those_of_the_last_month_counted_once(
    clock: FrozenClock, django_assert_num_queries: Any
) -> None:
    site = Site.objects.get()
    memory_shop.products.update(
        {sku: ProductNow(name=sku) for sku in ("gong-fu-teapot", "caddy", "old")}
    )
    order("1", line("Gong Fu teapot", 2), who=ADA)
    order("2", line("Caddy", 5), line("Gone", 9), who=ADA)
    order("3", line("Old", 50), who=ADA)
    run_until_idle()
    Order.objects.filter(order_id="3").update(placed_at=clock.moment - popular.WINDOW)
    wanted = [Wanted(key, site.pk, None, "en", clock.moment) for key in (1, 2)]
    with django_assert_num_queries(1):
        found = popular.Popular().recommend(wanted)
    assert [one.sku for one in found[1]] == ["caddy", "gong-fu-teapot"]
    with django_assert_num_queries(0):
        assert popular.Popular().recommend(wanted) == found
