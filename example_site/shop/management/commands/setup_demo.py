"""``manage.py setup_demo``: fill an empty shop. Running it again changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from wagtail.models import Site

from ...setup import catalogue, journeys, people


class Command(BaseCommand):
    help = "Fills the shop: catalogue, pictures, logins, letters and journeys. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            people.set_up()
            catalogue.set_up(self.stdout.write)
            journeys.set_up(Site.objects.get(is_default_site=True))
        self.stdout.write("The shop is ready.")
