"""The demo clock: the database's clock, moved on by an offset that everybody reads."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import DateTimeField, Expression, Value

from wagtail_triggers.core.clock import DatabaseClock


class DemoClock(DatabaseClock):
    """Time as the database says it, plus the offset of the demo bar.

    The offset is one row, so that web, worker and beat see the same time. The clock of the system
    is never touched.
    """

    def read(self) -> datetime:
        """Return the shown moment, aware, in UTC."""
        return super().read() + self._offset()

    def expression(self) -> Expression | Value:
        """Return the shown moment as an SQL value."""
        return Value(self.read(), output_field=DateTimeField())

    def _offset(self) -> timedelta:
        from .demo.models import ClockOffset

        return ClockOffset.current()
