"""The other half of P6: a newsletter to many, against what wagtail-birdsong 2.0 does for one.

Birdsong renders a campaign's letter for one person after the other, keeps all of them, and hands
them to Django over one connection, in one thread; at the end it notes who was written to. Its loop
is here as it stands in `birdsong.backends.smtp` and `birdsong.utils`, and not the package: that
wants wagtail-modeladmin, whose menus are those of older Wagtails, and compiles its MJML with Node
for each person. Without that it is at its best.

Ours takes the same people's messages from the queue: claim, caps, guards, ledger, a commit for
each. What is compared is how many mails a core sends in a second: its own CPU, the database's and
the mail server's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.test import override_settings
from wagtail.models import Site

from tests.benchmarks import cpu, letters, world
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure
from tests.benchmarks.floors import reached
from tests.benchmarks.shop.models import Receipt
from tests.concurrency.people import people, planned
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch

SORTS = {"postgres": "database", "benchmarks.sink": "sink"}
CHANNELS = {"email": {"BACKEND": "wagtail_triggers.messages.channels.email.EmailChannel"}}
PATIENCE = 60.0


def measure(plan: Plan) -> tuple[Figure, list[tuple[float, float]]]:
    """Write to `plan.size` people a round, by each side in turn; other people each time."""
    version = letters.publish_news()
    letters.write_news(world.letters(), version)

    def ours(contacts: Sequence[Contact]) -> None:
        planned(version, list(contacts))
        while sent := send_batch(MessageClass.MARKETING):
            _spend(sent * plan.handicap / 10)

    rounds = []
    for number in range(-1, plan.rounds):
        pair = tuple(
            _per_core(side, people(plan.size, f"{name}{number}-"))
            for name, side in (("bulk", ours), ("birdsong", birdsong))
        )
        if number >= 0:  # the first only warms up
            rounds.append((pair[0], pair[1]))
    left = Message.objects.filter(message_class="marketing").exclude(state="accepted")
    assert not left.exists(), left.values_list("state", "reason").first()
    return (
        Figure.of_rounds(
            "p6 bulk",
            rounds,
            goal=1.0,
            better="higher",
            unit="/core-s",
            reached=reached("p6 bulk"),
        ),
        rounds,
    )


def birdsong(contacts: Sequence[Contact]) -> None:
    """Send a campaign as wagtail-birdsong does."""
    mails: list[EmailMultiAlternatives] = []
    connection = get_connection()
    for contact in contacts:
        context: dict[str, Any] = {
            "contact": contact,
            "site": Site.objects.get(is_default_site=True),
            "unsubscribe": f"https://shop.example/u/{contact.pk}",
        }
        html = render_to_string("news.html", context)
        mail = EmailMultiAlternatives(
            subject="News",
            body=render_to_string("news.txt", context),
            to=[contact.email],
            connection=connection,
        )
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    connection.send_messages(mails)
    Receipt.objects.bulk_create(Receipt(contact=contact.pk) for contact in contacts)


def _per_core(side: Callable[[Sequence[Contact]], None], contacts: Sequence[Contact]) -> float:
    sink = world.sink()
    sink.ask("forget")
    before = cpu.spent(SORTS)
    with override_settings(WAGTAIL_TRIGGERS_NUDGE="off", WAGTAIL_TRIGGERS_CHANNELS=CHANNELS):
        side(contacts)
    found = sink.ask(f"wait {len(contacts)} {PATIENCE}")
    after = cpu.spent(SORTS)
    assert found["received"] == {contact.email: 1 for contact in contacts}
    seconds = sum(after[name] - before.get(name, 0.0) for name in after)
    return len(contacts) / seconds


def _spend(seconds: float) -> None:
    ends = time.process_time() + seconds
    while seconds and time.process_time() < ends:
        pass
