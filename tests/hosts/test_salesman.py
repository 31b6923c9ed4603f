"""A real Salesman shop beside Wagtail, seen from outside: visits in, events out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosts.outside import printed
from wagtail_triggers.integrations.salesman.checks import check_settings

pytestmark = pytest.mark.timeout(240)

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    """What `visits` printed."""
    pytest.importorskip("salesman", reason="needs django-salesman-plus")
    return printed("salesman_shop/visits.py", "tests.hosts.salesman_shop.settings")


@pytest.fixture
def visits(shop: dict[str, Any]) -> dict[str, Events]:
    found: dict[str, Events] = shop["visits"]
    return found


def names(events: Events) -> list[str]:
    return [one["name"] for one in events]


def test_account_that_a_visitor_opened_is_a_registration(visits: dict[str, Events]) -> None:
    assert names(visits["registers"]) == ["user_registered", "user_updated"]
    registered, signed_in = visits["registers"]
    assert registered["who"] == signed_in["who"]
    assert visits["made_by_staff_or_a_command"] == []


def test_guests_basket_is_told_with_each_change(visits: dict[str, Events]) -> None:
    events = visits["guest_fills_a_basket"]
    assert [
        [(one["sku"], one["quantity"]) for one in event["payload"]["lines"]] for event in events
    ] == [[("A", 2)], [("A", 2), ("B", 1)], [("A", 2), ("B", 3)], [("A", 2)]]
    assert events[0]["payload"]["lines"] == [
        {
            "sku": "A", "name": "Assam", "quantity": 2,
            "unit_price": {"amount": "9.50", "currency": "EUR"},
            "url": "https://teas.example/teas/A/", "image_url": "", "category": "Teas",
        }
    ]  # fmt: skip
    assert len({event["who"]["cookie_id"] for event in events}) == 1


def test_basket_that_was_emptied_has_no_lines(visits: dict[str, Events]) -> None:
    assert [len(event["payload"]["lines"]) for event in visits["guest_empties_a_basket"]] == [1, 0]


def test_basket_that_vanishes_at_checkout_is_an_order_and_no_emptied_cart(
    visits: dict[str, Events],
) -> None:
    cart, checkout, order = visits["guest_buys"]
    assert names(visits["guest_buys"]) == ["cart_updated", "checkout_started", "order_placed"]
    assert order["payload"]["cart_id"] == checkout["payload"]["cart_id"] == cart["key"]
    assert [(line["sku"], line["quantity"]) for line in order["payload"]["lines"]] == [("A", 2)]
    assert order["payload"]["total"] == {"amount": "19.00", "currency": "EUR"}
    assert order["who"]["email"] == "gwen@example.org"
    assert names(visits["customer_buys"]) == [
        "user_registered", "user_updated", "cart_updated", "checkout_started", "order_placed",
    ]  # fmt: skip


def test_status_counts_once_however_often_the_order_is_saved(visits: dict[str, Events]) -> None:
    assert names(visits["order_goes_its_way"]) == [
        "order_paid", "order_shipped", "order_delivered",
    ]  # fmt: skip
    assert names(visits["order_is_cancelled"]) == ["order_cancelled"]


def test_basket_that_is_merged_at_sign_in_moves_to_its_owner(visits: dict[str, Events]) -> None:
    carts = [one for one in visits["guest_signs_in_with_a_basket"] if one["name"] == "cart_updated"]
    moved, emptied = carts[-2:]
    assert [line["sku"] for line in moved["payload"]["lines"]] == ["B", "A"]
    assert (moved["who"]["user_id"], emptied["who"]["user_id"]) == ("5", "5")
    assert (emptied["payload"]["lines"], emptied["key"] != moved["key"]) == ([], True)


def test_shop_answers_for_baskets_orders_and_products(shop: dict[str, Any]) -> None:
    asked = shop["asked"]
    assert set(asked["carts"]) == {"open"}
    assert asked["unknown"] == []
    assert asked["orders"] == ["cancelled", "delivered"]
    assert asked["products"] == {
        "A": [True, {"amount": "9.50", "currency": "EUR"}],
        "B": [False, {"amount": "28.00", "currency": "EUR"}],
    }


def test_salesman_tells_the_script_as_every_adapter_must(shop: dict[str, Any]) -> None:
    different, untold = shop["conformance"]
    assert different == []
    assert untold == [
        "view_product", "search", "check_out", "guest_checks_out", "review", "wish", "restock",
        "drop_price",
    ]  # fmt: skip


def test_no_mapping_failed(shop: dict[str, Any]) -> None:
    assert shop["asked"]["faults"] == []


def test_queries_for_a_basket_are_the_same_for_one_item_and_for_twenty(
    shop: dict[str, Any],
) -> None:
    assert shop["queries"]["1"] == shop["queries"]["20"] <= 3


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"CURRENCY": "EUR"}, True),
        ({}, False),
        ({"CURRENCY": "euro"}, False),
        ({"CURRENCY": "EUR", "STATUSES": {"PACKED": "order_sent"}}, False),
        ({"CURRENCY": "EUR", "PRODUCT": "no.such.function"}, False),
        ({"CURRENCY": "EUR", "ORDER_URL": "/{number}/"}, False),
        ({"CURRENCY": "EUR", "CARTS": "/"}, False),
    ],
)
def test_check_names_what_is_wrong(settings: Any, change: dict[str, Any], right: bool) -> None:
    settings.WAGTAIL_TRIGGERS_SALESMAN = change
    assert [one.id for one in check_settings()] == (
        [] if right else ["wagtail_triggers_salesman.E001"]
    )
