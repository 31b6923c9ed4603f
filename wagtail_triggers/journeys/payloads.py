"""Reading a field of an event: from its payload, and from the schema that describes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: How deep a path may go; the deepest of our own events has four parts.
MAX_PARTS = 8


def values_at(payload: Mapping[str, Any], path: str) -> list[Any]:
    """Return every value at the dotted `path`, looking into each element of lists on the way.

    "total.amount" gives at most one value, "lines.sku" one for each line, a missing field none.
    """
    if "." not in path:
        return list(_flat([payload[path]])) if path in payload else []
    found: list[Any] = [payload]
    for part in path.split("."):
        found = [value[part] for value in _flat(found) if _is_mapping(value) and part in value]
    return list(_flat(found))


def raw_at(payload: Mapping[str, Any], path: str) -> Any:
    """Return what stands at the dotted `path` as it is, a list as a list; None if nothing does.

    Through a list on the way it gives a list, with one value for each element that has it.
    """
    value: Any = payload
    parts = path.split(".")
    for number, part in enumerate(parts):
        if _is_list(value):
            rest = ".".join(parts[number:])
            return values_at({"all": value}, f"all.{rest}") or None
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _is_mapping(value: Any) -> bool:
    # JSON gives a dict; asking the abstract class takes ten times as long.
    return type(value) is dict or isinstance(value, Mapping)


def _is_list(value: Any) -> bool:
    if type(value) is dict or type(value) is str:
        return False
    return isinstance(value, Sequence) and not isinstance(value, str)


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if _is_list(value):
            yield from _flat(value)
        else:
            yield value


@dataclass(frozen=True, slots=True)
class SchemaField:
    """What a JSON schema says of a path.

    `declared` tells whether the schema names such a field, `open` whether it lets in fields that
    it does not name. If it is not declared, `siblings` are the full paths that the schema names
    at the place where the path leaves it. `is_object` tells that the path ends at an object, in
    which a field must still be chosen: `siblings` are those fields then.
    """

    declared: bool
    open: bool = False
    is_object: bool = False
    siblings: tuple[str, ...] = ()


def field_of(schema: Mapping[str, Any], path: str) -> SchemaField:
    """Look the dotted `path` up in a JSON schema as pydantic writes it."""
    at = _branches(schema, schema)
    walked: list[str] = []
    for part in path.split("."):
        properties = _properties(at)
        if part not in properties:
            is_open = any(_is_open(branch) for branch in at)
            return SchemaField(False, open=is_open, siblings=_full(walked, properties))
        walked.append(part)
        at = [deep for one in properties[part] for deep in _branches(one, schema)]
    below = _properties(at)
    plain = any(branch.get("type") not in (None, "object", "null") for branch in at)
    return SchemaField(True, is_object=bool(below) and not plain, siblings=_full(walked, below))


def _full(walked: Sequence[str], properties: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(".".join([*walked, name]) for name in properties)


def _properties(branches: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for branch in branches:
        for name, schema in branch.get("properties", {}).items():
            found.setdefault(name, []).append(schema)
    return found


def _is_open(branch: Mapping[str, Any]) -> bool:
    """Say whether the schema lets in fields that it does not name."""
    if "properties" not in branch and "type" not in branch:
        return True
    return branch.get("type") == "object" and bool(
        branch.get("additionalProperties", "properties" not in branch)
    )


def _branches(
    schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0
) -> list[Mapping[str, Any]]:
    """Return the alternatives that `schema` stands for, lists opened and references followed."""
    if depth > 20:  # a schema that refers to itself and nothing else
        return []
    if "$ref" in schema:
        target = root.get("$defs", {}).get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
        return _branches(target, root, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return [deep for one in schema[word] for deep in _branches(one, root, depth + 1)]
    if schema.get("type") == "array":
        return _branches(schema.get("items", {}), root, depth + 1)
    return [schema]
