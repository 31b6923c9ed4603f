"""A shop whose customers do anything in any order, and an independent idea of what may be sent.

Nothing here asks the engine's tables: what customers did is kept on the way in, what reached them
is judged at the channel, at the moment at which it leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wagtail.models import Locale, Site

from tests.shop import line, publish_on, total
from wagtail_triggers.api import Who, subscribe, track, unsubscribe
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import LinkToken, Topic
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.core import clock
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import MessageClass, Template

NAMES = ("welcome", "reminder", "receipt")
#: How often each journey can be published.
VERSIONS = 3
QUIET_FROM, QUIET_TO = time(21), time(8)
CAP, CAP_WINDOW = 2, timedelta(days=7)


@dataclass
class Customer:
    """A person who buys on one site, and lives somewhere."""

    number: int
    site: int
    zone: ZoneInfo
    carts: dict[str, str] = field(default_factory=dict)
    subscribed: bool = False
    withdrew: set[str] = field(default_factory=set)
    left_alone: bool = False
    sent: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where mail reaches this person; it names the site that may write."""
        return f"c{self.number}@site{self.site}.example"

    @property
    def who(self) -> Who:
        """As the shop describes this person."""
        return Who(
            user_id=self.number,
            email=self.address,
            first_name=f"C{self.number}",
            time_zone=self.zone.key,
            signed_in=True,
        )


class Premises:
    """What stands before anybody comes: two sites, topics, templates and journeys."""

    def __init__(self) -> None:
        first = Site.objects.get(is_default_site=True)
        second = Site.objects.create(
            hostname="second.example", root_page=first.root_page, site_name="Second"
        )
        self.sites = [first, second]
        self.topics = {
            (number, slug): Topic.objects.get_or_create(
                site=site, slug=slug, defaults={"name": slug, "consent": consent}
            )[0]
            for number, site in enumerate(self.sites)
            for slug, consent in (("news", Topic.Consent.OPT_IN), ("carts", Topic.Consent.SOFT))
        }
        self.graphs = {
            (number, name, version): _GRAPHS[name](
                *(self._template(number, name, f"{name} v{version} {part}") for part in "ab")
            )
            for number in range(2)
            for name in NAMES
            for version in range(1, VERSIONS + 1)
        }
        self.journeys = {
            (number, name): publish_on(
                self.sites[number], f"{name}{number}", self.graphs[number, name, 1]
            )
            for number in range(2)
            for name in NAMES
        }

    def _template(self, site: int, name: str, subject: str) -> str:
        kind = MessageClass.TRANSACTIONAL if name == "receipt" else MessageClass.MARKETING
        slug = {"welcome": "news", "reminder": "carts"}.get(name)
        about = "{{ cart.cart_id | default: order.order_id | default: 'self' }}"
        row = Template(
            site=self.sites[site],
            locale=Locale.get_default(),
            name=subject,
            subject=f"{subject} {about}",
            body=[("html", "<p>Hello {{ contact.first_name }}</p>")],
            message_class=kind,
            topic=self.topics[site, slug] if slug else None,
        )
        row.save()
        row.save_revision().publish()
        return str(row.translation_key)


class Shop:
    """What customers and editors do on the premises, and what reaches whom.

    `breaches` says what left that may not have left.
    """

    def __init__(self, premises: Premises, zones: list[str]) -> None:
        self.sites, self.topics = premises.sites, premises.topics
        self.graphs = premises.graphs
        self.customers = [
            Customer(number, number % 2, ZoneInfo(name)) for number, name in enumerate(zones)
        ]
        self.versions = Counter(dict.fromkeys(premises.journeys, 1))
        self.journeys = {
            where: Journey.objects.get(pk=row.pk) for where, row in premises.journeys.items()
        }
        self.paused: set[tuple[int, str]] = set()
        self.pinned: dict[int, str] = {}
        self.keys: Counter[str] = Counter()
        self.carts = 0
        self.breaches: list[str] = []

    def customer(self, address: str) -> Customer:
        """Whose address this is."""
        return next(one for one in self.customers if one.address == address)

    # What happens.

    def publish(self, site: int, name: str) -> None:
        """Publish another version of a journey, while there is one."""
        if self.versions[site, name] < VERSIONS:
            self.versions[site, name] += 1
            graph = self.graphs[site, name, self.versions[site, name]]
            publish_on(self.sites[site], "", graph, row=self.journeys[site, name])

    def register(self, one: Customer) -> None:
        """An account."""
        track("user_registered", contact=one.who, site=self.sites[one.site])

    def put(self, one: Customer, cart: str | None) -> None:
        """Something into a cart, a new one where none is named."""
        if cart is None:
            self.carts += 1
            cart = f"k{self.carts}"
        one.carts[cart] = "open"
        self._cart(one, cart, [line()])

    def empty(self, one: Customer, cart: str) -> None:
        """Everything out of a cart."""
        one.carts[cart] = "empty"
        self._cart(one, cart, [])

    def _cart(self, one: Customer, cart: str, lines: list[dict[str, Any]]) -> None:
        payload = {"cart_id": cart, "lines": lines, "total": total(lines)}
        track("cart_updated", contact=one.who, key=cart, payload=payload, site=self.sites[one.site])

    def buy(self, one: Customer, cart: str) -> None:
        """The order of a cart."""
        one.carts[cart] = "ordered"
        payload = {"order_id": f"o-{cart}", "cart_id": cart, "lines": [line()]}
        track(
            "order_placed",
            contact=one.who,
            key=f"o-{cart}",
            payload={**payload, "total": total([line()])},
            site=self.sites[one.site],
            dedupe_key=f"order-{cart}",
        )

    def agree(self, one: Customer) -> None:
        """A ticked box."""
        subscribe(one.who, "news", site=self.sites[one.site])
        one.subscribed, one.left_alone = True, False
        one.withdrew.discard("news")

    def withdraw(self, one: Customer, slug: str) -> None:
        """No more of one topic."""
        unsubscribe(one.who, slug, site=self.sites[one.site])
        one.withdrew.add(slug)
        if slug == "news":
            one.subscribed = False

    def leave_alone(self, one: Customer) -> None:
        """The link in a mail, for everything."""
        topic = self.topics[one.site, "carts"]
        wanted = Wanted(self.sites[one.site].pk, "email", topic.pk, one.address)
        token = tokens_for([wanted], clock.now())[wanted]
        link = LinkToken.objects.get(token=token)
        unsubscribe_by_link(link, everything=True, source="test")
        one.left_alone = True

    # What leaves.

    def judge(self, outgoing: Outgoing, run: int) -> None:
        """Note what is wrong with this, which leaves now for a step of this run."""
        for fault in self._faults(outgoing, run):
            self.breaches.append(f"{outgoing.subject!r} to {outgoing.address}: {fault}")

    def _faults(self, outgoing: Outgoing, run: int) -> Iterator[str]:
        now = clock.now()
        name, version, _part, about = outgoing.subject.split(" ")
        one = self.customer(outgoing.address)
        self.keys[outgoing.idempotency_key] += 1
        if self.keys[outgoing.idempotency_key] > 1:
            yield "twice"
        if (one.site, name) in self.paused:
            yield "from a paused journey"
        if self.pinned.setdefault(run, version) != version:
            yield "off its version"
        if outgoing.marketing != (name != "receipt"):
            yield "of the wrong class"
        if outgoing.marketing:
            yield from self._marketing_faults(one, name, about, now)
            one.sent.append((now, outgoing.subject))

    def _marketing_faults(
        self, one: Customer, name: str, about: str, now: datetime
    ) -> Iterator[str]:
        slug = "news" if name == "welcome" else "carts"
        if slug in one.withdrew or one.left_alone:
            yield "after unsubscribing"
        if name == "welcome" and not one.subscribed:
            yield "without consent"
        if name == "reminder" and one.carts[about] != "open":
            yield f"about a cart that is {one.carts[about]}"
        recent = [moment for moment, _subject in one.sent if moment > now - CAP_WINDOW]
        if len(recent) >= CAP:
            yield "over the cap"
        local = now.astimezone(one.zone).time()
        if not QUIET_TO <= local < QUIET_FROM:
            yield f"in quiet hours, at {local}"


def _line(entry: dict[str, Any], *nodes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    steps = [("entry", entry), *nodes, ("end", {})]
    return {
        "nodes": [
            {"id": f"n{number}", "kind": kind, "settings": settings}
            for number, (kind, settings) in enumerate(steps)
        ],
        "edges": [
            {"source": f"n{number}", "port": "next", "target": f"n{number + 1}"}
            for number in range(len(steps) - 1)
        ],
    }


def _welcome(a: str, b: str) -> dict[str, Any]:
    return _line(
        {"event": "user_registered", "reentry": {"rule": "once"}},
        ("send", {"template": a, "expires_after": {"amount": 2, "unit": "weeks"}}),
        ("wait", {"amount": 2, "unit": "days"}),
        ("send", {"template": b, "expires_after": {"amount": 2, "unit": "weeks"}}),
    )


def _reminder(a: str, b: str) -> dict[str, Any]:
    graph = _line(
        {"event": "cart_abandoned"},
        ("send", {"template": a}),
        ("wait", {"amount": 1, "unit": "days"}),
        ("send", {"template": b}),
    )
    goal = {"event": "order_placed", "match": "same_object"}
    graph["nodes"].append({"id": "goal", "kind": "goal", "settings": goal})
    return graph


def _receipt(a: str, b: str) -> dict[str, Any]:
    return _line(
        {"event": "order_placed"},
        ("send", {"template": a}),
        ("wait", {"amount": 3, "unit": "hours"}),
        ("send", {"template": b}),
    )


_GRAPHS = {"welcome": _welcome, "reminder": _reminder, "receipt": _receipt}
