"""Write what an editor typed into MJML, into an attribute, and into plain text."""

from __future__ import annotations

import html as html_entities
import re
from typing import Final

from django.utils.translation import get_language_bidi

from ..tokens import scan
from .base import without_marks

_SIMPLE: Final = re.compile(r"\s*\{\{-?\s*([a-z_][\w.]*)\s*-?\}\}\s*", re.IGNORECASE)


def escaped(source: str) -> str:
    """A plain text with Liquid, as HTML: the text is escaped, the Liquid is not."""
    return "".join(
        html_entities.escape(token.text) if token.kind == "text" else token.text
        for token in scan(without_marks(source))
    )


def attribute(source: str) -> str:
    """A plain text with Liquid, fit for an attribute in double quotes."""
    return "".join(
        _attribute(token.text) if token.kind == "text" else token.text
        for token in scan(without_marks(source))
    )


def _attribute(text: str) -> str:
    # mrml writes what Rust would escape in a string as Rust would.
    return "".join(
        one if one.isprintable() and one != "\\" else f"&#{ord(one)};"
        for one in html_entities.escape(text)
    )


def plain(source: str) -> str:
    """A plain text with Liquid, fit for a mail's plain text."""
    return without_marks(source).strip()


def side(align: str | None, otherwise: str = "left") -> str:
    """Where something stands, in the language that is active: its start is not always left."""
    chosen = align or otherwise
    return "right" if chosen == "left" and get_language_bidi() else chosen


def only_with(source: str, name: str, inner: str) -> str:
    """Show something only if a text with Liquid turns out not to be empty.

    Args:
        source: The text; without Liquid in it, `inner` is always shown.
        name: A name for it, unique in the mail.
        inner: What to show.
    """
    if "{{" not in source and "{%" not in source:
        return inner
    simple = _SIMPLE.fullmatch(source)
    if simple is not None:
        return f"{{% if {simple[1]} %}}{inner}{{% endif %}}"
    held = f"wt_{name}"
    return (
        f"{{% capture {held} %}}{source}{{% endcapture %}}"
        f'{{% if {held} != "" %}}{inner}{{% endif %}}'
    )
