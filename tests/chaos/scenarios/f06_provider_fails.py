"""F6: a provider that throttles, fails, resets, is slow or cannot speak TLS; a third of the time.

Over anymail's own Resend backend, whose interface the sink speaks.
"""

from __future__ import annotations

import ssl
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any

import django
from django.conf import settings as django_settings

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.chaos.shop import Checkouts, buy
from wagtail_triggers.messages import outcomes, sender
from wagtail_triggers.messages.channels.base import Outcome, Outgoing
from wagtail_triggers.messages.channels.email import EmailChannel

SCENARIO = Scenario(
    name="F6",
    title="429 and 503 with Retry-After, 500, resets, stalls, slowness and failing TLS, mixed 30 %",
    promise="lost 0, duplicates 0; Retry-After is obeyed; at most 1.3 attempts for each message",
    broken="try again at once",
    small=200,
    broken_small=100,
    full=5_000,
)
FAULTS = {
    "429": 0.05, "429 late": 0.02, "503": 0.04, "500": 0.02, "500 taken": 0.02, "reset": 0.03,
    "stall": 0.01,
    "dropped": 0.02, "slow": 0.08,
}  # fmt: skip
TLS_FAILS = 0.02
#: Seconds that the provider asks to wait, and by how much an attempt may come too late: a tick, a
#: batch of a worker that is busy with others (some of them stalled), and the rest after giving up.
RETRY_AFTER = 3.0
LATE = 8.0
SLOW = 1.0
#: Orders a second. Fewer than can be sent on such a day, or messages would wait for each other.
RATE = 4.0


class ResendChannel(EmailChannel):
    """Email over anymail; now and then a connection whose TLS fails."""

    def __init__(self) -> None:
        backend = "anymail.backends.resend.EmailBackend"
        django_settings.ANYMAIL = {
            "RESEND_API_KEY": "k", "REQUESTS_TIMEOUT": 1.5,
            "RESEND_API_URL": f"http://127.0.0.1:{django_settings.CHAOS_SINK_PORT}/",
        }  # fmt: skip
        if django.VERSION >= (6, 1):
            django_settings.MAILERS = {**django_settings.MAILERS, "esp": {"BACKEND": backend}}
            super().__init__(mailer="esp", hard_timeout=2.0)
        else:
            super().__init__(backend=backend, hard_timeout=2.0)
        self.number = 0

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand it over, over a line that may be bad."""
        self.number += 1
        if self.number % int(1 / TLS_FAILS) == 0:
            return _without_tls(outgoing)
        return super().send(outgoing)


def _without_tls(outgoing: Outgoing) -> Outcome:
    """What becomes of a message whose provider shows a certificate that is not its own."""
    from wagtail_triggers.messages.channels.faults import classify

    return classify(ssl.SSLCertVerificationError("certificate verify failed"))


def plant() -> None:
    """Neither wait for what was asked for, nor for anything."""

    def again(message: Any, outcome: Any, moment: Any) -> outcomes.Settlement:
        return outcomes.Settlement("retry_at", "again", due_at=moment, terminal=False)

    setattr(outcomes, "_again", again)  # noqa: B010 - planted


def hasten() -> None:
    """A batch that gives up rests for seconds, not for half a minute."""
    setattr(sender, "GIVE_UP_FOR", timedelta(seconds=3))  # noqa: B010 - it is Final elsewhere


def plant_and_hasten() -> None:
    """Both."""
    plant()
    hasten()


def run(chaos: Chaos) -> Report:
    """Answer orders over a provider that is having a bad day."""
    expected = chaos.messages // 2 * 2
    crowd.thanks()
    chaos.sink.perform(
        pause=0.02, faults=FAULTS, stall=2.5, slow=SLOW, retry_after=RETRY_AFTER
    )  # fmt: skip
    settings = {
        "WAGTAIL_TRIGGERS_CHANNELS": {"email": {"BACKEND": f"{__name__}.ResendChannel"}},
        "WAGTAIL_TRIGGERS_LEASE_SECONDS": int(chaos.lease) + 2,
    }
    planted = "plant_and_hasten" if chaos.broken else "hasten"
    crew = crowd.Crew(chaos.nursery, settings, plant=f"{__name__}.{planted}")
    crew.start()
    django_settings.WAGTAIL_TRIGGERS_NUDGE = "thread"
    customers = Checkouts(expected // 2, RATE, place=buy)
    customers.wait(expected)
    crowd.settle(expected, idle=60)
    report = chaos.report()
    report.count(expected, chaos.sink.deliveries())
    _judge(report, chaos)
    return report


def _judge(report: Report, chaos: Chaos) -> None:
    requests = chaos.sink.requests()
    waits = _waits(requests)
    early = sum(wait < 0.9 * RETRY_AFTER for wait in waits)
    late = sum(wait > 1.1 * RETRY_AFTER + LATE for wait in waits)
    attempts = len(requests) / max(1, report.expected)
    faults = Counter(one["fault"] or "none" for one in requests)
    median = sorted(waits)[len(waits) // 2] if waits else 0.0
    report.extra |= {
        "faults": dict(sorted(faults.items())),
        "attempts for each message": f"{attempts:.2f}",
        f"Retry-After ({RETRY_AFTER:g} s)": (
            f"asked for {len(waits)} times, came early {early}, late {late}; "
            f"waited {min(waits, default=0):.2f} to {max(waits, default=0):.2f} s, "
            f"half of them at most {median:.2f} s"
        ),
    }
    report.demand(len(waits) > 3, "the provider asked to wait")
    report.demand(early == 0, "nobody comes before the time that was asked for")
    report.demand(late <= len(waits) // 100, "nor, but for one in a hundred, much later")
    report.demand(attempts <= 1.3, f"at most 1.3 attempts for each message, not {attempts:.2f}")
    report.demand(report.duplicates == report.unknown == 0, "nothing comes twice or is in doubt")


def _waits(requests: list[dict[str, Any]]) -> list[float]:
    """Seconds between each answer that asked to wait and the next attempt of that message."""
    by_message: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in requests:
        by_message[one["message"]].append(one)
    return [
        after["at"] - before["at"] - (SLOW if before["fault"] == "429 late" else 0.0)
        for attempts in by_message.values()
        for before, after in pairwise(attempts)
        if before["fault"][:3] in ("429", "503")
    ]
