"""The test project as workers run it: a broker, a beat, and short leases.

`CHAOS_SINK_PORT` names the sink, `CHAOS_FOLDER` a place for pid files; `CHAOS_NAIVE` plants the
sender that most code has.
"""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403 - it is that project, with workers
from wagtail_triggers.conf import TASK_REAP, beat_schedule

NAIVE = bool(os.environ.get("CHAOS_NAIVE"))
CHAOS_FOLDER = os.environ.get("CHAOS_FOLDER", "")

#: Longer than the channel's hard timeout and the 10 s that a sender keeps in hand.
WAGTAIL_TRIGGERS_LEASE_SECONDS = 13
#: Whoever is killed every second is no poison.
WAGTAIL_TRIGGERS_MAX_TRIES = 10
WAGTAIL_TRIGGERS_CHANNELS = {
    "email": {
        "BACKEND": "tests.chaos.channel.SinkChannel",
        "OPTIONS": {"port": int(os.environ.get("CHAOS_SINK_PORT", "1")), "keyed": not NAIVE},
    }
}

CELERY_BEAT_SCHEDULE = beat_schedule(tick_seconds=1.0)
for _entry in CELERY_BEAT_SCHEDULE.values():
    if _entry["task"] == TASK_REAP:
        _entry["schedule"] = 2.0
CELERY_BEAT_SCHEDULE_FILENAME = f"{CHAOS_FOLDER}/beat"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
