"""What the example shop tells, seen from outside: visits in, events out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosts.outside import printed

#: One process migrates a whole shop; a busy machine takes a minute and more.
pytestmark = pytest.mark.timeout(240)

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `shop_visits` printed. One process makes all visits: its migrations take 15 s."""
    pytest.importorskip("salesman", reason="the example shop needs django-salesman-plus")
    return printed(
        "shop_visits.py",
        "example_site.settings",
        EXAMPLE_SITE_VAR=str(tmp_path_factory.mktemp("shop")),
        EXAMPLE_SITE_URL="http://testserver",
    )


@pytest.fixture
def visits(shop: dict[str, Any]) -> dict[str, Events]:
    """The events of every visit."""
    found: dict[str, Events] = shop["visits"]
    return found


def names(events: Events) -> list[str]:
    return [event["name"] for event in events]


def lines(event: dict[str, Any]) -> list[tuple[str, int]]:
    return [(line["sku"], line["quantity"]) for line in event["payload"]["lines"]]


GUEST_ORDER = ["cart_updated", "checkout_started", "order_placed"]


def test_guest_checkout_gives_one_order_and_no_emptied_cart(visits: dict[str, Events]) -> None:
    events = visits["guest_orders"]
    assert names(events) == GUEST_ORDER
    assert [lines(event) for event in events] == [[("A", 2)]] * 3


def test_guest_order_carries_its_address_total_and_cart(visits: dict[str, Events]) -> None:
    cart, _, order = visits["guest_orders"]
    assert order["who"]["email"] == "guest@example.org"
    assert not order["who"].get("signed_in")
    assert order["who"]["cookie_id"] == cart["who"]["cookie_id"]
    assert order["payload"]["total"] == {"amount": "23.90", "currency": "EUR"}
    assert set(cart["refs"]) < set(order["refs"])


def test_guest_cart_before_the_checkout_is_known_by_its_cookie_alone(
    visits: dict[str, Events],
) -> None:
    cart = visits["guest_orders"][0]
    assert cart["who"]["cookie_id"]
    assert not cart["who"].get("email")


def test_paying_twice_gives_one_order(visits: dict[str, Events]) -> None:
    assert names(visits["guest_orders_twice_at_once"]) == GUEST_ORDER


def test_card_payment_whose_order_is_saved_twice_gives_one_order(visits: dict[str, Events]) -> None:
    assert names(visits["guest_pays_by_card"]) == GUEST_ORDER


def test_emptied_cart_is_told_without_lines(visits: dict[str, Events]) -> None:
    events = visits["guest_empties_the_cart"]
    assert names(events) == ["cart_updated"] * 3
    assert [lines(event) for event in events] == [[("A", 1)], [("A", 3)], []]


def test_cart_taken_along_at_sign_up_moves_and_leaves_the_old_one_empty(
    visits: dict[str, Events],
) -> None:
    before, subscribed, registered, moved, left = visits["guest_takes_the_cart_along_at_sign_up"]
    assert names([before, moved, left]) == ["cart_updated"] * 3
    assert (lines(before), lines(moved), lines(left)) == ([("A", 1)], [("A", 1)], [])
    assert before["refs"] == left["refs"] != moved["refs"]
    assert moved["who"]["signed_in"] is True
    assert registered["name"] == "user_registered"
    assert registered["who"]["cookie_id"] == before["who"]["cookie_id"]
    assert registered["who"]["email"] == "ada@example.org"
    assert (subscribed["name"], subscribed["payload"]["source"]) == ("subscribed", "sign-up")


def test_signed_in_customer_is_named_in_every_event(visits: dict[str, Events]) -> None:
    events = visits["customer_looks_and_orders"]
    assert names(events) == ["product_viewed", *GUEST_ORDER]
    assert {event["who"]["email"] for event in events} == {"ada@example.org"}
    assert all(event["who"]["signed_in"] for event in events)
    assert len({event["who"]["cookie_id"] for event in events}) == 1


def test_shipped_order_that_is_saved_again_is_told_once(visits: dict[str, Events]) -> None:
    events = visits["staff_ships_and_saves_again"]
    assert names(events) == [*GUEST_ORDER, "order_shipped"]
    assert lines(events[-1]) == [("A", 1)]


def test_guest_cancels_with_the_token_of_the_order(visits: dict[str, Events]) -> None:
    assert names(visits["guest_cancels"]) == [*GUEST_ORDER, "order_cancelled"]


def test_stranger_without_the_token_cancels_nothing(visits: dict[str, Events]) -> None:
    assert names(visits["stranger_tries_to_cancel"]) == GUEST_ORDER


def test_link_of_a_reminder_opens_the_same_cart_on_another_device(
    visits: dict[str, Events],
) -> None:
    here, there = visits["guest_comes_back_by_the_link_on_another_device"]
    assert here["refs"] == there["refs"]
    assert lines(there) == [("A", 2)]


def test_demo_clock_is_ahead_by_what_was_skipped_for_reading_sql_and_events(
    shop: dict[str, Any],
) -> None:
    assert shop["clock"] == pytest.approx([25 * 3600] * 3, abs=20)


def test_shop_says_what_is_true_of_carts_orders_and_articles(shop: dict[str, Any]) -> None:
    told = shop["truth"]
    assert told["before"]["cart"] == "open"
    assert [line["sku"] for line in told["before"]["lines"]] == ["A"]
    assert told["before"]["products"] == {
        "A": [True, {"amount": "9.50", "currency": "EUR"}],
        "B": [True, {"amount": "28.00", "currency": "EUR"}],
    }
    assert told["changed"]["products"]["B"][0] is False
    assert told["changed"]["lines"][0]["unit_price"]["amount"] == "11.00"
    assert (told["after"]["cart"], told["order"]) == ("gone", "cancelled")
