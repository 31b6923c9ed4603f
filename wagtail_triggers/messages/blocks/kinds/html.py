"""HTML with Liquid, for those who can write it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import TextBlock as PlainTextBlock

from ..base import ADVANCED, Mail, MailBlock, Piece, without_marks
from ..registry import register_block
from .text import html_piece


@register_block
class HtmlBlock(MailBlock, PlainTextBlock):
    """HTML with Liquid. Scripts, forms, styles sheets and the like are taken out."""

    identifier = "html"
    place = 10

    class Meta:
        icon = "code"
        label = _("HTML")
        group = ADVANCED
        rows = 12
        description = _("HTML with Liquid. What mail programs cannot show is taken out.")
        preview_value = "<p>{% for line in cart.lines %}{{ line.name }}<br>{% endfor %}</p>"

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"rows": 12, **options})

    def compile(self, value: Any, mail: Mail) -> Piece:
        """The sanitised HTML."""
        return html_piece(without_marks(value or ""), mail)
