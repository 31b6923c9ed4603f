"""``manage.py triggers_import``: make drafts of a journey and its templates from a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from wagtail.models import Site

from ...exceptions import BundleError
from ...journeys.bundles.gallery import recipes
from ...journeys.bundles.importing import Imported, install
from ...journeys.bundles.schema import Bundle, read_bundle
from ...journeys.bundles.survey import Choice, Survey
from ...journeys.bundles.uploaded_json import MAX_BYTES


class Command(BaseCommand):
    """The other end of `triggers_export`; recipes can be made drafts of too."""

    help = "Makes drafts of a journey and its templates from an exported file, or from a recipe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file, --recipe, --site, --existing and --dry-run."""
        parser.add_argument("file", nargs="?", help="the file; - for standard input")
        parser.add_argument("--recipe", metavar="NAME", help="a recipe instead of a file")
        parser.add_argument(
            "--site", metavar="HOST", help="the site's host name, with :port if it is not 80"
        )
        parser.add_argument(
            "--existing",
            choices=("reuse", "copy"),
            help="what becomes of templates that are there (default: reuse the same ones)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be made and what is missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is missing, and import."""
        try:
            survey = Survey(_bundle(options["file"], options["recipe"]), _site(options["site"]))
            self._tell(survey)
            if not options["dry_run"]:
                wanted: Choice | None = options["existing"]
                keys = [part.key for part in survey.bundle.templates]
                made = install(survey, choices=dict.fromkeys(keys, wanted) if wanted else None)
                self._done(made)
        except BundleError as error:
            raise CommandError(str(error)) from error

    def _tell(self, survey: Survey) -> None:
        for one in survey.templates:
            languages = ", ".join(landing.locale.language_code for landing in one.landings)
            state = "" if not one.exists else " (there, the same)" if one.is_same else " (there)"
            self.stdout.write(f"template  {one.name} [{languages}]{state}")
        for topic in survey.new_topics:
            self.stdout.write(f"topic     {topic.slug} ({topic.consent})")
        for language in survey.left_out:
            self.stdout.write(f"left out  {language}: the site has no such locale")
        for missing in survey.missing:
            self.stdout.write(
                self.style.WARNING(f"missing   {missing.what} {missing.fix}".rstrip())
            )

    def _done(self, made: Imported) -> None:
        self.stdout.write(
            f"{made.journey.name}: a draft, with {len(made.templates)} templates; "
            f"uid {made.journey.uid}"
        )


def _bundle(file: str | None, recipe: str | None) -> Bundle:
    if (file is None) == (recipe is None):
        raise CommandError("Name a file (- for standard input), or give --recipe NAME.")
    if recipe is not None:
        known = {one.identifier: one for one in recipes()}
        if recipe not in known:
            raise CommandError(f"There is no recipe “{recipe}”. There are: {', '.join(known)}.")
        return known[recipe].bundle
    assert file is not None  # noqa: S101 - see above
    if file == "-":
        return read_bundle(sys.stdin.buffer.read(MAX_BYTES + 1))
    try:
        with Path(file).open("rb") as opened:
            return read_bundle(opened.read(MAX_BYTES + 1))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


def _site(host: str | None) -> Site:
    if host is None:
        found = Site.objects.filter(is_default_site=True).first()
        if found is None:
            raise CommandError("There is no default site. Name one: --site HOST.")
        return found
    name, _colon, port = host.partition(":")
    rows = Site.objects.filter(hostname=name)
    if port.isdecimal():
        rows = rows.filter(port=int(port))
    if len(rows) != 1:
        known = ", ".join(f"{row.hostname}:{row.port}" for row in Site.objects.order_by("pk"))
        raise CommandError(f"“{host}” is not exactly one site. There are: {known}.")
    return rows[0]
