"""Concrete fields of a model, for the few statements that are written by hand."""

from __future__ import annotations

from typing import Any

from django.db.models import Field, Model


def field_of(model: type[Model], name: str) -> Field[Any, Any]:
    """The concrete field with this name.

    Raises:
        TypeError: It is a relation from elsewhere, and has no column.
    """
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise TypeError(f"{model.__name__}.{name} has no column; name a field of its own.")
    return field


def column_of(model: type[Model], name: str) -> str:
    """The name of a field's column, without quotes."""
    column = field_of(model, name).column
    if column is None:
        raise TypeError(f"{model.__name__}.{name} has no column; name a field of its own.")
    return str(column)
