"""What was published is kept: people ran on it, and messages say what it said."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Model, ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _t
from wagtail.admin.views.generic import DeleteView as ModelDeleteView
from wagtail.snippets.views.snippets import DeleteView

from ..journeys.models import Journey
from ..messages.models import Template


class _Keeping:
    """Says why a row cannot be deleted, where Django would answer with an error page."""

    request: HttpRequest
    object: Any
    usage: Any
    index_url_name: str

    def form_valid(self, form: Any) -> HttpResponse:
        """Delete, or go back and say what holds the row."""
        if self.usage and self.usage.is_protected:
            return self._refuse()
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # of the view
        except (ProtectedError, RestrictedError):
            return self._refuse()
        return response

    def _refuse(self) -> HttpResponse:
        messages.error(self.request, refusal(self.object))
        return redirect(reverse(self.index_url_name))


class KeptDeleteView(_Keeping, DeleteView):
    """For snippets."""


class KeptModelDeleteView(_Keeping, ModelDeleteView):
    """For models that are no snippets."""


def refusal(row: Model) -> str:
    """Return why `row` stays, and what to do instead."""
    if isinstance(row, Journey | Template):
        text = _t(
            "“%(name)s” was not deleted: it has been published, and what people went through or "
            "were sent refers to it. Unpublish it instead."
        )
    else:
        text = _t("“%(name)s” was not deleted: it is in use. Take it out of use first.")
    return text % {"name": row}


def refuse_bulk_deletion(
    request: HttpRequest, action_type: str, rows: list[Model], _view: Any
) -> HttpResponse | None:
    """Refuse to delete a selection in which anything was published: a `before_bulk_action` hook."""
    if action_type != "delete":
        return None
    kept = [row for row in rows if isinstance(row, Journey | Template) and row.versions.exists()]
    if not kept:
        return None
    for row in kept:
        messages.error(request, refusal(row))
    namespace = "triggers_journeys" if isinstance(kept[0], Journey) else "triggers_templates"
    return redirect(reverse(f"{namespace}:list"))
