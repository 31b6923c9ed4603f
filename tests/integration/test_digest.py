"""Several messages that wait for one person become one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wagtail.models import Locale

from tests.concurrency.people import letter, people, site
from tests.integration.campaigns import news, plan, rules, states
from tests.shop import cart, line, order, topic
from wagtail_triggers.consent.models import SendLedger, Subscription, Topic
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.claim import take
from wagtail_triggers.messages.models import Message, MessageClass, Template
from wagtail_triggers.messages.policies.digest import KEY, MERGED, NOTHING_LEFT
from wagtail_triggers.messages.sender import send_batch
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1, minutes=5)
BODY = (
    "<ul>{% for item in items %}<li><a href='{{ item.url }}'>{{ item.subject }}</a>"
    "{% for line in item.cart.lines %} {{ line.name }}{% endfor %}</li>{% endfor %}</ul>"
)


def digest_template() -> Template:
    row = Template(
        site=site(), locale=Locale.get_default(), name="Digest", event="digest",
        subject="{{ items.size }} things for you", body=[("html", BODY)],
        message_class=MessageClass.MARKETING, topic=topic("soft", Topic.Consent.SOFT),
    )  # fmt: skip
    row.save()
    row.save_revision().publish()
    row.refresh_from_db()
    assert row.publish_problem == ""
    return row


@pytest.fixture
def ada(clock: FrozenClock, outbox: list[Outgoing]) -> Contact:
    """Somebody who has had their message of the day."""
    (row,) = people(1)
    rules((1, 1, "days", ""), digest_template=digest_template())
    plan(news("first"), row)
    run_until_idle()
    outbox.clear()
    return row


def test_waiting_messages_become_one_when_a_slot_is_free(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    low, high = plan(news("Low"), ada), plan(news("High"), ada, priority=7)
    run_until_idle()
    assert states(low, high) == ["deferred", "deferred"]
    clock.travel(DAY)
    run_until_idle()
    assert [one.subject for one in outbox] == ["2 things for you"]
    digest = Message.objects.get(idempotency_key__startswith=KEY)
    assert digest.idempotency_key == f"{KEY}{high.public_id}"
    assert (digest.state, digest.priority, digest.topic_id) == ("accepted", 7, low.topic_id)
    for row in (low, high):
        row.refresh_from_db()
        assert (row.state, row.reason, row.merged_into_id) == ("merged", MERGED, digest.pk)
        assert row.settled_at == clock.moment
    assert outbox[0].text.index("High") < outbox[0].text.index("Low")
    assert any(name == "List-Unsubscribe" for name, _value in outbox[0].headers)
    assert SendLedger.objects.filter(message=digest).exists()


def test_without_a_template_waiting_messages_leave_one_by_one(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rules((1, 1, "days", ""), digest_template=None)
    low, high = plan(news("Low"), ada), plan(news("High"), ada, priority=7)
    run_until_idle()
    for _day in range(2):
        clock.travel(DAY)
        run_until_idle()
    assert [one.subject for one in outbox] == ["High", "Low"]
    assert states(low, high) == ["accepted", "accepted"]


def test_messages_of_different_topics_are_not_merged(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    other = topic("other", Topic.Consent.SOFT)
    one, two = plan(news("One"), ada), plan(news("Two"), ada, topic_id=other.pk)
    run_until_idle()
    clock.travel(DAY)
    run_until_idle()
    assert [one.subject for one in outbox] == ["One"]
    assert states(one, two) == ["accepted", "deferred"]


def test_consent_that_was_withdrawn_keeps_everything_out_of_the_digest(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    rows = [plan(news("One"), ada), plan(news("Two"), ada)]
    run_until_idle()
    Subscription.objects.create(
        site=site(), topic_id=rows[0].topic_id or 0, address=ada.email,
        state=Subscription.State.UNSUBSCRIBED, changed_at=clock.moment,
    )  # fmt: skip
    clock.travel(DAY)
    run_until_idle()
    assert outbox == []
    assert states(*rows) == ["skipped", "skipped"]


def test_part_that_is_no_longer_true_leaves_a_digest_that_was_claimed(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    cart("1", line("Teapot"))
    run_until_idle()
    ada = Contact.objects.get()
    rules((1, 1, "days", ""), digest_template=digest_template())
    plan(news("first"), ada)
    run_until_idle()
    outbox.clear()
    about = plan(news("Your cart"), ada, subject_kind="cart", subject_id="1")
    other = plan(news("Other"), ada)
    run_until_idle()
    clock.travel(DAY)
    assert len(take(MessageClass.MARKETING).messages) == 1
    order("77", line("Teapot"), cart_id="1")
    clock.travel(timedelta(minutes=5))
    run_until_idle()
    assert [one.subject for one in outbox] == ["1 things for you"]
    assert states(about, other) == ["cancelled", "merged"]


def test_digest_of_which_nothing_is_true_any_more_is_cancelled(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    for number in ("1", "2"):
        cart(number, line("Teapot"))
    run_until_idle()
    ada = Contact.objects.get()
    rules((1, 1, "days", ""), digest_template=digest_template())
    plan(news("first"), ada)
    run_until_idle()
    outbox.clear()
    version = news("Your cart")
    for number in ("1", "2"):
        plan(version, ada, subject_kind="cart", subject_id=number)
    run_until_idle()
    clock.travel(DAY)
    assert len(take(MessageClass.MARKETING).messages) == 1
    for number in ("1", "2"):
        order(f"7{number}", line("Teapot"), cart_id=number)
    clock.travel(timedelta(minutes=5))
    run_until_idle()
    assert outbox == []
    digest = Message.objects.get(idempotency_key__startswith=KEY)
    assert (digest.state, digest.reason) == ("cancelled", NOTHING_LEFT)


def test_digest_that_is_closed_between_claim_and_hand_over_is_held(
    ada: Contact, clock: FrozenClock, outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wagtail_triggers.events.models import Cart
    from wagtail_triggers.messages import sender

    Cart.objects.create(
        site=site(), cart_id="1", contact=ada, updated_at=clock.moment, status=Cart.Status.OPEN
    )
    version = letter("Your cart", marketing=True)
    gone = plan(version, ada, subject_kind="cart", subject_id="1")
    stays = plan(version, ada)
    run_until_idle()
    clock.travel(DAY)
    prepare = sender._prepare

    def meanwhile(*args: object) -> object:
        Cart.objects.update(status=Cart.Status.ORDERED)
        return prepare(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "_prepare", meanwhile)
    send_batch(MessageClass.MARKETING)
    assert outbox == []
    run_until_idle()
    assert [one.subject for one in outbox] == ["1 things for you"]
    assert states(gone, stays) == ["cancelled", "merged"]
