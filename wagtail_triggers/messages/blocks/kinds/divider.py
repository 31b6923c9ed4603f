"""A line across."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StaticBlock

from ..base import LAYOUT, Mail, MailBlock, Piece
from ..registry import register_block


@register_block
class DividerBlock(MailBlock, StaticBlock):
    """A thin line."""

    identifier = "divider"
    place = 30

    class Meta:
        icon = "minus"
        label = _("Divider")
        group = LAYOUT
        admin_text = _("A thin line across the mail.")
        description = _("A thin line across the mail.")

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A line in a shade of the text."""
        return Piece(
            content=(
                f'<mj-divider css-class="wt-line" border-width="1px" padding="16px 24px"'
                f' border-color="{mail.brand.line}" />'
            ),
            text="----------",
        )
