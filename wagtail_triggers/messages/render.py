"""Render a compiled template for one recipient."""

from __future__ import annotations

import html as html_entities
import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from liquid.exceptions import LiquidError

from ..exceptions import TriggersError
from .compile import Compiled
from .liquid import error_line, error_message, freeze_context, render_source
from .sanitise import URL_SCHEMES
from .tokens import SourceProblem

logger = logging.getLogger(__name__)

MAX_SUBJECT_CHARS: Final = 200

#: Compiled HTML is serialised: every attribute stands in double quotes, and every value is escaped.
_URL_ATTRIBUTES: Final = (' href="', ' src="', ' background="', ' action="')
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*(?=:)")
#: Characters that browsers skip in an address, and could hide a scheme behind.
_SKIPPED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]+")
_NOT_IN_HEADERS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")


class RenderError(TriggersError):
    """The template could not be rendered for this person.

    Attributes:
        field: Which source failed: "subject", "preheader", "html" or "text".
        line: Its line there, from 1.
    """

    def __init__(self, message: str, *, field: str, line: int) -> None:
        super().__init__(message)
        self.field = field
        self.line = line


@dataclass(frozen=True, slots=True)
class Rendered:
    """One person's message.

    Attributes:
        subject: One line, at most 200 characters.
        preheader: One line.
        html: A whole document.
        text: The plain text.
    """

    subject: str
    preheader: str
    html: str
    text: str


def render(
    compiled: Compiled, context: Mapping[str, object], *, language: str, time_zone: str
) -> Rendered:
    """Render all parts of a message.

    Args:
        compiled: What `compile_email` returned.
        context: The variables; plain data only (`freeze_context` says which).
        language: The recipient's language code, for prices, numbers and dates.
        time_zone: The recipient's time zone, an IANA name, for dates and times.

    Raises:
        RenderError: Naming the part and the line, fit to be shown to an editor.
        ContextProblem: The context holds something else than plain data.
    """
    frozen = freeze_context(context)

    def part(field: str, source: str) -> str:
        return _render_part(field, source, frozen, language, time_zone)

    return Rendered(
        subject=one_line(part("subject", compiled.subject)),
        preheader=one_line(part("preheader", compiled.preheader)),
        html=safe_urls(part("html", compiled.html)),
        text=_BLANK_LINES.sub("\n\n", part("text", compiled.text)),
    )


def _render_part(
    field: str, source: str, context: Mapping[str, object], language: str, time_zone: str
) -> str:
    if "{" not in source:
        return source
    try:
        return render_source(
            source, context, html=field == "html", language=language, time_zone=time_zone
        )
    except SourceProblem as problem:
        raise RenderError(str(problem), field=field, line=problem.line) from problem
    except LiquidError as error:
        raise RenderError(error_message(error), field=field, line=error_line(error)) from error
    except Exception as error:
        # python-liquid lets Python's own errors through where data meets a filter it did not
        # expect (sorting text with numbers …). Its words may quote data, so they are only logged.
        logger.warning("Template part %s failed", field, exc_info=True)
        message = _("A filter met data it cannot work with (%(kind)s).")
        raise RenderError(message % {"kind": type(error).__name__}, field=field, line=1) from error


def one_line(text: str) -> str:
    """A text fit for a header: NFC, without control characters, at most 200 characters."""
    line = _NOT_IN_HEADERS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    return line[:MAX_SUBJECT_CHARS].rstrip()


def safe_urls(html: str) -> str:
    """Take the addresses out of rendered HTML that are no http(s), mailto or tel ones.

    What a customer's data put there must not stop a mail, so the attribute is left, with "#".
    Compiled HTML is serialised, so that attributes look alike; an expression that also took what
    looks otherwise cost a third of the whole rendering.
    """
    for attribute in _URL_ATTRIBUTES:
        if attribute in html:
            head, *rest = html.split(attribute)
            html = attribute.join([head, *map(_safe_start, rest)])
    return html


def _safe_start(rest: str) -> str:
    """What follows an attribute's opening quote, with its address checked."""
    if rest.startswith(("https://", "http://", '"', "#")):
        return rest
    value, quote, after = rest.partition('"')
    address = _SKIPPED.sub("", html_entities.unescape(value))
    scheme = _SCHEME.match(address)
    if scheme is not None and scheme[0].lower() in URL_SCHEMES:
        return rest
    logger.warning("An address that is no link was taken out of a message")
    return f"#{quote}{after}"
