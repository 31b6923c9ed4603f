"""The WSGI application of the shop."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from .celery import app as celery_app

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_site.settings")

application = get_wsgi_application()

__all__ = ["application", "celery_app"]
