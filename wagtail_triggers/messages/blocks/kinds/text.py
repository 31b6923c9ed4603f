"""Rich text: paragraphs, lists, links."""

from __future__ import annotations

import html as html_entities
import re
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import RichTextBlock
from wagtail.rich_text import expand_db_html

from ...compile import plain_text
from ..base import TEXT, Mail, MailBlock, Piece, without_marks
from ..registry import register_block

FEATURES: Final = ("h2", "h3", "bold", "italic", "link", "ol", "ul")
#: The editor stores quotes and angle brackets as entities, within Liquid too.
_TOKEN: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")


def rich_html(source: str) -> str:
    """Stored rich text as HTML with Liquid."""
    html: str = expand_db_html(_TOKEN.sub(_mended, without_marks(source)))
    return html


def _mended(match: re.Match[str]) -> str:
    """A token as it was typed. Half of it may have been made bold: Liquid has no use for that."""
    return html_entities.unescape(_TAG.sub("", match[0])).replace("\xa0", " ")


@register_block
class TextBlock(MailBlock, RichTextBlock):
    """Paragraphs, headings, lists and links."""

    identifier = "text"
    place = 20

    class Meta:
        icon = "pilcrow"
        label = _("Rich text")
        group = TEXT
        features = list(FEATURES)
        description = _(
            "Paragraphs, lists and links. Liquid such as {{ contact.first_name }} works."
        )
        preview_value = "<p>Hello {{ contact.first_name | default: 'there' }}, good to see you.</p>"

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"features": list(FEATURES), **options})

    def compile(self, value: Any, mail: Mail) -> Piece:
        """Paragraphs in the mail's own styles."""
        html = rich_html(getattr(value, "source", "") or "")
        return html_piece(html, mail)


def html_piece(html: str, mail: Mail) -> Piece:
    """HTML that an editor wrote: sanitised in the mail, and read out for the plain text."""
    if not html.strip():
        return Piece()
    mark = mail.html(html)
    return Piece(
        content=f'<mj-text css-class="wt-body" padding="8px 24px">{mark}</mj-text>',
        text=plain_text(html, base_url=mail.brand.url),
    )
