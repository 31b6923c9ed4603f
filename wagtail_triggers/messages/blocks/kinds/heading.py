"""A heading."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup, CharBlock, ChoiceBlock, StructBlock

from ..base import TEXT, Mail, MailBlock, Piece
from ..registry import register_block
from ..wares import body_text
from ..writing import escaped, only_with, plain
from .button import ALIGNMENTS

SIZES = [("h1", _("Large")), ("h2", _("Medium")), ("h3", _("Small"))]


@register_block
class HeadingBlock(MailBlock, StructBlock):
    """A heading. One whose words turn out to be empty is not shown."""

    identifier = "heading"
    place = 10

    text = CharBlock(label=_("Words"), max_length=255)
    size = ChoiceBlock(label=_("Size"), choices=SIZES, default="h1")
    align = ChoiceBlock(label=_("Position"), choices=ALIGNMENTS, default="left")

    class Meta:
        icon = "title"
        label = _("Heading")
        label_format = "{text}"
        group = TEXT
        description = _("A large, medium or small heading. It may hold Liquid.")
        preview_value = {"text": _("Your cart is still here"), "size": "h1"}
        form_layout = BlockGroup(children=["text"], settings=["size", "align"])

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A heading in the mail's own style."""
        words = (value.get("text") or "").strip()
        if not words:
            return Piece()
        tag = value.get("size") or "h1"
        centred = ' style="text-align: center"' if value.get("align") == "center" else ""
        html = f'<{tag} class="first"{centred}>{escaped(words)}</{tag}>'
        name = f"heading{len(mail.holes)}"
        return Piece(
            content=only_with(words, name, body_text(html, mail)),
            text=only_with(words, name, plain(words)),
        )
