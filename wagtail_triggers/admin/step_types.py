"""Reading a pydantic model for its form: which kind of value each setting holds."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from ..journeys.conditions import Condition
from ..journeys.durations import Duration

#: How a time of day is written: "09:00".
CLOCK_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
#: Nothing stands there; None would be JSON's null.
MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Kind:
    """A type without its wrapping: `core` is the type, `optional` says that it may be None."""

    core: Any
    metadata: tuple[Any, ...]
    optional: bool

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a Literal or an Enum."""
        if get_origin(self.core) is Literal:
            return get_args(self.core)
        if isinstance(self.core, type) and issubclass(self.core, Enum):
            return tuple(one.value for one in self.core)
        return ()

    @property
    def model(self) -> type[BaseModel] | None:
        """The model, if it is one."""
        is_model = isinstance(self.core, type) and issubclass(self.core, BaseModel)
        return self.core if is_model else None

    @property
    def is_condition(self) -> bool:
        """Whether it is one of our conditions."""
        return isinstance(self.core, type) and issubclass(self.core, Condition)

    @property
    def is_clock_time(self) -> bool:
        """Whether it is a time of day, written "09:00"."""
        return bool(self.bound("pattern") == CLOCK_PATTERN)

    @property
    def items(self) -> Kind | None:
        """What a list of one type holds; None where it is no such list."""
        origin, args = get_origin(self.core), get_args(self.core)
        if origin in (list, set, frozenset) and args:
            return unwrap(args[0])
        if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
            return unwrap(args[0])
        if (
            origin is not None
            and isinstance(origin, type)
            and issubclass(origin, Sequence)
            and args
        ):
            return unwrap(args[0]) if origin is not tuple else None
        return None

    def bound(self, name: str) -> Any:
        """Return what the annotation says of `name` ("gt", "max_length", "pattern"), or None."""
        for one in self.metadata:
            value = getattr(one, name, None)
            if value is None and isinstance(one, FieldInfo):
                value = Kind(None, tuple(one.metadata), False).bound(name)
            if value is not None:
                return value
        return None


def unwrap(annotation: Any, metadata: Sequence[Any] = ()) -> Kind:
    """Take `Annotated` and `| None` off a type."""
    found = list(metadata)
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            found += more
        elif origin in (Union, types.UnionType):
            parts = [one for one in get_args(annotation) if one is not type(None)]
            optional = optional or len(parts) < len(get_args(annotation))
            if len(parts) > 1:
                return Kind(annotation, tuple(found), optional)
            annotation = parts[0]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__") and type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return Kind(annotation, tuple(found), optional)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a model. `key` is its name in the JSON."""

    key: str
    name: str
    info: FieldInfo
    kind: Kind

    @property
    def default(self) -> Any:
        """The default as JSON; MISSING where the field must be given."""
        value = self.info.get_default(call_default_factory=True, validated_data={})
        if value is PydanticUndefined:
            return MISSING
        return to_jsonable_python(value, by_alias=True, exclude_none=True, fallback=str)

    @property
    def names(self) -> str | None:
        """What a text names ("event", "template"), if the field itself says so; "" is nothing."""
        extra = self.info.json_schema_extra
        value = extra.get("names") if isinstance(extra, Mapping) else None
        return value if isinstance(value, str) else None


def settings_of(model: type[BaseModel]) -> Iterator[Setting]:
    """Yield the fields of a model in their order."""
    for name, info in model.model_fields.items():
        key = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
        yield Setting(key or name, name, info, unwrap(info.annotation, info.metadata))


def starter_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the least that a new object may begin with: what has a default is left out.

    Texts that only an editor can choose are left out too; validation then asks for them.
    """
    is_span = issubclass(model, Duration)
    found: dict[str, Any] = {"amount": 1, "unit": "days"} if is_span else {}
    for setting in settings_of(model):
        if setting.default is not MISSING or setting.key in found:
            continue
        value = _start(setting.kind)
        if value is not MISSING:
            found[setting.key] = value
    return found


def new_item(model: type[BaseModel], present: Sequence[Any]) -> dict[str, Any]:
    """Return a new element for a list of models; a `name` in it is one that no other has."""
    item = starter_of(model)
    needed = any(one.key == "name" and one.default is MISSING for one in settings_of(model))
    if needed and "name" not in item:
        taken = {one.get("name") for one in present if isinstance(one, Mapping)}
        letters = (chr(code) for code in range(ord("a"), ord("z") + 1))
        item["name"] = next((one for one in letters if one not in taken), f"n{len(present) + 1}")
    return item


def _start(kind: Kind) -> Any:
    items = kind.items
    if kind.choices:
        return kind.choices[0]
    if kind.model is not None:
        return starter_of(kind.model)
    if kind.core is bool:
        return False
    if kind.core in (int, float):
        low, above = kind.bound("ge"), kind.bound("gt")
        return low if low is not None else above + 1 if above is not None else MISSING
    if items is not None and items.model is not None:
        made: list[Any] = []
        for _number in range(kind.bound("min_length") or 0):
            made.append(new_item(items.model, made))
        return made
    return MISSING


def roughly(model: type[BaseModel], held: Mapping[str, Any]) -> BaseModel:
    """Build a model without checking it, the models inside it too: to ask it what it can tell."""
    values: dict[str, Any] = {}
    for setting in settings_of(model):
        if setting.key in held:
            values[setting.name] = _roughly(setting.kind, held[setting.key])
    return model.model_construct(**values)


def _roughly(kind: Kind, value: Any) -> Any:
    items = kind.items
    if kind.model is not None and isinstance(value, Mapping):
        return roughly(kind.model, value)
    if items is not None and isinstance(value, list | tuple):
        return tuple(_roughly(items, one) for one in value)
    return value
