"""`manage.py triggers_recompile`: bring a new look to the templates that are live."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from wagtail.models import Site

from ...messages.recompile import recompile, standing


class Command(BaseCommand):
    """Compiles every live template again."""

    help = (
        "Compile every live message template again, with the site's present look. Templates whose "
        "result is the same keep their version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--site` and `--dry-run`."""
        parser.add_argument("--site", help="A site's host name; without it, every site.")
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compile, and print one line per site.

        Raises:
            CommandError: There is no such site, or a template cannot be compiled.
        """
        sites = Site.objects.all()
        if options["site"]:
            sites = sites.filter(hostname=options["site"])
            if not sites:
                raise CommandError(
                    f"There is no site {options['site']!r}. Name one of: "
                    f"{', '.join(Site.objects.values_list('hostname', flat=True))}."
                )
        broken = 0
        for site in sites:
            now = standing(site)
            if options["dry_run"]:
                self.stdout.write(f"{site}: live={now.live} outdated={now.outdated}")
                continue
            outcomes = list(recompile(site))
            for one in outcomes:
                if one.problem:
                    self.stderr.write(f"{one.template}: {one.problem}")
            broken += sum(bool(one.problem) for one in outcomes)
            changed = sum(one.changed for one in outcomes)
            self.stdout.write(f"{site}: live={now.live} new_versions={changed} faulty={broken}")
        if broken:
            raise CommandError(f"{broken} templates keep the version they had. Put them right.")
