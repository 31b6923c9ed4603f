"""What the state of a run or a journey says about its messages."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_noop

from ..messages.guards import Guard, register_guard
from ..messages.models import Message, MessageClass
from . import holding
from .models import Enrolment


def _run_left(moment: datetime) -> Q:
    """The run has left by a goal or an exit: what it had planned is no longer true."""
    left = Enrolment.objects.filter(
        pk=OuterRef("enrolment"),
        state__in=(Enrolment.State.EXITED, Enrolment.State.CONVERTED),
    )
    return Q(message_class=MessageClass.MARKETING) & Q(Exists(left))


def _paused(moment: datetime) -> Q:
    return holding.is_paused_for(OuterRef("journey_version"))


register_guard(
    Guard(
        "run_left",
        41,
        Message.State.CANCELLED,
        gettext_noop("The person has left the journey."),
        _run_left,
    )
)
register_guard(
    Guard(
        "paused",
        71,
        Message.State.PLANNED,
        gettext_noop("The journey is paused."),
        _paused,
        None,
    )
)
