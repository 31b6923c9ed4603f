"""Every kind of block, in three languages, with all its data and with none."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wagtail_triggers.messages.blocks.base import Mail
from wagtail_triggers.messages.blocks.registry import kinds
from wagtail_triggers.messages.preview import MAX_MAIL_BYTES
from wagtail_triggers.messages.samples import variables_for

from .letters import BARE, BRAND, EVERYTHING, PEOPLE, SHOWN, STREAM, letter, read, text_of, words_of

LANGUAGES = ("en", "zh-hans", "ru")
NOTHING = {"site": PEOPLE["site"], "links": PEOPLE["links"]}
#: What is read of each kind in its own preview's settings, where nothing is known of anybody.
WITHOUT_DATA = {
    "heading": "Your cart is still here",
    "text": "Hello there, good to see you.",
    "image": "A picture of the library",
    "button": "",
    "cart": "",
    "order": "",
    "products": "",
    "coupon": "",
    "recommendations": "",
    "columns": "One side The other side",
    "condition": "Welcome to your first order.",
    "divider": "",
    "spacer": "",
    "social": "Follow us Instagram YouTube",
    "html": "",
    "mjml": "Hello",
}
WITH_DATA = {
    **WITHOUT_DATA,
    "text": "Hello Anna, good to see you.",
    "button": "Back to your cart",
    "cart": "Pebble <Teapot> 2 \u00d7 €29.00 €58.00 B2 Total €29.00 Back to your cart",
    "order": "Order 77 Pebble <Teapot> 2 \u00d7 €29.00 €58.00 B2 Delivery €29.00 Total €1,234.50 "
    "Delivered to Anna Berg Way 1 Bristol See your order",
    "products": "Pebble <Teapot> €29.00 View B2",
    "coupon": "10% off TEA-10 Holds until December 1, 2026 · From €29.00 Use it",
    "recommendations": "Pebble <Teapot> €29.00 B2",
    "condition": "Good to see you again.",
    "html": "Pebble <Teapot>",
    "mjml": "Hello Anna",
}


def test_every_kind_has_its_expectation_here() -> None:
    assert set(WITHOUT_DATA) == set(WITH_DATA) == set(kinds.all()) == set(SHOWN)


@pytest.mark.parametrize("kind", WITH_DATA)
def test_block_with_its_data_shows_it(kind: str) -> None:
    made = letter((kind, SHOWN[kind]), data=EVERYTHING)
    # The links of the block “social” bear the name by which the footer is known.
    expected = WITH_DATA[kind].partition(" Instagram")[0]
    assert words_of(made.html) == expected
    assert "None" not in made.text


@pytest.mark.parametrize("kind", WITHOUT_DATA)
def test_block_without_its_data_shows_its_fallback_or_nothing(kind: str) -> None:
    made = letter((kind, SHOWN[kind]), data=NOTHING)
    assert words_of(made.html) == WITHOUT_DATA[kind].partition(" Instagram")[0]
    assert "None" not in made.html + made.text
    assert not re.search(r'class="(?:lines|grid)"', made.html)  # no table of wares without wares


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", WITHOUT_DATA)
@pytest.mark.parametrize("data", [EVERYTHING, NOTHING, {}], ids=["all", "nobody", "nothing"])
def test_block_in_every_language_is_sound_html_and_small(
    kind: str, language: str, data: dict[str, Any]
) -> None:
    made = letter((kind, SHOWN[kind]), data=data, language=language)
    reader = read(made.html)
    assert (reader.open, reader.faults) == ([], [])
    assert len(made.html.encode()) < MAX_MAIL_BYTES
    assert not {one for one in reader.addresses if one and not one.startswith("https://")}
    for broken in ("None", "{{", "{%", "wtLQ", "wtBODY", "\ue0f0", "\ue100"):
        assert broken not in made.html + made.text


def test_all_blocks_in_one_mail_stay_below_what_gmail_shows() -> None:
    made = letter(*SHOWN.items(), data=EVERYTHING)
    assert len(made.html.encode()) < MAX_MAIL_BYTES
    assert read(made.html).faults == []


@pytest.mark.parametrize("kind", WITHOUT_DATA)
def test_block_names_only_variables_that_exist(kind: str) -> None:
    from wagtail_triggers.messages.blocks.assemble import check_body

    body = STREAM.normalize([(kind, SHOWN[kind])])
    assert check_body(body, variables_for("order_placed"), Mail(BRAND)) == []


@pytest.mark.parametrize("kind", ["cart", "order", "products", "recommendations", "coupon"])
def test_fallback_of_a_shops_block_stands_in_for_missing_data(kind: str) -> None:
    settings = {**SHOWN[kind], "fallback": "Come & see"}
    made = letter((kind, settings), data=NOTHING)
    assert words_of(made.html) == "Come & see"
    assert text_of(made.text) == "Come & see"
    full = letter((kind, settings), data=EVERYTHING)
    assert "Come & see" not in words_of(full.html) + text_of(full.text)


@pytest.mark.parametrize("kind", ["cart", "order", "products", "recommendations"])
def test_line_of_which_little_is_known_has_no_empty_links_and_pictures(kind: str) -> None:
    data = {
        **PEOPLE,
        "cart": {"lines": [BARE]},
        "order": {"lines": [BARE]},
        "wt_picked": {"p1": [BARE]},
    }
    made = letter((kind, SHOWN[kind]), data=data)
    assert "B2" in words_of(made.html)
    assert "€" not in made.html + made.text
    addresses = read(made.html).addresses
    assert "" not in addresses
    assert not [one for one in addresses if one.endswith("#")]


def test_line_without_any_name_is_left_out() -> None:
    data = {**PEOPLE, "cart": {"lines": [{"quantity": 3}, BARE]}}
    assert words_of(letter(("cart", SHOWN["cart"]), data=data).html) == "B2"


def test_plain_text_of_a_cart_has_a_line_for_each_thing() -> None:
    made = letter(("cart", SHOWN["cart"]), data=EVERYTHING)
    assert text_of(made.text) == (
        "- 2 x Pebble <Teapot>: €58.00\n- B2\nTotal: €29.00\n\n"
        "Back to your cart: https://shop.example/cart"
    )


def test_empty_text_blocks_leave_nothing_behind() -> None:
    blank = [("heading", {"text": " "}), ("text", ""), ("html", ""), ("button", {"text": "x"})]
    made = letter(*blank, data=EVERYTHING)
    assert (words_of(made.html), text_of(made.text)) == ("", "")


def test_editors_words_are_escaped_and_customers_too() -> None:
    blocks = [
        ("heading", {"text": "<script>alert(1)</script> {{ contact.first_name }}"}),
        ("button", {"text": "<b>&", "url": 'https://a.example/?a="b'}),
        ("coupon", {"code": "<i>X</i>", "worth": "<u>"}),
    ]
    data = {**EVERYTHING, "contact": {"first_name": "<img src=x onerror=alert(1)>"}}
    html = letter(*blocks, data=data).html
    for active in ("<script", "<img src=x", "<b>", "<i>", "<u>"):
        assert active not in html
    assert 'href="https://a.example/?a=&quot;b"' in html


def test_rich_text_keeps_liquid_that_the_editor_stored_as_entities() -> None:
    source = "<p>Hello {{ contact.nobody | default: &quot;you &amp; me&quot; }}, {% if 2 &gt; 1 %}yes{% endif %}</p>"  # noqa: E501
    assert words_of(letter(("text", source), data=PEOPLE).html) == "Hello you & me, yes"


def test_rich_text_loses_what_would_run() -> None:
    html = letter(("text", '<p onclick="x()">a<script>b</script></p>'), data=PEOPLE).html
    assert "onclick" not in html
    assert "<script" not in html


def test_button_whose_address_turns_out_empty_is_not_shown() -> None:
    button = {"text": "Go", "url": "{{ cart.url | append: '' }}"}
    assert words_of(letter(("button", button), data=EVERYTHING).html) == "Go"
    assert words_of(letter(("button", button), data=NOTHING).html) == ""


def test_button_with_a_path_leads_to_the_shop() -> None:
    html = letter(("button", {"text": "Sale", "url": "/sale/"}), data=PEOPLE).html
    assert 'href="https://shop.example/sale/"' in html


@pytest.mark.parametrize(
    ("operator", "value", "orders", "shown"),
    [
        ("is_set", "", 3, "yes"),
        ("is_set", "", None, "no"),
        ("is_not_set", "", None, "yes"),
        ("is_not_set", "", 3, "no"),
        ("equals", "3", 3, "yes"),
        ("equals", "3", 4, "no"),
        ("differs", "3", 4, "yes"),
        ("above", "2", 3, "yes"),
        ("above", "2", 2, "no"),
        ("above", "2", None, "no"),
        ("below", "2", 1, "yes"),
        ("below", "2", None, "no"),
        ("equals", "it's", "it's", "yes"),
        ("contains", "s", "its", "yes"),
    ],
)
def test_condition_shows_one_side(operator: str, value: str, orders: Any, shown: str) -> None:
    block = {
        "variable": "contact.orders_count", "operator": operator, "value": value,
        "then": [("text", "<p>yes</p>")], "otherwise": [("text", "<p>no</p>")],
    }  # fmt: skip
    made = letter(("condition", block), data={**PEOPLE, "contact": {"orders_count": orders}})
    assert (words_of(made.html), text_of(made.text)) == (shown, shown)


def test_conditions_value_cannot_break_out_of_its_quotes() -> None:
    from wagtail_triggers.messages.blocks.kinds.condition import condition

    evil = {"variable": "contact.name", "operator": "equals", "value": "\"' %}{{ x }}"}
    assert condition(evil) == "contact.name == '\" {{ x '"


def test_columns_hold_blocks_and_stack_by_themselves() -> None:
    columns = [[("text", "<p>A</p>")], [("heading", {"text": "B"})]]
    block = {"columns": columns, "widths": "wide_first"}
    made = letter(("columns", block), data=PEOPLE)
    assert words_of(made.html) == "A B"
    assert "mj-column-per-62" in made.html


def test_products_side_by_side_fill_rows() -> None:
    names = [{"sku": str(n), "name": f"P{n}"} for n in range(5)]
    block = {"recommender": "popular", "columns": "3", "limit": 5}
    html = letter(("recommendations", block), data={**PEOPLE, "wt_picked": {"p1": names}}).html
    grid = html[html.index('class="grid"') :].partition("</tbody>")[0]
    assert grid.count("<tr") == 2
    assert grid.count("</tr>") == 2
    assert grid.count("<td") == 5


def test_every_kind_has_an_icon_a_group_and_words_for_the_list() -> None:
    from django.template.loader import select_template
    from wagtail.blocks import Block

    for name, kind in STREAM.child_blocks.items():
        assert isinstance(kind, Block)
        assert str(kind.meta.group) in {"Text", "Shop", "Layout", "Advanced"}, name
        assert str(kind.meta.description), name
        icon = kind.meta.icon
        select_template(
            [f"wagtailadmin/icons/{icon}.svg", f"wagtail_triggers/admin/icons/{icon}.svg"]
        )
