"""From a setting's type to form fields and back: one class for each shape that a value can have.

Fields are lenient: what a person typed goes into the settings as it is, if it cannot be read, and
validation says what is wrong with it. So a draft loses nothing, and there is one judge.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from .step_types import MISSING, Kind, Setting, new_item, settings_of, starter_of

#: The choice of nothing: a dash.
NONE = "\u2013"
#: More elements than any list of ours may hold; a forged count must not cost more.
MAX_ITEMS = 200


class LenientNumber(forms.FloatField):
    """A number; whole ones are ints. What is none stays the text that was typed."""

    widget = forms.NumberInput

    def to_python(self, value: Any) -> Any:
        """Return an int, a float, None for nothing, or the text."""
        try:
            number = super().to_python(value)
        except ValidationError:
            return str(value)
        if number is None:
            return None
        whole = number.is_integer() and "." not in str(value) and "e" not in str(value).lower()
        return int(number) if whole else number

    def validate(self, value: Any) -> None:
        """Leave judging to the settings themselves."""


class JsonField(forms.CharField):
    """Any JSON. What is none stays the text that was typed."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """Return the JSON laid out to be read; a text that was typed, as it was typed."""
        return value if isinstance(value, str) else _json(value)

    def to_python(self, value: Any) -> Any:
        """Return the value, None for nothing, or the text."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


class LinesField(forms.CharField):
    """A list of texts (or numbers), one on each line."""

    widget = forms.Textarea

    def __init__(self, *, numbers: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbers = numbers

    def prepare_value(self, value: Any) -> Any:
        """Return the elements, one a line."""
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Return the lines that hold something."""
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        return [LenientNumber().to_python(line) for line in lines] if self.numbers else lines


def _json(value: Any) -> str:
    if value is None:
        return ""
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


@dataclass(slots=True)
class Part:
    """A place in the form: `path` is dotted, "" for the whole; `type` names its template block."""

    type: str
    path: str
    label: Any = ""
    help: Any = ""
    parts: list[Part] = field(default_factory=list)
    #: Names of form fields: the value itself, and what opens or counts.
    name: str = ""
    switch: str = ""
    open: bool = True
    can_add: bool = False
    can_remove: bool = False
    #: The form's own fields, put in by `bind` once the form is whole.
    bound: Any = None
    switch_bound: Any = None

    def bind(self, form: Any) -> Part:
        """Put the form's fields in, here and below; returns itself."""
        self.bound = form[self.name] if self.name else None
        self.switch_bound = form[self.switch] if self.switch else None
        for part in self.parts:
            part.bind(form)
        return self


@dataclass(slots=True)
class Sketch:
    """What shapes draw on: the form's fields, what was posted (None if nothing), and choices."""

    fields: dict[str, forms.Field]
    posted: Mapping[str, Any] | None
    initial: MutableMapping[str, Any]
    labels: Callable[[str, str], Any]
    names: Callable[[str, Any], list[tuple[str, Any]] | None]
    condition_widget: Callable[[str], forms.Widget]
    #: What leads from a setting of this name to the things themselves, as JSON; "" for nothing.
    doors: Callable[[str], str] = lambda _what: ""

    def add(self, path: str, form_field: forms.Field, value: Any) -> None:
        """Add a field that stands at `path`."""
        form_field.required = False
        self.fields[path] = form_field
        if value is not MISSING:
            self.initial[path] = value


class Shape(ABC):
    """How a value is asked for, and read back."""

    @abstractmethod
    def draw(self, sketch: Sketch, path: str, value: Any) -> Part:
        """Add the fields for `value` (MISSING if there is none), and return where they stand."""

    @abstractmethod
    def collect(self, cleaned: Mapping[str, Any], path: str, before: Any) -> Any:
        """Return the value from cleaned fields; MISSING if nothing was given."""


@dataclass(slots=True)
class Plain(Shape):
    """One field."""

    make: Callable[[Sketch, Any], forms.Field]
    read: Callable[[Any], Any] = lambda value: MISSING if value in (None, "") else value
    is_wide: bool = False

    def draw(self, sketch: Sketch, path: str, value: Any) -> Part:
        """Add the field."""
        made = self.make(sketch, value)
        sketch.add(path, made, value)
        return Part("check" if isinstance(made, forms.BooleanField) else "field", path, name=path)

    def collect(self, cleaned: Mapping[str, Any], path: str, before: Any) -> Any:
        """Read the field."""
        return self.read(cleaned.get(path))


class Condition(Shape):
    """A condition: its JSON in a textarea, over which the canvas lays an editor."""

    def draw(self, sketch: Sketch, path: str, value: Any) -> Part:
        """Add the textarea."""
        sketch.add(path, JsonField(widget=sketch.condition_widget(path)), value)
        return Part("condition", path, name=path)

    def collect(self, cleaned: Mapping[str, Any], path: str, before: Any) -> Any:
        """Read the JSON."""
        value = cleaned.get(path)
        return MISSING if value is None else value


@dataclass(slots=True)
class Span(Shape):
    """A duration: an amount and its unit; without an amount there is none."""

    units: tuple[str, ...]

    def draw(self, sketch: Sketch, path: str, value: Any) -> Part:
        """Add the two fields side by side."""
        given = value if isinstance(value, Mapping) else {}
        amount = LenientNumber(widget=forms.NumberInput(attrs={"min": 1, "step": 1}))
        sketch.add(f"{path}.amount", amount, given.get("amount", MISSING))
        choices = [(unit, sketch.labels("unit", unit)) for unit in self.units]
        unit = forms.ChoiceField(choices=_with(choices, given.get("unit")))
        sketch.add(f"{path}.unit", unit, given.get("unit", "days"))
        return Part("span", path, name=f"{path}.amount", switch=f"{path}.unit")

    def collect(self, cleaned: Mapping[str, Any], path: str, before: Any) -> Any:
        """Return the two, or nothing."""
        amount = cleaned.get(f"{path}.amount")
        if amount is None:
            return MISSING
        return {"amount": amount, "unit": cleaned.get(f"{path}.unit") or "days"}


@dataclass(slots=True)
class Model(Shape):
    """An object: its fields in their order. An optional one has a box that opens it."""

    model: type[BaseModel]
    optional: bool = False

    def draw(self, sketch: Sketch, path: str, value: Any) -> Part:
        """Add the fields of the model, if it is there."""
        part = Part("group", path)
        if self.optional:
            part.switch = f"{path}.on"
            given = value not in (MISSING, None)
            if sketch.posted is not None:
                given = part.switch in sketch.posted
            sketch.add(part.switch, forms.BooleanField(), given)
            part.open = given
            if not given:
                return part
            value = starter_of(self.model) if value in (MISSING, None) else value
        held = value if isinstance(value, Mapping) else {}
        for setting in settings_of(self.model):
            here = f"{path}.{setting.key}" if path else setting.key
            drawn = shape_of(setting).draw(sketch, here, _present(held, setting))
            drawn.label = setting.info.title or sketch.labels(setting.key, "")
            drawn.help = setting.info.description or ""
            part.parts.append(drawn)
        return part

    def collect(self, cleaned: Mapping[str, Any], path: str, before: Any) -> Any:
        """Return the object; what says no more than the default is left out, if it was before."""
        if self.optional and not cleaned.get(f"{path}.on"):
            return MISSING
        held = before if isinstance(before, Mapping) else {}
        found: dict[str, Any] = {}
        for setting in settings_of(self.model):
            here = f"{path}.{setting.key}" if path else setting.key
            value = shape_of(setting).collect(cleaned, here, held.get(setting.key))
            has_default = setting.default is not None and setting.default is not MISSING
            if value is MISSING and setting.kind.optional and has_default:
                value = None  # emptied, where leaving it out would bring the default back
            is_default = value == setting.default or (
                value == {} and not setting.kind.optional and setting.default is not MISSING
            )
            if value is not MISSING and (setting.key in held or not is_default):
                found[setting.key] = value
        return found


@dataclass(slots=True)
class Items(Shape):
    """A list of objects, each with its own fields; they can be added, removed and moved."""

    model: type[BaseModel]
    least: int
    most: int

    def draw(self, sketch: Sketch, path: str, value: Any) -> Part:
        """Add the fields of every element, and how many there are."""
        held = list(value) if isinstance(value, list | tuple) else []
        count = len(held)
        if sketch.posted is not None:
            posted = str(sketch.posted.get(f"{path}.n", ""))
            count = min(int(posted), MAX_ITEMS) if posted.isdecimal() else count
        sketch.add(f"{path}.n", forms.CharField(widget=forms.HiddenInput), str(count))
        part = Part("items", path, name=f"{path}.n", can_add=count < self.most)
        for number in range(count):
            one = held[number] if number < len(held) else {}
            drawn = Model(self.model).draw(sketch, f"{path}.{number}", one)
            drawn.type, drawn.label = "item", str(number + 1)
            drawn.can_remove = count > self.least
            part.parts.append(drawn)
        return part

    def collect(self, cleaned: Mapping[str, Any], path: str, before: Any) -> Any:
        """Return the elements."""
        held = before if isinstance(before, list | tuple) else []
        posted = str(cleaned.get(f"{path}.n") or "0")
        count = min(int(posted), MAX_ITEMS) if posted.isdecimal() else 0
        shape = Model(self.model)
        return [
            shape.collect(cleaned, f"{path}.{n}", held[n] if n < len(held) else None)
            for n in range(count)
        ]

    def change(self, value: Any, do: str, number: int) -> list[Any]:
        """Return the list after "add", "remove", "up" or "down" at `number`."""
        items = list(value) if isinstance(value, list | tuple) else []
        if do == "add":
            return [*items, new_item(self.model, items)]
        if not 0 <= number < len(items):
            return items
        one = items.pop(number)
        if do != "remove":
            items.insert(max(0, number + (1 if do == "down" else -1)), one)
        return items


def shape_of(setting: Setting) -> Shape:
    """Choose how a setting is asked for; what fits nothing else is asked for as JSON."""
    kind = setting.kind
    if kind.is_condition:
        return Condition()
    if kind.choices:
        return _select(setting)
    if kind.model is not None:
        return _object(kind.model, kind.optional)
    items = kind.items
    if items is not None:
        return _list(setting, items)
    return _simple(setting)


def _object(model: type[BaseModel], optional: bool) -> Shape:
    fields = {one.key: one for one in settings_of(model)}
    if fields.keys() == {"amount", "unit"} and fields["unit"].kind.choices:
        return Span(fields["unit"].kind.choices)
    return Model(model, optional=optional)


def _list(setting: Setting, items: Kind) -> Shape:
    least = setting.kind.bound("min_length") or 0
    most = setting.kind.bound("max_length") or MAX_ITEMS
    if items.model is not None and not items.optional:
        return Items(items.model, least, most)
    if items.choices:
        return _checks(setting, items)
    if items.core in (str, int, float):
        numbers = items.core is not str
        return Plain(
            lambda _sketch, _value: LinesField(
                numbers=numbers,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=_("One on each line."),
            ),
            lambda value: value or MISSING,
        )
    return _any_json()


def _simple(setting: Setting) -> Shape:
    core = setting.kind.core
    if core is bool and not setting.kind.optional:
        return Plain(lambda _sketch, _value: forms.BooleanField(), bool)
    if core in (int, float):
        return Plain(lambda _sketch, _value: LenientNumber(widget=_number(setting)))
    if core is str:
        return _text(setting)
    return _any_json()


def _number(setting: Setting) -> forms.Widget:
    low = setting.kind.bound("ge")
    above = setting.kind.bound("gt")
    high = setting.kind.bound("le")
    attrs: dict[str, Any] = {"step": 1 if setting.kind.core is int else "any"}
    if low is not None or (above is not None and setting.kind.core is int):
        attrs["min"] = low if low is not None else above + 1
    if high is not None:
        attrs["max"] = high
    return forms.NumberInput(attrs=attrs)


def _text(setting: Setting) -> Shape:
    def make(sketch: Sketch, value: Any) -> forms.Field:
        what = setting.names if setting.names is not None else setting.key
        choices = sketch.names(what, value)
        if value is not MISSING and not isinstance(value, str | int | float | None):
            return JsonField(widget=forms.Textarea(attrs={"rows": 3}))
        if choices is not None:
            door = sketch.doors(what)
            widget = forms.Select(attrs={"data-triggers-chooser": door} if door else {})
            return forms.ChoiceField(choices=_with([("", NONE), *choices], value), widget=widget)
        if setting.kind.is_clock_time:
            return forms.CharField(widget=forms.TextInput(attrs={"type": "time"}))
        longest = setting.kind.bound("max_length") or 0
        is_long = longest > 500
        area = forms.Textarea(attrs={"rows": 3}) if is_long else forms.TextInput()
        return forms.CharField(widget=area, strip=False)

    return Plain(make)


def _select(setting: Setting) -> Shape:
    values = {str(one): one for one in setting.kind.choices}

    def make(sketch: Sketch, value: Any) -> forms.Field:
        choices = [(str(one), sketch.labels(setting.key, str(one))) for one in values.values()]
        if setting.kind.optional or setting.default is MISSING:
            choices = [("", NONE), *choices]
        return forms.ChoiceField(choices=_with(choices, value))

    return Plain(make, lambda value: values.get(value, value) if value else MISSING)


def _checks(setting: Setting, items: Kind) -> Shape:
    values = {str(one): one for one in items.choices}

    def make(sketch: Sketch, value: Any) -> forms.Field:
        return forms.MultipleChoiceField(
            choices=[(one, sketch.labels(setting.key, one)) for one in values],
            widget=forms.CheckboxSelectMultiple,
        )

    return Plain(make, lambda value: [values.get(one, one) for one in value or []] or MISSING)


def _any_json() -> Shape:
    return Plain(
        lambda _sketch, _value: JsonField(
            widget=forms.Textarea(attrs={"rows": 4, "class": "triggers-code", "dir": "ltr"}),
            help_text=_("Written as JSON."),
        ),
        lambda value: MISSING if value is None else value,
    )


def _with(choices: list[tuple[str, Any]], value: Any) -> list[tuple[str, Any]]:
    """Add what is set although it is no longer among the choices, so that it is not lost."""
    if value in (MISSING, None) or any(key == value for key, _label in choices):
        return choices
    return [*choices, (str(value), str(value))]


def _present(held: Mapping[str, Any], setting: Setting) -> Any:
    if setting.key in held:
        return held[setting.key]
    return setting.default
