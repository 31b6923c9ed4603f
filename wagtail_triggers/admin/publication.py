"""Whether drafts are live, scheduled or being reviewed, for a whole page of a listing at once.

Wagtail's own column asks the database twice for each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from wagtail.models import Revision, WorkflowState
from wagtail.snippets.views.snippets import IndexView

from .columns import ToneColumn
from .permissions import visible


def publications(rows: Sequence[Any]) -> dict[int, tuple[str, str]]:
    """Return words and colour for each row's state of publication. Two queries for one model.

    Args:
        rows: Objects of one model that has drafts and workflows.
    """
    if not rows:
        return {}
    kind = ContentType.objects.get_for_model(type(rows[0]))
    ids = [str(row.pk) for row in rows]
    of_rows = {"base_content_type": kind, "object_id__in": ids}
    scheduled = set(
        Revision.objects.filter(approved_go_live_at__isnull=False, **of_rows).values_list(
            "object_id", flat=True
        )
    )
    reviewed = set(
        WorkflowState.objects.filter(
            status=WorkflowState.STATUS_IN_PROGRESS, **of_rows
        ).values_list("object_id", flat=True)
    )
    return {
        row.pk: _state(
            row, is_scheduled=str(row.pk) in scheduled, is_reviewed=str(row.pk) in reviewed
        )
        for row in rows
    }


def _state(row: Any, *, is_scheduled: bool, is_reviewed: bool) -> tuple[str, str]:
    """Return the words that Wagtail uses (and translates), with a colour."""
    if row.live:
        tone = "positive"
        if is_scheduled:
            return _t("live + scheduled"), tone
        if is_reviewed:
            return _t("live + in moderation"), tone
        return (_t("live + draft") if row.has_unpublished_changes else _t("live")), tone
    if row.expired:
        return _t("expired"), "neutral"
    if is_scheduled:
        return _t("scheduled"), "info"
    return (_t("in moderation"), "info") if is_reviewed else (_t("draft"), "neutral")


class PublicationColumn(ToneColumn):
    """The state of publication, on listings of a `PublicationIndexView`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("publication", label=_("Published"), sort_key="live", **kwargs)


class PublicationIndexView(IndexView):
    """A listing that knows the state of publication of each of its rows."""

    def get_base_queryset(self) -> QuerySet[Any]:
        """Return the rows of the sites that the reader serves."""
        return visible(self.request.user, super().get_base_queryset())

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give every row of the page its state."""
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        rows = list(context["object_list"])
        states = publications(rows)
        for row in context["object_list"]:
            row.publication = states[row.pk]
        return context
