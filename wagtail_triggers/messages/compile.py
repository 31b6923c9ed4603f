"""From what an editor wrote to the sources that are rendered for each recipient.

Done once per revision: sanitise, lay out (MJML), inline the styles, derive the plain text. What
comes out is still Liquid.
"""

from __future__ import annotations

import html as html_entities
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import css_inline
import mjml
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from inscriptis import get_text
from inscriptis.model.config import ParserConfig
from liquid import Environment

from ..exceptions import TemplateProblem
from .analysis import check_names
from .blocks.assemble import compile_stream, joined
from .blocks.base import CLOSE, OPEN, Hole, Mail, split_marks, without_marks
from .isolation import parse_isolated
from .layout import (
    BODY_MARK,
    HTML_SECTION,
    UNSUBSCRIBE,
    Brand,
    page,
    plain_literal,
    preferences_link,
    text_footer,
)
from .liquid import HTML, PLAIN
from .masking import Masker, bare, part_braces, split_masks
from .sanitise import clean_html
from .tokens import scan

__all__ = [
    "Brand",
    "Compiled",
    "compile_blocks",
    "compile_email",
    "compile_sections",
    "plain_text",
]

_BODY_MARK: Final = re.compile(BODY_MARK.format(r"\d+"))
_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")
_OUTER: Final = re.compile(r"<(/?)(?:table|thead|tbody|tfoot|tr|caption)\b[^>]*>")
_CELL: Final = re.compile(r"<(/?)(?:td|th)\b[^>]*>")
#: Between the cells of a row.
_GAP: Final = "\ue002"


@dataclass(frozen=True, slots=True)
class Compiled:
    """Liquid sources of one revision, ready to be rendered.

    Attributes:
        subject: Plain Liquid.
        preheader: Plain Liquid; `html` holds it too, hidden.
        html: A whole HTML document.
        text: The plain text.
        data: What must be looked up for each recipient, by the name under which it is seen.
    """

    subject: str
    preheader: str
    html: str
    text: str
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def compile_blocks(
    *, subject: str, preheader: str, body: Any, brand: Brand, marketing: bool
) -> Compiled:
    """Compile a template whose body is a stream of blocks.

    The words of blocks and footer are in the language that is active.

    Args:
        subject: Plain text with Liquid.
        preheader: Plain text with Liquid, may be "".
        body: The value of `Template.body`.
        brand: Who the mail is from.
        marketing: Whether the footer carries the unsubscribe link.

    Raises:
        TemplateProblem: The template cannot be compiled; the message says what to change.
    """
    mail = Mail(brand, get_language() or "en")
    whole = joined(compile_stream(body, mail))
    compiled = compile_sections(
        subject=subject,
        preheader=preheader,
        sections=whole.sections,
        text=whole.text,
        brand=brand,
        marketing=marketing,
        holes=mail.holes,
    )
    return replace(compiled, data=mail.data)


def compile_email(
    *, subject: str, preheader: str, body: str, brand: Brand, marketing: bool
) -> Compiled:
    """Compile a template whose body is HTML with Liquid.

    The footer's words are in the language that is active.

    Args:
        subject: Plain text with Liquid.
        preheader: Plain text with Liquid, may be "".
        body: HTML with Liquid; it is sanitised.
        brand: Who the mail is from.
        marketing: Whether the footer carries the unsubscribe link.

    Raises:
        TemplateProblem: The template cannot be compiled; the message says what to change.
    """
    return compile_sections(
        subject=subject,
        preheader=preheader,
        sections=HTML_SECTION.format(f"{OPEN}0{CLOSE}"),
        text=plain_text(body, base_url=brand.url),
        brand=brand,
        marketing=marketing,
        holes=[Hole(without_marks(body), trusted=False)],
    )


def compile_sections(
    *,
    subject: str,
    preheader: str,
    sections: str,
    text: str,
    brand: Brand,
    marketing: bool,
    holes: Sequence[Hole] = (),
) -> Compiled:
    """Compile a template whose body is MJML: the seam for blocks that make their own MJML.

    Args:
        subject: Plain text with Liquid.
        preheader: Plain text with Liquid, may be "".
        sections: `mj-section`s with Liquid. The caller answers for their safety: nothing is
            sanitised here.
        text: The body's plain text with Liquid.
        brand: Who the mail is from.
        marketing: Whether the footer carries the unsubscribe link.
        holes: HTML that takes the place of the marks in `sections`; untrusted HTML is sanitised.

    Raises:
        TemplateProblem: The template cannot be compiled; the message says what to change.
    """
    masker = Masker()
    hidden = masker.mask_html(_escaped(preheader))
    masked, filling = _masked(sections, holes, masker, brand.url)
    return Compiled(
        subject=_checked(subject, PLAIN),
        preheader=_checked(preheader, PLAIN),
        html=_document(masked, hidden, masker, brand=brand, marketing=marketing, filling=filling),
        text=_text(text, brand=brand, marketing=marketing),
    )


def _masked(
    sections: str, holes: Sequence[Hole], masker: Masker, base_url: str
) -> tuple[str, dict[str, str]]:
    """Mask MJML and the HTML in its holes, in the order of the document.

    Returns:
        The MJML with a comment for each hole, and the HTML that takes the comment's place.
    """
    parts: list[str] = []
    filling: dict[str, str] = {}
    for number, part in enumerate(split_marks(sections)):
        if number % 2 == 0:
            parts.append(masker.mask_html(part))
            continue
        hole = holes[int(part)]
        html = masker.mask_html(hole.html)
        mark = BODY_MARK.format(part)
        filling[mark] = html if hole.trusted else clean_html(html, base_url=base_url)
        parts.append(mark)
    return "".join(parts), filling


def _document(
    sections: str,
    preheader: str,
    masker: Masker,
    *,
    brand: Brand,
    marketing: bool,
    filling: Mapping[str, str],
) -> str:
    """The whole HTML. Masks must have been taken in the order of the document."""
    source = page(
        sections,
        brand=brand,
        preheader=preheader,
        unsubscribe=masker.mask_text(UNSUBSCRIBE) if marketing else "",
        preferences=masker.mask_html(preferences_link(brand)) if marketing else "",
    )
    try:
        # Without `fonts`, a font's name in a style would make the mail load it from Google.
        laid_out = mjml.mjml2html(source, fonts={})
    except (ValueError, OSError, RuntimeError) as error:
        raise TemplateProblem(_("The layout cannot be compiled: %s") % error) from error
    # HTML does not go through mrml, which writes attributes' rarer characters as escapes.
    filled = _BODY_MARK.sub(lambda mark: filling.get(mark[0], ""), laid_out)
    inlined = _inliner().inline(filled)
    return _checked(masker.unmask(part_braces(inlined)), HTML)


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(
        keep_style_tags=False,
        keep_at_rules=True,
        minify_css=True,
        # A mail's styles come from our layout alone; nothing is fetched while compiling.
        load_remote_stylesheets=False,
    )


def _text(body: str, *, brand: Brand, marketing: bool) -> str:
    return _checked(f"{body}\n\n{text_footer(brand=brand, marketing=marketing)}\n", PLAIN)


def plain_text(body: str, *, base_url: str = "") -> str:
    """Derive the plain text of an HTML body with Liquid; links become `words <address>`.

    A line that holds only tags (`{% for … %}`) leaves no empty line behind, and the cells of a
    table's row stand in one line.

    Raises:
        TemplateProblem: The body cannot be masked.
    """
    masker = Masker()
    cleaned = bare(clean_html(masker.mask_html(body), base_url=base_url))
    # As tables, padded to the width of Liquid sources, rows would not line up once rendered.
    flat = _CELL.sub(lambda m: _GAP if m[1] else " ", _OUTER.sub(r"<\1div>", cleaned))
    text = get_text(f"<html><body>{flat}</body></html>", ParserConfig(display_links=True))
    lines = (re.sub(f"[ ]*{_GAP}[ {_GAP}]*", "  ", line).strip() for line in text.splitlines())
    joined = "".join(
        line if line and all(map(masker.is_tag, split_masks(line))) else line + "\n"
        for line in lines
    )
    joined = _LINK.sub(_written_link, plain_literal(joined))
    return masker.unmask_text(_BLANK_LINES.sub("\n\n", joined)).strip()


def _written_link(match: re.Match[str]) -> str:
    words, address = match[1].strip(), match[2]
    return f"{words} <{address}>" if words and words != address else address


def _escaped(source: str) -> str:
    """A plain Liquid source as HTML: its text escaped, its tokens untouched."""
    return "".join(
        html_entities.escape(token.text) if token.kind == "text" else token.text
        for token in scan(source)
    )


def _checked(source: str, environment: Environment) -> str:
    """The source, once it is known to parse, in time, and to name only what exists."""
    for problem in check_names(list(scan(source)), source, ""):
        raise TemplateProblem(str(problem))
    fault = parse_isolated(source, html=environment is HTML)
    if fault is not None:
        raise TemplateProblem(
            _("Line %(line)d: %(message)s") % {"line": fault.line, "message": fault.message}
        )
    return source
