"""Columns that our listings share."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.urls import reverse
from wagtail.admin.ui.tables import Column, TitleColumn

from .permissions import may_view
from .states import explained, tone

#: Columns with this class give way where the window is narrow; the row's page shows them.
MINOR = "triggers-minor"


class StyledColumn(Column):
    """A column that brings our style sheet to the listing."""

    class Media:
        css = {"all": ["wagtail_triggers/admin/triggers.css"]}


class MomentColumn(StyledColumn):
    """A moment, written out: "3 days ago" would be wrong for what is still to come."""

    cell_template_name = "wagtail_triggers/admin/tables/moment_cell.html"


class WrappingColumn(StyledColumn):
    """A text that may be long: it wraps, also within a word."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        kwargs.setdefault("classname", "triggers-wrap")
        super().__init__(name, **kwargs)


class RecordTitleColumn(TitleColumn):
    """The first column: leads to the page of the row."""

    def __init__(self, name: str, url_name: str, **kwargs: Any) -> None:
        kwargs.setdefault("width", "22%")
        super().__init__(name, url_name=url_name, **kwargs)


class RelatedColumn(StyledColumn):
    """A related row, with a link to its page: for those who may look at rows of that kind.

    Others see nothing of it, since its name may be a person's.
    """

    cell_template_name = "wagtail_triggers/admin/tables/related_cell.html"

    def __init__(self, name: str, *, model: type[Model], url_name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.model = model
        self.url_name = url_name

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Return the context of a cell."""
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        related = self.get_value(instance)
        context["value"], context["url"] = None, ""
        if related is not None and may_view(context["request"].user, self.model):
            context["value"] = related
            context["url"] = reverse(self.url_name, args=[related.pk])
        return context


class StateColumn(StyledColumn):
    """A state as a tag in the colour of its meaning, with the reason beside it."""

    cell_template_name = "wagtail_triggers/admin/tables/state_cell.html"

    def __init__(self, name: str, *, reason: str = "", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.reason = reason

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Return the context of a cell."""
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        state = getattr(instance, self.name)
        context["value"] = getattr(instance, f"get_{self.name}_display")()
        context["tone"] = tone(state)
        context["reason"] = explained(getattr(instance, self.reason)) if self.reason else ""
        return context


class ToneColumn(StyledColumn):
    """A tag whose words and colour are computed: `accessor` gives the pair."""

    cell_template_name = "wagtail_triggers/admin/tables/state_cell.html"

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Return the context of a cell."""
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["value"], context["tone"] = self.get_value(instance)
        return context
