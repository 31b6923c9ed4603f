"""Products side by side: of the event, or picked by hand."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import (
    BlockGroup,
    BooleanBlock,
    CharBlock,
    ChoiceBlock,
    IntegerBlock,
    ListBlock,
    StructBlock,
    StructBlockValidationError,
)
from wagtail.images.blocks import ImageChooserBlock

from ..addresses import AddressBlock, address
from ..base import SHOP, Mail, MailBlock, Piece
from ..pictures import rendition_url
from ..registry import register_block
from ..wares import grid_html, grid_text
from ..writing import escaped
from .cart import with_fallback

#: Where the products come from, and the Liquid path of their list.
SOURCES: Final = {"cart": "cart.lines", "order": "order.lines", "event": "event.lines"}
CHOICES = [
    ("cart", _("The cart's")),
    ("order", _("The order's")),
    ("picked", _("Picked by hand")),
]
COLUMNS = [("1", "1"), ("2", "2"), ("3", "3")]
MAX_PICKED: Final = 12


class PickedBlock(StructBlock):
    """One product by its number. What is typed here stands in where the shop cannot be asked."""

    sku = CharBlock(label=_("Article number"), max_length=128)
    name = CharBlock(label=_("Name"), required=False, max_length=255)
    url = AddressBlock(label=_("Address"), required=False)
    image = ImageChooserBlock(label=_("Picture"), required=False)

    class Meta:
        icon = "tag"
        label = _("Product")
        label_format = "{sku} {name}"
        form_layout = BlockGroup(children=["sku"], settings=["name", "url", "image"])


@register_block
class ProductsBlock(MailBlock, StructBlock):
    """Products side by side, with picture, name, price and a button each."""

    identifier = "products"
    place = 30
    in_columns = False

    source = ChoiceBlock(label=_("Which"), choices=CHOICES, default="cart")
    products = ListBlock(
        PickedBlock(), label=_("Picked by hand"), default=[], max_num=MAX_PICKED,
        help_text=_("Name, picture and price come from your shop when the mail leaves."),
    )  # fmt: skip
    columns = ChoiceBlock(label=_("Beside each other"), choices=COLUMNS, default="2")
    limit = IntegerBlock(label=_("At most"), min_value=1, max_value=MAX_PICKED, default=4)
    price = BooleanBlock(label=_("Prices"), required=False, default=True)
    button = CharBlock(
        label=_("Button"), required=False, max_length=60, help_text=_("Empty: no buttons.")
    )
    fallback = CharBlock(
        label=_("Without products"), required=False, max_length=500,
        help_text=_("Shown where there are none. Empty: nothing."),
    )  # fmt: skip

    class Meta:
        icon = "grid"
        label = _("Products")
        group = SHOP
        description = _("Products side by side: those of the cart or order, or picked by hand.")
        preview_value = {
            "source": "picked", "columns": "2", "limit": 4, "price": True, "button": _("View"),
            "products": [{"sku": "A1", "name": "Linen shirt"}, {"sku": "B2", "name": "Bowl"}],
        }  # fmt: skip
        form_layout = BlockGroup(
            children=["source", "products", "button", "fallback"],
            settings=["columns", "limit", "price"],
        )

    def clean(self, value: Any) -> Any:
        """Refuse a choice by hand that names nothing, unless a draft is saved.

        Raises:
            StructBlockValidationError: At the list.
        """
        cleaned = super().clean(value)
        if (
            not self.is_deferred_validation
            and cleaned.get("source") == "picked"
            and not cleaned.get("products")
        ):
            message = _t("Pick a product, or choose those of the cart or the order.")
            raise StructBlockValidationError({"products": ValidationError(message)})
        return cleaned

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A grid; what was picked by hand is looked up when the mail leaves."""
        source = value.get("source") or "cart"
        items = SOURCES.get(source, "")
        if not items:
            named = [_picked(one, mail) for one in value.get("products") or ()]
            picked = [one for one in named if one is not None]
            if not picked:
                return Piece()
            items = mail.look_up({"products": picked})
        return grid(items, value, mail)


def grid(items: str, value: Any, mail: Mail) -> Piece:
    """Products side by side, as a block's settings say."""
    columns = int(value.get("columns") or 2)
    limit = int(value.get("limit") or 4)
    price = bool(value.get("price"))
    words = escaped((value.get("button") or "").strip())
    html = grid_html(items, mail, columns=columns, limit=limit, words=words, price=price)
    text = grid_text(items, limit=limit, price=price)
    # The cells have margins of their own, between each other.
    return with_fallback(items, html, text, value.get("fallback"), mail, padding="8px 16px")


def _picked(value: Any, mail: Mail) -> dict[str, Any] | None:
    sku = (value.get("sku") or "").strip()
    if not sku:
        return None
    image, link = value.get("image"), (value.get("url") or "").strip()
    return {
        "sku": sku,
        "name": (value.get("name") or "").strip(),
        "url": address(link, mail) if link else "",
        "image_url": rendition_url(image, "width-520", mail.brand.url) if image else "",
    }
