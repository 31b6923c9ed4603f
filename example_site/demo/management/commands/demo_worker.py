"""``manage.py demo_worker``: one Celery worker with beat inside, on every queue of ours."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from wagtail_triggers.conf import QUEUES


class Command(BaseCommand):
    help = "Runs one Celery worker, with beat inside: enough for a demonstration."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        from example_site.celery import app

        queues = ",".join(["celery", *sorted(set(QUEUES.values()))])
        app.worker_main(
            [
                "worker",
                "--beat",
                f"--schedule={settings.VAR / 'beat-schedule'}",
                f"--queues={queues}",
                "--concurrency=2",
                "--loglevel=INFO",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )
