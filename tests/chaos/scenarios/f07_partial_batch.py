"""F7: of one batch some messages are taken, some refused, some throttled, some nobody knows.

Over anymail's own test backend, in this process: what it was handed is the log.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from unittest import mock

import django
from anymail.backends.test import EmailBackend
from anymail.exceptions import AnymailAPIError
from anymail.message import AnymailRecipientStatus
from django.core import mail
from django.test import override_settings

from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.people import letter, people, planned
from wagtail_triggers.core import clock
from wagtail_triggers.messages import outcomes
from wagtail_triggers.messages.channels.base import Outcome
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.policies import circuit
from wagtail_triggers.messages.sender import send_batch

SCENARIO = Scenario(
    name="F7",
    title="a batch of which the provider takes some, refuses some, and throttles some",
    promise=(
        "each message has the state of its own answer; only what certainly did not leave is tried "
        "again; when all fail without a word, all are in doubt and none is simply planned again"
    ),
    broken="a batch is one call: all are sent, or all are tried again",
    small=300,
    full=5_000,
)
#: What a provider may say of a recipient, how often, and what must become of the message.
WORDS = {
    "queued": (0.5, "accepted"), "sent": (0.1, "accepted"), "rejected": (0.05, "failed"),
    "invalid": (0.05, "failed"), "failed": (0.05, "failed"), "unknown": (0.05, "accepted"),
    "429": (0.1, "again"), "400": (0.05, "failed"), "500": (0.05, "doubt"),
}  # fmt: skip


class Provider:
    """Gives each recipient its own answer, the same whenever it is asked: "again" only once."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.asked: dict[str, list[str]] = defaultdict(list)
        self.delivered: Counter[str] = Counter()
        self.mute = False

    def answer(self, address: str) -> str:
        """What becomes of this attempt."""
        if self.mute:
            word = "mute"
        elif self.asked[address] and self.asked[address][-1] in ("429", "500", "mute"):
            word = "queued"
        else:
            chance = random.Random(f"{self.seed}{address}")
            word = chance.choices(list(WORDS), [share for share, _state in WORDS.values()])[0]
        self.asked[address].append(word)
        if WORDS.get(word, (0, ""))[1] == "accepted":
            self.delivered[address] += 1
        return word

    def post(self, backend: Any, payload: Any, message: Any) -> Any:
        """In the place of `EmailBackend.post_to_esp`."""
        for address in (parseaddr(one)[1] for one in message.to):
            word = self.answer(address)
            if word == "mute":
                raise AnymailAPIError("The line went dead", backend=backend)
            if word.isdigit():
                fault = AnymailAPIError(f"HTTP {word}", backend=backend)
                fault.status_code = int(word)
                raise fault
            status = AnymailRecipientStatus("id", word)
            message.anymail_test_response = {"recipient_status": {address: status}}
        return {}


@contextmanager
def _provider(chaos: Chaos) -> Iterator[Provider]:
    one = Provider(chaos.plan.seed)
    path = "anymail.backends.test.EmailBackend"
    options: dict[str, Any] = {"backend": path}
    settings: dict[str, Any] = {}
    if django.VERSION >= (6, 1):
        options = {"mailer": "esp"}
        settings["MAILERS"] = {"default": {"BACKEND": path}, "esp": {"BACKEND": path}}
    settings["WAGTAIL_TRIGGERS_CHANNELS"] = {
        "email": {
            "BACKEND": "wagtail_triggers.messages.channels.email.EmailChannel",
            "OPTIONS": {**options, "hard_timeout": 1.0},
        }
    }
    mail.outbox = []

    def post(self: Any, payload: Any, message: Any) -> Any:
        one.post(self, payload, message)
        return {}

    def statuses(self: Any, response: Any, payload: Any, message: Any) -> Any:
        return message.anymail_test_response["recipient_status"]

    with (
        override_settings(**settings, WAGTAIL_TRIGGERS_NUDGE="off"),
        # Nobody is tried again before all have been asked once.
        mock.patch.object(outcomes, "_again", _in_an_hour),
        mock.patch.object(outcomes, "AWAIT_REPORT", timedelta(hours=9)),
        # Nor is the channel left alone, as it would be when all fail.
        mock.patch.object(circuit, "note"),
        mock.patch.object(EmailBackend, "post_to_esp", post),
        mock.patch.object(EmailBackend, "parse_recipient_status", statuses),
    ):
        yield one


def _in_an_hour(message: Message, outcome: Outcome, moment: datetime) -> outcomes.Settlement:
    due = moment + timedelta(hours=1)
    return outcomes.Settlement("retry_at", outcome.detail, due_at=due, terminal=False)


def run(chaos: Chaos) -> Report:
    """Send everything, then once more with a provider that says nothing at all."""
    rows = people(chaos.messages)
    quiet = chaos.messages // 5
    version = letter()
    report = chaos.report()
    with _provider(chaos) as provider:
        planned(version, rows[quiet:])
        _send(chaos, provider)
        first = dict(Message.objects.values_list("contact__email", "state"))
        planned(version, rows[:quiet])
        provider.mute = True
        _send(chaos, provider)
        mute = set(Message.objects.filter(contact__in=rows[:quiet]).values_list("state", flat=True))
        provider.mute = False
        for _round in range(4):
            later = Message.objects.filter(due_at__isnull=False)
            later.update(due_at=clock.now())
            _send(chaos, provider)
        _judge(report, provider, first, mute)
    return report


def _send(chaos: Chaos, provider: Provider) -> None:
    if chaos.broken:
        _one_call(provider)
        return
    while send_batch(MessageClass.TRANSACTIONAL):
        # Whoever is throttled makes the rest of the batch wait; the batch itself goes on here.
        held = Message.objects.filter(state=Message.State.PLANNED, attempts=0)
        held.update(due_at=clock.now())


def _one_call(provider: Provider) -> None:
    """All recipients in one call; one that fails is the failure of all."""
    rows = list(Message.objects.filter(state="planned").select_related("contact"))
    for start in range(0, len(rows), 20):
        part = rows[start : start + 20]
        words = [provider.answer(row.contact.email) for row in part]
        state = "planned" if any(word in ("429", "500", "mute") for word in words) else "accepted"
        Message.objects.filter(pk__in=[row.pk for row in part]).update(
            state=state, due_at=clock.now() if state == "planned" else None
        )


def _judge(report: Report, provider: Provider, first: dict[str, str], mute: set[str]) -> None:
    keys = {
        email: str(key) for email, key in Message.objects.values_list("contact__email", "public_id")
    }
    report.count(
        len(keys), {keys[email]: count for email, count in provider.delivered.items()}
    )  # fmt: skip
    wrong = 0
    for email, state in first.items():
        became = WORDS[provider.asked[email][0]][1]
        wrong += state != {"again": "retry_at", "doubt": "unknown"}.get(became, became)
    needless = sum(
        len(words) - 1
        for words in provider.asked.values()
        if WORDS.get(words[0], (0, "doubt"))[1] in ("accepted", "failed")
    )
    report.extra |= {
        "states that are not those of their answers": wrong,
        "attempts after a final answer": needless,
        "states after a provider that said nothing": sorted(mute),
        "answers": dict(Counter(words[0] for words in provider.asked.values())),
    }
    report.demand(wrong == 0, "each message has the state of its own answer")
    report.demand(needless == 0, "nothing is tried again after a final answer")
    report.demand(mute == {"unknown"}, "without a word, all are in doubt")
    report.demand(report.duplicates == 0, "nothing comes twice")
