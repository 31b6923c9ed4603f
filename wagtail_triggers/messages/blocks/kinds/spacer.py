"""Empty space."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import ChoiceBlock

from ..base import LAYOUT, Mail, MailBlock, Piece
from ..registry import register_block

SIZES: Final = {"small": 8, "medium": 24, "large": 48}
CHOICES = [("small", _("Small")), ("medium", _("Medium")), ("large", _("Large"))]


@register_block
class SpacerBlock(MailBlock, ChoiceBlock):
    """Room to breathe."""

    identifier = "spacer"
    place = 40

    class Meta:
        icon = "dots-horizontal"
        label = _("Spacer")
        group = LAYOUT
        description = _("Empty space between two blocks.")
        default = "medium"
        preview_value = "medium"

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"choices": CHOICES, "default": "medium", **options})

    def compile(self, value: Any, mail: Mail) -> Piece:
        """As much space as was asked for."""
        height = SIZES.get(value or "medium", SIZES["medium"])
        return Piece(content=f'<mj-spacer height="{height}px" />')
