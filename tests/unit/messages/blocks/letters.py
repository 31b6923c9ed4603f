"""Letters of blocks for these tests: compiled and rendered without a database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from django.utils import translation

from wagtail_triggers.messages.compile import Compiled, compile_blocks
from wagtail_triggers.messages.look import Brand
from wagtail_triggers.messages.models import Template
from wagtail_triggers.messages.render import Rendered, render

BRAND = Brand(
    name="Leaf & Kiln",
    postal_address="1 Harbour Street\nBristol",
    url="https://shop.example",
    colour="#2b5a53",
    social=(("Instagram", "https://instagram.example/leaf"),),
)
STREAM = Template._meta.get_field("body").stream_block
#: The settings with which a kind is shown in the chooser, for all kinds.
SHOWN: dict[str, Any] = {
    name: kind.get_preview_value() for name, kind in STREAM.child_blocks.items()
}

PRICE = {"amount": Decimal("29.00"), "currency": "EUR"}
LINE = {
    "sku": "A1",
    "name": "Pebble <Teapot>",
    "quantity": 2,
    "unit_price": PRICE,
    "url": "https://shop.example/a1",
    "image_url": "https://shop.example/a1.jpg",
}
#: A line of which the shop knows its number only.
BARE = {"sku": "B2", "quantity": 1}
PEOPLE: dict[str, Any] = {
    "contact": {"first_name": "Anna", "orders_count": 3},
    "site": {"name": "Leaf & Kiln", "url": "https://shop.example"},
    "links": {"unsubscribe": "https://shop.example/u/1", "preferences": ""},
}
EVERYTHING: dict[str, Any] = {
    **PEOPLE,
    "cart": {"lines": [LINE, BARE], "total": PRICE, "url": "https://shop.example/cart"},
    "order": {
        "number": "77",
        "lines": [LINE, BARE],
        "shipping": PRICE,
        "total": {"amount": Decimal("1234.50"), "currency": "EUR"},
        "url": "https://shop.example/77",
        "shipping_address": {"name": "Anna Berg", "line1": "Way 1", "city": "Bristol"},
    },
    "coupon": {
        "code": "TEA-10",
        "percent": 10,
        "minimum": PRICE,
        "expires_at": datetime(2026, 12, 1, tzinfo=UTC),
    },
    "wt_picked": {"p1": [LINE, BARE]},
}


def compiled(*blocks: tuple[str, Any], language: str = "en", brand: Brand = BRAND) -> Compiled:
    """Compile a marketing mail of these blocks."""
    with translation.override(language):
        return compile_blocks(
            subject="s", preheader="", body=STREAM.normalize(list(blocks)), brand=brand,
            marketing=True,
        )  # fmt: skip


def letter(
    *blocks: tuple[str, Any], data: Mapping[str, Any], language: str = "en", brand: Brand = BRAND
) -> Rendered:
    """Render it."""
    made = compiled(*blocks, language=language, brand=brand)
    return render(made, data, language=language, time_zone="UTC")


class Reader(HTMLParser):
    """Reads what stands on the white card, and checks that elements are closed in their order."""

    VOID = frozenset({"meta", "img", "br", "hr", "col", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "title" not in self.open:
            self.words.append(data)


def read(html: str) -> Reader:
    """Read a rendered mail."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def words_of(html: str) -> str:
    """What a person reads between the shop's name and the footer."""
    text = " ".join(" ".join(read(html).words).split())
    inside = re.sub(r"^Leaf & Kiln ?", "", text)
    return inside.partition(" Instagram ")[0].partition("Instagram ")[0].strip()


def text_of(text: str) -> str:
    """The plain text above the signature."""
    return text.partition("\n-- \n")[0].strip()
