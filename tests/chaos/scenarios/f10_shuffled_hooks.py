"""F10: every event comes one to five times, in any order, from several sides at once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.test import override_settings

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.shop import line, total
from wagtail_triggers.api import Who, track
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.scheduler import drain, work_through
from wagtail_triggers.events.models import Cart, Event, Order
from wagtail_triggers.messages.models import MessageClass

SCENARIO = Scenario(
    name="F10",
    title="hooks doubled and out of order, from several senders, to several routers",
    promise=(
        "each event counts once; an older one never overwrites a newer one; what is cancelled "
        "before it is created stays cancelled; each order starts its journey once"
    ),
    broken="what arrives last wins, and every copy counts",
    small=600,
    full=20_000,
)
ORDER = ("order_placed", "order_paid", "order_shipped", "order_cancelled")


@dataclass(frozen=True)
class Hook:
    """One event, as the shop's own history has it."""

    name: str
    key: str
    who: Who
    payload: dict[str, Any]
    at: datetime

    @property
    def identity(self) -> str:
        """What all its copies have in common."""
        return f"{self.name}:{self.key}:{self.at.isoformat()}"


@dataclass
class Model:
    """What the world must look like, by applying everything once and in order."""

    orders: dict[str, str] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)
    carts: dict[str, tuple[str, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def apply(self, hook: Hook) -> None:
        """One event more."""
        self.names[str(hook.who.user_id)] = hook.who.first_name
        if hook.name == "cart_updated":
            count = sum(one["quantity"] for one in hook.payload["lines"])
            self.carts[hook.key] = ("open" if count else "empty", count)
            return
        self.orders[hook.key] = hook.name.removeprefix("order_")
        if hook.name == "order_placed":
            self.placed.add(hook.key)
            cart = hook.payload["cart_id"]
            self.carts[cart] = ("ordered", self.carts.get(cart, ("", 0))[1])


def history(count: int, chance: random.Random, now: datetime) -> list[Hook]:
    """What happened in a shop: carts that grow and become orders, which move on."""
    hooks: list[Hook] = []
    number = 0
    while len(hooks) < count:
        number += 1
        at = now - timedelta(days=20) + timedelta(seconds=number)
        user = f"u{number % max(2, count // 12)}"

        def add(name: str, key: str, payload: dict[str, Any], user: str = user) -> None:
            nonlocal at
            at += timedelta(minutes=chance.randint(5, 60))
            who = Who(user_id=user, email=f"{user}@example.com", first_name=f"N{len(hooks)}")
            hooks.append(Hook(name, key, who, payload, at))

        cart, order = f"c{number}", f"o{number}"
        for _update in range(chance.randint(1, 4)):
            lines = [line(quantity=chance.randint(1, 9))] if chance.random() < 0.9 else []
            add("cart_updated", cart, {"cart_id": cart, "lines": lines, "total": total(lines)})
        if chance.random() < 0.3:
            continue
        lines = [line()]
        for name in ORDER[: chance.randint(1, len(ORDER))]:
            payload: dict[str, Any] = {"order_id": order, "number": f"#{order}", "cart_id": cart}
            payload |= {"lines": lines, "total": total(lines)}
            add(name, order, payload)
    return hooks


def run(chaos: Chaos) -> Report:
    """Bring the history in, shuffled and copied, from three threads while two routers work."""
    crowd.thanks([("email", MessageClass.TRANSACTIONAL)])
    chaos.sink.perform()
    hooks = history(chaos.messages, chaos.chance, clock.now())
    model = Model()
    for hook in sorted(hooks, key=lambda one: one.at):
        model.apply(hook)
    copies = [hook for hook in hooks for _copy in range(chaos.chance.randint(1, 5))]
    chaos.chance.shuffle(copies)
    taken = _bring_in(copies, honest=not chaos.broken)
    with override_settings(WAGTAIL_TRIGGERS_NUDGE="off"):
        while work_through(seconds=600).total:
            pass
    report = chaos.report()
    report.count(len(model.placed), chaos.sink.deliveries())
    report.extra |= {"events": len(hooks), "copies": len(copies), "taken": taken}
    _compare(report, model, len(hooks))
    return report


def _bring_in(copies: list[Hook], *, honest: bool) -> int:
    """Three senders and two routers; how many copies were told to be new."""
    taken = Counter[bool]()
    lock = threading.Lock()
    waiting = iter(copies)
    feeding = threading.Event()

    def send() -> None:
        while (hook := _next(waiting, lock)) is not None:
            with transaction.atomic():
                fresh = track(
                    hook.name, contact=hook.who, key=hook.key, payload=hook.payload,
                    occurred_at=hook.at if honest else None,
                    dedupe_key=hook.identity if honest else None,
                )  # fmt: skip
            with lock:
                taken[fresh] += 1
        connection.close()

    def route() -> None:
        while not feeding.is_set():
            drain(lambda: route_batch(30), seconds=5)
            feeding.wait(0.05)
        connection.close()

    with override_settings(WAGTAIL_TRIGGERS_NUDGE="off"):
        senders = [threading.Thread(target=send) for _ in range(3)]
        routers = [threading.Thread(target=route) for _ in range(2)]
        for thread in (*senders, *routers):
            thread.start()
        for thread in senders:
            thread.join()
        feeding.set()
        for thread in routers:
            thread.join()
    return taken[True]


def _next(waiting: Any, lock: threading.Lock) -> Hook | None:
    with lock:
        hook: Hook | None = next(waiting, None)
        return hook


def _compare(report: Report, model: Model, events: int) -> None:
    orders = dict(Order.objects.values_list("order_id", "status"))
    carts = {
        cart: (status, items)
        for cart, status, items in Cart.objects.values_list("cart_id", "status", "items")
    }
    names = dict(
        Contact.objects.filter(merged_into=None, identities__kind="user_id").values_list(
            "identities__value", "first_name"
        )
    )
    starts = Counter(Enrolment.objects.values_list("key", flat=True))
    wrong = {
        "orders": _differences(orders, model.orders),
        "carts": _differences(
            {key: value if value[0] != "ordered" else ("ordered",) for key, value in carts.items()},
            {
                key: value if value[0] != "ordered" else ("ordered",)
                for key, value in model.carts.items()
            },
        ),
        "names": _differences(names, model.names),
        "starts": _differences(starts, dict.fromkeys((f"order:{k}" for k in model.placed), 1)),
    }
    stored = Event.objects.exclude(source="engine").count()
    report.extra["stored"] = stored
    report.extra["different from the model"] = {what: len(ids) for what, ids in wrong.items()}
    for what, ids in wrong.items():
        report.demand(not ids, f"{what} are as in the model, not so: {ids[:5]}")
    report.demand(stored == events, f"{events} events are stored once each, not {stored}")
    report.demand(report.duplicates == 0, "nothing comes twice")


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    keys = sorted(found.keys() | wanted.keys())
    return [
        f"{key}: {found.get(key)} for {wanted.get(key)}"
        for key in keys
        if found.get(key) != wanted.get(key)
    ]
