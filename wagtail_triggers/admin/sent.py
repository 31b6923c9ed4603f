"""What was sent, as it was sent: rendered again from what the message kept, and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..contacts.facts import zone_of
from ..exceptions import TriggersError
from ..messages.compile import Compiled
from ..messages.models import Message
from ..messages.render import Rendered, render


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
    version = message.template_version
    try:
        rendered = render(
            Compiled(version.subject, version.preheader, version.html, version.text),
            message.context,
            language=version.language,
            time_zone=zone_of(message.contact.time_zone).key,
        )
    except TriggersError as error:
        return Sent(problem=str(error))
    exact = _digest(rendered) == message.body_hash
    return Sent(rendered.subject, rendered.html, rendered.text, exact)


def _digest(rendered: Rendered) -> str:
    """Hash as the sender does (`messages.sender`)."""
    whole = "\0".join((rendered.subject, rendered.html, rendered.text))
    return hashlib.sha256(whole.encode()).hexdigest()
