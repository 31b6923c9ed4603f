"""The Celery app of the shop: what any project that uses Celery already has."""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

# A real shop has Redis here, and not this line: see `broker.py` for what it mends.
TRANSPORT_ALIASES["filesystem"] = "example_site.broker:Transport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_site.settings")

app = Celery("example_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
