"""`manage.py triggers_doctor`: what is wrong, in one screen."""

from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandParser

from ...engine.health import Finding, findings


class Command(BaseCommand):
    """Looks at broker, beat, sender, queues and stuck rows; exits 1 if anything is amiss."""

    help = "Says what is wrong with journeys, workers and settings, and how to mend it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --no-broker."""
        parser.add_argument("--no-broker", action="store_true", help="Do not reach for the broker.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding, the bad ones with what to do."""
        found = findings(with_broker=not options["no_broker"])
        messages = [one for one in run_checks(tags=["wagtail_triggers"]) if not one.is_silenced()]
        found += [
            Finding(str(message.id), False, f"{message.msg} {message.hint or ''}".strip())
            for message in messages
        ] or [Finding("Settings", True, "No complaint.")]
        width = max(len(finding.topic) for finding in found)
        for finding in found:
            mark = self.style.SUCCESS("ok ") if finding.ok else self.style.ERROR("BAD")
            self.stdout.write(f"{mark} {finding.topic:<{width}}  {finding.text}")
        if not all(finding.ok for finding in found):
            raise SystemExit(1)
