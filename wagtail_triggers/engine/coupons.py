"""The coupon that a run was given, for its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.additions import adds
from ..messages.models import Message
from .models import Job


@adds("coupon")
def of_messages(messages: Sequence[Message]) -> Mapping[int, Mapping[str, Any]]:
    """The newest coupon of each message's run; one query."""
    runs = {message.enrolment_id for message in messages if message.enrolment_id}
    done = Job.objects.filter(enrolment_id__in=runs, kind="coupon", state=Job.State.DONE)
    newest: dict[int, Mapping[str, Any]] = {}
    for run, result in done.order_by("seq").values_list("enrolment_id", "result"):
        newest[run] = result
    return {
        message.pk: newest[message.enrolment_id]
        for message in messages
        if message.enrolment_id in newest
    }
