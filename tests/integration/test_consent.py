"""Yes, no and never again: consent belongs to an address, and a suppression outlives its key."""

from __future__ import annotations

import pytest
from pytest_django import Settings
from wagtail.models import Site

from tests.shop import ADA, journey, line, order, template, topic
from wagtail_triggers.api import InvalidEvent, Who, subscribe, unsubscribe
from wagtail_triggers.consent.addresses import current_hash, hashes
from wagtail_triggers.consent.models import ConsentEvent, Subscription, Suppression, Topic
from wagtail_triggers.consent.subscriptions import Change, suppress, topic_of, withdraw
from wagtail_triggers.consent.subscriptions import subscribe as say_yes
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.events.models import Event
from wagtail_triggers.exceptions import UnknownTopic
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter(clock: FrozenClock, outbox: list[Outgoing]) -> list[Outgoing]:
    """A marketing letter, on a topic that needs a yes, for every order."""
    letter = template("News", kind=MessageClass.MARKETING, topic=topic("letters"))
    journey("News", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": letter},
    ])  # fmt: skip
    return outbox


def outcome(order_id: str = "1", who: Who = ADA) -> tuple[str, str]:
    """What becomes of the letter about a new order."""
    before = set(Message.objects.values_list("pk", flat=True))
    order(order_id, line(), who=who)
    run_until_idle()
    message = Message.objects.exclude(pk__in=before).get()
    return message.state, message.reason


def change(address: str = "ada@example.com", slug: str = "letters") -> Change:
    """A change at the default site."""
    site = Site.objects.get(is_default_site=True)
    return Change(site.pk, "email", address, "test", topic_of(site.pk, slug))


def test_marketing_without_a_yes_is_skipped_and_with_one_it_is_sent(
    newsletter: list[Outgoing],
) -> None:
    assert outcome("1") == ("skipped", "The person has not subscribed to this topic.")
    subscribe(ADA, "letters", source="checkout")
    assert outcome("2") == ("accepted", "")
    assert len(newsletter) == 1


def test_subscribe_keeps_the_proof_with_source_and_time(
    newsletter: list[Outgoing], clock: FrozenClock
) -> None:
    subscribe(Who(email=" Ada@Example.com"), "letters", source="checkout")
    run_until_idle()
    proof = ConsentEvent.objects.get()
    assert (proof.action, proof.topic_slug, proof.source) == ("subscribed", "letters", "checkout")
    assert (proof.address, proof.at) == ("ada@example.com", clock.read())


def test_unsubscribe_stops_marketing_and_leaves_receipts_alone(
    newsletter: list[Outgoing],
) -> None:
    subscribe(ADA, "letters")
    unsubscribe(ADA, "letters")
    assert outcome("1") == ("skipped", "The person unsubscribed from this topic.")
    assert [row.action for row in ConsentEvent.objects.order_by("pk")] == [
        "subscribed", "unsubscribed",
    ]  # fmt: skip
    receipt = template("Receipt")
    journey("Receipts", [
        {"kind": "entry", "event": "order_paid"},
        {"kind": "send", "template": receipt},
    ])  # fmt: skip
    from wagtail_triggers.api import track

    track("order_paid", contact=ADA, key="1", payload={"order_id": "1"})
    run_until_idle()
    assert [letter.subject for letter in newsletter] == ["Receipt"]


def test_consent_belongs_to_the_address_not_to_the_profile(newsletter: list[Outgoing]) -> None:
    subscribe(ADA, "letters")
    moved = Who(user_id=1, email="ada@new.example")
    assert outcome("1", moved) == ("skipped", "The person has not subscribed to this topic.")
    twin = Who(user_id=2, email="ada@example.com")
    assert outcome("2", twin) == ("accepted", "")


def test_withdrawing_from_everything_stops_every_topic_until_the_next_yes(
    newsletter: list[Outgoing], clock: FrozenClock
) -> None:
    subscribe(ADA, "letters")
    run_until_idle()
    everything = Change(change().site_id, "email", "ada@example.com", "page")
    withdraw(everything, moment=clock.read())
    assert outcome("1") == ("skipped", "The person unsubscribed from all marketing.")
    subscribe(ADA, "letters")
    assert outcome("2") == ("accepted", "")


@pytest.mark.parametrize("reason", ["bounced", "complained", "manual"])
def test_yes_does_not_lift_a_suppression_that_the_person_did_not_ask_for(
    newsletter: list[Outgoing], clock: FrozenClock, reason: str
) -> None:
    suppress(change(), current_hash("email", "ada@example.com"),
             scope="all", reason=reason, moment=clock.read())  # fmt: skip
    subscribe(ADA, "letters")
    state, why = outcome("1")
    assert state == "skipped"
    assert why == "The address is suppressed: it bounced, complained or was blocked."
    assert newsletter == []


def test_suppression_is_widened_and_never_narrowed(clock: FrozenClock) -> None:
    topic("letters")
    digest = current_hash("email", "ada@example.com")
    for scope, reason in (("all", "bounced"), ("marketing", "unsubscribed")):
        suppress(change(), digest, scope=scope, reason=reason, moment=clock.read())
    row = Suppression.objects.get()
    assert (row.scope, row.reason) == ("all", "bounced")
    Suppression.objects.update(scope="marketing", reason="unsubscribed")
    suppress(change(), digest, scope="all", reason="complained", moment=clock.read())
    row.refresh_from_db()
    assert (row.scope, row.reason) == ("all", "complained")


def test_suppression_holds_no_address(clock: FrozenClock) -> None:
    topic("letters")
    suppress(change(), current_hash("email", "ada@example.com"),
             scope="all", reason="manual", moment=clock.read())  # fmt: skip
    values = " ".join(str(value) for value in Suppression.objects.values().get().values())
    assert "ada" not in values
    assert "example.com" not in values


@pytest.mark.parametrize("scope", ["all", "marketing"])
def test_address_suppressed_under_an_old_key_stays_suppressed_under_a_new_one(
    newsletter: list[Outgoing], settings: Settings, clock: FrozenClock, scope: str
) -> None:
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["old"]
    subscribe(ADA, "letters")
    run_until_idle()
    old = current_hash("email", "ada@example.com")
    suppress(change(), old, scope=scope, reason="manual", moment=clock.read())
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["new", "old"]
    new = current_hash("email", "ada@example.com")
    assert new != old
    assert outcome("1")[0] == "skipped"
    assert outcome("2")[0] == "skipped"
    assert newsletter == []
    twins = Suppression.objects.order_by("pk").values_list("address_hash", "scope", "reason")
    assert list(twins) == [(old, scope, "manual"), (new, scope, "manual")]
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["new"]  # the old key is forgotten at last
    assert outcome("3")[0] == "skipped"


def test_old_suppression_of_everything_widens_a_newer_one_of_marketing(
    newsletter: list[Outgoing], settings: Settings, clock: FrozenClock
) -> None:
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["new", "old"]
    new, old = hashes("email", "ada@example.com")
    suppress(change(), old, scope="all", reason="bounced", moment=clock.read())
    suppress(change(), new, scope="marketing", reason="unsubscribed", moment=clock.read())
    outcome("1")
    row = Suppression.objects.get(address_hash=new)
    assert (row.scope, row.reason) == ("all", "bounced")


def test_other_addresses_are_not_touched_by_a_new_key(
    newsletter: list[Outgoing], settings: Settings, clock: FrozenClock
) -> None:
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["old"]
    suppress(change("bob@example.com"), current_hash("email", "bob@example.com"),
             scope="all", reason="manual", moment=clock.read())  # fmt: skip
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["new", "old"]
    subscribe(ADA, "letters")
    assert outcome("1") == ("accepted", "")
    assert Suppression.objects.count() == 1


def test_yes_lifts_the_persons_own_no_under_every_key(
    newsletter: list[Outgoing], settings: Settings, clock: FrozenClock
) -> None:
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["old"]
    everything = Change(change().site_id, "email", "ada@example.com", "page")
    withdraw(everything, moment=clock.read())
    settings.WAGTAIL_TRIGGERS_HASH_KEYS = ["new", "old"]
    assert outcome("1") == ("skipped", "The person unsubscribed from all marketing.")
    say_yes(change(), moment=clock.read())
    assert outcome("2") == ("accepted", "")
    assert Suppression.objects.count() == 0


def test_soft_topic_needs_no_yes_but_obeys_a_no(newsletter: list[Outgoing]) -> None:
    Topic.objects.update(consent=Topic.Consent.SOFT)
    assert outcome("1") == ("accepted", "")
    unsubscribe(ADA, "letters")
    assert outcome("2") == ("skipped", "The person unsubscribed from this topic.")


def test_consent_without_an_address_is_refused_with_the_fix(db: None) -> None:
    with pytest.raises(InvalidEvent, match=r"Pass Who\(user_id=…, email=…\)"):
        subscribe(Who(user_id=1), "letters")
    assert Event.objects.count() == 0


def test_consent_to_an_unknown_topic_is_kept_as_a_problem_of_the_event(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    subscribe(ADA, "no-such-topic")
    run_until_idle()
    event = Event.objects.get()
    assert event.routed_at is not None
    assert "There is no topic 'no-such-topic' on this site" in event.problem
    assert "Triggers > Topics" in event.problem
    assert Subscription.objects.count() == 0
    with pytest.raises(UnknownTopic):
        topic_of(event.site_id, "no-such-topic")
