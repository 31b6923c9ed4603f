"""`AnyOf`: one of many keys, as one parameter instead of hundreds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func
from django.db.models.sql.compiler import SQLCompiler


class AnyOf(Func):
    """A condition for `filter`: the value of a field is one of these whole numbers.

    It means what `__in` means. On PostgreSQL the keys are one array, so that neither Django nor
    psycopg nor PostgreSQL has to look at hundreds of parameters in each of a batch's statements.
    """

    conditional = True
    output_field = BooleanField()

    def __init__(self, name: str, keys: Collection[int]) -> None:
        super().__init__(F(name))
        self.keys = keys

    def as_sql(  # type: ignore[override]  # there is nothing else to say about it
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any
    ) -> tuple[str, list[Any]]:
        """Write `field IN (…)`."""
        if not self.keys:
            raise EmptyResultSet
        column, params = compiler.compile(self.get_source_expressions()[0])
        marks = ", ".join(["%s"] * len(self.keys))
        return f"{column} IN ({marks})", [*params, *self.keys]

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any
    ) -> tuple[str, list[Any]]:
        """Write `field = ANY(array)`."""
        if not self.keys:
            raise EmptyResultSet
        column, params = compiler.compile(self.get_source_expressions()[0])
        array = "{" + ",".join(map(str, self.keys)) + "}"
        return f"{column} = ANY(%s::bigint[])", [*params, array]
