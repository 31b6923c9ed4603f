"""What rooms above add to the data of a message: a coupon that its run was given, for one.

They register here; nobody below is imported for it. It is asked for only where a template names it,
so that it costs the others no query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from .models import Message, TemplateVersion

#: Called with messages; gives their data by primary key. A fixed number of queries.
Addition = Callable[[Sequence[Message]], Mapping[int, Mapping[str, Any]]]

_additions: Final[dict[str, Addition]] = {}


def adds(name: str) -> Callable[[Addition], Addition]:
    """Register what templates see under `name`; the name tells twins apart."""

    def add(addition: Addition) -> Addition:
        _additions[name] = addition
        return addition

    return add


def additions(messages: Sequence[Message]) -> dict[int, dict[str, Any]]:
    """What is added to the context of each message: every name, empty where there is nothing."""
    found: dict[int, dict[str, Any]] = {
        message.pk: {name: {} for name in _additions} for message in messages
    }
    for name, addition in _additions.items():
        mention = _mentioning(name, (message.template_version for message in messages))
        wanted = [message for message in messages if message.template_version_id in mention]
        for pk, value in (addition(wanted) if wanted else {}).items():
            found[pk][name] = dict(value)
    return found


def _mentioning(name: str, versions: Iterable[TemplateVersion]) -> set[int]:
    """The versions whose texts hold the name at all; each is looked at once."""
    different = {version.pk: version for version in versions}
    return {
        pk
        for pk, version in different.items()
        if any(
            name in text
            for text in (version.subject, version.preheader, version.html, version.text)
        )
    }
