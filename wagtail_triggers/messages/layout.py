"""The frame around every mail: header, card, footer, as MJML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from .look import Brand

__all__ = [
    "Brand",
    "FooterWords",
    "literal",
    "page",
    "plain_literal",
    "preferences_link",
    "text_footer",
]

LAYOUT: Final = "wagtail_triggers/email/layout.mjml"
#: Where a piece of HTML is put, once the section around it is compiled.
BODY_MARK: Final = "<!--wtBODY{}-->"
HTML_SECTION: Final = (
    '<mj-section mj-class="card" css-class="wt-card" padding="0 8px"><mj-column>'
    '<mj-text css-class="wt-body" padding="8px 24px">{}</mj-text>'
    "</mj-column></mj-section>"
)
UNSUBSCRIBE: Final = "{{ links.unsubscribe }}"
PREFERENCES: Final = "{{ links.preferences }}"
_IF_PREFERENCES: Final = '{% if links.preferences and links.preferences != "" %}'


@dataclass(frozen=True, slots=True)
class FooterWords:
    """The words of the footer, in the language that is active."""

    why: str
    unsubscribe: str
    preferences: str

    @classmethod
    def now(cls, brand: Brand) -> FooterWords:
        """The words for this brand."""
        return cls(
            why=_("You receive this mail because you signed up for it or shop at %(name)s.")
            % {"name": brand.name},
            unsubscribe=_("Unsubscribe"),
            preferences=_("Choose which mails you get"),
        )


def literal(text: str) -> SafeString:
    """A plain text within HTML that is a Liquid source: escaped, with its braces out of reach."""
    return mark_safe(  # noqa: S308 (escaped first)
        str(conditional_escape(text)).replace("{", "&#123;").replace("}", "&#125;")
    )


def plain_literal(text: str) -> str:
    """A plain text within a plain Liquid source: `{{` and `{%` are parted."""
    return text.replace("{{", "{ {").replace("{%", "{ %")


def page(
    sections: str,
    *,
    brand: Brand,
    preheader: str,
    unsubscribe: str,
    preferences: str,
) -> str:
    """The whole mail as MJML.

    Args:
        sections: `mj-section`s, sanitised, their Liquid masked.
        brand: Who it is from.
        preheader: The masked line that inboxes show beside the subject; HTML.
        unsubscribe: The masked link, or "" for a transactional mail.
        preferences: The masked `preferences_link`, or "".
    """
    language = get_language() or "en"
    words = FooterWords.now(brand)
    bidi = get_language_bidi()
    return render_to_string(
        LAYOUT,
        {
            "sections": mark_safe(sections),  # noqa: S308 (by contract of this function)
            "brand": brand,
            "name": literal(brand.name),
            "social": [(literal(label), address) for label, address in brand.social],
            "postal_lines": [literal(line) for line in _lines(brand.postal_address)],
            "footer": format_html_join(
                mark_safe("<br>"), "{}", ((literal(line),) for line in _lines(brand.footer))
            ),
            "preheader": mark_safe(preheader),  # noqa: S308 (as above)
            "unsubscribe": mark_safe(unsubscribe),  # noqa: S308 (as above)
            "preferences": mark_safe(preferences),  # noqa: S308 (as above)
            "why": literal(words.why),
            "unsubscribe_word": literal(words.unsubscribe),
            "language": language,
            # As text: a number over 999 would get a separator in some languages.
            "logo_width": str(brand.logo_width),
            "direction": "rtl" if bidi else "ltr",
            "start": "right" if bidi else "left",
            "end": "left" if bidi else "right",
        },
    )


def preferences_link(brand: Brand) -> str:
    """The link to the preference centre as HTML with Liquid; it shows where there is one."""
    word = literal(FooterWords.now(brand).preferences)
    return f'{_IF_PREFERENCES} &middot; <a href="{PREFERENCES}">{word}</a>{{% endif %}}'


def text_footer(*, brand: Brand, marketing: bool) -> str:
    """The footer of the plain text, as a Liquid source."""
    words = FooterWords.now(brand)
    parts = [
        "-- ",
        plain_literal(brand.name),
        *map(plain_literal, _lines(brand.postal_address)),
        *map(plain_literal, _lines(brand.footer)),
    ]
    parts += [f"{plain_literal(name)}: {plain_literal(where)}" for name, where in brand.social]
    if marketing:
        parts += ["", plain_literal(words.why), f"{words.unsubscribe}: {UNSUBSCRIBE}"]
        parts += [f"{_IF_PREFERENCES}{words.preferences}: {PREFERENCES}{{% endif %}}"]
    return "\n".join(parts)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
