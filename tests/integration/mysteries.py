"""Planted mysteries: each is a person who got something, or did not, for exactly one reason."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from wagtail.models import Site

from tests.shop import cart, journey, line, order, publish, publish_on, template, topic
from wagtail_triggers.api import Who, exit_journey, subscribe, track
from wagtail_triggers.contacts.identify import Description, resolve
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.lifecycle import archive, pause, resume
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import (
    MessageClass,
    Template,
    TriggersSettings,
)
from wagtail_triggers.testing import run_until_idle

Node = Mapping[str, Any]
ENTRY: Final[Node] = {"kind": "entry", "event": "user_registered"}
ON_CART: Final[Node] = {"kind": "entry", "event": "cart_updated"}


@dataclass
class Scene:
    """What a mystery is planted in: a clock, chance, and one person."""

    clock: FrozenClock
    chance: random.Random
    who: Who
    #: What the answer must name besides its code.
    says: list[str] = field(default_factory=list)

    def later(self, **span: float) -> None:
        """Some time passes, and what is due is done."""
        self.clock.travel(timedelta(**span))
        run_until_idle()

    def happens(self, name: str = "user_registered", **more: Any) -> None:
        """The person does something, and it is looked at."""
        track(name, contact=self.who, **more)
        run_until_idle()

    def letter(self, kind: str = MessageClass.TRANSACTIONAL, **more: Any) -> dict[str, Any]:
        """A step that sends one."""
        about = topic() if kind == MessageClass.MARKETING else None
        name = f"Letter {self.chance.randint(0, 10**6)}"
        return {"kind": "send", "template": template(name, kind=kind, topic=about, **more)}

    def news(self) -> dict[str, Any]:
        """A step that sends marketing."""
        return self.letter(MessageClass.MARKETING)

    def agrees(self) -> None:
        """The person subscribes."""
        topic()
        subscribe(self.who, "news", source="form")
        run_until_idle()

    def rules(self) -> TriggersSettings:
        """The site's settings."""
        found: TriggersSettings = TriggersSettings.for_site(Site.objects.get(is_default_site=True))
        return found


Plant = Callable[[Scene], Journey]
PLANTS: Final[dict[str, Plant]] = {}


def plants(code: str) -> Callable[[Plant], Plant]:
    """Register a mystery under the code of its one right answer."""

    def register(plant: Plant) -> Plant:
        PLANTS[code] = plant
        return plant

    return register


def simple(scene: Scene, *steps: Node, **more: Any) -> Journey:
    """A published journey that begins with a registration."""
    return journey("The journey", [ENTRY, *(steps or (scene.letter(),))], **more)


@plants("no_event")
def _nothing_happened(scene: Scene) -> Journey:
    row = simple(scene)
    scene.happens("page_viewed", payload={"url": "https://shop.example/"})
    return row


@plants("queued")
def _nobody_looked(scene: Scene) -> Journey:
    row = simple(scene)
    track("user_registered", contact=scene.who)
    # Somebody must exist to be asked about; the event itself is still in the queue.
    event = Event.objects.order_by("-pk")[0]
    found = resolve([Description(event.pk, event.site_id, event.who)], scene.clock.moment)
    Event.objects.filter(pk=event.pk).update(resolved=True, contact_id=found[event.pk])
    return row


@plants("not_yet_published")
def _too_early(scene: Scene) -> Journey:
    scene.happens()
    scene.later(hours=scene.chance.randint(1, 50))
    return simple(scene)


@plants("journey_paused")
def _paused_then(scene: Scene) -> Journey:
    row = simple(scene)
    reason = scene.chance.choice(["", "More than 20 errors within an hour."])
    pause(row, reason=reason)
    scene.says += [reason] if reason else []
    scene.later(hours=2)
    scene.happens()
    scene.later(hours=1)
    if scene.chance.random() < 0.5:
        resume(row)
        scene.later(days=1)
    return row


@plants("journey_archived")
def _archived_then(scene: Scene) -> Journey:
    row = simple(scene)
    archive(row, let_finish=True)
    scene.later(hours=1)
    scene.happens()
    return row


@plants("journey_unpublished")
def _taken_off(scene: Scene) -> Journey:
    row = simple(scene)
    row.unpublish()
    scene.later(hours=1)
    scene.happens()
    return row


@plants("not_listened")
def _another_version(scene: Scene) -> Journey:
    row = simple(scene)
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "out", "kind": "end"},
        ],
        "edges": [{"source": "in", "port": "next", "target": "out"}],
    }
    scene.later(hours=1)
    publish_on(row.site, row.name, graph, row=row)
    scene.later(hours=1)
    scene.happens()
    scene.says.append("Version 2")
    return row


@plants("filtered")
def _filtered(scene: Scene) -> Journey:
    wanted, price = scene.chance.randint(50, 90), scene.chance.randint(10, 40)
    dear = {"event": "total.amount", "op": "gte", "value": f"{wanted}.00"}
    known = {"fact": "language", "op": "is_not_set"}
    shape = scene.chance.choice([dear, {"all": [known, dear]}, {"any": [dear, {"not": known}]}])
    row = journey("The journey", [{**ON_CART, "filter": shape}, scene.letter()])
    cart("12", line(price=f"{price}.00"), who=scene.who)
    run_until_idle()
    scene.says += [f"{wanted}.00", f"{price}.00"]
    return row


@plants("already_in_journey")
def _in_it_already(scene: Scene) -> Journey:
    wait = {"kind": "wait", "amount": scene.chance.randint(3, 20), "unit": "days"}
    alone = {**ENTRY, "reentry": {"rule": "one_at_a_time"}}
    row = journey("The journey", [alone, wait, scene.letter()])
    scene.happens()
    scene.later(days=1)
    scene.happens(key="again")
    scene.later(hours=1)
    return row


def _re_entry(scene: Scene, rule: Mapping[str, Any], times: int = 1) -> Journey:
    row = journey("The journey", [{**ENTRY, "reentry": dict(rule)}, scene.letter()])
    for number in range(times + 1):
        scene.happens(key=str(number))
        scene.later(hours=scene.chance.randint(1, 4))
    return row


@plants("entered_once")
def _once(scene: Scene) -> Journey:
    scene.says.append("each person once")
    return _re_entry(scene, {"rule": "once"})


@plants("entered_too_recently")
def _too_soon(scene: Scene) -> Journey:
    days = scene.chance.randint(2, 60)
    scene.says.append(f"{days} days")
    return _re_entry(scene, {"rule": "every", "every": {"amount": days, "unit": "days"}})


@plants("entered_too_often")
def _too_often(scene: Scene) -> Journey:
    times = scene.chance.randint(1, 3)
    per = {"amount": 9, "unit": "days"}
    scene.says.append("9 days")
    return _re_entry(scene, {"rule": "at_most", "times": times, "per": per}, times)


@plants("max_runs_reached")
def _enough(scene: Scene) -> Journey:
    most = scene.chance.randint(1, 3)
    scene.says.append(f"at most {most} in all")
    return _re_entry(scene, {"rule": "each_key", "max_runs": most}, most)


@plants("already_done")
def _bought_before(scene: Scene) -> Journey:
    goal = {"event": "order_placed", "match": "same_object", "converts": True}
    row = journey("The journey", [ON_CART, scene.letter()], goals=[goal])
    order("77", line(), cart_id="12", who=scene.who)
    run_until_idle()
    scene.clock.travel(timedelta(minutes=1))
    cart("12", line(), who=scene.who)
    run_until_idle()
    return row


@plants("held_out")
def _left_out(scene: Scene) -> Journey:
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "user_registered"}},
            {"id": "share", "kind": "holdout", "settings": {"percent": 99}},
            {"id": "say", "kind": "send", "settings": {"template": scene.letter()["template"]}},
            {"id": "out", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "share"},
            {"source": "share", "port": "next", "target": "say"},
            {"source": "share", "port": "held_out", "target": "out"},
            {"source": "say", "port": "next", "target": "out"},
        ],
    }
    row = publish("The journey", graph)
    scene.happens()
    return row


@plants("another_way")
def _no_at_the_branch(scene: Scene) -> Journey:
    wanted = scene.chance.randint(3, 9)
    condition = {"fact": "orders_count", "op": "gte", "value": wanted}
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "user_registered"}},
            {"id": "ask", "kind": "branch", "settings": {"condition": condition}},
            {"id": "say", "kind": "send", "settings": {"template": scene.letter()["template"]}},
            {"id": "out", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "ask"},
            {"source": "ask", "port": "yes", "target": "say"},
            {"source": "ask", "port": "no", "target": "out"},
            {"source": "say", "port": "next", "target": "out"},
        ],
    }
    row = publish("The journey", graph)
    scene.happens()
    scene.says += [str(wanted), "No"]
    return row


@plants("waiting")
def _still_waiting(scene: Scene) -> Journey:
    days = scene.chance.randint(2, 20)
    row = simple(scene, {"kind": "wait", "amount": days, "unit": "days"}, scene.letter())
    scene.happens()
    scene.later(days=1)
    scene.says.append(f"Wait {days} days")
    return row


@plants("waiting_for")
def _waits_for_something(scene: Scene) -> Journey:
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "user_registered"}},
            {"id": "until", "kind": "wait_for", "settings": {
                "event": "order_placed", "match": "any"}},
            {"id": "say", "kind": "send", "settings": {"template": scene.letter()["template"]}},
            {"id": "out", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "until"},
            {"source": "until", "port": "next", "target": "say"},
            {"source": "say", "port": "next", "target": "out"},
        ],
    }  # fmt: skip
    row = publish("The journey", graph)
    scene.happens()
    scene.later(days=scene.chance.randint(1, 30))
    return row


@plants("parked")
def _parked(scene: Scene) -> Journey:
    letter = scene.letter()
    row = simple(scene, letter)
    Template.objects.get(translation_key=letter["template"]).unpublish()
    scene.happens()
    scene.says.append("The template of this step is not published.")
    return row


@plants("journey_paused_now")
def _paused_now(scene: Scene) -> Journey:
    row = simple(scene, {"kind": "wait", "amount": 2, "unit": "days"}, scene.letter())
    scene.happens()
    scene.later(hours=scene.chance.randint(1, 40))
    pause(row)
    scene.later(days=3)
    return row


@plants("site_off")
def _switched_off(scene: Scene) -> Journey:
    row = simple(scene, {"kind": "wait", "amount": 2, "unit": "days"}, scene.letter())
    scene.happens()
    rules = scene.rules()
    rules.sending_on = False
    rules.save()
    scene.later(days=3)
    return row


@plants("task")
def _task(scene: Scene) -> Journey:
    approve = {"name": "approve", "label": "Approve"}
    task = {
        "title": "Call them",
        "choices": [approve],
        "deadline": {"amount": 9, "unit": "days"},
    }
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "user_registered"}},
            {"id": "do", "kind": "human_task", "settings": task},
            {"id": "out", "kind": "end"},
        ],
        "edges": [
            {"source": "in", "port": "next", "target": "do"},
            {"source": "do", "port": "approve", "target": "out"},
            {"source": "do", "port": "timeout", "target": "out"},
        ],
    }
    row = publish("The journey", graph)
    scene.happens()
    return row


def _leaves_early(scene: Scene, *, converts: bool) -> Journey:
    goal = {"event": "order_placed", "match": "any", "converts": converts}
    wait = {"kind": "wait", "amount": 5, "unit": "days"}
    row = simple(scene, wait, scene.letter(), goals=[goal])
    scene.happens()
    scene.later(days=scene.chance.randint(1, 4))
    order("7", line(), who=scene.who)
    run_until_idle()
    scene.later(days=9)
    return row


@plants("converted")
def _converted(scene: Scene) -> Journey:
    return _leaves_early(scene, converts=True)


@plants("left")
def _left(scene: Scene) -> Journey:
    if scene.chance.random() < 0.5:
        return _leaves_early(scene, converts=False)
    row = simple(scene, {"kind": "wait", "amount": 5, "unit": "days"}, scene.letter())
    scene.happens()
    exit_journey(scene.who, row)
    run_until_idle()
    return row


@plants("sent")
def _sent(scene: Scene) -> Journey:
    row = simple(scene)
    scene.happens()
    return row


def mysteries(count: int) -> Sequence[tuple[int, str]]:
    """So many mysteries: each kind in turn, each time with other numbers."""
    codes = sorted(PLANTS)
    return [(number, codes[number % len(codes)]) for number in range(count)]
