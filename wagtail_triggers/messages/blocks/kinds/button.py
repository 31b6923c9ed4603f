"""A button: one thing to do."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup, CharBlock, ChoiceBlock, StructBlock

from ..addresses import AddressBlock, address
from ..base import TEXT, Mail, MailBlock, Piece
from ..registry import register_block
from ..writing import attribute, escaped, only_with, plain, side

ALIGNMENTS = [("left", _("Start")), ("center", _("Centre"))]
STYLES = [("filled", _("Filled, in the brand's colour")), ("outline", _("Outline"))]


@register_block
class ButtonBlock(MailBlock, StructBlock):
    """A button. Where its address turns out to be missing, nothing is shown."""

    identifier = "button"
    place = 40

    text = CharBlock(label=_("Words"), max_length=120)
    url = AddressBlock(label=_("Address"))
    style = ChoiceBlock(label=_("Style"), choices=STYLES, default="filled")
    align = ChoiceBlock(label=_("Position"), choices=ALIGNMENTS, default="left")

    class Meta:
        icon = "link-external"
        label = _("Button")
        label_format = "{text}"
        group = TEXT
        description = _("One thing to do. It is not shown where its address is not known.")
        preview_value = {"text": _("Back to your cart"), "url": "{{ cart.url }}"}
        form_layout = BlockGroup(children=["text", "url"], settings=["style", "align"])

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A table cell that looks like a button, in every mail program."""
        words, where = value.get("text") or "", value.get("url") or ""
        if not words.strip() or not where.strip():
            return Piece()
        url = address(where, mail)
        brand, filled = mail.brand, value.get("style") != "outline"
        button = (
            f'<mj-button css-class="{"wt-button" if filled else "wt-outline"}"'
            f' href="{attribute(url)}" align="{side(value.get("align"))}" padding="8px 24px"'
            f' background-color="{brand.colour if filled else "transparent"}"'
            f' color="{brand.ink if filled else brand.colour}"'
            f' border="2px solid {brand.colour}" border-radius="{brand.radius}px" font-size="16px"'
            f' font-weight="600" inner-padding="10px 24px">{escaped(words)}</mj-button>'
        )
        name = f"url{len(mail.holes)}"
        return Piece(
            content=only_with(url, name, button),
            text=only_with(url, name, f"{plain(words)}: {plain(url)}"),
        )
