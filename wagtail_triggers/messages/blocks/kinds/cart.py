"""What is in the cart."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from wagtail.blocks import BlockGroup, BooleanBlock, CharBlock, StructBlock

from ..base import SHOP, Mail, MailBlock, Piece
from ..registry import register_block
from ..wares import body_text, lines_html, lines_text, or_else, sum_row, sum_text
from ..writing import escaped, plain


@register_block
class CartBlock(MailBlock, StructBlock):
    """The lines of the cart that the event is about, as they stand when the mail leaves."""

    identifier = "cart"
    place = 10

    pictures = BooleanBlock(label=_("Pictures"), required=False, default=True)
    total = BooleanBlock(label=_("Total"), required=False, default=True)
    button = CharBlock(
        label=_("Button"),
        required=False,
        max_length=120,
        help_text=_("Leads back to the cart. Empty: no button."),
    )
    fallback = CharBlock(
        label=_("Without a cart"),
        required=False,
        max_length=500,
        help_text=_("Shown where there is no cart, or nothing in it. Empty: nothing."),
    )

    class Meta:
        icon = "list-ul"
        label = _("Cart")
        group = SHOP
        description = _("What is in the cart, with pictures, prices and the total.")
        preview_value = {"pictures": True, "total": True, "button": _("Back to your cart")}
        form_layout = BlockGroup(children=["button", "fallback"], settings=["pictures", "total"])

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A table of lines, the total, and a button below."""
        pictures = bool(value.get("pictures"))
        wants_total = bool(value.get("total"))
        total = sum_row(pgettext("mail", "Total"), "cart.total", columns=1 + pictures, kind="total")
        html = lines_html("cart.lines", mail, pictures=pictures, rows=total if wants_total else "")
        words = (value.get("button") or "").strip()
        if words:
            html += (
                '{% if cart.url %}<p class="first"><a class="button" href="{{ cart.url }}">'
                f"{escaped(words)}</a></p>{{% endif %}}"
            )
        text = lines_text("cart.lines")
        text += sum_text(pgettext("mail", "Total"), "cart.total") if wants_total else ""
        if words:
            text += f"{{% if cart.url %}}\n{plain(words)}: {{{{ cart.url }}}}{{% endif %}}"
        return with_fallback("cart.lines", html, text, value.get("fallback"), mail)


def with_fallback(
    items: str,
    html: str,
    text: str,
    fallback: str | None,
    mail: Mail,
    *,
    padding: str = "8px 24px",
) -> Piece:
    """A list, or words in its place where there is none."""
    instead = (fallback or "").strip()
    # In the order of the document: the masks of the HTML are counted.
    shown = body_text(html, mail, padding=padding)
    other = body_text(f'<p class="first">{escaped(instead)}</p>', mail) if instead else ""
    return Piece(
        content=or_else(items, shown, other),
        text=or_else(items, text, plain(instead)),
    )
