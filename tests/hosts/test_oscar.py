"""A real django-oscar shop beside Wagtail, seen from outside: visits in, events out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosts.outside import printed

#: One process makes the tables of two systems; a busy machine takes a minute.
pytestmark = pytest.mark.timeout(240)

Events = list[dict[str, Any]]
ASSAM = {
    "sku": "A", "name": "Assam", "quantity": 2,
    "unit_price": {"amount": "9.50", "currency": "EUR"},
    "url": "https://oscar.example/catalogue/assam_1/", "image_url": "", "category": "Teas",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    """What `visits` printed."""
    pytest.importorskip("oscar", reason="needs django-oscar")
    return printed("oscar_shop/visits.py", "tests.hosts.oscar_shop.settings")


@pytest.fixture
def visits(shop: dict[str, Any]) -> dict[str, Events]:
    found: dict[str, Events] = shop["visits"]
    return found


def names(events: Events) -> list[str]:
    """What happened; that a browser is a customer's is told once a session, and left out here."""
    return [one["name"] for one in events if one["name"] != "user_updated"]


def test_registration_is_told_with_the_browser_that_it_came_from(
    visits: dict[str, Events],
) -> None:
    event, joined = visits["registers"]
    assert (event["name"], joined["name"]) == ("user_registered", "user_updated")
    assert (event["who"]["user_id"], event["who"]["email"]) == ("1", "ada@example.org")
    assert len(event["who"]["cookie_id"]) == 32


def test_looking_and_searching_are_told_of_people_and_not_of_robots(
    visits: dict[str, Events],
) -> None:
    assert names(visits["looks_and_searches"]) == ["product_viewed", "search_performed"]
    viewed, searched = visits["looks_and_searches"]
    assert (viewed["key"], viewed["payload"]["price"]["amount"]) == ("A", "9.50")
    assert searched["payload"]["query"] == "assam"
    assert viewed["who"] == searched["who"]
    assert visits["robot_looks"] == []


def test_guests_basket_is_told_with_each_change(visits: dict[str, Events]) -> None:
    events = visits["guest_fills_a_basket"]
    assert names(events) == ["cart_updated"] * 4
    assert events[0]["payload"]["lines"] == [ASSAM]
    assert [
        [(one["sku"], one["quantity"]) for one in event["payload"]["lines"]] for event in events
    ] == [[("A", 2)], [("A", 2), ("B", 1)], [("A", 3), ("B", 1)], [("A", 3)]]
    assert len({event["who"]["cookie_id"] for event in events}) == 1


def test_guests_order_carries_address_lines_and_its_basket(visits: dict[str, Events]) -> None:
    events = visits["guest_buys"]
    assert names(events) == ["cart_updated", "checkout_started", "order_placed"]
    cart, checkout, order = events
    assert checkout["who"]["email"] == "gwen@example.org"
    assert order["who"]["cookie_id"] == cart["who"]["cookie_id"]
    assert (order["who"]["first_name"], order["who"]["email"]) == ("Gwen", "gwen@example.org")
    payload = order["payload"]
    assert payload["cart_id"] == cart["payload"]["cart_id"]
    assert payload["lines"] == [ASSAM]
    assert payload["total"] == {"amount": "19.00", "currency": "EUR"}
    assert payload["shipping_address"] == {
        "name": "Gwen Byrne", "line1": "1 Pier Road", "line2": "", "postcode": "D02 X285",
        "city": "Ballyquay", "region": "", "country": "Ireland",
    }  # fmt: skip
    assert payload["url"].startswith("https://oscar.example/accounts/order-status/")


def test_customers_order_is_theirs(visits: dict[str, Events]) -> None:
    events = visits["customer_buys"]
    assert names(events) == ["user_registered", "cart_updated", "checkout_started", "order_placed"]
    assert {event["who"]["user_id"] for event in events} == {"2"}
    assert "first_name" not in events[-1]["who"]  # the goods may go to somebody else


def test_order_is_followed_to_its_end_and_nothing_is_said_twice(
    visits: dict[str, Events],
) -> None:
    """A status and a shipping event both say that it was shipped."""
    events = visits["order_goes_its_way"]
    assert names(events) == ["order_shipped", "order_delivered", "order_paid", "order_refunded"]
    assert events[-1]["payload"]["refunded"] == {"amount": "5.00", "currency": "EUR"}
    # What staff do says nothing about a browser.
    assert all("cookie_id" not in event["who"] for event in events)
    assert names(visits["order_is_cancelled"]) == ["order_cancelled"]


def test_basket_that_is_merged_at_sign_in_moves_to_its_owner(visits: dict[str, Events]) -> None:
    events = visits["guest_signs_in_with_a_basket"]
    carts = [one for one in events if one["name"] == "cart_updated"]
    moved, emptied = carts[-2:]
    assert [line["sku"] for line in moved["payload"]["lines"]] == ["B", "A"]
    assert (moved["who"]["user_id"], emptied["who"]["user_id"]) == ("3", "3")
    assert (emptied["payload"]["lines"], emptied["key"] != moved["key"]) == ([], True)


def test_reviews_and_wish_lists_are_told(visits: dict[str, Events]) -> None:
    assert names(visits["review_and_wish_list"]) == [
        "user_registered", "review_posted", "wishlist_updated",
    ]  # fmt: skip
    review, wish = visits["review_and_wish_list"][-2:]
    assert (review["payload"]["sku"], review["payload"]["rating"]) == ("A", 5)
    assert [line["sku"] for line in wish["payload"]["lines"]] == ["A"]


def test_stock_that_came_back_and_a_price_that_fell_are_told_once(
    visits: dict[str, Events],
) -> None:
    events = visits["stock_and_price"]
    assert names(events) == ["product_back_in_stock", "price_dropped"]
    assert events[1]["payload"]["old_price"] == {"amount": "28.00", "currency": "EUR"}
    assert events[1]["payload"]["price"] == {"amount": "25.00", "currency": "EUR"}


def test_guests_basket_that_staff_touch_is_nobodys_doing(visits: dict[str, Events]) -> None:
    assert visits["staff_touch_a_guests_basket"] == []


def test_shop_answers_for_baskets_orders_and_products(shop: dict[str, Any]) -> None:
    asked = shop["asked"]
    assert asked["carts"]["Submitted"] == "ordered"
    assert asked["carts"]["Merged"] == "empty"
    assert asked["unknown"] == []
    assert asked["orders"] == ["cancelled", "delivered"]
    assert asked["products"] == {
        "A": [True, {"amount": "9.50", "currency": "EUR"}],
        "B": [True, {"amount": "26.00", "currency": "EUR"}],
    }


def test_oscar_tells_the_whole_script_as_every_adapter_must(shop: dict[str, Any]) -> None:
    assert shop["conformance"] == [[], []]


def test_no_mapping_failed(shop: dict[str, Any]) -> None:
    assert shop["asked"]["faults"] == []


def test_vouchers_are_made_once_spent_once_and_share_their_offer(shop: dict[str, Any]) -> None:
    found = shop["coupons"]
    assert found["made"] == ["accepted", False]
    assert found["again"] == ["refused", True]
    assert found["find"] == ["run:1", None]
    assert found["offers"] == 3  # two coupons of the same worth, and two of others
    assert found["too small a basket"] is True
    # Assam at 9.50 and a bowl at 26.00, less ten per cent.
    assert (found["total"], found["discount"]) == ("31.95", "3.55")
    assert found["used twice"] is False


def test_queries_for_a_basket_are_the_same_for_one_line_and_for_twenty(
    shop: dict[str, Any],
) -> None:
    assert shop["queries"]["1"] == shop["queries"]["20"] <= 6
