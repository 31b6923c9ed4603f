"""System checks: what a host must still do, each with the fix as its hint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections
from django.urls import NoReverseMatch, reverse

from .conf import TASK_TICK, settings
from .core import coupons, endpoints, http, retention, shop
from .core.queue import broker
from .engine.jobs.registry import kinds
from .engine.jobs.worker import LONGEST_ATTEMPT
from .exceptions import ConfigurationError
from .messages.channels.base import get_channel
from .messages.policies import rate

_TAG = "wagtail_triggers"


@register(_TAG)
def check_channels(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E001: a channel cannot be built. Channels add checks of their own."""
    found: list[CheckMessage] = []
    try:
        names = list(settings.CHANNELS)
    except ConfigurationError as error:
        return [Error(str(error), id="wagtail_triggers.E001")]
    for name in names:
        try:
            channel = get_channel(name)
        except (ConfigurationError, TypeError) as error:
            found.append(
                Error(
                    f"The channel {name!r} cannot be built: {error}",
                    hint="Correct its BACKEND and OPTIONS in WAGTAIL_TRIGGERS_CHANNELS.",
                    id="wagtail_triggers.E001",
                )
            )
            continue
        found += channel.checks()
        if channel.hard_timeout + 10 > settings.LEASE_SECONDS:
            found.append(
                Error(
                    f"WAGTAIL_TRIGGERS_LEASE_SECONDS is {settings.LEASE_SECONDS}, but an attempt "
                    f"of the channel {name!r} may take {channel.hard_timeout:g} s.",
                    hint=f"Set it to at least {channel.hard_timeout + 11:g}.",
                    id="wagtail_triggers.E002",
                )
            )
    return found


@register(_TAG)
def check_urls(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E003, E004: the unsubscribe link leads nowhere, or nobody knows where."""
    found: list[CheckMessage] = []
    try:
        reverse("wagtail_triggers:unsubscribe", args=["x"])
    except NoReverseMatch:
        found.append(
            Error(
                "The public URLs of wagtail_triggers are not included.",
                hint='Add path("triggers/", include("wagtail_triggers.urls")) to your urlpatterns.',
                id="wagtail_triggers.E003",
            )
        )
    if not settings.base_url.startswith(("http://", "https://")):
        found.append(
            Error(
                "Links in messages need the shop's public address.",
                hint='Set WAGTAILADMIN_BASE_URL (or WAGTAIL_TRIGGERS_BASE_URL) to "https://…".',
                id="wagtail_triggers.E004",
            )
        )
    return found


@register(_TAG)
def check_apps(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E005: without Wagtail's settings app the whole admin fails on our entry in its menu."""
    if apps.is_installed("wagtail.contrib.settings"):
        return []
    return [
        Error(
            "The admin needs wagtail.contrib.settings for Settings > Triggers.",
            hint='Add "wagtail.contrib.settings" to INSTALLED_APPS.',
            id="wagtail_triggers.E005",
        )
    ]


@register(_TAG)
def check_sender(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W001, W002: who writes, and from where."""
    found: list[CheckMessage] = []
    if settings.from_email == "webmaster@localhost":
        found.append(
            Warning(
                "Messages would come from webmaster@localhost.",
                hint="Set DEFAULT_FROM_EMAIL or WAGTAIL_TRIGGERS_FROM_EMAIL to your address.",
                id="wagtail_triggers.W001",
            )
        )
    if not settings.POSTAL_ADDRESS:
        found.append(
            Warning(
                "No postal address: marketing mails cannot be built without one.",
                hint=(
                    "Set WAGTAIL_TRIGGERS_POSTAL_ADDRESS, or fill it in for each site in the "
                    "admin under Settings > Triggers."
                ),
                id="wagtail_triggers.W002",
            )
        )
    return found


@register(_TAG)
def check_celery(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W004 to W006: whether hints will reach a worker, and safely."""
    found: list[CheckMessage] = []
    celery = broker()
    without_celery = not celery.url and settings.NUDGE == "off"
    if not celery.url and not without_celery:
        found.append(
            Warning(
                "Celery has no broker: work starts only when `manage.py triggers_tick` runs.",
                hint=(
                    "Set CELERY_BROKER_URL, and see that your project's Celery app reads it and "
                    'is imported in its __init__.py; or set WAGTAIL_TRIGGERS_NUDGE = "off" and '
                    "call `manage.py triggers_tick` from cron."
                ),
                id="wagtail_triggers.W004",
            )
        )
    # A host that does without Celery has a cron job, which nothing here can see.
    if TASK_TICK not in celery.scheduled and not without_celery:
        found.append(
            Warning(
                "Nothing calls the tick: waits would never end.",
                hint=(
                    "from wagtail_triggers.conf import beat_schedule; "
                    "CELERY_BEAT_SCHEDULE = {**beat_schedule()} and run beat; or call "
                    "`manage.py triggers_tick` every minute."
                ),
                id="wagtail_triggers.W005",
            )
        )
    if celery.accepts - {"json", "application/json"}:
        found.append(
            Warning(
                "The workers accept other serialisers than JSON.",
                hint='Set CELERY_ACCEPT_CONTENT = ["json"]: whoever reaches the broker could run '
                "code otherwise.",
                id="wagtail_triggers.W006",
            )
        )
    return found


@register(_TAG)
def check_database(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W007: SQLite fails at once with "database is locked" unless it is set up for it."""
    found: list[CheckMessage] = []
    connection = connections["default"]
    if connection.vendor != "sqlite":
        return found
    options = django_settings.DATABASES["default"].get("OPTIONS", {})
    if options.get("transaction_mode", "").upper() != "IMMEDIATE" or options.get("timeout", 5) < 20:
        found.append(
            Warning(
                "SQLite would fail with “database is locked” as soon as two processes write.",
                hint=(
                    'Set DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", '
                    '"timeout": 20, "init_command": "PRAGMA journal_mode=WAL;"}. '
                    "Use PostgreSQL for a shop in production."
                ),
                id="wagtail_triggers.W007",
            )
        )
    return found


@register(_TAG)
def check_outside(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E041 to E043: endpoints, coupons and what may be reached."""
    found: list[CheckMessage] = []
    try:
        http.policy()
    except ConfigurationError as error:
        found.append(
            Error(
                str(error),
                hint='Write WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["erp.internal", "10.1.0.0/16"].',
                id="wagtail_triggers.E043",
            )
        )
        return found
    found += [_bad_webhook(error) for error in _faults_of_webhooks()]
    try:
        if settings.COUPONS:
            found += coupons.get_provider().checks()
    except ConfigurationError as error:
        found.append(
            Error(
                f"Coupons cannot be made: {error}",
                hint="Correct BACKEND and OPTIONS in WAGTAIL_TRIGGERS_COUPONS.",
                id="wagtail_triggers.E042",
            )
        )
    return found


@register(_TAG)
def check_jobs(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E044: an attempt of a kind of job may outlive the worker's hold on it."""
    most = min(LONGEST_ATTEMPT, settings.LEASE_SECONDS - 11)
    return [
        Error(
            f"A job of the kind {name!r} may take {kind.longest():g} s, and {most:g} s is the most "
            "that a worker can wait for one.",
            hint="Lower its hard_timeout (that of the provider, for coupons) to 25 or less, and "
            f"set WAGTAIL_TRIGGERS_LEASE_SECONDS to at least {kind.longest() + 11:g}.",
            id="wagtail_triggers.E044",
        )
        for name, kind in kinds.all().items()
        if not kind.by_person and kind.longest() > most
    ]


def _faults_of_webhooks() -> list[ConfigurationError]:
    try:
        names = endpoints.names()
    except ConfigurationError as error:
        return [error]
    found = []
    for name in names:
        try:
            endpoints.get_endpoint(name)
        except ConfigurationError as error:
            found.append(error)
    return found


def _bad_webhook(error: ConfigurationError) -> Error:
    return Error(
        str(error),
        hint='Write WAGTAIL_TRIGGERS_WEBHOOKS = {"erp": {"URL": "https://…", '
        '"SECRET": "whsec_…"}}.',
        id="wagtail_triggers.E041",
    )


@register(_TAG, deploy=True)
def check_hash_keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W008: suppressed addresses are hashed with SECRET_KEY."""
    if settings.HASH_KEYS:
        return []
    return [
        Warning(
            "Suppressed addresses are hashed with SECRET_KEY; dropping it would forget them.",
            hint="Set WAGTAIL_TRIGGERS_HASH_KEYS to a list with one long random string, and keep "
            "the old SECRET_KEY behind it if addresses are suppressed already.",
            id="wagtail_triggers.W008",
        )
    ]


@register(_TAG)
def check_retention(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E006, W009: what is to be forgotten, and too soon."""
    try:
        faults = retention.problems()
    except ConfigurationError as error:
        faults = [str(error)]
    found: list[CheckMessage] = [
        Error(
            fault,
            hint='Write WAGTAIL_TRIGGERS_RETENTION = {"events": 400}, in days; see the reference '
            "of settings.",
            id="wagtail_triggers.E006",
        )
        for fault in faults
    ]
    if not found:
        events = retention.tables.get("events").keep
        if events is not None and events < timedelta(days=396):
            found.append(
                Warning(
                    f"Events are forgotten after {events.days} days.",
                    hint="Keep 13 months (400 days): tests of a journey against the past compare "
                    "with the same season of last year. Silence this if the law asks for less.",
                    id="wagtail_triggers.W009",
                )
            )
    return found


@register(_TAG)
def check_policies(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E051, E052: sending limits, and the shop that is asked whether a message is still true."""
    found: list[CheckMessage] = []
    try:
        rate.catch_up_rate()
        for name in settings.CHANNELS:
            rate.rate_of(name)
    except ConfigurationError as error:
        found.append(
            Error(
                str(error),
                hint='Write {"email": {"BACKEND": "…", "RATE": "600/min"}}.',
                id="wagtail_triggers.E051",
            )
        )
    try:
        shop.get_shop()
    except (ConfigurationError, TypeError) as error:
        found.append(
            Error(
                f"The shop cannot be asked: {error}",
                hint="Correct BACKEND and OPTIONS in WAGTAIL_TRIGGERS_SHOP.",
                id="wagtail_triggers.E052",
            )
        )
    return found
