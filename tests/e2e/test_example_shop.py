"""As a person: buy in the example shop, see the mail in the inbox, see the run in the admin."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser,
    # The shop is set up anew: its pictures are drawn, and every migration of Wagtail runs.
    pytest.mark.timeout(420),
    pytest.mark.skipif(
        importlib.util.find_spec("salesman") is None, reason="The shop needs the extra `demo`."
    ),
]

#: The whole of shop, worker and sink, on a machine that other tests keep busy.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, chromium_path: str) -> Iterator[str]:
    """The running demonstration; its address."""
    from example_site.supervisor import free_port, open_shop

    var: Path = tmp_path_factory.mktemp("shop")
    with open_shop(var, free_port()) as processes:
        yield processes.env["EXAMPLE_SITE_URL"]


def test_order_in_the_shop_is_answered_in_the_inbox_and_seen_in_the_admin(
    shop: str, browser_page: Page
) -> None:
    page = browser_page
    page.set_default_timeout(PATIENCE)
    page.goto(f"{shop}/pots-and-cups/pebble-teapot/")
    page.get_by_role("button", name="Put in the cart").click()
    page.wait_for_url("**/cart/")
    page.goto(f"{shop}/checkout/")
    form = page.locator("main form")
    for label, value in (
        ("E-mail", "eve@example.org"),
        ("First name", "Eve"),
        ("Last name", "Quay"),
        ("Street and number", "1 Pier Road"),
        ("Postcode", "P17"),
        ("Town", "Ballyquay"),
    ):
        form.get_by_label(label).fill(value)
    page.get_by_role("button", name="On to the payment").click()
    page.wait_for_url("**/checkout/payment/")
    page.locator("main form button").last.click()
    page.wait_for_url("**/order/**")

    _read_the_letter(shop, page)
    _find_the_run(shop, page)


def _read_the_letter(shop: str, page: Page) -> None:
    for _look in range(30):
        page.goto(f"{shop}/inbox/")
        if page.locator("main").get_by_text("eve@example.org").count():
            break
        page.wait_for_timeout(1_000)
    page.locator("main a", has_text="Thank you").first.click()
    letter = page.frame_locator("main iframe")
    expect(letter.locator("body")).to_contain_text("Eve")
    expect(letter.locator("body")).to_contain_text("Pebble Teapot")
    expect(letter.locator("body")).to_contain_text("€58.00")


def _find_the_run(shop: str, page: Page) -> None:
    from example_site.logins import STAFF

    page.goto(f"{shop}/admin/login/")
    page.locator("[name=username]").fill(STAFF.email)
    page.locator("[name=password]").fill(STAFF.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")
    page.goto(f"{shop}/admin/triggers/enrolments/")
    row = page.locator("main tr", has_text="Eve Quay").first
    expect(row).to_contain_text("completed")
    page.goto(f"{shop}/admin/triggers/messages/")
    expect(page.locator("main tr", has_text="Eve Quay").first).to_contain_text("accepted")
