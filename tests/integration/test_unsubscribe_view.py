"""The unsubscribe link: scanners change nothing, one click is enough, and it works for ever."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from wagtail.models import Site

from tests.shop import topic
from wagtail_triggers.consent.links import Wanted, tokens_for, unsubscribe_url
from wagtail_triggers.consent.models import ConsentEvent, LinkToken, Subscription, Suppression
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.events.models import Event

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(clock: FrozenClock) -> LinkToken:
    """A link to stop `carts` for Ada."""
    site = Site.objects.get(is_default_site=True)
    wanted = Wanted(site.pk, "email", topic("carts").pk, "ada@example.com")
    return LinkToken.objects.get(token=tokens_for([wanted], clock.read())[wanted])


@pytest.fixture
def browser() -> Client:
    """A client that insists on CSRF tokens, as a real server does."""
    return Client(enforce_csrf_checks=True)


def path(link: LinkToken) -> str:
    """Where it leads."""
    return reverse("wagtail_triggers:unsubscribe", args=[link.token])


def changes() -> tuple[int, int, int, int]:
    """Everything that an unsubscribe could write."""
    return (
        Subscription.objects.count(),
        Suppression.objects.count(),
        ConsentEvent.objects.count(),
        Event.objects.count(),
    )


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_at_the_link_changes_nothing(link: LinkToken, browser: Client, method: str) -> None:
    for _time in range(3):
        response = getattr(browser, method)(path(link))
        assert response.status_code == 200
    assert changes() == (0, 0, 0, 0)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(link: LinkToken, browser: Client, method: str) -> None:
    assert getattr(browser, method)(path(link)).status_code == 405
    assert changes() == (0, 0, 0, 0)


class Forms(HTMLParser):
    """What a page asks for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append((tag, dict(attrs)))


def test_page_shows_two_buttons_loads_nothing_foreign_and_is_not_kept(
    link: LinkToken, browser: Client
) -> None:
    response = browser.get(path(link))
    page = Forms(response.content.decode())
    assert [attrs["value"] for tag, attrs in page.tags if tag == "button"] == [
        "topic", "everything",
    ]  # fmt: skip
    assert [attrs["method"] for tag, attrs in page.tags if tag == "form"] == ["post"]
    assert not [tag for tag, _attrs in page.tags if tag in ("script", "img", "iframe")]
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"
    assert not response.cookies


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_one_click_post_is_answered_at_once_without_redirect_or_cookie(
    link: LinkToken, browser: Client, form: str
) -> None:
    if form == "urlencoded":
        response = browser.post(
            path(link), "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
    else:
        response = browser.post(path(link), ONE_CLICK)
    assert response.status_code == 200
    assert not response.cookies
    assert "Location" not in response
    answer = Subscription.objects.get()
    assert (answer.state, answer.address, answer.topic.slug) == (
        "unsubscribed", "ada@example.com", "carts",
    )  # fmt: skip
    proof = ConsentEvent.objects.get()
    assert (proof.action, proof.source) == ("unsubscribed", "one-click")


def test_one_click_twice_is_as_good_as_once(link: LinkToken, browser: Client) -> None:
    for _time in range(2):
        assert browser.post(path(link), ONE_CLICK).status_code == 200
    assert Subscription.objects.get().state == "unsubscribed"


@pytest.mark.parametrize(
    ("scope", "said"), [("topic", "You will get no more “Carts”"), ("everything", "marketing mail")]
)
def test_button_on_the_page_stops_what_it_says(
    link: LinkToken, browser: Client, scope: str, said: str
) -> None:
    response = browser.post(path(link), {"scope": scope})
    assert response.status_code == 200
    assert said in response.content.decode()
    if scope == "topic":
        assert Subscription.objects.get().state == "unsubscribed"
        assert Suppression.objects.count() == 0
    else:
        row = Suppression.objects.get()
        assert (row.scope, row.reason) == ("marketing", "unsubscribed")


def test_link_works_after_the_address_was_erased_and_after_its_topic_is_gone(
    link: LinkToken, browser: Client
) -> None:
    LinkToken.objects.update(address="", topic=None)
    page = browser.get(path(link))
    assert page.status_code == 200
    assert "ada@example.com" not in page.content.decode()
    assert browser.post(path(link), ONE_CLICK).status_code == 200
    row = Suppression.objects.get()
    assert (row.address_hash, row.scope) == (link.address_hash, "marketing")


def test_link_works_after_the_secret_key_was_changed(
    link: LinkToken, browser: Client, settings: Settings
) -> None:
    settings.SECRET_KEY = "another-" + "y" * 50
    assert browser.post(path(link), ONE_CLICK).status_code == 200
    assert Subscription.objects.get().state == "unsubscribed"


@pytest.mark.parametrize("token", ["x", "../../admin", "A" * 22, "%00", "é" * 11])
@pytest.mark.parametrize("method", ["get", "post"])
def test_token_that_is_none_is_not_found(
    link: LinkToken, browser: Client, token: str, method: str
) -> None:
    address = path(link).replace(link.token, token)
    assert getattr(browser, method)(address).status_code == 404
    assert changes() == (0, 0, 0, 0)


def test_token_is_random_and_one_per_address_topic_and_channel(clock: FrozenClock) -> None:
    site = Site.objects.get(is_default_site=True)
    first, again, other = (
        Wanted(site.pk, "email", topic("carts").pk, address)
        for address in ("ada@example.com", "ada@example.com", "bob@example.com")
    )
    tokens = tokens_for([first, again, other], clock.read())
    assert len(set(tokens.values())) == 2
    assert all(len(token) >= 22 for token in tokens.values())
    assert tokens_for([first], clock.read())[first] == tokens[first]
    assert unsubscribe_url(tokens[first]).startswith("https://shop.example/triggers/u/")


def test_token_for_no_topic_is_found_again(clock: FrozenClock) -> None:
    site = Site.objects.get(is_default_site=True)
    wanted = Wanted(site.pk, "email", None, "ada@example.com")
    first = tokens_for([wanted], clock.read())[wanted]
    assert tokens_for([wanted], clock.read())[wanted] == first
    assert LinkToken.objects.count() == 1


def test_public_page_passes_the_projects_checks() -> None:
    call_command("check")
