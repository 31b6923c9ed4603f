"""An order in the shop becomes a letter."""

from __future__ import annotations

from django.db import transaction

from tests.shop import ADA, journey, line, order, template
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.models import Enrolment
from wagtail_triggers.events.models import Event, Order
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message
from wagtail_triggers.testing import run_until_idle

BODY = """
<p>Dear {{ contact.first_name }}, thank you for order {{ order.number }}.</p>
<table><tbody>{% for line in order.lines %}
<tr><td>{{ line.quantity }} x {{ line.name }}</td><td>{{ line.unit_price | money }}</td></tr>
{% endfor %}</tbody></table>
"""


def thank_you() -> None:
    letter = template("Thank you, {{ contact.first_name }}", BODY)
    journey("Thank you", [
        {"kind": "entry", "event": "order_placed"},
        {"kind": "send", "template": letter},
    ])  # fmt: skip


def test_order_letter_names_the_customer_and_every_line(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    thank_you()
    order("77", line("Gong Fu teapot"), line("Sencha", 2, "9.50"))
    run_until_idle()
    (letter,) = outbox
    assert letter.address == "ada@example.com"
    assert letter.subject == "Thank you, Ada"
    assert "Dear Ada, thank you for order #77." in letter.text
    assert "1 x Gong Fu teapot" in letter.text
    assert "2 x Sencha" in letter.text
    assert "€42.00" in letter.html
    run = Enrolment.objects.get()
    assert (run.state, run.key, run.seq) == ("completed", "order:77", 2)
    assert [step.decision for step in run.steps.order_by("seq")] == ["send", "exit"]
    message = Message.objects.get()
    assert (message.state, message.idempotency_key) == ("accepted", f"{run.pk}:1:email:0")


def test_order_letter_the_same_event_five_times_sends_one(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    thank_you()
    for _time in range(5):
        order("77", line(), dedupe_key="order:77:placed")
        run_until_idle()
    assert Event.objects.count() == 1
    assert len(outbox) == 1


def test_order_letter_a_rolled_back_order_sends_nothing(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    thank_you()
    with transaction.atomic():
        order("77", line())
        transaction.set_rollback(True)
    run_until_idle()
    assert Event.objects.count() == 0
    assert outbox == []


def test_order_letter_two_orders_at_once_make_two_runs(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    thank_you()
    order("77", line())
    order("78", line("Sencha"))
    run_until_idle()
    assert [letter.text.count("#77") for letter in outbox] == [1, 0]
    assert sorted(Enrolment.objects.values_list("key", flat=True)) == ["order:77", "order:78"]


def test_order_facts_are_counted_once_however_often_the_order_is_told(
    clock: FrozenClock, outbox: list[Outgoing]
) -> None:
    for dedupe in ("a", "b", "c"):
        order("77", line(price="40.00"), dedupe_key=dedupe)
    order("78", line(price="2.50"))
    run_until_idle()
    contact = Order.objects.get(order_id="77").contact
    assert (contact.orders_count, str(contact.spent), contact.currency) == (2, "42.50", "EUR")
    assert contact.name == ADA.first_name + " " + ADA.last_name
