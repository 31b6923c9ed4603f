"""``manage.py demo_sink``: run the mail sink until it is told to stop."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from ...inbox import folder
from ...sink import open_sink


class Command(BaseCommand):
    help = "Runs an SMTP server on 127.0.0.1 that keeps every mail for the inbox page."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        controller = open_sink(folder(), settings.SINK_PORT)
        self.stdout.write(f"Sink on 127.0.0.1:{settings.SINK_PORT}, into {folder()}")
        stop.wait()
        controller.stop()
