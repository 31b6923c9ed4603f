"""A help panel whose heading and template belong to its class."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from wagtail.admin.panels import HelpPanel


class ExplainingPanel(HelpPanel):
    """Explains what a form's text may name; subclasses fill the context of their BoundPanel."""

    explains: ClassVar[str | Promise]
    explained_by: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("heading", self.explains)
        kwargs["template"] = self.explained_by
        super().__init__(**kwargs)

    def clone_kwargs(self) -> dict[str, Any]:
        """Return what makes a copy of the panel."""
        kwargs: dict[str, Any] = super().clone_kwargs()
        del kwargs["template"]
        return kwargs
