"""P7: to render a letter and put its bytes together, against Django's templates and `as_bytes`.

Both make the same document of 12 kB for the same orders. The bytes are read back with the standard
library's parser, and compared with what was rendered. A provider that takes fields instead of MIME
gets no MIME from us: what its payload is made of is measured against the same baseline.
"""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from tests.benchmarks import letters, world
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.shop.models import Customer, Order, OrderLine
from tests.benchmarks.shop.triggers import payload
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.channels.email import EmailChannel
from wagtail_triggers.messages.headers import build_headers, message_id_for
from wagtail_triggers.messages.letter import letter
from wagtail_triggers.messages.mime import build_mail
from wagtail_triggers.messages.models import TemplateVersion

FROM = "Test Shop <shop@shop.example>"


def measure(plan: Plan) -> Report:
    """Make `plan.size` mails a round, each way in turn."""
    letters.publish_ours()
    letters.write_baseline(world.letters())
    version = TemplateVersion.objects.get()
    orders = [_order(number) for number in range(plan.size)]
    contexts = [_context(order) for order in orders]
    for order, context in zip(orders[:5], contexts[:5], strict=True):
        _check(version, context, order)

    def ours() -> None:
        for context in contexts:
            build_mail(_outgoing(version, context))
            _dawdle(plan.handicap)

    def fields() -> None:
        for context in contexts:
            _as_fields(_outgoing(version, context))
            _dawdle(plan.handicap)

    def baseline() -> None:
        for order in orders:
            _plain(order).message().as_bytes()

    rounds = [
        [_cpu(side, plan.size) for side in (ours, fields, baseline)] for _ in range(plan.rounds)
    ]
    smtp = Figure.of_rounds(
        "p7", [(one[0], one[2]) for one in rounds], goal=0.4, better="lower", unit="us"
    )
    provider = Figure.of_rounds(
        "p7 fields", [(one[1], one[2]) for one in rounds], goal=0.4, better="lower", unit="us"
    )
    return Report([smtp, provider], {"size": plan.size, "rounds": rounds})


def _cpu(side: Callable[[], None], size: int) -> float:
    began = time.process_time()
    side()
    return (time.process_time() - began) * 1_000_000 / size


def _dawdle(seconds: float) -> None:
    ends = time.process_time() + seconds
    while seconds and time.process_time() < ends:
        pass


def _order(number: int) -> Order:
    customer = Customer.objects.create(
        first_name=f"Ada {number}", last_name="Lövelace", email=f"ada{number}@shop.example"
    )
    order = Order.objects.create(number=f"R{number}", customer=customer, total="70.50")
    for sku, quantity, price in (("Gong Fu teapot", 1, "42.00"), ("Sencha", 2, "9.50")):
        OrderLine.objects.create(
            order=order, sku=sku.lower(), name=sku, quantity=quantity, unit_price=price
        )
    rows = Order.objects.select_related("customer").prefetch_related("lines")
    return rows.get(pk=order.pk)


def _context(order: Order) -> dict[str, Any]:
    customer = order.customer
    return {
        "contact": {"first_name": customer.first_name, "name": f"{customer.first_name} Lövelace"},
        "event": payload(order),
        "cart": {},
        "order": payload(order),
        "site": {"name": "Test Shop", "url": "https://shop.example"},
        "time_zone": "UTC",
        "links": {"unsubscribe": "", "preferences": ""},
        "address": customer.email,
    }


def _outgoing(version: TemplateVersion, context: dict[str, Any]) -> Outgoing:
    rendered = letter(version, context)
    key = "5b0fd2a6-53a5-4a43-8b5e-6e7f0f6a5a11"
    return Outgoing(
        address=context["address"],
        name=context["contact"]["name"],
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        from_email=FROM,
        headers=build_headers(
            marketing=False, unsubscribe_url="", postal_address="", html=rendered.html,
            text=rendered.text,
        ),
        message_id=message_id_for(key, FROM),
        idempotency_key=key,
    )  # fmt: skip


def _as_fields(outgoing: Outgoing) -> dict[str, Any]:
    """What a provider's payload is made of, as anymail reads it off the message."""
    message = EmailChannel()._message(outgoing)
    return {
        "from": message.from_email,
        "to": message.to,
        "subject": message.subject,
        "text": message.body,
        "html": [content for content, _kind in message.alternatives],
        "headers": message.extra_headers,
    }


def _plain(order: Order) -> EmailMultiAlternatives:
    context = {"order": order, "lines": list(order.lines.all()), "customer": order.customer}
    mail = EmailMultiAlternatives(
        subject=render_to_string("letter.subject.txt", context).strip(),
        body=render_to_string("letter.txt", context),
        from_email=FROM,
        to=[f"{order.customer.first_name} {order.customer.last_name} <{order.customer.email}>"],
    )
    mail.attach_alternative(render_to_string("letter.html", context), "text/html")
    return mail


def _check(version: TemplateVersion, context: dict[str, Any], order: Order) -> None:
    """Our bytes hold what was rendered, by the standard library's parser, and as theirs do."""
    outgoing = _outgoing(version, context)
    ours = email.message_from_bytes(build_mail(outgoing), policy=email.policy.default)
    theirs = email.message_from_bytes(
        _plain(order).message().as_bytes(), policy=email.policy.default
    )
    assert ours["subject"] == theirs["subject"] == outgoing.subject
    assert _address(ours) == _address(theirs)
    for kind, content in (("plain", outgoing.text), ("html", outgoing.html)):
        assert _words(_body(ours, kind)) == _words(content) == _words(_body(theirs, kind))


def _address(mail: EmailMessage) -> Sequence[str]:
    return [f"{one.display_name} {one.addr_spec}" for one in mail["to"].addresses]


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def _words(text: str) -> list[str]:
    return text.split()
