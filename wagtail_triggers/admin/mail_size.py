"""Tell who saves a template that its mail is so large that Gmail will cut it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _t

from ..messages.models import Template
from ..messages.preview import MAX_MAIL_BYTES, preview


def warn_of_size(request: HttpRequest, instance: Any) -> None:
    """Measure the mail with made-up data, and warn: a hook of Wagtail's after a template is saved.

    Autosave asks every half second and shows no messages; it is not answered.
    """
    if not isinstance(instance, Template) or "application/json" in request.headers.get(
        "Accept", ""
    ):
        return
    size = preview(instance.get_latest_revision_as_object()).size
    if size <= MAX_MAIL_BYTES:
        return
    words = _t(
        "The mail has %(size)s kB with made-up data. Gmail shows the first %(limit)s kB and hides "
        "the rest, the unsubscribe link with it. Take blocks out, or show fewer products."
    )
    values = {
        "size": number_format(size / 1024, 0),
        "limit": number_format(MAX_MAIL_BYTES / 1024, 0),
    }
    messages.warning(request, words % values)
