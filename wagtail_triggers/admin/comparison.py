"""Two revisions of a journey side by side: in words, and drawn."""

from __future__ import annotations

import json
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from wagtail.snippets.views.snippets import RevisionsCompareView

from .canvas import still_canvas
from .permissions import policy_of
from .step_changes import Changes, changes_of
from .widgets import canvas_media

#: Two drawings stand side by side; only on a telephone they are lists.
NARROW: Final = 340


class SiteCompareView(RevisionsCompareView):
    """Compares revisions for those who may change this very object, not just one of its kind."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not change the object."""
        policy = policy_of(self.model)
        if not policy.user_has_permission_for_instance(request.user, "change", self.object):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class JourneyCompareView(SiteCompareView):
    """Tells which steps were added, removed and changed, and draws both revisions."""

    template_name = "wagtail_triggers/admin/compare.html"

    def _get_comparison(self, revision_a: Any, revision_b: Any) -> list[Any]:
        """Return the fields that differ; the steps are told in sentences instead."""
        found = super()._get_comparison(revision_a, revision_b)
        return [one for one in found if getattr(one.field, "name", "") != "graph"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what differs, and both drawings."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        old, new = context["revision_a"], context["revision_b"]
        site_id = self.object.site_id
        changes = changes_of(old.graph, new.graph, site_id)
        drawings = []
        if changes.steps:
            drawings = [
                (heading, json.dumps(_drawing(row.graph, site_id, changes, heading)))
                for heading, row in (
                    (context["revision_a_heading"], old),
                    (context["revision_b_heading"], new),
                )
            ]
        return {
            **context,
            "changes": changes,
            "drawings": drawings,
            "canvas_media": canvas_media() if drawings else None,
        }


def _drawing(graph: Any, site_id: int, changes: Changes, heading: Any) -> dict[str, Any]:
    return {
        **still_canvas(graph, site_id),
        "marks": changes.marks,
        "name": str(heading),
        "narrow": NARROW,
    }
