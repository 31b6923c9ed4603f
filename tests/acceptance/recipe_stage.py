"""What the scenarios of recipes stand on: a recipe in force, three people, and a clock that jumps.

Each scenario is played for three people at once, who read English, Chinese and Russian.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Min
from wagtail.models import Locale, Site

from tests.shop import line, total
from wagtail_triggers.api import Who, subscribe, track
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Cart
from wagtail_triggers.journeys.bundles.gallery import Recipe, recipes
from wagtail_triggers.journeys.bundles.importing import install
from wagtail_triggers.journeys.bundles.survey import Survey
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message
from wagtail_triggers.testing import run_until_idle

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
LANGUAGES = ("en", "zh-hans", "ru")
#: Mail programs cut longer ones.
LONGEST = 102 * 1024


def recipe(identifier: str) -> Recipe:
    """The recipe of this name."""
    return next(one for one in recipes() if one.identifier == identifier)


def in_force(identifier: str) -> Journey:
    """Install a recipe in three languages and publish all of it; fails if anything is refused."""
    for code in LANGUAGES:
        Locale.objects.get_or_create(language_code=code)
    made = install(Survey(recipe(identifier).bundle, Site.objects.get(is_default_site=True)))
    for letter in made.templates:
        letter.save_revision().publish()
        letter.refresh_from_db()
        assert (letter.publish_problem, letter.live_version is not None) == ("", True), letter
    made.journey.save_revision().publish()
    made.journey.refresh_from_db()
    assert (made.journey.publish_problem, made.journey.live_version is not None) == ("", True)
    return made.journey


def persons(tag: str = "") -> list[Who]:
    """Three people, one for each language, who have subscribed to every topic."""
    return [
        Who(
            user_id=f"{tag}{code}",
            email=f"{code}{tag}@example.com",
            first_name="Ada",
            language=code,
        )
        for code in LANGUAGES
    ]


@dataclass
class Stage:
    """A recipe in force, what was sent, and what happens when.

    `script` holds what happens, by the time since the start; what is due between is done at its
    own moment.
    """

    clock: FrozenClock
    outbox: list[Outgoing]
    script: list[tuple[timedelta, Callable[[], Any]]] = field(default_factory=list)

    def at(self, after: timedelta, *acts: Callable[[], Any]) -> None:
        """Let something happen so long after the start."""
        self.script += [(after, act) for act in acts]

    def play(self, until: timedelta) -> None:
        """Let everything happen, and everything that is due be done at its moment."""
        waiting = sorted(self.script, key=lambda one: one[0])
        end = START + until
        while True:
            run_until_idle()
            soonest = min([end, *(START + one[0] for one in waiting), *_due(self.clock.moment)])
            if soonest >= end and not waiting:
                break
            self.clock.moment = max(soonest, self.clock.moment)
            while waiting and START + waiting[0][0] <= self.clock.moment:
                waiting.pop(0)[1]()
        self.clock.moment = end
        run_until_idle()

    def sent(self) -> dict[str, list[tuple[str, timedelta]]]:
        """Which steps sent to whom, how long after the start; by the local part of the address."""
        found: dict[str, list[tuple[str, timedelta]]] = {}
        rows = Message.objects.filter(state=Message.State.ACCEPTED).order_by("settled_at", "pk")
        for row in rows.select_related("contact", "template_version"):
            assert row.settled_at is not None
            name = row.contact.email.partition("@")[0]
            assert row.template_version.language == row.contact.language
            found.setdefault(name, []).append((row.node, row.settled_at - START))
        return found


def _due(moment: datetime) -> Iterator[datetime]:
    for model, name in ((Enrolment, "wake_at"), (Message, "due_at"), (Cart, "abandon_at")):
        soonest = model._default_manager.filter(**{f"{name}__gt": moment}).aggregate(at=Min(name))
        if soonest["at"] is not None:
            yield soonest["at"]


def agreed(who: Who) -> None:
    """A subscription to every topic that there is."""
    from wagtail_triggers.consent.models import Topic

    for slug in Topic.objects.values_list("slug", flat=True):
        subscribe(who, slug, source="test")


def happens(name: str, who: Who, key: str = "", **payload: Any) -> Callable[[], Any]:
    """An event that is told when it is called."""
    return lambda: track(name, contact=who, key=key, payload=payload)


def goods(price: str = "42.00") -> Mapping[str, Any]:
    """Lines and total."""
    lines = [line("Gong Fu teapot", price=price), line("Sencha", 2, "9.50")]
    return {"lines": lines, "total": total(lines)}


def cart(who: Who, **more: Any) -> Callable[[], Any]:
    """The person's cart, as it stands."""
    name = f"c-{who.user_id}"
    values = {"cart_id": name, "url": "https://shop.example/cart/", **goods(), **more}
    return happens("cart_updated", who, name, **values)


def order(who: Who, event: str = "order_placed", **more: Any) -> Callable[[], Any]:
    """Something that happens to the person's order, which came of the person's cart."""
    number = str(more.pop("number", "1"))
    name = f"o-{who.user_id}-{number}"
    values = {
        "order_id": name,
        "number": f"2026-{number}",
        "cart_id": f"c-{who.user_id}",
        "url": f"https://shop.example/orders/{name}/",
        **goods(),
        **more,
    }
    return happens(event, who, name, **values)
