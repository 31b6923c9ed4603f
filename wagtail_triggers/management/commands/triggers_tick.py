"""`manage.py triggers_tick`: do everything that is due, in this process."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...analytics import rollups, step_numbers
from ...engine.scheduler import work_through


class Command(BaseCommand):
    """For hosts without Celery's beat: call it every minute from cron, or let it loop."""

    help = "Routes, runs and sends what is due. Without --loop it ends when nothing is left."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --seconds and --loop."""
        parser.add_argument(
            "--seconds", type=float, default=50.0, help="Stop after this time (default: 50)."
        )
        parser.add_argument(
            "--loop", type=float, metavar="SECONDS", help="Start again every so many seconds."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work, once or for ever."""
        while True:
            done = work_through(seconds=options["seconds"])
            rollups.refresh()
            step_numbers.refresh()
            if done.total or options["verbosity"] > 1:
                self.stdout.write(
                    f"{done.events} events routed, {done.carts} carts looked at, "
                    f"{done.runs} runs moved, {done.messages} messages handled"
                )
            if options["loop"] is None:
                return
            time.sleep(options["loop"])
