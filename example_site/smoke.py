"""A visit to the running shop over HTTP: register, buy, leave a cart, and look for the mails."""

from __future__ import annotations

import http.cookiejar
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

from bs4 import BeautifulSoup, Tag  # Wagtail brings it

from .processes import Processes

#: How long a mail may take. Most are there within a second or two.
MAIL_SECONDS = 40.0
ADDRESS = {"last_name": "Quay", "street": "1 Pier Road", "postcode": "P17", "town": "Ballyquay"}


class Missing(Exception):
    """Something that should be there is not."""


class Visitor:
    """A browser without a screen: cookies, forms with their hidden fields, redirects."""

    def __init__(self, base: str) -> None:
        self.base = base
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.url = base
        self.page = BeautifulSoup("", "html.parser")

    def go(self, path: str) -> None:
        """Open a page."""
        self._load(urllib.request.Request(urllib.parse.urljoin(self.base, path)))  # noqa: S310 - own shop

    def send(self, action: str, **fields: str) -> None:
        """Fill in the form whose address contains ``action`` and send it."""
        form = self._form(action)
        values = {
            str(field["name"]): str(field.get("value", ""))
            for field in form.select("input[name]")
            if field.get("type") not in ("checkbox", "radio") or field.has_attr("checked")
        }
        data = urllib.parse.urlencode({**values, **fields}).encode()
        target = urllib.parse.urljoin(self.url, str(form.get("action") or self.url))
        self._load(urllib.request.Request(target, data=data, headers={"Referer": self.url}))  # noqa: S310 - own shop

    def _form(self, action: str) -> Tag:
        for form in self.page.select("main form, .demo form"):
            if action in str(form.get("action") or self.url):
                return form
        raise Missing(f"a form to {action} on {self.url}")

    def _load(self, request: urllib.request.Request) -> None:
        try:
            with self.opener.open(request, timeout=30) as answer:
                self.url = answer.geturl()
                self.page = BeautifulSoup(answer.read(), "html.parser")
        except urllib.error.HTTPError as error:
            raise Missing(f"{request.full_url} answered {error.code}") from error

    def must_be_at(self, path: str) -> None:
        """Raise Missing unless the last answer came from this path."""
        if path not in urllib.parse.urlsplit(self.url).path:
            words = " ".join(self.page.get_text(" ").split())[:400]
            raise Missing(f"the page {path}; the shop showed {self.url}: {words}")


def visit(base: str, var: Path, shop: Processes) -> list[str]:
    """Do what customers do; return the names of what came of it.

    Raises:
        Missing: Something did not happen; the message says what.
    """
    nora = Visitor(base)
    _register(nora)
    wait = _waiting(var, shop)
    seen = [wait("welcome", "smoke@example.org", "Welcome aboard, Smoke")]
    _fill(nora)
    _order(nora)
    seen.append(
        wait("thank-you", "smoke@example.org", "Thank you", "Harbour Breakfast", "Pebble Teapot")
    )
    guest = Visitor(base)
    _fill(guest)
    _give_address(guest, "guest@example.org")
    guest.send("/demo/skip/", by="hour")
    seen.append(wait("cart reminder", "guest@example.org", "Pebble Teapot", "List-Unsubscribe:"))
    wim = Visitor(base)
    _register(wim, "wim@example.org")
    for _pot in range(2):
        _fill(wim)
    _order(wim, "wim@example.org")
    _wait_for_note(var, shop)
    _quiet(shop)
    return [*seen, "note to the packing table"]


def _wait_for_note(var: Path, shop: Processes) -> None:
    """Wait until a large order has reached the packing table; raise Missing if it does not."""
    deadline = time.monotonic() + MAIL_SECONDS
    while not list((var / "packing").glob("*.json")):
        shop.check()
        if time.monotonic() > deadline:
            raise Missing("the note of a large order on the packing table")
        time.sleep(0.1)


def _quiet(shop: Processes) -> None:
    """Raise Missing if one of the programs has logged an error."""
    for log in sorted(shop.logs.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if any(word in line for word in (" ERROR ", " CRITICAL ", "Traceback (most recent")):
                raise Missing(f"peace in {log.name}: {line}")


def _register(visitor: Visitor, email: str = "smoke@example.org") -> None:
    visitor.go("/account/register/")
    visitor.send(
        "/account/register/",
        first_name="Smoke",
        email=email,
        password="three-minutes-sharp",
        newsletter="on",
    )
    visitor.must_be_at("/account/")


def _fill(visitor: Visitor) -> None:
    for path in ("/teas/harbour-breakfast/", "/pots-and-cups/pebble-teapot/"):
        visitor.go(path)
        visitor.send("/cart/add/")
        visitor.must_be_at("/cart/")


def _give_address(visitor: Visitor, email: str) -> None:
    visitor.go("/checkout/")
    visitor.send("/checkout/", email=email, first_name="Smoke", country="Ireland", **ADDRESS)
    visitor.must_be_at("/checkout/payment/")


def _order(visitor: Visitor, email: str = "smoke@example.org") -> None:
    _give_address(visitor, email)
    visitor.send("/checkout/payment/", payment_method="card")
    visitor.must_be_at("/order/")


def _waiting(var: Path, shop: Processes) -> Callable[..., str]:
    def wait(name: str, to: str, *words: str) -> str:
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            shop.check()
            for text in _mails(var, to):
                if all(word in text for word in words):
                    return name
            time.sleep(0.1)
        held = [path.name for path in sorted((var / "mail").glob("*.eml"))]
        raise Missing(f"the {name} mail to {to} with {words}; the sink holds {held}")

    return wait


def _mails(var: Path, to: str) -> list[str]:
    """Return headers and plain text of every mail to an address."""
    found = []
    for path in sorted((var / "mail").glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        if to in str(message["To"]):
            head = "\n".join(f"{key}: {value}" for key, value in message.items())
            body = message.get_body(preferencelist=("plain",))
            found.append(f"{head}\n\n{body.get_content() if body else ''}")
    return found
