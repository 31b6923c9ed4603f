"""F27: a message that kills every worker that touches it, as one that eats all memory does."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings

from tests.chaos import crowd
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from wagtail_triggers.messages import sender
from wagtail_triggers.messages.models import Message, MessageClass

SCENARIO = Scenario(
    name="F27",
    title="messages that kill whoever builds them, or hands them over",
    promise="each is parked after 3 crashes, with its reason; everybody else gets theirs, once",
    broken="no count of crashes",
    small=120,
    full=2_000,
)
#: Customers whose messages kill the worker that builds, or hands over, them.
IN_BUILDING, IN_SENDING = "p11@", "p42@"
CRASHES = 3


def run(chaos: Chaos) -> Report:
    """Answer orders, two of which are poison."""
    crowd.thanks([("email", MessageClass.TRANSACTIONAL)])
    crowd.place(chaos.messages)
    chaos.sink.perform(pause=0.01)
    tries = {"WAGTAIL_TRIGGERS_MAX_TRIES": 1_000} if chaos.broken else {}
    crew = crowd.Crew(chaos.nursery, tries, plant=f"{__name__}.plant")
    crew.start()
    # Without a count it never ends; with one, three leases and a busy machine.
    patience = 5 * (chaos.lease + 5) if chaos.broken else 10 * (chaos.lease + 10)
    crowd.wait_for(lambda: crowd.settled() >= chaos.messages, patience, every=0.3)
    crowd.wait_for(lambda: len(chaos.nursery.children()) == 4, 20)
    deaths = {kind: _deaths(chaos.folder, kind) for kind in ("building", "sending")}
    report = chaos.report()
    report.kills = sum(deaths.values())
    report.count(chaos.messages, chaos.sink.deliveries())
    poison = Message.objects.exclude(state=Message.State.ACCEPTED)
    report.extra |= {
        "workers that died of it": deaths,
        "parked": sorted(poison.values_list("state", "reason", "tries")),
        "workers that are alive": len(chaos.nursery.children()),
    }
    report.demand(poison.count() == 2, "nobody is parked but the poison")
    report.demand(set(deaths.values()) == {CRASHES}, f"each kills {CRASHES} workers and no more")
    report.demand(report.duplicates == 0, "nothing comes twice")
    report.demand(len(chaos.nursery.children()) == 4, "no worker is wedged")
    return report


def _deaths(folder: Path, kind: str) -> int:
    return len(list(folder.glob(f"*.{kind}")))


def plant() -> None:
    """Have the poison work."""
    build, send = sender._ready, sender._send

    def builds(message: Message, *more: Any) -> Any:
        if message.address.startswith(IN_BUILDING):
            _die("building")
        return build(message, *more)

    def sends(channel: Any, outgoing: Any) -> Any:
        if outgoing.address.startswith(IN_SENDING):
            _die("sending")
        return send(channel, outgoing)

    setattr(sender, "_ready", builds)  # noqa: B010 - planted
    setattr(sender, "_send", sends)  # noqa: B010 - planted


def _die(kind: str) -> None:
    """As the kernel's killer does when memory runs out."""
    (Path(django_settings.CHAOS_FOLDER) / f"{os.getpid()}.{kind}").touch()
    os.kill(os.getpid(), signal.SIGKILL)
