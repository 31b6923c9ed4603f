"""What the steps have in common that have something done outside and go on by the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from .steps.base import NEXT, Port, Run
from .steps.decisions import Advance, Ask, Decision

#: The way out of what could not be done.
FAILED: Final = Port("failed", _("It did not work"))

NOT_IN_TIME: Final = gettext_noop("There was no answer until it was too late.")


def done_or_failed(run: Run, kind: str, data: Mapping[str, Any], until: datetime) -> Decision:
    """Ask for a job; go on through `next` once it is done, else through `failed`.

    Args:
        run: The run at the step.
        kind: The kind of job.
        data: JSON for it; read only the first time.
        until: When to go on without it.
    """
    answer = run.answer
    if answer is not None and answer.state == "done":
        return Advance(NEXT.name)
    if answer is not None and answer.state in ("failed", "cancelled"):
        return Advance(FAILED.name, note=answer.reason)
    if run.waiting and run.moment >= until:
        return Advance(FAILED.name, note=NOT_IN_TIME)
    return Ask(kind, data, until)
