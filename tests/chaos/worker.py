"""The Celery app of the workers that are killed."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.chaos.settings")

app = Celery("chaos")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _ready(**_kwargs: Any) -> None:
    from tests.chaos.nursery import child_is_ready  # needs Django, which is set up by now

    child_is_ready()
