"""Anything may happen in any order: customers, editors, clocks and dying workers (Q10).

A Hypothesis state machine drives the real engine on a real database; `invented_shop` keeps an idea
of its own of what may leave, and judges at the channel. `TRIGGERS_MACHINE=2000x50` sets how many
runs of how many steps; the test prints what it did.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from wagtail.models import Site

from tests.acceptance.invented_shop import (
    CAP,
    CAP_WINDOW,
    NAMES,
    QUIET_FROM,
    QUIET_TO,
    Customer,
    Premises,
    Shop,
)
from wagtail_triggers.consent.models import FrequencyCap, QuietHours
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.lifecycle import pause, resume
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.messages import guards as message_guards
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind, Outgoing
from wagtail_triggers.messages.models import Message, MessageClass, TriggersSettings
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import captured_messages, run_until_idle, travelling

RUNS, STEPS = (int(part) for part in os.environ.get("TRIGGERS_MACHINE", "10x40").split("x"))
SEED = int(os.environ.get("TRIGGERS_MACHINE_SEED", "1"))
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"] * 2

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(max(120, RUNS * STEPS))]

which = st.integers(0, len(ZONES) - 1)
tally: dict[str, int] = {}
premises: list[Premises] = []


class _Killed(BaseException):
    """The worker is gone."""


class Machine(RuleBasedStateMachine):
    """One life of the shop."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.atomic = transaction.atomic()
        self.stack.enter_context(self.atomic)
        self.clock = self.stack.enter_context(travelling("2026-03-27 12:00"))
        self.stack.enter_context(captured_messages())
        tally["runs"] = tally.get("runs", 0) + 1

    @initialize()
    def open_the_shop(self) -> None:
        self.shop = Shop(premises[0], ZONES)
        deliver = memory.MemoryChannel._deliver

        def judged(channel: memory.MemoryChannel, outgoing: Outgoing) -> None:
            if outgoing.idempotency_key not in memory._delivered:
                sent = Message.objects.get(public_id=outgoing.idempotency_key)
                self.shop.judge(outgoing, sent.enrolment_id or 0)
                tally["sent"] = tally.get("sent", 0) + 1
            deliver(channel, outgoing)

        patch = pytest.MonkeyPatch()
        self.stack.callback(patch.undo)
        patch.setattr(memory.MemoryChannel, "_deliver", judged)

    def _somebody(self, number: int) -> Customer:
        return self.shop.customers[number]

    @invariant()
    def nothing_left_that_may_not_leave(self) -> None:
        if hasattr(self, "shop"):
            assert self.shop.breaches == []

    # Customers.

    @rule(coming=st.lists(which, min_size=3, max_size=6))
    def busy_hour(self, coming: list[int]) -> None:
        for number in coming:
            one = self._somebody(number)
            self.shop.register(one)
            self.shop.agree(one)
            self.shop.put(one, None)
        run_until_idle()
        self.clock.travel(timedelta(minutes=61))
        route_batch()

    @rule(number=which)
    def registers(self, number: int) -> None:
        self.shop.register(self._somebody(number))

    @rule(number=which, cart=st.one_of(st.none(), st.integers(0, 2)))
    def fills_a_cart(self, number: int, cart: int | None) -> None:
        one = self._somebody(number)
        old = [key for key, state in one.carts.items() if state != "ordered"]
        self.shop.put(one, old[cart % len(old)] if old and cart is not None else None)

    @rule(number=which, cart=st.integers(0, 2), buys=st.booleans())
    def buys_or_empties(self, number: int, cart: int, buys: bool) -> None:
        one = self._somebody(number)
        old = [key for key, state in one.carts.items() if state == "open"]
        if old:
            (self.shop.buy if buys else self.shop.empty)(one, old[cart % len(old)])

    @rule(number=which)
    def agrees(self, number: int) -> None:
        self.shop.agree(self._somebody(number))

    @rule(number=which, slug=st.sampled_from(["news", "carts"]))
    def withdraws(self, number: int, slug: str) -> None:
        self.shop.withdraw(self._somebody(number), slug)

    @rule(number=which)
    def wants_nothing_more(self, number: int) -> None:
        self.shop.leave_alone(self._somebody(number))

    # Editors.

    @rule(site=st.integers(0, 1), name=st.sampled_from(NAMES))
    def publish_anew(self, site: int, name: str) -> None:
        self.shop.publish(site, name)

    @rule(site=st.integers(0, 1), name=st.sampled_from(NAMES))
    def pause_or_resume(self, site: int, name: str) -> None:
        journey = self.shop.journeys[site, name]
        if (site, name) in self.shop.paused:
            self.shop.paused.discard((site, name))
            resume(journey)
        else:
            pause(journey)
            self.shop.paused.add((site, name))

    # Workers and the clock.

    @rule(minutes=st.sampled_from([1, 20, 61, 240, 24 * 60, 3 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.clock.travel(timedelta(minutes=minutes))

    @rule()
    def router(self) -> None:
        route_batch()

    @rule()
    def runner(self) -> None:
        run_due()

    @rule(kind=st.sampled_from([MessageClass.MARKETING, MessageClass.TRANSACTIONAL]))
    def sender(self, kind: MessageClass) -> None:
        send_batch(kind)

    @rule()
    def everything(self) -> None:
        run_until_idle()

    @rule()
    def reaper(self) -> None:
        reap()

    @rule(fault=st.sampled_from(["refused", "busy", "silent", "delivered and silent"]))
    def provider_fails_once(self, fault: str) -> None:
        memory.script([_FAULTS[fault]])

    @rule(kind=st.sampled_from([MessageClass.MARKETING, MessageClass.TRANSACTIONAL]))
    def sender_dies(self, kind: MessageClass) -> None:
        def dies(_channel: Any, _outgoing: Outgoing) -> Outcome:
            raise _Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(memory.MemoryChannel, "send", dies)
            try:
                send_batch(kind)
            except _Killed:
                tally["kills"] = tally.get("kills", 0) + 1

    def teardown(self) -> None:
        """In the end everything is settled, and everybody has been everywhere."""
        try:
            if hasattr(self, "shop") and not self.shop.breaches:
                self._settle()
        finally:
            transaction.set_rollback(True)
            self.stack.close()

    def _settle(self) -> None:
        for site, name in sorted(self.shop.paused):
            self.shop.paused.discard((site, name))
            resume(self.shop.journeys[site, name])
        for _day in range(24):
            self.clock.travel(timedelta(hours=25))
            run_until_idle()
        open_messages = Message.objects.exclude(state__in=Message.TERMINAL)
        assert list(open_messages.values_list("state", "reason", "due_at")) == []
        alive = Enrolment.objects.filter(state__in=Enrolment.ALIVE)
        assert list(alive.values_list("state", "node", "wake_at", "reason")) == []
        unexplained = Message.objects.exclude(state=Message.State.ACCEPTED).filter(reason="")
        assert unexplained.count() == 0
        tally["messages"] = tally.get("messages", 0) + Message.objects.count()


_FAULTS = {
    "refused": Outcome(OutcomeKind.REFUSED, detail="no such mailbox"),
    "busy": Outcome(OutcomeKind.NEVER_LEFT, detail="busy"),
    "silent": Outcome(OutcomeKind.AMBIGUOUS, detail="no answer"),
    "delivered and silent": Outcome(OutcomeKind.AMBIGUOUS, status="delivered", detail="no answer"),
}


def set_policies(site: Site, without: str = "") -> None:
    """Caps and quiet hours as `invented_shop` expects them."""
    row: Any = TriggersSettings.objects.get_or_create(site=site)[0]  # modelcluster takes lists
    cap = FrequencyCap(limit=CAP, amount=CAP_WINDOW.days, unit="days")
    row.caps = [] if without == "caps" else [cap]
    hours = QuietHours(begins=QUIET_FROM, ends=QUIET_TO)
    row.quiet_hours = [] if without == "quiet_hours" else [hours]
    row.save()


def play(runs: int, steps: int, *, planted: bool = False, without: str = "") -> None:
    """Let so many lives of the shop pass; prints what they came to.

    Args:
        runs: Lives.
        steps: What happens in each.
        planted: A fault is planted: that it is found is enough, it need not be made small.
        without: "caps" or "quiet_hours": a policy that the sites do not have.
    """
    tally.clear()
    premises[:] = [Premises()]
    for site in premises[0].sites:
        set_policies(site, without)
    limits = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=[Phase.generate] if planted else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(SEED)(Machine), settings=limits)
    print(f"\nmachine: breaks=0 runs={tally['runs']} steps={steps} {tally} seed={SEED}")


def test_nothing_leaves_that_may_not_leave_whatever_happens() -> None:
    play(RUNS, STEPS)
    assert tally["sent"] > RUNS
    assert tally["messages"] >= tally["sent"]


def test_judge_finds_what_missing_guards_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("unsubscribed", "no_consent"):
        monkeypatch.delitem(message_guards.guards._entries, name)
    with pytest.raises(AssertionError, match=r"without consent|after unsubscribing"):
        play(60, 40, planted=True)


@pytest.mark.parametrize(
    ("policy", "breach"), [("caps", "over the cap"), ("quiet_hours", "in quiet hours")]
)
def test_judge_finds_what_a_missing_policy_lets_through(policy: str, breach: str) -> None:
    with pytest.raises(AssertionError, match=breach):
        play(60, 40, planted=True, without=policy)
