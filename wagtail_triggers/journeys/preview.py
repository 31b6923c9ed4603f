"""A journey as a page to read: for Wagtail's preview panel, moderation and old revisions."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from .models import Journey
from .reading import read_json


def serve_preview(journey: Journey, request: HttpRequest) -> HttpResponse:
    """Answer with the outline of the journey as it stands in the form."""
    return TemplateResponse(
        request,
        "wagtail_triggers/admin/journey_preview.html",
        {"journey": journey, "reading": read_json(journey.graph, journey.site_id)},
    )
