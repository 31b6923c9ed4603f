"""A worker that dies by SIGKILL in the middle of a batch, as often as it is told to.

`python -m tests.concurrency.dying_worker DATABASE` loads Django once and then reads orders from
standard input: for each, a fork carries one out, and its exit status is printed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

#: A run about this object kills whoever works on it.
POISON: Final = "order:poison"


def _die_at_poison() -> None:
    from wagtail_triggers.engine import contact_batch, runner
    from wagtail_triggers.engine.advance import follow
    from wagtail_triggers.engine.routing import route_event

    def follow_or_die(run: Any, plan: Any, node: str) -> Any:
        if run.key == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        return follow(run, plan, node)

    def route_or_die(person: Any, event: Any, **more: Any) -> None:
        if more["key"] == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        route_event(person, event, **more)

    setattr(runner, "follow", follow_or_die)  # noqa: B010 - planted
    setattr(contact_batch, "route_event", route_or_die)  # noqa: B010 - planted


def _call_and_die(when: str, url: str, secret: str) -> None:
    """Carry out jobs, and die at the first: before the call, or when it was answered."""
    from django.conf import settings

    from wagtail_triggers.engine.jobs import worker

    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.1"]
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {"erp": {"URL": url, "SECRET": secret}}
    carry_out = worker._carry_out

    def and_die(*args: Any) -> Any:
        if when == "after":
            carry_out(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(worker, "_carry_out", and_die)  # noqa: B010 - planted
    worker.work_batch()


def _work(order: str) -> None:
    from wagtail_triggers.engine.database import run_due
    from wagtail_triggers.engine.recovery import reap
    from wagtail_triggers.engine.router import route_batch

    work: dict[str, Callable[[], object]] = {"run": run_due, "route": route_batch, "reap": reap}
    if order.startswith("jobs"):
        _call_and_die(*order.split()[1:])
    else:
        work[order]()


def main() -> None:
    """Carry out orders until standard input ends."""
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    settings.WAGTAIL_TRIGGERS_NUDGE = "off"
    import django

    django.setup()
    from wagtail_triggers.core import sites

    sites.forget()
    _die_at_poison()
    print(json.dumps("ready"), flush=True)
    for order in sys.stdin:
        child = os.fork()
        if child == 0:
            _work(order.strip())
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    main()
