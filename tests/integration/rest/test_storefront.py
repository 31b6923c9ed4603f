"""What pages tell of their visitors: little is believed, and nothing of robots or the unwilling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from pytest_django import Settings

from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.visitors import COOKIE
from wagtail_triggers.events.models import Event
from wagtail_triggers.middleware import VisitorMiddleware

VISITOR = "0123456789abcdef0123456789abcdef"
BROWSER = {"User-Agent": "Mozilla/5.0 Firefox/141.0", "Accept": "text/html,*/*"}
VIEW = {"name": "product_viewed", "payload": {"sku": "A", "name": "Assam"}, "key": "A"}


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def browser(clock: FrozenClock) -> Client:
    client = Client(headers=BROWSER)
    client.cookies[COOKIE] = VISITOR
    return client


def send(client: Client, *events: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
    body = json.dumps({"events": list(events), **more})
    return client.post("/triggers/b/", body, content_type="text/plain", headers=headers or {})


def test_view_is_recorded_for_the_visitor(browser: Client) -> None:
    assert send(browser, VIEW).status_code == 204
    row = Event.objects.get()
    assert (row.name, row.key, row.who, row.source) == (
        "product_viewed", "A", {"cookie_id": VISITOR}, "storefront",
    )  # fmt: skip


def test_customers_view_is_theirs(browser: Client) -> None:
    ada = User.objects.create_user("ada", "ada@example.org")
    browser.force_login(ada)
    send(browser, VIEW)
    assert Event.objects.get().who["user_id"] == str(ada.pk)


@pytest.mark.parametrize(
    "event",
    [
        {"name": "order_placed", "payload": {"order_id": "7"}},
        {"name": "user_registered"},
        {"name": "unsubscribed"},
        {"name": "no_such_event"},
        {"name": "product_viewed", "payload": {}},
        {"name": "product_viewed", "payload": "x"},
        "product_viewed",
        None,
    ],
)
def test_what_a_page_may_not_tell_is_dropped(browser: Client, event: Any) -> None:
    assert send(browser, event).status_code == 204
    assert Event.objects.count() == 0


def test_person_that_a_page_names_is_not_believed(browser: Client) -> None:
    send(browser, {**VIEW, "contact": {"email": "boss@example.org"}}, visitor="f" * 32)
    assert Event.objects.get().who == {"cookie_id": VISITOR}


@pytest.mark.parametrize(
    "headers",
    [
        {"DNT": "1"}, {"Sec-GPC": "1"}, {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"}, {"User-Agent": "Googlebot/2.1"}, {"User-Agent": ""},
        {"User-Agent": "Mozilla/5.0 HeadlessChrome/140"}, {"User-Agent": "python-requests/2.32"},
    ],
)  # fmt: skip
def test_robots_prefetches_and_the_unwilling_leave_nothing(
    browser: Client, headers: dict[str, str]
) -> None:
    assert send(browser, VIEW, headers=headers).status_code == 204
    assert Event.objects.count() == 0


def test_visitor_without_a_cookie_leaves_nothing(clock: FrozenClock) -> None:
    send(Client(headers=BROWSER), VIEW, visitor=VISITOR)
    assert Event.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": 7}', b"\xff", b"x" * 40_000])
def test_nonsense_is_answered_and_dropped(browser: Client, body: bytes) -> None:
    answer = browser.post("/triggers/b/", body, content_type="text/plain")
    assert answer.status_code == 204
    assert Event.objects.count() == 0


def test_visitor_gets_sixty_events_a_minute(browser: Client, clock: FrozenClock) -> None:
    for _ in range(4):
        send(browser, *[VIEW] * 25)  # of which twenty are looked at
    assert Event.objects.count() == 60
    clock.travel(timedelta(minutes=1))
    send(browser, VIEW)
    assert Event.objects.count() == 61


def test_other_origins_may_not_send(browser: Client, settings: Settings) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert send(browser, VIEW, headers=foreign).status_code == 403
    assert send(browser, VIEW, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    settings.WAGTAIL_TRIGGERS_STOREFRONT_ORIGINS = ["https://store.example"]
    assert send(browser, VIEW, headers=foreign).status_code == 403
    assert Event.objects.count() == 0


def test_storefront_elsewhere_names_its_visitor(clock: FrozenClock, settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_STOREFRONT_ORIGINS = ["https://store.example"]
    client, said = Client(headers=BROWSER), {"Origin": "https://store.example"}
    answer = send(client, VIEW, headers=said, visitor=VISITOR)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://store.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert Event.objects.get().who == {"cookie_id": VISITOR}
    send(client, VIEW, headers=said, visitor="short")
    assert Event.objects.count() == 1


def test_tag_carries_no_code() -> None:
    html = Template("{% load triggers_storefront %}{% triggers_storefront %}").render(Context())
    assert html == (
        '<script src="/static/wagtail_triggers/storefront/triggers.js" data-to="/triggers/b/" '
        "defer></script>"
    )
    page = (
        "{% load triggers_storefront %}{% triggers_storefront wait_for_consent=True %}"
        '<i data-triggers-product="{{ product|triggers_json }}">'
    )
    shown = Template(page).render(Context({"product": {"sku": '"><script>'}}))
    assert 'data-consent="wait"' in shown
    assert "><script>" not in shown.split("</script>")[1]


# The middleware ---------------------------------------------------------------------------------


def visit(request: HttpRequest, kind: str = "text/html", status: int = 200) -> HttpResponse:
    answer = HttpResponse("hello", content_type=kind, status=status)
    return VisitorMiddleware(lambda request: answer)(request)


def opened(**headers: str) -> HttpRequest:
    return RequestFactory(headers={**BROWSER, **headers}).get("/teas/?q=1")


def test_first_page_sets_a_cookie_that_scripts_cannot_read(db: None) -> None:
    cookie = visit(opened()).cookies[COOKIE]
    assert len(cookie.value) == 32
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 31_536_000)
    again = opened()
    again.COOKIES[COOKIE] = cookie.value
    assert COOKIE not in visit(again).cookies


@pytest.mark.parametrize(
    "headers",
    [{"DNT": "1"}, {"Sec-GPC": "1"}, {"User-Agent": "bingbot/2.0"}, {"Accept": "image/png"}],
)
def test_unwilling_and_robots_get_no_cookie(db: None, headers: dict[str, str]) -> None:
    assert COOKIE not in visit(opened(**headers)).cookies


def no_consent(request: HttpRequest) -> bool:
    return "consent" in request.COOKIES


def test_shop_says_whether_a_cookie_may_be_set(db: None, settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_VISITOR_CONSENT = f"{__name__}.no_consent"
    request = opened()
    assert COOKIE not in visit(request).cookies
    request.COOKIES["consent"] = "yes"
    assert COOKIE in visit(request).cookies


def test_pages_are_recorded_where_the_setting_says_so(
    clock: FrozenClock, settings: Settings
) -> None:
    visit(opened())
    assert Event.objects.count() == 0
    settings.WAGTAIL_TRIGGERS_PAGE_VIEWS = True
    visit(opened())
    visit(opened(), kind="application/json")
    visit(opened(), status=404)
    visit(opened(DNT="1"))
    row = Event.objects.get()
    assert (row.name, row.payload["url"]) == ("page_viewed", "http://testserver/teas/?q=1")


def test_guest_joins_the_customer_once_a_session(clock: FrozenClock) -> None:
    ada = User.objects.create_user("ada", "ada@example.org")
    session: dict[str, str] = {}
    for _ in range(3):
        request = opened()
        request.COOKIES[COOKIE] = VISITOR
        request.user, request.session = ada, session  # type: ignore[assignment]
        visit(request)
    row = Event.objects.get()
    assert (row.name, row.who["cookie_id"], row.who["signed_in"]) == ("user_updated", VISITOR, True)


def test_page_is_shown_although_nothing_can_be_recorded(
    clock: FrozenClock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import DatabaseError

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("gone")

    settings.WAGTAIL_TRIGGERS_PAGE_VIEWS = True
    monkeypatch.setattr("wagtail_triggers.middleware.track", broken)
    assert visit(opened()).status_code == 200
