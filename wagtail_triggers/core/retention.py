"""Which tables are kept for how long. Each room registers its own; the engine sweeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Model, QuerySet

from ..conf import settings
from ..exceptions import ConfigurationError
from .registry import Registry

#: Narrows rows that are old enough to those that may really go: given the rows and the moment
#: before which they count as old. It must be a condition in SQL, with `Exists` instead of joins.
MayGo = Callable[["QuerySet[Any]", datetime], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that forgets.

    Attributes:
        name: Its key in `WAGTAIL_TRIGGERS_RETENTION`.
        model: The rows.
        time: The field that says how old a row is.
        days: How long it is kept where the setting says nothing; None is for ever.
        may_go: Which of the old rows may go; what is alive never does.
        grows: Whether `time` grows with the primary key, so that a walk over the keys may stop at
            the first rows that are young. It needs no index on `time` then.
        blank: Fields to empty, with what; the row itself stays. Without it the row is deleted.
    """

    name: str
    model: type[Model]
    time: str
    days: int | None
    may_go: MayGo
    grows: bool = True
    blank: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keep(self) -> timedelta | None:
        """How long rows are kept; None is for ever.

        Raises:
            ConfigurationError: The setting holds something else than days, a timedelta or None.
        """
        value = settings.RETENTION.get(self.name, self.days)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = timedelta(days=value)
        if not isinstance(value, timedelta) or value <= timedelta(0):
            raise ConfigurationError(
                f"WAGTAIL_TRIGGERS_RETENTION[{self.name!r}] is {value!r}. Give a number of days, a "
                "timedelta, or None to keep it for ever."
            )
        return value


tables: Final[Registry[Table]] = Registry("table with a retention")


def register_table(table: Table) -> Table:
    """Add a table; raises RegistrationError where its name is taken."""
    return tables.register(table.name)(table)


def problems() -> list[str]:
    """What is wrong with the setting, in sentences; nothing where all is well."""
    found = []
    for name in settings.RETENTION:
        if name not in tables:
            known = ", ".join(sorted(tables.all()))
            found.append(f"WAGTAIL_TRIGGERS_RETENTION names {name!r}; it may name {known}.")
    for table in tables.all().values():
        try:
            _checked = table.keep
        except ConfigurationError as error:
            found.append(str(error))
    return found
