"""How long a template's short texts come out, with sample data in the place of variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .isolation import render_isolated
from .liquid import freeze_context
from .readers import Reader, read_by
from .render import one_line
from .short_texts import MEASURES, Measure

if TYPE_CHECKING:
    from .models import Template

#: Longer ones are measured as they stand, without being tried out.
_MOST: Final = 4_000


def measure_texts(template: Template, texts: Mapping[str, str]) -> dict[str, Measure]:
    """Measure texts by their fields; those that are empty, or that nobody measures, are left out.

    Args:
        template: What it is written for, and in which language.
        texts: The fields' contents, saved or not.
    """
    wanted = {
        field: text
        for field, text in texts.items()
        if field in MEASURES and text.strip() and len(text) <= _MOST
    }
    if not wanted:
        return {}
    reading = read_by(template, Reader())
    context = freeze_context(reading.context)
    found = {}
    for field, text in wanted.items():
        shown = text
        if "{" in text:
            # Each by itself: a fault in one says nothing of the others.
            cooked = render_isolated(
                [(field, text, False)],
                context,
                language=reading.language,
                time_zone=reading.time_zone,
            )
            shown = cooked.texts.get(field, text)
        shown = shown.strip() if field == "sms_body" else one_line(shown)
        found[field] = MEASURES[field](shown)
    return found
