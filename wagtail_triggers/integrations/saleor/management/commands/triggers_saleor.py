"""`manage.py triggers_saleor manifest | check | reconcile`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from .....exceptions import TriggersError
from ...client import app_id, client_of
from ...configuration import InstanceSettings, configuration
from ...keys import keys_of
from ...models import Delivery, Instance, Outcome
from ...reconcile import reconcile_all
from ...vault import unseal


class Command(BaseCommand):
    """Prints the manifest's address, tries the connection, takes in what was not delivered."""

    help = (
        "manifest: the address to give to Saleor's dashboard. check: whether each instance is "
        "installed and answers. reconcile: take in what Saleor could not deliver."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one argument."""
        parser.add_argument("action", choices=("manifest", "check", "reconcile"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        try:
            {"manifest": self._manifest, "check": self._check, "reconcile": self._reconcile}[
                options["action"]
            ]()
        except TriggersError as error:
            raise CommandError(str(error)) from error

    def _manifest(self) -> None:
        base = configuration().base_url
        if not base:
            raise CommandError("The project has no public address: set WAGTAIL_TRIGGERS_BASE_URL.")
        self.stdout.write(base + reverse("wagtail_triggers_saleor:manifest"))

    def _check(self) -> None:
        instances = configuration().instances.values()
        if not instances:
            raise CommandError("INSTANCES of WAGTAIL_TRIGGERS_SALEOR is empty.")
        faults = [words for one in instances if (words := self._fault(one))]
        if faults:
            raise CommandError("\n".join(faults))

    def _fault(self, known: InstanceSettings) -> str:
        """What is wrong with an instance, or ""; prints what is right."""
        row = Instance.objects.filter(api_url=known.api_url, removed_at=None).first()
        if row is None:
            return (
                f"{known.api_url}: not installed. Give the address that `triggers_saleor manifest` "
                "prints to its dashboard, under Extensions > Install from manifest."
            )
        try:
            client_of(row)
            found = app_id(known.api_url, unseal(row.token))
            keys = keys_of(row, known)
        except TriggersError as error:
            return f"{known.api_url}: {error}"
        if found is None:
            return f"{known.api_url}: the token is not known there. Install the app again."
        unread = Delivery.objects.filter(instance=row, outcome=Outcome.FAILED).count()
        self.stdout.write(
            f"{known.api_url}: installed as {found}, {len(keys.keys)} public keys, "
            f"{unread} deliveries that could not be read"
        )
        return ""

    def _reconcile(self) -> None:
        for url, count in reconcile_all().items():
            self.stdout.write(
                f"{url}: {count.recorded} recorded, {count.ignored} of no interest or known, "
                f"{count.failed} unreadable, {count.too_old} too old"
            )
