"""An order: its lines, its sums, where it goes."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from wagtail.blocks import BlockGroup, BooleanBlock, CharBlock, StructBlock

from ...layout import literal, plain_literal
from ..base import SHOP, Mail, MailBlock, Piece
from ..registry import register_block
from ..wares import lines_html, lines_text, sum_row, sum_text
from ..writing import escaped, plain
from .cart import with_fallback

_ADDRESS: Final = ("name", "line1", "line2")


@register_block
class OrderBlock(MailBlock, StructBlock):
    """The lines, sums and address of the order that the event is about."""

    identifier = "order"
    place = 20

    number = BooleanBlock(label=_("Number of the order"), required=False, default=True)
    pictures = BooleanBlock(label=_("Pictures"), required=False, default=True)
    sums = BooleanBlock(
        label=_("Sums"),
        required=False,
        default=True,
        help_text=_("Delivery, discount and tax where the shop sends them, and the total."),
    )
    address = BooleanBlock(label=_("Delivery address"), required=False, default=True)
    button = CharBlock(
        label=_("Button"),
        required=False,
        max_length=120,
        help_text=_("Leads to the order. Empty: no button."),
    )
    fallback = CharBlock(
        label=_("Without an order"),
        required=False,
        max_length=500,
        help_text=_("Shown where nothing is known of the order. Empty: nothing."),
    )

    class Meta:
        icon = "form"
        label = _("Order")
        group = SHOP
        description = _("What was ordered, what it costs, and where it goes.")
        preview_value = {
            "number": True, "pictures": True, "sums": True, "address": True,
            "button": _("See your order"),
        }  # fmt: skip
        form_layout = BlockGroup(
            children=["button", "fallback"], settings=["number", "pictures", "sums", "address"]
        )

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A heading, a table with sums, the address, a button."""
        pictures = bool(value.get("pictures"))
        sums = _sums() if value.get("sums") else []
        rows = "".join(
            sum_row(label, money, columns=1 + pictures, kind=kind) for label, money, kind in sums
        )
        html = _number_html() if value.get("number") else ""
        html += lines_html("order.lines", mail, pictures=pictures, rows=rows)
        text = _number_text() if value.get("number") else ""
        text += lines_text("order.lines")
        text += "".join(sum_text(label, money) for label, money, _kind in sums)
        if value.get("address"):
            html += _address_html()
            text += _address_text()
        words = (value.get("button") or "").strip()
        if words:
            html += (
                '{% if order.url %}<p class="first"><a class="button" href="{{ order.url }}">'
                f"{escaped(words)}</a></p>{{% endif %}}"
            )
            text += f"{{% if order.url %}}\n{plain(words)}: {{{{ order.url }}}}{{% endif %}}"
        return with_fallback("order.lines", html, text, value.get("fallback"), mail)


def _sums() -> list[tuple[str, str, str]]:
    return [
        (pgettext("mail", "Subtotal"), "order.subtotal", "sum"),
        (pgettext("mail", "Discount"), "order.discount", "sum"),
        (pgettext("mail", "Delivery"), "order.shipping", "sum"),
        (pgettext("mail", "Of this, tax"), "order.tax", "sum"),
        (pgettext("mail", "Total"), "order.total", "total"),
    ]


def _number_html() -> str:
    return (
        f'{{% if order.number %}}<p class="muted">{literal(pgettext("mail", "Order"))} '
        "{{ order.number }}</p>{% endif %}"
    )


def _number_text() -> str:
    word = plain_literal(pgettext("mail", "Order"))
    return f"{{% if order.number %}}{word} {{{{ order.number }}}}\n\n{{% endif %}}"


def _address_html() -> str:
    lines = "".join(
        f"{{% if order.shipping_address.{name} %}}{{{{ order.shipping_address.{name} }}}}<br>"
        "{% endif %}"
        for name in _ADDRESS
    )
    return (
        "{% if order.shipping_address.line1 or order.shipping_address.city %}"
        f"<h3>{literal(pgettext('mail', 'Delivered to'))}</h3><p>{lines}"
        "{% if order.shipping_address.city %}{{ order.shipping_address.postcode }} "
        "{{ order.shipping_address.city }}<br>{% endif %}"
        "{% if order.shipping_address.region %}{{ order.shipping_address.region }}<br>{% endif %}"
        "{{ order.shipping_address.country }}</p>{% endif %}"
    )


def _address_text() -> str:
    lines = "".join(
        f"{{% if order.shipping_address.{name} %}}{{{{ order.shipping_address.{name} }}}}\n"
        "{% endif %}"
        for name in _ADDRESS
    )
    return (
        "{% if order.shipping_address.line1 or order.shipping_address.city %}"
        f"\n{plain_literal(pgettext('mail', 'Delivered to'))}:\n{lines}"
        "{% if order.shipping_address.city %}{{ order.shipping_address.postcode }} "
        "{{ order.shipping_address.city }}\n{% endif %}"
        "{% if order.shipping_address.region %}{{ order.shipping_address.region }}\n{% endif %}"
        "{% if order.shipping_address.country %}{{ order.shipping_address.country }}\n{% endif %}"
        "{% endif %}"
    )
