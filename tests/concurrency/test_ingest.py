"""What comes in costs the shop one INSERT: it waits for nobody, and nobody waits for it."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django import Settings

from tests.concurrency.parallel import Strand, holding, together
from tests.concurrency.people import people, who
from tests.shop import cart, journey, line, order, template
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import queue
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine import contact_batch, router
from wagtail_triggers.engine.models import Enrolment, Refusal
from wagtail_triggers.engine.recovery import reap
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Event
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db(transaction=True)


def thanks() -> Journey:
    """A letter for every order."""
    return journey("Thanks", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": template("Thanks")},
    ])  # fmt: skip


def reminders() -> Journey:
    """A reminder for every cart, until it is ordered."""
    return journey(
        "Reminders",
        [
            {"kind": "entry", "event": "cart_updated"},
            {"kind": "wait", "amount": 1, "unit": "hours"},
        ],
        goals=[{"event": "order_placed", "match": "same_object", "converts": True}],
    )


def test_track_does_not_wait_for_a_router_that_holds_the_contact(outbox: list[Outgoing]) -> None:
    (row,) = people(1)
    with holding(lambda: list(locked(Contact.objects.filter(pk=row.pk)))):
        began = time.monotonic()
        shop = Strand(lambda: order("1", line(), who=who(row)))
        assert shop.settled() == "done"
        assert shop.wait() is True
        took = time.monotonic() - began
    assert took < 2.0  # a thread and a connection are in this; the lock would be for ever
    assert Event.objects.get().contact_id == row.pk


def test_checkout_with_an_uncommitted_event_holds_up_no_worker(outbox: list[Outgoing]) -> None:
    (row,) = people(1)
    with holding(lambda: order("1", line(), who=who(row))), transaction.atomic():
        assert list(locked(Contact.objects.filter(pk=row.pk), skip_locked=True)) == [row]
        assert Event.objects.count() == 0
    assert route_batch() == 1


def test_same_event_five_times_at_once_starts_one_run(outbox: list[Outgoing]) -> None:
    thanks()
    copies = together(*[lambda: order("77", line(), dedupe_key="order:77:placed")] * 5)
    assert sorted(copies) == [False, False, False, False, True]
    together(*[route_batch] * 3)
    run_until_idle()
    assert Event.objects.count() == 1
    assert Enrolment.objects.count() == 1
    assert len(outbox) == 1


def test_same_new_customer_in_five_events_at_once_is_one_contact(outbox: list[Outgoing]) -> None:
    thanks()
    together(*[lambda: order(str(threading.get_ident()), line())] * 5)
    together(*[route_batch] * 5)
    run_until_idle()
    assert Contact.objects.count() == 1
    assert Enrolment.objects.count() == 5
    assert len(outbox) == 5


def test_order_that_is_rolled_back_sends_nothing_and_hints_at_nothing(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    thanks()
    settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    hinted: list[str] = []
    monkeypatch.setattr(queue.publisher, "want", hinted.append)

    def fails() -> None:
        with transaction.atomic():
            assert order("1", line()) is True
            raise LookupError("out of stock")

    with pytest.raises(LookupError):
        fails()
    run_until_idle()
    assert (Event.objects.count(), len(outbox), hinted) == (0, 0, [])
    with transaction.atomic():
        order("2", line())
        order("3", line())
        assert hinted == []
    assert hinted == ["wagtail_triggers.route"]


@pytest.mark.parametrize("looks", [True, False])
def test_cart_that_commits_after_its_order_starts_no_run(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, looks: bool
) -> None:
    reminders()
    (row,) = people(1)
    if not looks:
        monkeypatch.setattr(contact_batch.ContactBatch, "_stored", lambda self, journeys: {})
    with holding(lambda: cart("12", line(), who=who(row))):  # inserted first, committed last
        order("77", line(), cart_id="12", who=who(row))
        assert route_batch() == 1
    assert route_batch() == 1
    if looks:
        assert Enrolment.objects.count() == 0
        assert Refusal.objects.get().reason == "already_done"
    else:
        assert Enrolment.objects.get().state == "active"  # it would be reminded of what it bought


def test_cart_of_another_order_still_starts_its_run(outbox: list[Outgoing]) -> None:
    reminders()
    (row,) = people(1)
    with holding(lambda: cart("12", line(), who=who(row))):
        order("77", line(), cart_id="11", who=who(row))
        route_batch()
    route_batch()
    assert Enrolment.objects.get().key == "cart:12"


def test_event_that_commits_late_is_routed_all_the_same(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    thanks()
    early, later = people(2)
    monkeypatch.setattr(router, "_low_water", 0)
    with holding(lambda: order("1", line(), who=who(early))):
        order("2", line(), who=who(later))
        assert route_batch() == 1
    assert route_batch() == 1
    assert Enrolment.objects.count() == 2


def test_event_that_commits_later_than_the_router_looks_back_is_found_by_the_reaper(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    thanks()
    early, later = people(2)
    monkeypatch.setattr(router, "_low_water", 0)
    monkeypatch.setattr(router, "LATE_COMMITS", 0)
    with holding(lambda: order("1", line(), who=who(early))):
        order("2", line(), who=who(later))
        assert route_batch() == 1
    assert route_batch() == 0
    assert reap().late_events == 1
    assert Enrolment.objects.count() == 2


class SilentBroker:
    """Accepts every connection and never says a word."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.door.settimeout(0.1)
        self.callers: list[socket.socket] = []
        self.open = True
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        """Its address, as a Redis would have it."""
        return f"redis://127.0.0.1:{self.door.getsockname()[1]}/0"

    def _listen(self) -> None:
        while self.open:
            try:
                self.callers.append(self.door.accept()[0])
            except TimeoutError:
                continue

    def close(self) -> None:
        """Hang up on everybody."""
        self.open = False
        self.thread.join()
        for line_ in (self.door, *self.callers):
            line_.close()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentBroker]:
    """Celery's broker is a silent one, and the process has not noticed yet."""
    broker = SilentBroker()
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", broker.url)
    monkeypatch.setattr(queue, "publisher", queue.Publisher())
    yield broker
    queue.publisher._drop_connection()
    broker.close()


def _until(true: Callable[[], object], seconds: float = 10.0) -> bool:
    give_up = time.monotonic() + seconds
    while not true() and time.monotonic() < give_up:
        time.sleep(0.02)
    return bool(true())


def test_silent_broker_costs_the_checkout_nothing_but_a_log_line(
    outbox: list[Outgoing], silent: SilentBroker, settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    (row,) = people(1)
    order("0", line(), who=who(row))  # imports and the first connection are paid for
    settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    took = []
    with caplog.at_level(logging.WARNING, "wagtail_triggers.queue"):
        for number in range(1, 8):
            began = time.monotonic()
            with transaction.atomic():
                order(str(number), line(), who=who(row))
            took.append(time.monotonic() - began)
        assert _until(lambda: queue.publisher.failures)
    print(f"\ntrack and commit on a silent broker: {max(took) * 1000:.1f} ms at worst")
    assert sorted(took)[len(took) // 2] < 0.05
    assert silent.callers, "the broker was never asked"
    assert queue.publisher.failures == 1
    assert "Nothing is lost: the periodic tick finds the work" in caplog.text
    asked = len(silent.callers)
    order("9", line(), who=who(row))  # quiet for 30 s after a failure
    assert _until(lambda: not queue.publisher._wanted)
    assert (queue.publisher.failures, len(silent.callers)) == (1, asked)
    assert route_batch() == 9


def test_silent_broker_would_hold_the_checkout_up_if_it_were_asked_there(
    outbox: list[Outgoing], silent: SilentBroker, settings: Settings
) -> None:
    settings.WAGTAIL_TRIGGERS_NUDGE = "inline"
    began = time.monotonic()
    order("1", line())
    took = time.monotonic() - began
    assert queue.publisher.failures == 1
    assert 0.5 < took < 5.0


def test_dead_broker_is_noticed_and_the_order_is_kept(
    outbox: list[Outgoing], silent: SilentBroker, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis://127.0.0.1:{free.getsockname()[1]}")
    settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    order("1", line())
    assert _until(lambda: queue.publisher.failures)
    assert Event.objects.count() == 1
