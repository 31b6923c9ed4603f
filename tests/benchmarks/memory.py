"""P9: a worker's memory, where many wait against where few do, and after many sends.

Each is measured in a process of its own. `--size` is the number of sends after which the second
figure looks for the first time; it looks again after four times as many.
"""

from __future__ import annotations

import gc

from django.test import override_settings

from tests.benchmarks import nowhere, tick
from tests.benchmarks.clients import clients
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.concurrency.people import letter, people, planned
from wagtail_triggers.messages.models import Message, MessageClass
from wagtail_triggers.messages.sender import send_batch

#: Runs that wait in the greater case, for each send.
WAITING_EACH = 40
#: Messages that are planned at a time.
CHUNK = 1_000


def measure(plan: Plan) -> Report:
    """Look at peaks and at what stays."""
    many = WAITING_EACH * plan.size
    tick.populate({"few": 1_000, "many": many})
    peaks = []
    for _number in range(max(plan.rounds, 3)):
        peaks.append((tick.peak_of("many") + plan.handicap * 1_000, tick.peak_of("few")))
    waiting = Figure.of_rounds("p9 waiting", peaks, goal=1.1, better="lower", unit="MB")
    early, late = _after_sends(plan)
    sends = Figure.of_rounds("p9 sends", [(late, early)], goal=1.1, better="lower", unit="MB")
    return Report([waiting, sends], {"waiting": many, "sends": 4 * plan.size, "peaks": peaks})


def _after_sends(plan: Plan) -> tuple[float, float]:
    """Memory after `plan.size` sends, and after four times as many, of one process."""
    # Not marketing: the same people get them again and again, which a frequency cap would put off.
    version = letter("Thank you")
    everybody = people(min(CHUNK, plan.size), "sends")
    kept: list[bytes] = []

    def send(number: int, leak: float) -> float:
        sent = 0
        with override_settings(
            WAGTAIL_TRIGGERS_CHANNELS=nowhere.CHANNELS, WAGTAIL_TRIGGERS_NUDGE="off"
        ):
            while sent < number:
                Message.objects.all().delete()
                planned(version, everybody)
                while count := send_batch(MessageClass.TRANSACTIONAL):
                    sent += count
                    kept.extend(bytes([n % 7]) * int(leak * 50_000_000) for n in range(count))
                assert not Message.objects.exclude(state="accepted").exists()
        gc.collect()
        return tick._resident("VmRSS")

    with clients(1, {"send": send}) as one:
        _seconds, (early,) = one.call("send", plan.size, plan.handicap / 10)
        _seconds, (late,) = one.call("send", 3 * plan.size, plan.handicap / 10)
    return early, late
