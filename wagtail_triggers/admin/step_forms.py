"""The form for one step's settings: made from the settings' model, or the kind's own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from django import forms
from django.utils.functional import cached_property
from django.utils.module_loading import import_string
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ..journeys.problems import Problem
from ..journeys.steps.base import Step
from .step_shapes import Items, Model, Part, Sketch, shape_of
from .step_types import MISSING, settings_of
from .step_words import CHOICES, LABELS, humanised
from .vocabulary import ConditionTextarea, Vocabulary

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_DO = re.compile(r"(add|remove|up|down):([\w.-]+)", re.ASCII)


class SettingsForm(Protocol):
    """What the panel needs of a form, whoever made it."""

    def to_settings(self) -> dict[str, Any]:
        """Return the settings as JSON, from what was posted."""

    def parts(self) -> Part:
        """Return where the fields stand."""


class StepForm(forms.Form):
    """A form for the settings of `kind`, whatever stands in them now.

    Args:
        kind: The class of the step.
        settings: What the node holds, right or wrong.
        vocabulary: What settings may name.
        data: What was posted, if anything was.
    """

    def __init__(
        self,
        kind: type[Step[Any]],
        settings: Mapping[str, Any],
        vocabulary: Vocabulary,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, auto_id="triggers-setting-%s", use_required_attribute=False)
        self.kind, self.before, self.vocabulary = kind, settings, vocabulary
        self.shape = Model(kind.Settings)
        sketch = Sketch(
            self.fields,
            data,
            self.initial,
            self._label,
            vocabulary.choices,
            lambda _path: ConditionTextarea(vocabulary),
            vocabulary.doors,
        )
        self._parts = self.shape.draw(sketch, "", settings)

    def _label(self, name: str, value: str) -> StrOrPromise:
        own = self.kind.form_labels
        if not value:
            return own.get(name) or LABELS.get(name) or humanised(name)
        return own.get(f"{name}={value}") or CHOICES.get(value) or humanised(value)

    def parts(self) -> Part:
        """Return where the fields stand."""
        return self._parts

    def to_settings(self) -> dict[str, Any]:
        """Return the settings as JSON; what could not be read is in them as it was typed."""
        self.full_clean()
        found: dict[str, Any] = self.shape.collect(self.cleaned_data, "", self.before)
        return found

    def changed(self, settings: dict[str, Any], do: str) -> dict[str, Any]:
        """Return `settings` after a button of a list: "add:paths", "remove:paths.1" …"""
        asked = _DO.fullmatch(do)
        if asked is None:
            return settings
        verb, path = asked.groups()
        parts = path.split(".")
        number = int(parts.pop()) if verb != "add" and parts[-1].isdecimal() else -1
        return _change(self.kind.Settings, settings, parts, verb, number)


def _change(
    model: type[BaseModel], held: dict[str, Any], path: list[str], do: str, number: int
) -> dict[str, Any]:
    setting = next((one for one in settings_of(model) if one.key == path[0]), None)
    if setting is None:
        return held
    shape = shape_of(setting)
    value = held.get(setting.key, None if setting.default is MISSING else setting.default)
    if isinstance(shape, Items) and len(path) == 1:
        return {**held, setting.key: shape.change(value, do, number)}
    if isinstance(shape, Items) and path[1].isdecimal() and isinstance(value, list):
        items, at = list(value), int(path[1])
        if at < len(items) and len(path) > 2:
            items[at] = _change(shape.model, items[at], path[2:], do, number)
        return {**held, setting.key: items}
    if isinstance(shape, Model) and len(path) > 1 and isinstance(value, Mapping):
        return {**held, setting.key: _change(shape.model, dict(value), path[1:], do, number)}
    return held


class OwnForm:
    """A kind's own form, dressed as ours. Where it is not valid, the settings stay as they were.

    The form is an ordinary Django form: `initial` are the settings, and its cleaned data become
    the settings, unless it has a method `to_settings()` that returns them.
    """

    def __init__(
        self, made: type[forms.Form], settings: Mapping[str, Any], data: Any = None
    ) -> None:
        self.before = settings
        self.form = made(data, initial=dict(settings), auto_id="triggers-setting-%s")
        self.form.use_required_attribute = False

    def __getitem__(self, name: str) -> forms.BoundField:
        return self.form[name]

    def parts(self) -> Part:
        """Return the fields in their order."""
        return Part("group", "", parts=[self._part(name) for name in self.form.fields])

    def _part(self, name: str) -> Part:
        made = self.form.fields[name]
        type_ = "check" if isinstance(made.widget, forms.CheckboxInput) else "field"
        return Part(type_, name, self.form[name].label, made.help_text, name=name)

    def to_settings(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        if not self.form.is_valid():
            return dict(self.before)
        own = getattr(self.form, "to_settings", None)
        found = own() if own else self.form.cleaned_data
        return dict(to_jsonable_python(found, fallback=str))

    def changed(self, settings: dict[str, Any], do: str) -> dict[str, Any]:
        """Return `settings`: such a form has no lists of ours."""
        return settings

    @cached_property
    def problems(self) -> list[Problem]:
        """What the form itself finds wrong."""
        if not self.form.is_bound:
            return []
        return [
            Problem("", "" if name == "__all__" else name, str(message))
            for name, messages in self.form.errors.items()
            for message in messages
        ]


def own_form_of(kind: type[Step[Any]]) -> type[forms.Form] | None:
    """Return the form that the kind names, or None. Raises ImportError if it is not there."""
    return import_string(kind.form_class) if kind.form_class else None


def form_for(
    kind: type[Step[Any]],
    settings: Mapping[str, Any],
    vocabulary: Vocabulary,
    data: Mapping[str, Any] | None = None,
) -> StepForm | OwnForm:
    """Return the form for the settings of a step, bound to `data` if there is any."""
    own = own_form_of(kind)
    return OwnForm(own, settings, data) if own else StepForm(kind, settings, vocabulary, data)


def places(part: Part) -> Iterable[str]:
    """Yield every path at which the form can show what is wrong."""
    yield part.path
    for below in part.parts:
        yield from places(below)


def at_their_places(part: Part, problems: Iterable[Problem]) -> dict[str, list[tuple[str, str]]]:
    """Return (severity, message) by the nearest place of the form; "" is the whole form."""
    known = set(places(part))
    found: dict[str, list[tuple[str, str]]] = {}
    for problem in problems:
        path = problem.field
        while path and path not in known:
            path = path.rpartition(".")[0]
        found.setdefault(path, []).append((problem.severity, problem.message))
    return found


def form_digest(html: str) -> str:
    """Return what differs when the form must be drawn anew; what is typed into it does not."""
    bare = re.sub(
        r'\s(value="[^"]*"|checked|selected)(?=[\s>])|(?<=>)[^<]*(?=</textarea>)', "", html
    )
    return hashlib.sha256(bare.encode()).hexdigest()[:16]
