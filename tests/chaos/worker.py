"""The Celery app of the workers that are killed: `celery -A tests.chaos.worker worker`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"

app = Celery("chaos")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _ready(**_kwargs: Any) -> None:
    from tests.chaos.child import begin  # needs Django, which Celery has set up by now

    begin()
