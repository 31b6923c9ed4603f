"""What was sent, as it was sent: rendered again from what the message kept, and checked."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..exceptions import TriggersError
from ..messages.letter import digest, letter
from ..messages.models import Message


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes of a message.

    `exact` says whether they are what left, by their hash. `problem` says why there is nothing to
    show; then everything else is empty.
    """

    subject: str = ""
    html: str = ""
    text: str = ""
    exact: bool = False
    problem: str = ""


def as_sent(message: Message) -> Sent:
    """Render a message again from its version and context; nothing is shown before it was built."""
    if not message.body_hash:
        return Sent()
    if not message.context:
        return Sent(problem=_("What it said is no longer kept (WAGTAIL_TRIGGERS_RETENTION)."))
    try:
        rendered = letter(message.template_version, message.context)
    except TriggersError as error:
        return Sent(problem=str(error))
    exact = digest(rendered) == message.body_hash
    return Sent(rendered.subject, rendered.html, rendered.text, exact)
