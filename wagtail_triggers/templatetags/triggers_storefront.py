"""`{% load triggers_storefront %}`, `{% triggers_storefront %}`: the snippet for a shop's pages."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def triggers_storefront(*, wait_for_consent: bool = False) -> SafeString:
    """The script's tag, for the end of `<head>`; it carries no code, so a strict CSP takes it.

    Args:
        wait_for_consent: Nothing is sent until the page calls `triggers.consent(true)`.
    """
    return format_html(
        '<script src="{}" data-to="{}"{} defer></script>',
        static("wagtail_triggers/storefront/triggers.js"),
        reverse("wagtail_triggers:beacon"),
        SafeString(' data-consent="wait"') if wait_for_consent else "",
    )


@register.filter
def triggers_json(value: Any) -> str:
    """A payload for a `data-triggers-…` attribute; Django escapes it as any text."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
