"""`manage.py triggers_retention`: forget what is old, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...core.retention import tables
from ...engine.retention import sweep


class Command(BaseCommand):
    """For hosts without Celery's beat, for a first sweep, and to see what would go."""

    help = "Deletes what is older than WAGTAIL_TRIGGERS_RETENTION says, in small batches."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --dry-run and --seconds."""
        parser.add_argument("--dry-run", action="store_true", help="Only count.")
        parser.add_argument(
            "--seconds", type=float, default=3_600.0, help="Stop after this time (default: 3600)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep, and say what was done to each table."""
        dry = options["dry_run"]
        for one in sweep(seconds=options["seconds"], dry_run=dry):
            keep, table = one.table.keep, one.table
            what = "emptied" if table.blank else "deleted"
            verb = f"would be {what}" if dry else what
            rest = "" if one.finished else "; there is more"
            days = keep.days if keep else 0
            self.stdout.write(f"{table.name}: {one.rows} {verb} (older than {days} days){rest}")
        for table in tables.all().values():
            if table.keep is None:
                self.stdout.write(f"{table.name}: kept for ever")
