"""The test project as workers run it: a broker, a beat, several providers, and leases in seconds.

What a run changes (`hurry`, a short lease, a switched-off guard) it sets in the process itself, see
`nursery.py`; here is what all have in common.
"""

from __future__ import annotations

from typing import Any

from tests.settings import *  # noqa: F403 - it is that project, with workers
from wagtail_triggers.conf import TASK_REAP, beat_schedule

_SINK = "tests.chaos.channel.SinkChannel"
#: By what their provider can do. "email" is the one that templates and guards know best.
WAGTAIL_TRIGGERS_CHANNELS = {
    "email": {"BACKEND": _SINK, "OPTIONS": {"mode": "idempotent"}},
    "plain": {"BACKEND": _SINK, "OPTIONS": {"mode": "plain"}},
    "queryable": {"BACKEND": _SINK, "OPTIONS": {"mode": "queryable"}},
}
#: Longer than the channel's hard timeout and the 10 s that a sender keeps in hand.
WAGTAIL_TRIGGERS_LEASE_SECONDS = 13

CELERY_BEAT_SCHEDULE: Any = beat_schedule(tick_seconds=1.0)
for _entry in CELERY_BEAT_SCHEDULE.values():
    if _entry["task"] == TASK_REAP:
        _entry["schedule"] = 2.0
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: For a broker that accepts and never answers.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5}
