"""`manage.py triggers_erase`: forget a person, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...contacts import erasures
from ...contacts.identities import KINDS, Who
from ...core.sites import site_id
from ...exceptions import InvalidEvent

#: How long the command itself goes on; a worker finishes what takes longer.
SECONDS = 600.0


class Command(BaseCommand):
    """For a request that came by letter. It cannot be undone, so it asks."""

    help = "Erases a person: ends their runs, cancels what waits, empties what tells who they were."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the person, --site and --no-input."""
        parser.add_argument(
            "who",
            nargs="+",
            metavar="WHO",
            help=f"an address, or KIND:VALUE with a kind of {', '.join(KINDS)}; several for one "
            "person",
        )
        parser.add_argument("--site", type=int, help="Id of the site (default: the default site).")
        parser.add_argument(
            "--no-input", action="store_false", dest="interactive", help="Do not ask."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what will happen, ask, do it, and say what was removed from each table."""
        who, site = _who(options["who"]), site_id(options["site"])
        found = erasures.find(who.as_json(), site)
        outlook = erasures.outlook(found, site)
        if not outlook.contacts:
            self.stdout.write("Nobody is known by this. The address would be suppressed.")
        else:
            self.stdout.write(f"{len(outlook.contacts)} contact(s) would be erased, for good:")
            self._tell(outlook.rows)
        if options["interactive"] and input("Erase? Type “yes”: ").strip().lower() != "yes":
            raise CommandError("Nothing was erased.")
        done = erasures.carry_out(erasures.request(who, site).pk, seconds=SECONDS)
        if done.done_at is None and done.stopped_at is None:
            raise CommandError(
                f"It could not be begun ({done.problem}). Erasure {done.public_id} is tried again "
                "by a worker; its log says more."
            )
        self.stdout.write(f"Erasure {done.public_id}:")
        self._tell(done.removed)
        if done.done_at is None:
            self.stdout.write(
                "Nothing is sent to them any more. A message is just being handed over; a worker, "
                "or `manage.py triggers_tick`, goes on once that is settled."
            )

    def _tell(self, rows: dict[str, int]) -> None:
        width = max(map(len, rows), default=0)
        for name, count in sorted(rows.items()):
            self.stdout.write(f"  {name:<{width}}  {count}")


def _who(words: list[str]) -> Who:
    said: dict[str, Any] = {}
    for word in words:
        kind, colon, value = word.partition(":")
        if not colon:
            kind, value = "email", word
        if kind not in KINDS:
            raise CommandError(
                f"{kind!r} is no kind of identity. Write an address, or KIND:VALUE with one of "
                f"{', '.join(KINDS)}, such as user_id:42."
            )
        said[kind] = value
    try:
        return Who.parse(said)
    except InvalidEvent as error:
        raise CommandError(str(error)) from error
