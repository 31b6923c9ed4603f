"""A made-up mail in a look that is being chosen."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ..core import clock
from ..exceptions import TriggersError
from .blocks.field import BodyField
from .branding import brand_from
from .compile import compile_blocks
from .models import Template, TriggersSettings
from .preview import Preview
from .preview_page import mail_in, sandboxed
from .render import render
from .samples import sample_context

#: Kinds that show most of a look, each as its own preview has it.
KINDS: Final = ("heading", "text", "cart", "button", "divider", "coupon")
_SAMPLE: Final = "wagtail_triggers/admin/sample.svg"


def serve_look(own: TriggersSettings, request: HttpRequest, mode: str) -> HttpResponse:
    """Answer Wagtail's preview panel beside a site's settings.

    Args:
        own: As the editor has them in the form.
        request: Wagtail's stand-in request.
        mode: "light" or "dark".
    """
    field = Template._meta.get_field("body")
    assert isinstance(field, BodyField)  # noqa: S101 - our own model
    stream = field.stream_block
    body = stream.normalize(
        [(kind, stream.child_blocks[kind].get_preview_value()) for kind in KINDS]
    )
    language = get_language() or "en"
    try:
        brand = brand_from(own)
        compiled = compile_blocks(subject="", preheader="", body=body, brand=brand, marketing=True)
        context = sample_context(
            "cart_abandoned",
            moment=clock.now(),
            language=language,
            site={"name": brand.name, "url": brand.url},
            image_url=request.build_absolute_uri(static(_SAMPLE)),
        )
        rendered = render(compiled, context, language=language, time_zone="UTC")
    except TriggersError as error:
        page = format_html("<!doctype html><title>{}</title><p>{}</p>", _("Preview"), error)
        return sandboxed(HttpResponse(page), request)
    html = mail_in(Preview(rendered), dark=mode == "dark")
    return sandboxed(HttpResponse(html), request)
