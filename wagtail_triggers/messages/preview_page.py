"""The document inside Wagtail's preview panel: locked in, with links that lead nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static

from ..core.sites import name_of
from .preview import MAX_MAIL_BYTES, Preview, preview
from .readers import Reader
from .short_texts import (
    measure_preheader,
    measure_push_body,
    measure_push_title,
    measure_sms,
    measure_subject,
)

if TYPE_CHECKING:
    from .models import Template

#: Nothing runs, nothing is loaded but pictures, and the document belongs to no origin.
POLICY: Final = "default-src 'none'; img-src {images}; style-src {styles}; sandbox"
#: The page around the message keeps its origin, and still runs nothing: otherwise Wagtail's panel
#: waits for 10 s each time before it shows what it has loaded. The message has a frame without any.
_AROUND: Final = " allow-same-origin"

_STYLES: Final = "wagtail_triggers/admin/preview.css"
_SAMPLE: Final = "wagtail_triggers/admin/sample.svg"
#: A tag with its attributes; what stands in quotes may hold anything.
_TAG: Final = re.compile(r"<[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>")
_ADDRESS: Final = re.compile(r"\s(?:xlink:)?href=(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_DARK: Final = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
MAILS: Final = frozenset({"html", "phone", "dark"})


def serve_preview(template: Template, request: HttpRequest, mode: str) -> HttpResponse:
    """Answer Wagtail's preview panel.

    Args:
        template: As the editor has it in the form.
        request: Wagtail's stand-in request. `triggers_reader` on it, set by a view that has asked
            for permission, is a `Reader`.
        mode: One of the template's preview modes.
    """
    reader = getattr(request, "triggers_reader", None) or Reader()
    shown = preview(template, reader=reader, image_url=request.build_absolute_uri(static(_SAMPLE)))
    context: dict[str, Any] = {
        "shown": shown,
        "mode": mode,
        "is_mail": mode in MAILS,
        "template": template,
        "reader": reader,
        "shop": name_of(template.site),
        "html": mail_in(shown, dark=mode == "dark"),
        "note": inert(shown.others.get("onsite", "")),
        "too_large": shown.size > MAX_MAIL_BYTES,
        "kilobytes": round(shown.size / 1024, 1),
        "measures": _measures(shown, mode),
    }
    name = "wagtail_triggers/admin/template_preview.html"
    return sandboxed(TemplateResponse(request, name, context), request, own_styles=True)


def _measures(shown: Preview, mode: str) -> list[Any]:
    """What is said below the preview of texts whose length matters."""
    if shown.rendered is None:
        return []
    others = shown.others
    if mode == "sms" and others["sms"]:
        return [measure_sms(others["sms"])]
    if mode == "push" and others["push_body"]:
        return [
            measure_push_title(others["push_title"]),
            measure_push_body(others["push_body"]),
        ]
    if mode in MAILS and shown.rendered.html:
        return [
            one
            for one in (
                measure_subject(shown.rendered.subject),
                measure_preheader(shown.rendered.preheader),
            )
            if one.warnings
        ]
    return []


def mail_in(shown: Preview, *, dark: bool) -> str:
    """The mail in one colour scheme, whatever the editor's own is; its links lead nowhere."""
    html = inert(shown.rendered.html) if shown.rendered else ""
    return _DARK.sub("@media all" if dark else "@media not all", html)


def inert(html: str) -> str:
    """Take the addresses out of links; they are shown where the pointer rests on one."""
    return _TAG.sub(lambda tag: _ADDRESS.sub(r" title=\1", tag[0]), html)


def sandboxed(
    response: HttpResponse, request: HttpRequest, *, own_styles: bool = False
) -> HttpResponse:
    """Lock a document in that shows what customers and editors wrote.

    Over plain HTTP (a demo, somebody's own machine) pictures of the shop itself are let in, which
    `https:` would keep out.

    Args:
        response: The document.
        request: What it answers.
        own_styles: Whether it is a page of ours around a frame, with our style sheet.
    """
    images, styles = ["https:", "data:"], ["'unsafe-inline'"]
    if not request.is_secure():
        images.append(_origin(request.build_absolute_uri("/")))
    if own_styles:
        styles.append(_origin(request.build_absolute_uri(static(_STYLES))))
    policy = POLICY.format(images=" ".join(images), styles=" ".join(styles))
    response["Content-Security-Policy"] = policy + (_AROUND if own_styles else "")
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
