"""Update many rows with values of their own in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from .columns import column_of, field_of


def update_rows(model: type[Model], rows: Sequence[Model], fields: Sequence[str]) -> int:
    """Write `fields` of every row; like `bulk_update`, at several times its speed on PostgreSQL.

    `bulk_update` builds a CASE over all rows for every field; here each field is one array.

    Args:
        model: The rows' model.
        rows: Saved rows, whose primary key is `id`.
        fields: Names of fields to write.

    Returns:
        How many rows were changed.
    """
    if not rows:
        return 0
    if connection.vendor != "postgresql":
        return model._base_manager.bulk_update(list(rows), fields, batch_size=200)
    columns = [field_of(model, name) for name in fields]
    quote = connection.ops.quote_name
    types = [
        (field.rel_db_type(connection) if field.is_relation else field.db_type(connection))
        for field in columns
    ]
    params: list[Any] = [[row.pk for row in rows]]
    params += [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
        for field in columns
    ]
    names = ", ".join(["id", *(f"v{number}" for number in range(len(columns)))])
    arrays = ", ".join(["%s::bigint[]", *(f"%s::{kind}[]" for kind in types)])
    sets = ", ".join(f"{quote(column_of(model, name))} = new.v{n}" for n, name in enumerate(fields))
    table = quote(model._meta.db_table)
    sql = (
        # S608: table, columns and types come from the model; every value is a parameter.
        f"UPDATE {table} AS row SET {sets} "  # noqa: S608
        f"FROM unnest({arrays}) AS new({names}) WHERE row.id = new.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
