"""The test project with a small shop, a real broker and a real mail server."""

from __future__ import annotations

import os
from typing import Any

import django

from tests.settings import *  # noqa: F403 - a variant of that project
from tests.settings import INSTALLED_APPS as TEST_APPS
from tests.settings import TEMPLATES as TEST_TEMPLATES
from wagtail_triggers.conf import beat_schedule

ROOT_URLCONF = "tests.benchmarks.shop.urls"
INSTALLED_APPS = [*TEST_APPS, "tests.benchmarks.shop"]

#: The letter of the baseline: made from ours, so that both render the same document.
LETTERS = os.environ.get("TRIGGERS_BENCH_LETTERS", "")
_WITH_LETTERS: Any = {**TEST_TEMPLATES[0], "DIRS": [LETTERS] if LETTERS else []}
TEMPLATES = [_WITH_LETTERS]

_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_PORT = int(os.environ.get("TRIGGERS_BENCH_SMTP_PORT", "0"))
if django.VERSION >= (6, 1):
    _LOCAL: Any = {"BACKEND": _SMTP, "OPTIONS": {"host": "127.0.0.1", "port": _PORT}}
    MAILERS = {"default": _LOCAL}
else:
    EMAIL_BACKEND = _SMTP
    EMAIL_HOST, EMAIL_PORT = "127.0.0.1", _PORT

#: Without it the baseline would open a database session for each mail.
CELERY_DB_REUSE_MAX = 1_000
CELERY_BEAT_SCHEDULE = {**beat_schedule()}

if float(os.environ.get("TRIGGERS_BENCH_HANDICAP", "0")):
    WAGTAIL_TRIGGERS_CHANNELS = {
        "email": {"BACKEND": "tests.benchmarks.handicap.SlowEmailChannel"},
    }
