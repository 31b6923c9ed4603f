"""Products that this person may like."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import (
    BlockGroup,
    BooleanBlock,
    CharBlock,
    ChoiceBlock,
    IntegerBlock,
    StructBlock,
)

from ....recommend.base import MAX_PRODUCTS
from ....recommend.picking import FALLBACK
from ....recommend.registry import recommenders
from ..base import SHOP, Mail, MailBlock, Piece
from ..registry import register_block
from .products import COLUMNS, grid


def _choices() -> list[tuple[str, Any]]:
    """The providers that editors may choose; read when a form is shown."""
    return [(name, kind.label) for name, kind in recommenders.all().items() if kind.offered]


@register_block
class RecommendationsBlock(MailBlock, StructBlock):
    """Products from a provider of recommendations, best sellers where it knows too few."""

    identifier = "recommendations"
    place = 50
    in_columns = False

    recommender = ChoiceBlock(label=_("From"), choices=_choices, default=FALLBACK)
    columns = ChoiceBlock(label=_("Beside each other"), choices=COLUMNS, default="2")
    limit = IntegerBlock(label=_("At most"), min_value=1, max_value=MAX_PRODUCTS, default=4)
    price = BooleanBlock(label=_("Prices"), required=False, default=True)
    button = CharBlock(
        label=_("Button"), required=False, max_length=60, help_text=_("Empty: no buttons.")
    )
    fallback = CharBlock(
        label=_("Without products"), required=False, max_length=500,
        help_text=_("Shown where there is nothing to recommend. Empty: nothing."),
    )  # fmt: skip

    class Meta:
        icon = "pick"
        label = _("Recommendations")
        group = SHOP
        description = _("Products that suit the person, looked up when the mail leaves.")
        preview_value = {"columns": "2", "limit": 4, "price": True, "button": "", "fallback": ""}
        form_layout = BlockGroup(
            children=["recommender", "button", "fallback"], settings=["columns", "limit", "price"]
        )

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A grid of what the provider says when the mail leaves."""
        request = {
            "recommender": value.get("recommender") or FALLBACK,
            "limit": int(value.get("limit") or 4),
        }
        return grid(mail.look_up(request), value, mail)
