"""``manage.py triggers_export``: write journeys with their templates as files."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from ...exceptions import BundleError
from ...journeys.bundles.exporting import export, file_name
from ...journeys.models import Journey


class Command(BaseCommand):
    """For moving journeys between installations, and for keeping them in version control."""

    help = "Writes a journey, with its templates in all languages, as one JSON file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the journey, --all, --to and --published."""
        parser.add_argument("journey", nargs="?", help="its uid, its id or its name")
        parser.add_argument("--all", action="store_true", help="every journey, each as a file")
        parser.add_argument(
            "--to", metavar="PATH", help="the file, or a folder; otherwise it is printed"
        )
        parser.add_argument(
            "--published", action="store_true", help="as it is in force, not as it was last saved"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what was named."""
        if options["all"] == bool(options["journey"]):
            raise CommandError("Name one journey, or give --all.")
        target = Path(options["to"]) if options["to"] else None
        if options["all"]:
            self._all(target, options["published"])
            return
        journey = _find(options["journey"])
        text = _exported(journey, options["published"])
        if target is None:
            sys.stdout.write(text)
        else:
            self._write(target / file_name(journey) if target.is_dir() else target, text)

    def _all(self, folder: Path | None, published: bool) -> None:
        if folder is None:
            raise CommandError("--all needs a folder: --to PATH.")
        folder.mkdir(parents=True, exist_ok=True)
        names: set[str] = set()
        for journey in Journey.objects.order_by("pk"):
            name = file_name(journey)
            if name in names:
                name = f"{Path(name).stem}-{journey.pk}.json"
            names.add(name)
            self._write(folder / name, _exported(journey, published))

    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{path}: {len(text.encode())} bytes")


def _exported(journey: Journey, published: bool) -> str:
    try:
        return export(journey, published=published)
    except BundleError as error:
        raise CommandError(f"{journey}: {error}") from error


def _find(wanted: str) -> Journey:
    """The journey with this uid, this id or, where only one has it, this name."""
    try:
        found = list(Journey.objects.filter(uid=UUID(wanted)))
    except ValueError:
        found = list(Journey.objects.filter(pk=int(wanted))) if wanted.isdecimal() else []
    found = found or list(Journey.objects.filter(name=wanted))
    if len(found) == 1:
        journey: Journey = found[0]
        return journey
    rows = found or Journey.objects.order_by("name")[:50]
    there = "\n".join(f"  {row.uid}  {row.name}" for row in rows) or "  none"
    why = "Several journeys have" if found else "No journey has"
    raise CommandError(f"{why} the uid, id or name “{wanted}”. There are:\n{there}")
