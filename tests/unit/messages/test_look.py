"""Colours are measured as WCAG does, and the whole look reaches the mail."""

from __future__ import annotations

import re

import pytest

from tests.unit.messages.blocks.letters import EVERYTHING, SHOWN, letter
from wagtail_triggers.exceptions import ConfigurationError
from wagtail_triggers.messages.look import (
    AA,
    FONTS,
    Brand,
    contrast,
    contrasts,
    mixed,
    softened,
)
from wagtail_triggers.messages.look_models import Font


@pytest.mark.parametrize(
    ("ink", "ground", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#000000", 21.0),
        ("#777777", "#ffffff", 4.47),  # the well-known grey that just fails
        ("#767676", "#ffffff", 4.54),  # and the one that just passes
        ("#1f5c57", "#1f5c57", 1.0),
    ],
)
def test_contrast_is_wcags(ink: str, ground: str, ratio: float) -> None:
    assert contrast(ink, ground) == ratio


def test_default_look_can_be_read_everywhere() -> None:
    assert [one.label for one in contrasts(Brand(name="x")) if not one.readable] == []
    assert [
        one.label for one in contrasts(Brand(name="x", colour="#1f5c57")) if not one.readable
    ] == []


def test_pair_that_cannot_be_read_is_named_with_its_ratio() -> None:
    weak = [one for one in contrasts(Brand(name="x", link="#ffcc00")) if not one.readable]
    assert [(one.label, one.ink, one.ground) for one in weak] == [("Links", "#ffcc00", "#ffffff")]
    assert weak[0].ratio == 1.51


def test_softened_ink_can_still_be_read() -> None:
    for ink, ground in (("#22252b", "#ffffff"), ("#eceef2", "#20232a"), ("#767676", "#ffffff")):
        assert contrast(softened(ink, ground), ground) >= AA
    assert softened("#767676", "#ffffff") == "#767676"
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"


def test_every_font_that_can_be_chosen_has_a_family_that_ends_in_a_generic_one() -> None:
    assert set(Font.values) == set(FONTS)
    assert all(family.endswith(("serif", "sans-serif")) for family in FONTS.values())


def test_every_part_of_the_look_reaches_the_mail() -> None:
    brand = Brand(
        name="Shop", url="https://shop.example", colour="#112233", link="#223344", text="#334455",
        card="#fefefe", page="#fafafa", font="georgia", radius=3, footer="Ltd. 12",
        social=(("Instagram", "https://i.example/"),), logo_url="https://shop.example/logo.png",
        logo_width=123, dark_link="#aabbcc", dark_text="#bbccdd", dark_card="#010203",
        dark_page="#020304",
    )  # fmt: skip
    made = letter(*SHOWN.items(), data=EVERYTHING, brand=brand)
    for value in ("#112233", "#223344", "#334455", "#fefefe", "#fafafa", "Georgia", "Ltd. 12",
                  "https://i.example/", "https://shop.example/logo.png", "width:123px",
                  "border-radius:3px", "border-radius:7px 7px 0 0"):  # fmt: skip
        assert value in made.html, value
    dark = re.search(
        r"@media ?\(prefers-color-scheme: ?dark\) ?\{(.*?\})\s*\}", made.html, re.DOTALL
    )
    assert dark is not None
    for value in ("#aabbcc", "#bbccdd", "#010203", "#020304"):
        assert value in dark[1], value
    assert "Instagram: https://i.example/" in made.text


def test_two_looks_are_told_apart() -> None:
    one, other = Brand(name="x"), Brand(name="x", radius=9)
    assert one.digest == Brand(name="x").digest
    assert one.digest != other.digest


def test_colour_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="dark_text"):
        Brand(name="x", dark_text="")
