"""`manage.py triggers_token create | list | rotate | revoke`: keys of the HTTP API."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...core import clock
from ...rest.models import ApiToken, Scope
from ...rest.tokens import create, rotate


class Command(BaseCommand):
    """Makes, lists, replaces and ends tokens. A secret is printed once."""

    help = "Make, list, replace and revoke tokens of the HTTP API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("create", help="make a token")
        make.add_argument("name", help="who uses it")
        make.add_argument(
            "--scope", action="append", required=True, choices=Scope.values, help="what it may do"
        )
        make.add_argument("--site", type=int, help="Wagtail's id of the site; else the default one")
        make.add_argument("--days", type=int, help="ends after so many days; else never")
        actions.add_parser("list", help="list tokens, without their secrets")
        swap = actions.add_parser("rotate", help="make a second one; the first ends in a week")
        swap.add_argument("id", type=int)
        end = actions.add_parser("revoke", help="end one at once")
        end.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        getattr(self, f"_{options['action']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        ends = clock.now() + timedelta(days=options["days"]) if options["days"] else None
        row, secret = create(
            options["name"], options["scope"], site=options["site"], expires_at=ends
        )
        self._show(row, secret)

    def _list(self, options: dict[str, Any]) -> None:
        for row in ApiToken.objects.all():
            ends = f", ends {row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else ""
            self.stdout.write(f"{row.pk}  {row.name}  {', '.join(row.scopes)}{ends}")

    def _rotate(self, options: dict[str, Any]) -> None:
        row, secret = rotate(self._row(options))
        self._show(row, secret)

    def _revoke(self, options: dict[str, Any]) -> None:
        row = self._row(options)
        row.delete()
        self.stdout.write(f"{row.name} may do nothing any more.")

    def _row(self, options: dict[str, Any]) -> ApiToken:
        row = ApiToken.objects.filter(pk=options["id"]).first()
        if row is None:
            raise CommandError("There is no such token. `triggers_token list` shows them.")
        return row

    def _show(self, row: ApiToken, secret: str) -> None:
        self.stderr.write(f"{row.name}: {', '.join(row.scopes)}. This is shown once:")
        self.stdout.write(secret)
