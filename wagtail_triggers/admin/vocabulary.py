"""What a step's settings may name on one site, as choices; and the editor of conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..journeys.comparisons import OPS, VALUELESS
from ..journeys.graph import Graph
from ..journeys.models import Journey
from ..journeys.payloads import field_of
from ..journeys.surroundings import SiteSurroundings
from ..messages.models import Template
from .permissions import policy_of, visible

#: How deep the fields of an event are offered; whoever needs a deeper one writes it.
DEEPEST = 3

Choices = list[tuple[str, Any]]


class Vocabulary:
    """Answers for one request; each question costs at most one query.

    Args:
        around: The site's surroundings.
        graph: The graph as it is drawn: conditions speak of the events that start it.
        node: The node whose settings are asked for.
        user: Who asks; only they are shown ways to what they may add or change.
    """

    def __init__(self, around: SiteSurroundings, graph: Graph, node: str, user: Any = None) -> None:
        self.around, self.graph, self.node, self.user = around, graph, node, user

    def choices(self, what: str, _value: Any = None) -> Choices | None:
        """Return what a setting of this name may name; None if it is a free text."""
        match what:
            case "event":
                return _by_label(self.around.events())
            case "template":
                return self._templates
            case "fact":
                return _by_label({name: name for name in self.around.facts()})
            case "channel":
                return _by_label(self.around.channels())
            case "journey":
                return _by_label(self.around.journeys())
            case "segment":
                return _by_label(self.around.segments()) or None
            case "event_field":
                return [(name, name) for name in self.fields]
        return None

    def doors(self, what: str) -> str:
        """Return as JSON what leads from a setting to snippets: Wagtail's chooser, their editors.

        "" where the setting names no snippet, or nobody asks.
        """
        models: dict[str, type[Any]] = {"template": Template, "journey": Journey}
        model = models.get(what)
        if model is None or self.user is None:
            return ""
        viewset = model.snippet_viewset
        policy = policy_of(model)
        rows = visible(self.user, model._default_manager.filter(site_id=self.around.site_id))
        key = "translation_key" if model is Template else "uid"
        edit = reverse(viewset.get_url_name("edit"), args=[0])
        found: dict[str, Any] = {
            "choose": reverse(viewset.chooser_viewset.get_url_name("choose")),
            "rows": [[str(name), pk] for name, pk in rows.values_list(key, "pk").order_by("pk")],
        }
        if policy.user_has_permission(self.user, "change"):
            found["edit"] = edit
        if policy.user_has_permission(self.user, "add"):
            found["add"] = reverse(viewset.get_url_name("add"))
        return json.dumps(found)

    @cached_property
    def _templates(self) -> Choices:
        rows = Template.objects.filter(site=self.around.site_id).order_by("name")
        found: dict[str, Any] = {}
        for key, name, live in rows.values_list("translation_key", "name", "live"):
            if live or str(key) not in found:
                found[str(key)] = name if live else _("%(name)s (draft)") % {"name": name}
        return [(key, self._with_languages(key, name)) for key, name in found.items()]

    def _with_languages(self, key: str, name: Any) -> Any:
        """Return "Welcome (English, German)", where the site is written in several languages."""
        languages = ", ".join(self.around.template_languages(key))
        return f"{name} ({languages})" if languages else name

    @cached_property
    def fields(self) -> list[str]:
        """The fields of the events that a condition here can read, dotted."""
        return sorted({name for event in self._events() for name in self._fields_of(event)})

    def _events(self) -> Iterable[str]:
        """The node's own event, where it names one (an entry, a goal); else those of entries."""
        own = self.graph.by_id.get(self.node)
        event = own.settings.get("event") if own is not None else None
        if isinstance(event, str) and event in self.around.events():
            return [event]
        entries = (node for node in self.graph.nodes if node.kind.startswith("entry"))
        return [str(node.settings.get("event", "")) for node in entries]

    def _fields_of(self, event: str) -> Iterable[str]:
        schema = self.around.payload_schema(event)
        if schema is None:
            return
        todo = [(name, 1) for name in _top(schema)]
        while todo:
            name, depth = todo.pop()
            found = field_of(schema, name)
            if found.is_object and depth < DEEPEST:
                todo += [(below, depth + 1) for below in found.siblings]
            elif not found.is_object:
                yield name

    @cached_property
    def for_conditions(self) -> str:
        """What the editor of conditions offers, as JSON."""
        offered = {
            "facts": list(self.around.facts()),
            "events": _by_label(self.around.events()),
            "fields": self.fields,
            "segments": _by_label(self.around.segments()),
            "messages": [one.id for one in self.graph.nodes if one.kind == "send"],
            "ops": [[op, str(label), op in VALUELESS] for op, label in OPS.items()],
        }
        return json.dumps(offered, default=str)


class ConditionTextarea(forms.Textarea):
    """The JSON of a condition; the canvas lays an editor over it, from `data-vocabulary`."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        attrs = {
            "rows": 4,
            "class": "triggers-code",
            "dir": "ltr",
            "spellcheck": "false",
            "data-triggers-condition": vocabulary.for_conditions,
        }
        super().__init__(attrs)


def _top(schema: Mapping[str, Any]) -> Iterable[str]:
    return field_of(schema, "\0").siblings


def _by_label(names: Mapping[str, Any]) -> Choices:
    return sorted(((key, str(label)) for key, label in names.items()), key=lambda one: one[1])
