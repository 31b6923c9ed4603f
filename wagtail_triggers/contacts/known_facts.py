"""Which facts there are about people, and of which kind: the built-in and the declared ones."""

from __future__ import annotations

from collections.abc import Mapping

#: Facts that every contact has, with their kind, for conditions and for checking templates.
BUILT_IN: Mapping[str, str] = {
    "first_name": "text",
    "last_name": "text",
    "name": "text",
    "email": "text",
    "phone": "text",
    "language": "text",
    "time_zone": "text",
    "birthday": "date",
    "last_seen_at": "datetime",
    "last_order_at": "datetime",
    "orders_count": "number",
    "spent": "number",
    "currency": "text",
    "tags": "list",
    "score": "number",
}

_declared: dict[str, str] = {}


def declare_fact(name: str, kind: str) -> None:
    """Declare a fact of the host's own, so that conditions and templates may use it.

    Args:
        name: Its name, as `Who.facts` carries it.
        kind: `text`, `number`, `date`, `datetime` or `yes_no`.

    Raises:
        ValueError: The kind is none of these, or the name is one of the built-in facts.
    """
    kinds = ("text", "number", "date", "datetime", "yes_no")
    if kind not in kinds:
        raise ValueError(f"{kind!r} is no kind of fact; choose one of {', '.join(kinds)}.")
    if name in BUILT_IN:
        raise ValueError(f"{name!r} is a built-in fact; choose another name.")
    _declared[name] = kind


def known_facts() -> dict[str, str]:
    """Every fact with its kind: the built-in ones and those that hosts declared."""
    return {**BUILT_IN, **_declared}
