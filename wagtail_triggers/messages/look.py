"""How a mail looks: the brand's colours, font and corners, and whether they can be read."""

from __future__ import annotations

import hashlib
import re
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Final

from django.utils.translation import gettext as _

from ..exceptions import ConfigurationError

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
#: WCAG 2.2, 1.4.3, level AA, for text of ordinary size.
AA: Final = 4.5

FONTS: Final = {
    "system": (
        "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    ),
    "helvetica": "Helvetica, Arial, sans-serif",
    "verdana": "Verdana, Geneva, sans-serif",
    "trebuchet": "'Trebuchet MS', Tahoma, sans-serif",
    "tahoma": "Tahoma, Verdana, sans-serif",
    "georgia": "Georgia, 'Times New Roman', serif",
    "palatino": "'Palatino Linotype', Palatino, 'Book Antiqua', Georgia, serif",
    "times": "'Times New Roman', Times, serif",
}


@dataclass(frozen=True)
class Brand:
    """Who a mail is from, as its reader sees it.

    Attributes:
        name: The shop's name.
        postal_address: Where the sender can be reached by post; lines by line breaks.
        logo_url: An absolute address, or "" for the name in letters.
        colour: Of buttons, as `#rrggbb`.
        url: The shop's address; relative links of a body are completed with it.
        footer: A line or two below, as plain text.
        logo_width: In pixels, as it is shown.
        link: Of links; "" for the brand's.
        text: Of text.
        card: Behind the text.
        page: Around the mail.
        font: A key of `FONTS`.
        radius: Of corners, in pixels.
        social: Names and addresses of the shop's pages elsewhere.
        dark_link: Of links in the dark; "" for a light shade of the brand's.
        dark_text: Of text in the dark.
        dark_card: Behind the text in the dark.
        dark_page: Around the mail in the dark.
    """

    name: str
    postal_address: str = ""
    logo_url: str = ""
    colour: str = "#2b5fd9"
    url: str = ""
    footer: str = ""
    logo_width: int = 160
    link: str = ""
    text: str = "#22252b"
    card: str = "#ffffff"
    page: str = "#f2f3f6"
    font: str = "system"
    radius: int = 8
    social: tuple[tuple[str, str], ...] = ()
    dark_link: str = ""
    dark_text: str = "#eceef2"
    dark_card: str = "#20232a"
    dark_page: str = "#16181d"

    def __post_init__(self) -> None:
        for name in _COLOURS:
            colour = getattr(self, name)
            if not _COLOUR.fullmatch(colour) and not (colour == "" and name in _MAY_BE_EMPTY):
                raise ConfigurationError(
                    f"The brand's {name} is {colour!r}. Write a colour like #2b5fd9."
                )
        for name in ("logo_url", "url"):
            address = getattr(self, name)
            if address and not address.startswith(("https://", "http://")):
                raise ConfigurationError(
                    f"The brand's {name} is {address!r}. Write the whole address, with https://."
                )

    @property
    def ink(self) -> str:
        """Black or white, whichever can be read on the brand's colour (WCAG 2.2, 1.4.3)."""
        # The contrast with white is above the contrast with black below this luminance.
        return "#ffffff" if luminance(self.colour) < 0.179 else "#000000"

    @property
    def light(self) -> str:
        """The colour of links on a dark ground: the brand's, more than half way to white."""
        return mixed(self.colour, "#ffffff", 0.6)

    @property
    def links(self) -> str:
        """The colour of links."""
        return self.link or self.colour

    @property
    def dark_links(self) -> str:
        """The colour of links in the dark."""
        return self.dark_link or self.light

    @property
    def family(self) -> str:
        """The font's family and what stands in for it."""
        return FONTS.get(self.font, FONTS["system"])

    @cached_property
    def muted(self) -> str:
        """Of what matters less, on the card."""
        return softened(self.text, self.card)

    @cached_property
    def foot(self) -> str:
        """Of what stands below the card."""
        return softened(self.text, self.page)

    @property
    def line(self) -> str:
        """Of lines on the card."""
        return mixed(self.card, self.text, 0.13)

    @property
    def tint(self) -> str:
        """Of boxes on the card."""
        return mixed(self.card, self.text, 0.04)

    @cached_property
    def dark_muted(self) -> str:
        """Of what matters less, on the card, in the dark."""
        return softened(self.dark_text, self.dark_card)

    @cached_property
    def dark_foot(self) -> str:
        """Of what stands below the card, in the dark."""
        return softened(self.dark_text, self.dark_page)

    @property
    def dark_line(self) -> str:
        """Of lines on the card, in the dark."""
        return mixed(self.dark_card, self.dark_text, 0.16)

    @property
    def dark_tint(self) -> str:
        """Of boxes on the card, in the dark."""
        return mixed(self.dark_card, self.dark_text, 0.06)

    @property
    def card_radius(self) -> int:
        """Of the card's own corners."""
        return self.radius + 4 if self.radius else 0

    @property
    def digest(self) -> str:
        """Tells two looks apart."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()


_COLOURS: Final = (
    "colour", "link", "text", "card", "page", "dark_link", "dark_text", "dark_card", "dark_page",
)  # fmt: skip
_MAY_BE_EMPTY: Final = frozenset({"link", "dark_link"})


@dataclass(frozen=True, slots=True)
class Contrast:
    """How well one colour can be read on another.

    Attributes:
        label: What the two are for.
        ink: The colour of the words.
        ground: The colour behind them.
        ratio: WCAG's contrast ratio, 1 to 21.
    """

    label: str
    ink: str
    ground: str
    ratio: float

    @property
    def readable(self) -> bool:
        """Whether it is at least what WCAG AA asks of ordinary text."""
        return self.ratio >= AA


def contrasts(brand: Brand) -> list[Contrast]:
    """Every pair of colours that an editor chooses and a reader reads."""
    pairs = (
        (_("Text"), brand.text, brand.card),
        (_("Links"), brand.links, brand.card),
        (_("Words on buttons"), brand.ink, brand.colour),
        (_("Footer"), brand.foot, brand.page),
        (_("Text in the dark"), brand.dark_text, brand.dark_card),
        (_("Links in the dark"), brand.dark_links, brand.dark_card),
        (_("Footer in the dark"), brand.dark_foot, brand.dark_page),
    )
    return [Contrast(label, ink, ground, contrast(ink, ground)) for label, ink, ground in pairs]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours, rounded down to hundredths."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return int((light + 0.05) / (dark + 0.05) * 100) / 100


def luminance(colour: str) -> float:
    """WCAG's relative luminance of a colour, 0 to 1."""
    linear = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in (channel / 255 for channel in _channels(colour))
    ]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two; `share` is how much of the second."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def softened(ink: str, ground: str) -> str:
    """A quieter shade of `ink` that can still be read on `ground`, if `ink` can."""
    for share in (0.32, 0.24, 0.16, 0.08):
        shade = mixed(ink, ground, share)
        if contrast(shade, ground) >= AA:
            return shade
    return ink


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))
