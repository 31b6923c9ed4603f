"""A person is forgotten: every table that tells of them is emptied, and nothing leaves any more."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.integration.canaries import OF_NOBODY, SAY_NOTHING, TEXT, Person, dump, of_people, ours
from tests.shop import ADA, cart, journey, line, order, publish, template, topic
from wagtail_triggers import api
from wagtail_triggers.api import Who, track
from wagtail_triggers.consent.addresses import current_hash
from wagtail_triggers.consent.links import Wanted, tokens_for
from wagtail_triggers.consent.models import (
    ConsentEvent,
    LinkToken,
    Subscription,
    Suppression,
    Topic,
)
from wagtail_triggers.consent.subscriptions import unsubscribe_by_link
from wagtail_triggers.contacts import erasures
from wagtail_triggers.contacts.erasing import SUBJECT_GONE
from wagtail_triggers.contacts.merge import merge
from wagtail_triggers.contacts.models import Contact, Erasure, Identity
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.core.sites import default_site_id
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment, Job
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Cart, Event, Order
from wagtail_triggers.exceptions import InvalidEvent
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.erasing import ERASED
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _world(clock: FrozenClock, outbox: list[Outgoing]) -> None:
    """The clock stands still, and nothing leaves."""


@pytest.fixture
def letters() -> None:
    """A receipt for every order, and two days later a question, if nobody objects."""
    soft = topic("soft", consent=Topic.Consent.SOFT)
    receipt = template("Receipt")
    question = template("How was it?", kind=MessageClass.MARKETING, topic=soft)
    journey("Orders", [
        {"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": receipt},
        {"kind": "wait", "amount": 2, "unit": "days"}, {"kind": "send", "template": question},
    ])  # fmt: skip


def erase(who: object = "ada@example.com") -> Erasure:
    """Ask for it, and let the worker come by."""
    name = api.erase(who)
    run_until_idle()
    return Erasure.objects.get(public_id=name)


# -- nothing is left ------------------------------------------------------------------------------


def test_every_table_with_text_is_of_people_or_said_to_be_of_nobody() -> None:
    people = {model._meta.model_name for model in of_people()}
    unsaid = {
        model._meta.model_name
        for model in ours()
        if any(isinstance(field, TEXT) for field in model._meta.concrete_fields)
        and model._meta.model_name not in people | OF_NOBODY.keys()
    }
    assert not unsaid, (
        f"{unsaid}: can these tables hold what tells of a person? Then empty them in an erasing.py "
        "of their room, and plant a canary; else say in OF_NOBODY why not."
    )
    assert not people & OF_NOBODY.keys()


def test_erasure_leaves_no_canary_in_any_table_nor_in_the_log(
    letters: None, caplog: pytest.LogCaptureFixture
) -> None:
    ada, bob = Person("kanarya"), Person("papagei")
    contact = ada.plant()
    bob.plant()
    columns = ada.planted()
    assert len(columns) >= 50
    assert {"message.context", "event.payload", "enrolment.refs", "job.result"} <= columns
    before = dump(["papagei"])
    assert dump(["kanarya"]).keys() == before.keys()
    allowed = {name: why for name, why in SAY_NOTHING.items() if name in columns}
    for model, row in ada.rows.items():  # what says nothing of anybody is taken out of the test
        names = [n.partition(".")[2] for n in allowed if n.startswith(f"{model._meta.model_name}.")]
        model._default_manager.filter(pk=row.pk).update(**dict.fromkeys(names, "x"))
    bobs = bob.values()
    with caplog.at_level(logging.DEBUG):
        request = erasures.request_contact(contact)
        done = erasures.carry_out(request.pk)
    assert done.done_at is not None, done.problem
    assert dump(["kanarya"]) == {}
    assert dump(["papagei"]) == before
    assert bob.values() == bobs
    assert "kanarya" not in caplog.text
    assert done.removed["message"] == 1
    assert done.removed["identity"] == 6


def test_erasure_of_all_rows_in_small_chunks_is_interrupted_and_goes_on(
    letters: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "CHUNK", 2)
    for number in range(7):
        order(str(number), line(), dedupe_key=f"ada-{number}")
    run_until_idle()
    contact = Contact.objects.get()
    request = erasures.request_contact(contact)
    rounds = 0
    while Erasure.objects.get(pk=request.pk).done_at is None:
        erasures.carry_out(request.pk, seconds=0)
        rounds += 1
        assert rounds < 200
    assert rounds > 5
    assert Erasure.objects.get(pk=request.pk).removed["event"] == Event.objects.count() >= 7
    assert not dump(["ada@", "Lovelace"])


def test_erasure_of_long_history_takes_a_statement_per_chunk_not_per_row(letters: None) -> None:
    counts = []
    for amount in (3, 60):
        who = Who(user_id=amount, email=f"p{amount}@example.com")
        for number in range(amount):
            order(f"{amount}-{number}", line(), who=who)
        run_until_idle()
        pk = erasures.request_contact(Contact.objects.get(email=f"p{amount}@example.com")).pk
        with CaptureQueriesContext(connection) as queries:
            assert erasures.carry_out(pk).done_at is not None
        counts.append(len(queries))
    assert counts[0] == counts[1]


# -- nothing happens any more ---------------------------------------------------------------------


def test_erasure_ends_runs_cancels_what_waits_and_leaves_what_has_left(
    letters: None, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    run_until_idle()
    assert [one.subject for one in outbox] == ["Receipt"]
    erase()
    run = Enrolment.objects.get()
    assert (run.state, run.reason, run.active_slot, run.wake_at) == (
        "exited", SUBJECT_GONE, None, None,
    )  # fmt: skip
    clock.travel(timedelta(days=3))
    run_until_idle()
    assert len(outbox) == 1
    assert Message.objects.get().state == Message.State.ACCEPTED


def test_erasure_cancels_receipts_as_well_as_marketing_that_is_planned(
    letters: None, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    route_batch()
    run_due()
    assert Message.objects.get().state == Message.State.PLANNED
    erase()
    row = Message.objects.get()
    assert (row.state, row.reason, row.due_at) == ("cancelled", ERASED, None)
    assert outbox == []


def test_letter_in_doubt_of_an_erased_person_stays_visible_as_in_doubt(letters: None) -> None:
    order("1", line())
    run_until_idle()
    Message.objects.update(state=Message.State.UNKNOWN, ambiguous=1, due_at=None)
    erase()
    row = Message.objects.get()
    assert (row.state, row.address, row.context) == ("unknown_parked", "", {})


def test_letter_being_handed_over_is_waited_for_and_emptied_afterwards(
    letters: None, clock: FrozenClock
) -> None:
    order("1", line())
    run_until_idle()
    Message.objects.update(state=Message.State.SENDING, lease_until=clock.moment)
    request = erase()
    assert request.stopped_at is not None
    assert request.done_at is None
    assert Message.objects.get().address == "ada@example.com"
    Message.objects.update(
        state=Message.State.RETRY, lease_until=None, due_at=clock.moment, reason="550 ada@example"
    )
    clock.travel(timedelta(seconds=6))
    run_until_idle()
    row = Message.objects.get()
    assert (row.state, row.reason, row.address) == ("cancelled", ERASED, "")
    assert Erasure.objects.get().done_at is not None


def test_sender_never_claims_for_an_erased_person(letters: None, outbox: list[Outgoing]) -> None:
    order("1", line())
    run_until_idle()
    outbox.clear()
    Contact.objects.update(erased_at=Message.objects.get().planned_at)
    Message.objects.update(state=Message.State.PLANNED, due_at=Message.objects.get().planned_at)
    assert send_batch(MessageClass.TRANSACTIONAL) == 1
    assert outbox == []
    assert Message.objects.get().reason == ERASED


def test_open_task_of_an_erased_person_is_cancelled_and_says_nothing(clock: FrozenClock) -> None:
    graph = {
        "nodes": [
            {"id": "in", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "ask", "kind": "human_task", "settings": {
                "title": "Call them", "deadline": {"amount": 5, "unit": "days"},
            }},
            {"id": "out", "kind": "end", "settings": {}},
        ],
        "edges": [{"source": "in", "port": "next", "target": "ask"}] + [
            {"source": "ask", "port": port, "target": "out"}
            for port in ("approve", "decline", "timeout")
        ],
    }  # fmt: skip
    publish("Check", graph)
    order("1", line())
    run_until_idle()
    assert Job.objects.get().state == Job.State.OPEN
    erase()
    job = Job.objects.get()
    assert (job.state, job.data, job.result, job.reason) == ("cancelled", {}, {}, "")


def test_abandoned_cart_of_an_erased_person_is_never_heard_of(clock: FrozenClock) -> None:
    cart("12", line())
    run_until_idle()
    erase()
    assert not Cart.objects.exists()
    clock.travel(timedelta(hours=3))
    run_until_idle()
    assert not Event.objects.filter(name="cart_abandoned").exists()


# -- who is meant ---------------------------------------------------------------------------------


def test_erasure_by_user_id_leaves_guests_of_the_same_address_unless_it_is_verified() -> None:
    track("user_updated", contact=Who(cookie_id="c1", email="ada@example.com"))
    track("user_updated", contact=ADA)
    run_until_idle()
    assert Contact.objects.count() == 2
    erase(Who(user_id=1))
    assert Contact.objects.filter(erased_at=None).count() == 1
    assert Identity.objects.filter(kind="cookie_id").exists()


def test_erasure_by_verified_address_takes_its_guests_along() -> None:
    track("user_updated", contact=Who(cookie_id="c1", email="ada@example.com"))
    track("user_updated", contact=ADA)
    run_until_idle()
    erase(Who(user_id=1, email="ada@example.com", email_verified=True))
    assert not Contact.objects.filter(erased_at=None).exists()
    assert not Identity.objects.exists()


def test_erasure_by_address_takes_everybody_with_it_and_nobody_else() -> None:
    track("user_updated", contact=Who(cookie_id="c1", email="Ada@Example.com"))
    track("user_updated", contact=ADA)
    track("user_updated", contact=Who(user_id=2, email="bob@example.com"))
    run_until_idle()
    erase("ADA@example.com")
    assert [str(one) for one in Contact.objects.filter(erased_at=None)] == ["bob@example.com"]


def test_erasure_takes_along_who_was_merged_into_the_person(clock: FrozenClock) -> None:
    order("1", line(), who=Who(cookie_id="c1", email="old@example.com", first_name="Adele"))
    track("user_updated", contact=ADA)
    run_until_idle()
    guest = Contact.objects.get(email="old@example.com")
    merge(guest.pk, Contact.objects.get(email="ada@example.com").pk, moment=clock.read())
    request = erase(Who(user_id=1))
    assert len(request.contacts) == 2
    assert not dump(["old@example.com", "Adele", "Lovelace"])


def test_erasure_of_somebody_whom_no_router_has_met_empties_their_events() -> None:
    order("1", line())
    track("page_viewed", contact=Who(user_id=9, email="bob@example.com"), payload={"url": "/bob"})
    api.erase(ADA)
    run_until_idle()
    ada, bob = Event.objects.order_by("pk")
    assert (ada.who, ada.payload, ada.key, ada.refs) == ({}, {}, "", [])
    assert bob.who["email"] == "bob@example.com"
    assert [contact.email for contact in Contact.objects.all()] == ["bob@example.com"]
    assert Suppression.objects.get().address_hash == current_hash("email", "ada@example.com")


def test_what_an_erased_person_does_afterwards_is_that_of_somebody_new(
    letters: None, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    order("1", line())
    run_until_idle()
    erase()
    clock.travel(timedelta(days=1))
    order("2", line())
    run_until_idle()
    old, new = Contact.objects.order_by("pk")
    assert (old.email, new.email, new.orders_count) == ("", "ada@example.com", 1)
    assert [one.subject for one in outbox] == ["Receipt", "Receipt"]
    clock.travel(timedelta(days=3))
    run_until_idle()
    question = Message.objects.get(contact=new, message_class=MessageClass.MARKETING)
    assert question.state == Message.State.SKIPPED


def test_event_that_was_resolved_just_before_is_emptied_and_a_later_one_finds_somebody_new(
    clock: FrozenClock,
) -> None:
    track("user_updated", contact=ADA)
    run_until_idle()
    contact = Contact.objects.get()
    erase()
    order("early", line())
    clock.travel(timedelta(minutes=1))
    order("late", line())
    Event.objects.filter(routed_at=None).update(contact=contact, resolved=True)
    run_until_idle()
    contact.refresh_from_db()
    assert (contact.email, contact.orders_count) == ("", 0)
    assert [row.order_id for row in Order.objects.all()] == ["late"]
    assert not Event.objects.filter(key="early").exists()


def test_guest_is_not_merged_with_somebody_erased(clock: FrozenClock) -> None:
    track("user_updated", contact=ADA)
    track("user_updated", contact=Who(cookie_id="c1"))
    run_until_idle()
    guest = Contact.objects.get(email="")
    erase()
    assert merge(guest.pk, Contact.objects.exclude(pk=guest.pk).get().pk, moment=clock.read()) is (
        False
    )


# -- what stays -----------------------------------------------------------------------------------


def test_suppression_survives_and_holds_for_an_address_that_is_imported_again(
    letters: None, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    track("user_updated", contact=ADA)
    run_until_idle()
    erase()
    row = Suppression.objects.get()
    assert (row.scope, row.reason) == ("marketing", "erased")
    api.identify(ADA)
    api.subscribe(ADA, "soft", source="import")
    run_until_idle()
    order("1", line())
    run_until_idle()
    clock.travel(timedelta(days=3))
    run_until_idle()
    assert [one.subject for one in outbox] == ["Receipt"]
    assert Suppression.objects.get() == row


@pytest.mark.parametrize(
    ("scope", "reason", "kept"),
    [("all", "bounced", "bounced"), ("marketing", "unsubscribed", "erased"),
     ("marketing", "complained", "complained")],
)  # fmt: skip
def test_suppression_that_was_there_is_never_narrowed_nor_left_to_be_taken_back(
    scope: str, reason: str, kept: str, clock: FrozenClock
) -> None:
    track("user_updated", contact=ADA)
    run_until_idle()
    Suppression.objects.create(
        site_id=default_site_id(), channel="email", scope=scope, reason=reason,
        address_hash=current_hash("email", "ada@example.com"), created_at=clock.moment,
    )  # fmt: skip
    erase()
    row = Suppression.objects.get()
    assert (row.scope, row.reason) == (scope, kept)


def test_unsubscribe_link_in_an_old_letter_works_after_the_erasure(clock: FrozenClock) -> None:
    news = topic("news")
    track("user_updated", contact=ADA)
    api.subscribe(ADA, "news")
    run_until_idle()
    wanted = Wanted(default_site_id(), "email", news.pk, "ada@example.com")
    token = tokens_for([wanted], clock.moment)[wanted]
    erase()
    link = LinkToken.objects.get(token=token)
    assert link.address == ""
    Suppression.objects.all().delete()
    unsubscribe_by_link(link, everything=False, source="one-click")
    assert Suppression.objects.get().address_hash == current_hash("email", "ada@example.com")


def test_consent_record_proves_by_hash_what_was_agreed_to() -> None:
    topic("news")
    api.subscribe(ADA, "news", source="checkout")
    run_until_idle()
    erase()
    assert not Subscription.objects.exists()
    digest = f"erased:{current_hash('email', 'ada@example.com')}"
    rows = ConsentEvent.objects.order_by("pk")
    assert [(row.address, row.action, row.source) for row in rows] == [
        (digest, "subscribed", "checkout"), (digest, "erased", "erasure"),
    ]  # fmt: skip


def test_order_of_an_erased_person_stays_as_a_sum_with_its_products(letters: None) -> None:
    order("77", line("Linen shirt", price="12.50"), cart_id="12")
    run_until_idle()
    erase()
    row = Order.objects.get()
    assert (row.order_id, row.number, row.cart_id) == (f"erased:{row.pk}", "", "")
    assert str(row.total) == "12.50"
    assert [(one.sku, one.name) for one in row.lines.all()] == [("linen-shirt", "")]


# -- the request ----------------------------------------------------------------------------------


def test_erase_in_a_transaction_that_is_rolled_back_erases_nobody() -> None:
    track("user_updated", contact=ADA)
    run_until_idle()
    with transaction.atomic():
        api.erase(ADA)
        transaction.set_rollback(True)
    run_until_idle()
    assert Contact.objects.get().email == "ada@example.com"


def test_erase_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="names nobody"):
        api.erase(Who(first_name="Ada"))


def test_erasure_that_fails_is_tried_again_and_keeps_no_words(
    monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    track("user_updated", contact=ADA)
    run_until_idle()

    def fails(*_arguments: object) -> None:
        raise ValueError("ada@example.com is odd")

    with monkeypatch.context() as patch:
        patch.setattr(erasures, "_forget_contacts", fails)
        request = erase()
    assert (request.problem, request.stopped_at) == ("ValueError", None)
    assert Contact.objects.get().email == "ada@example.com"
    clock.travel(timedelta(minutes=2))
    run_until_idle()
    request.refresh_from_db()
    assert (request.problem, request.who) == ("", {})
    assert request.done_at is not None


def test_erasure_asked_for_twice_is_done_once(letters: None) -> None:
    order("1", line())
    run_until_idle()
    first, second = erase(Who(user_id=1)), erase(Who(user_id=1))
    assert first.removed["contact"] == 1
    assert second.removed.get("contact", 0) == 0
    assert ConsentEvent.objects.filter(action="erased").count() == 1


# -- suppress -------------------------------------------------------------------------------------
