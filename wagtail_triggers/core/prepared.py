"""Statements that PostgreSQL prepares once per connection, for the few that are run all the time.

Planning an INSERT with two look-ups takes PostgreSQL as long as carrying it out; planning the
guards, ten times as long. They are prepared by SQL and not by psycopg, because Django's cursors
bind their parameters themselves, and because an `EXECUTE` can travel in one piece with other
statements.

A pooler in transaction mode hands out another connection for each transaction: what was prepared on
one is not known to the next (`FORGOTTEN`). Whoever executes a prepared statement must be able to go
another way then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper

#: No such prepared statement; there is one already; it was planned for another table. A pooler that
#: hands out another connection for each transaction does the first two.
FORGOTTEN: Final = frozenset({"26000", "42P05", "0A000"})

#: A piece of SQL with the parameters of its markers.
Sql = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Prepared:
    """A statement to prepare. Its name is made from its text, so that it can mean nothing else.

    Attributes:
        text: What follows the name in `PREPARE`, with `$1` and so on.
        params: Of markers in the text itself.
    """

    text: str
    params: Sequence[Any] = ()

    @cached_property
    def name(self) -> str:
        """The same for the same statement, in every process."""
        whole = f"{self.text} {self.params!r}".encode()
        return f"wt_{hashlib.sha256(whole).hexdigest()[:24]}"

    @property
    def preparation(self) -> Sql:
        """The SQL that prepares it."""
        return f"PREPARE {self.name} {self.text}", self.params

    def call(self, *arguments: Sql) -> Sql:
        """The SQL that executes it."""
        marks = ", ".join(sql for sql, _params in arguments)
        return f"EXECUTE {self.name}({marks})", [one for _sql, own in arguments for one in own]


#: Names of what is prepared on a connection.
_known: Final[WeakKeyDictionary[Any, set[str]]] = WeakKeyDictionary()


def known_on(connection: BaseDatabaseWrapper) -> set[str]:
    """Names of what is prepared on the present connection, to look at and to add to."""
    connection.ensure_connection()
    return _known.setdefault(connection.connection, set())


def takes_several(connection: BaseDatabaseWrapper) -> bool:
    """Whether the database takes prepared statements, and several statements in one piece."""
    if connection.vendor != "postgresql":
        return False
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    # With parameters bound by the server each statement travels alone. Django wants the second
    # wherever there is a pooler in transaction mode.
    own = connection.settings_dict
    alone = own["OPTIONS"].get("server_side_binding") or own.get("DISABLE_SERVER_SIDE_CURSORS")
    return is_psycopg3 and not alone


def is_forgotten(error: BaseException) -> bool:
    """Whether this database error means that a prepared statement is not there, or unusable."""
    return getattr(error.__cause__, "sqlstate", None) in FORGOTTEN
