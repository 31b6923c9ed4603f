"""Fields for short texts with Liquid: below each stands how long it comes out."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.widgets import AdminAutoHeightTextInput

from ..messages.short_texts import Measure

TEMPLATE: Final = "wagtail_triggers/admin/widgets/measured.html"


class _Measured:
    """A text field whose length matters. The form tells it what came out."""

    #: How Django draws the bare field.
    bare_template = "django/forms/widgets/text.html"
    #: What the saved text comes to; None where there is none.
    measured: Measure | None = None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the measure, and the place where it is told again while somebody types."""
        context: dict[str, Any] = super().get_context(name, value, attrs)  # type: ignore[misc]
        widget = context["widget"]
        hint_id = f"{widget['attrs'].get('id', name)}-measure"
        told = widget["attrs"].get("aria-describedby", "")
        widget["attrs"]["aria-describedby"] = f"{told} {hint_id}".strip()
        context |= {"measured": self.measured, "hint_id": hint_id, "bare": self.bare_template}
        return context


class MeasuredInput(_Measured, forms.TextInput):
    """One line."""

    template_name = TEMPLATE


class MeasuredTextarea(_Measured, AdminAutoHeightTextInput):
    """Several lines."""

    template_name = TEMPLATE
    bare_template = "django/forms/widgets/textarea.html"


def writing_media() -> forms.Media:
    """The script that offers variables and measures texts, and its styles."""
    return forms.Media(
        js=[versioned_static("wagtail_triggers/admin/variables.js")],
        css={"all": [versioned_static("wagtail_triggers/admin/triggers.css")]},
    )
