"""What a digest's template sees of the messages in it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...exceptions import TriggersError
from ..letter import letter
from ..models import Message
from .digest import is_digest

logger = logging.getLogger("wagtail_triggers.sender")


def items_of(
    messages: Sequence[Message],
    build: Callable[[Sequence[Message]], Mapping[int, Mapping[str, Any]]],
) -> dict[int, list[dict[str, Any]]]:
    """The variable `items` of each digest among some messages, by the digest's id.

    Args:
        messages: Claimed messages.
        build: Makes the contexts of messages, as if each had been sent by itself.

    Returns:
        For each digest its parts, the most important first; nothing, without a query, where there
        is no digest.
    """
    own = [message.pk for message in messages if is_digest(message)]
    if not own:
        return {}
    rows = list(
        Message.objects.filter(merged_into__in=own, state=Message.State.MERGED)
        .select_related("template_version__template")
        .order_by("-priority", "planned_at", "pk")
    )
    contexts = build(rows)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.merged_into_id or 0].append(_item(row, contexts[row.pk]))
    return found


def _item(row: Message, context: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: context.get(name) or {} for name in ("cart", "order", "event")}
    urls = (about[name].get("url") for name in ("cart", "order", "event"))
    return {
        "subject": _subject(row, context),
        "url": next((url for url in urls if url), context["site"]["url"]),
        **about,
    }


def _subject(row: Message, context: Mapping[str, Any]) -> str:
    try:
        return letter(row.template_version, context).subject
    except TriggersError as error:
        logger.warning("The subject of message %s cannot be built: %s", row.public_id, error)
        return row.template_version.template.name
