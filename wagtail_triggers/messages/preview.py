"""What a template will look like, with made-up data and links that lead nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.utils import translation

from ..conf import settings
from ..core import clock
from ..core.sites import name_of
from ..exceptions import TriggersError
from .branding import sender_of
from .compile import Compiled, compile_blocks
from .models import MessageClass, Template, TriggersSettings
from .render import Rendered, RenderError, render
from .samples import sample_context

#: Nothing runs, nothing is loaded but pictures, and the document belongs to no origin.
POLICY = "default-src 'none'; img-src {images}; style-src {styles}; sandbox"

_STYLES = "wagtail_triggers/admin/preview.css"
_LINK = re.compile(r'(<a\b[^>]*?)\shref="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preview:
    """A rendered template, or why it cannot be rendered.

    `field` names the part at fault, as the template's form calls it.
    """

    rendered: Rendered | None = None
    problem: str = ""
    field: str = ""


def preview(template: Template, *, image_url: str = "") -> Preview:
    """Render an unsaved or saved template with made-up data.

    Args:
        template: Any state of it; nothing is written.
        image_url: What pictures of products show; absolute.
    """
    language = (
        template.locale.language_code if template.locale_id else django_settings.LANGUAGE_CODE
    )
    site = template.site
    zone = TriggersSettings.for_site(site).time_zone or django_settings.TIME_ZONE
    context = sample_context(
        template.event,
        moment=clock.now(),
        language=language,
        site={"name": name_of(site), "url": settings.base_url or site.root_url},
        image_url=image_url,
    )
    try:
        with translation.override(language):
            compiled = _compiled(template)
        rendered = render(compiled, context, language=language, time_zone=zone)
    except RenderError as error:
        field = error.field if error.field in {"subject", "preheader"} else "body"
        return Preview(problem=str(error), field=field)
    except TriggersError as error:
        return Preview(problem=str(error), field="body")
    return Preview(rendered)


def _compiled(template: Template) -> Compiled:
    """Compile as publishing does, in the language that is active; nothing is stored."""
    return compile_blocks(
        subject=template.subject,
        preheader=template.preheader,
        body=template.body,
        brand=sender_of(template.site).brand,
        marketing=template.message_class == MessageClass.MARKETING,
    )


def serve_preview(template: Template, request: HttpRequest, mode: str) -> HttpResponse:
    """Answer Wagtail's preview panel: subject and preview text, then the mail in a frame.

    Args:
        template: As the editor has it in the form.
        request: Wagtail's stand-in request.
        mode: "html" or "text".
    """
    sample = request.build_absolute_uri(static("wagtail_triggers/admin/sample.svg"))
    shown = preview(template, image_url=sample)
    html = inert(shown.rendered.html) if shown.rendered else ""
    response = TemplateResponse(
        request,
        "wagtail_triggers/admin/template_preview.html",
        {"shown": shown, "html": html, "mode": mode, "template": template},
    )
    return sandboxed(response, request, own_styles=True)


def inert(html: str) -> str:
    """Take the addresses out of links; they are shown where the pointer rests on one.

    Args:
        html: A rendered document: its attributes stand in double quotes, their values escaped.
    """
    return _LINK.sub(r'\1 title="\2"', html)


def sandboxed(
    response: HttpResponse, request: HttpRequest, *, own_styles: bool = False
) -> HttpResponse:
    """Lock a document in that shows what customers and editors wrote.

    Over plain HTTP (a demo, somebody's own machine) pictures of the shop itself are let in, which
    `https:` would keep out.

    Args:
        response: The document.
        request: What it answers.
        own_styles: Whether it also needs our style sheet, from where static files are.
    """
    images, styles = ["https:", "data:"], ["'unsafe-inline'"]
    if not request.is_secure():
        images.append(_origin(request.build_absolute_uri("/")))
    if own_styles:
        styles.append(_origin(request.build_absolute_uri(static(_STYLES))))
    policy = POLICY.format(images=" ".join(images), styles=" ".join(styles))
    response["Content-Security-Policy"] = policy
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
