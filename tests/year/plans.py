"""The site of the simulated year: twelve journeys, its rules, and what its customers do."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from tests.integration.campaigns import rules
from tests.shop import journey, line, template, topic, total
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.messages.models import MessageClass

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC", "")
SITE_ZONE = "America/St_Johns"

#: As the site's settings say it, and as the reader checks it.
CAPS = ((3, timedelta(days=7)), (1, timedelta(days=1)))
QUIET_FROM, QUIET_UNTIL = time(21), time(8)
SUNDAY_UNTIL = time(12)

#: Name, what begins it, priority, and the waits before each of its letters.
MARKETING: tuple[tuple[str, str, int, tuple[tuple[int, str] | None, ...]], ...] = (
    ("Cart", "cart_abandoned", 90, (None, (1, "days"), (2, "days"))),
    ("Welcome", "user_registered", 70, (None, (3, "days"))),
    ("Review", "order_delivered", 60, ((7, "days"),)),
    ("Again", "order_placed", 40, ((14, "days"),)),
    ("Miss you", "order_placed", 30, ((60, "days"),)),
    ("Viewed", "product_viewed", 20, ((3, "hours"),)),
    ("Wish list", "wishlist_updated", 15, ((2, "hours"), (5, "days"))),
    ("Searched", "search_performed", 10, ((1, "hours"),)),
)
RECEIPTS = (
    ("Receipt", "order_placed"),
    ("Shipped", "order_shipped"),
    ("Delivered", "order_delivered"),
    ("Account", "user_updated"),
)


def set_up() -> None:
    """Publish the journeys, and set the site's rules."""
    about = topic("year", Topic.Consent.SOFT)
    rules(
        *((limit, window.days, "days", "") for limit, window in CAPS[1:]),
        weekly=CAPS[0][0],
        quiet=[
            (f"{QUIET_FROM:%H:%M}", f"{QUIET_UNTIL:%H:%M}", ""),
            ("00:00", f"{SUNDAY_UNTIL:%H:%M}", "7"),
        ],
        time_zone=SITE_ZONE,
    )
    for name, event, priority, waits in MARKETING:
        nodes: list[dict[str, Any]] = [_entry(event)]
        for number, wait in enumerate(waits):
            if wait is not None:
                nodes.append({"kind": "wait", "amount": wait[0], "unit": wait[1]})
            key = template(f"{name} {number}", kind=MessageClass.MARKETING, topic=about)
            nodes.append({"kind": "send", "template": key})
        goal = {"event": "order_placed", "match": "same_object", "converts": True}
        journey(name, nodes, goals=[goal] if name == "Cart" else (), priority=priority)
    for name, event in RECEIPTS:
        journey(name, [_entry(event), {"kind": "send", "template": template(name)}])


def _entry(event: str) -> dict[str, Any]:
    return {"kind": "entry", "event": event}


@dataclass(frozen=True, order=True)
class Happening:
    """Something that a customer does."""

    at: datetime
    person: int
    number: int
    what: str
    about: str = ""

    def tell(self) -> None:
        """Tell the engine, as a shop would."""
        who = Who(
            user_id=self.person,
            email=f"p{self.person}@example.com",
            time_zone=zone_of(self.person),
        )
        track(self.what, contact=who, key=self.about, payload=self._payload(), occurred_at=self.at)

    def _payload(self) -> dict[str, Any]:
        lines = [line()]
        match self.what:
            case "cart_updated":
                return {"cart_id": self.about, "lines": lines, "total": total(lines)}
            case "order_placed":
                cart = f"c{self.about[1:]}"
                return {"order_id": self.about, "number": self.about, "cart_id": cart,
                        "lines": lines, "total": total(lines)}  # fmt: skip
            case "order_shipped" | "order_delivered":
                return {"order_id": self.about}
            case "product_viewed":
                return {"sku": self.about, "name": "Teapot"}
            case "search_performed":
                return {"query": self.about}
            case "wishlist_updated":
                return {"lines": lines}
        return {}


def zone_of(person: int) -> str:
    """Where a person lives; "" where nobody knows."""
    return ZONES[person % len(ZONES)]


def year(people: int, begin: datetime, days: int, seed: int) -> Iterator[Happening]:
    """What all customers do, in order."""
    return heapq.merge(*(_life(person, begin, days, seed) for person in range(people)))


def _life(person: int, begin: datetime, days: int, seed: int) -> list[Happening]:
    """About two deeds a month, of which a few come close together."""
    dice = random.Random(f"{seed}:{person}")
    found: list[Happening] = []

    def happens(at: datetime, what: str, about: str = "") -> None:
        if at < begin + timedelta(days=days):
            found.append(Happening(at, person, len(found), what, about))

    at = begin + timedelta(seconds=dice.randrange(86_400 * min(days, 40)))
    happens(at, "user_registered")
    visit = 0
    while at < begin + timedelta(days=days):
        about = f"{person}-{visit}"
        for minutes in (0, 7, 30, 45)[: dice.randint(1, 4)]:
            what = dice.choice(("product_viewed", "search_performed", "wishlist_updated"))
            happens(at + timedelta(minutes=minutes), what, f"s{about}-{minutes}")
        if dice.random() < 0.5:
            happens(at + timedelta(minutes=50), "cart_updated", f"c{about}")
            if dice.random() < 0.5:
                bought = at + timedelta(hours=dice.choice((1, 5, 30, 90)))
                happens(bought, "order_placed", f"o{about}")
                happens(bought + timedelta(days=1), "order_shipped", f"o{about}")
                happens(bought + timedelta(days=3, hours=4), "order_delivered", f"o{about}")
        elif dice.random() < 0.1:
            happens(at + timedelta(hours=1), "user_updated")
        visit += 1
        at += timedelta(seconds=round(dice.expovariate(1 / (25 * 86_400))) + 3600)
    return sorted(found)
