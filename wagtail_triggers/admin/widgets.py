"""The graph's editor: its JSON in a textarea, with an outline in words beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.urls import reverse
from wagtail.admin.staticfiles import versioned_static

from ..journeys.reading import Reading, read_text
from .canvas import canvas_config, own_media

#: A JSON value that fits into this many characters stands on one line.
LINE_WIDTH = 60


def _style() -> dict[str, Sequence[str]]:
    return {"all": [versioned_static("wagtail_triggers/admin/triggers.css")]}


def canvas_media() -> forms.Media:
    """The scripts and styles of the canvas, as files."""
    return forms.Media(
        js=[
            versioned_static("wagtailadmin/js/modal-workflow.js"),
            versioned_static("wagtailadmin/js/chooser-modal.js"),
            versioned_static("wagtail_triggers/admin/graph.js"),
            versioned_static("wagtail_triggers/canvas/canvas.js"),
        ],
        css={
            "all": [*_style()["all"], versioned_static("wagtail_triggers/canvas/canvas.css")],
        },
    )


class CodeTextarea(forms.Textarea):
    """A textarea for HTML with Liquid."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "triggers-code", "rows": 24, "dir": "auto", **(attrs or {})})

    @property
    def media(self) -> forms.Media:
        """Our style sheet."""
        return forms.Media(css=_style())


class GraphTextarea(forms.Textarea):
    """A textarea for the graph. Without JavaScript it still works, and shows a still outline.

    It is one named form control: autosave, preview and the warning before leaving go on working.
    """

    template_name = "wagtail_triggers/admin/widgets/graph.html"

    #: The site whose templates the outline names; the form sets it.
    site_id: int | None = None

    @property
    def media(self) -> forms.Media:
        """The scripts and styles of the text and the canvas, and of forms that kinds bring."""
        media: forms.Media = canvas_media() + own_media()
        return media

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the attributes of the textarea: code is not prose."""
        return {
            **super().build_attrs(base_attrs, extra_attrs),
            "spellcheck": "false",
            "autocomplete": "off",
            "autocapitalize": "off",
            "wrap": "soft",
            "rows": 24,
            "dir": "ltr",
            "data-triggers-graph-target": "source",
            "data-action": "input->triggers-graph#changed keydown->triggers-graph#typed",
        }

    def format_value(self, value: Any) -> str:
        """Return the JSON laid out to be read; what is no JSON is shown as it was typed."""
        text = value if isinstance(value, str) else json.dumps(value)
        try:
            return layout(json.loads(text))
        except ValueError:
            return text

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the context of the template, with the outline of the value."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        reading: Reading = read_text(context["widget"]["value"], self.site_id)
        context["reading"] = reading
        context["outline_url"] = reverse("triggers_journeys:outline")
        context["site_id"] = self.site_id
        context["canvas"] = json.dumps(canvas_config(self.site_id))
        return context


def layout(value: Any, indent: int = 0, room: int = LINE_WIDTH) -> str:
    """Write JSON so that a person can read it: short values on one line, long ones indented.

    Args:
        value: What JSON can hold.
        indent: The depth of the place at which the value stands.
        room: Characters that are left on its line.
    """
    flat = json.dumps(value, ensure_ascii=False)
    if (len(flat) <= room and indent > 1) or not isinstance(value, Mapping | list) or not value:
        return flat
    pad = "  " * (indent + 1)
    if isinstance(value, Mapping):
        parts = [(f"{json.dumps(key, ensure_ascii=False)}: ", one) for key, one in value.items()]
        brackets = "{}"
    else:
        parts = [("", one) for one in value]
        brackets = "[]"
    lines = [
        pad + head + layout(one, indent + 1, LINE_WIDTH - len(pad) - len(head))
        for head, one in parts
    ]
    return brackets[0] + "\n" + ",\n".join(lines) + "\n" + "  " * indent + brackets[1]
