"""Typed, lazy settings, all prefixed `WAGTAIL_TRIGGERS_`.

Read them as attributes of `settings`, at the moment of use, so that `override_settings` works::

    from wagtail_triggers.conf import settings
    settings.CART_IDLE_MINUTES
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from .exceptions import ConfigurationError

T = TypeVar("T")

PREFIX: Final = "WAGTAIL_TRIGGERS_"

#: Task names are an API: hosts route queues by them.
TASK_TICK: Final = "wagtail_triggers.tick"
TASK_ROUTE: Final = "wagtail_triggers.route"
TASK_RUN: Final = "wagtail_triggers.run"
TASK_SEND_TRANSACTIONAL: Final = "wagtail_triggers.send_transactional"
TASK_SEND_BULK: Final = "wagtail_triggers.send_bulk"
TASK_REAP: Final = "wagtail_triggers.reap"
TASK_LIFECYCLE: Final = "wagtail_triggers.lifecycle"
TASK_JOBS: Final = "wagtail_triggers.jobs"
TASK_RETENTION: Final = "wagtail_triggers.retention"

QUEUES: Final[Mapping[str, str]] = {
    TASK_TICK: "triggers-route",
    TASK_ROUTE: "triggers-route",
    TASK_RUN: "triggers-run",
    TASK_REAP: "triggers-run",
    TASK_LIFECYCLE: "triggers-run",
    TASK_JOBS: "triggers-jobs",
    TASK_RETENTION: "triggers-run",
    TASK_SEND_TRANSACTIONAL: "triggers-send-transactional",
    TASK_SEND_BULK: "triggers-send-bulk",
}


class _Setting(Generic[T]):
    """One setting: its default and the type that a value must have."""

    def __init__(self, default: T, kind: type[T]) -> None:
        self.default = default
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = PREFIX + name

    def __get__(self, instance: object, owner: type) -> T:
        value = getattr(django_settings, self.name, self.default)
        if isinstance(value, tuple) and self.kind is list:
            value = list(value)
        if not isinstance(value, self.kind):
            wanted = self.kind.__name__
            raise ConfigurationError(
                f"{self.name} must be {wanted}, not {type(value).__name__} ({value!r})."
            )
        return value


class Settings:
    """Every setting of wagtail_triggers, with its default."""

    #: Channels by name: `{"email": {"BACKEND": "dotted.path", "OPTIONS": {...}}}`.
    CHANNELS: _Setting[dict[str, Any]] = _Setting(
        {"email": {"BACKEND": "wagtail_triggers.messages.channels.email.EmailChannel"}}, dict
    )
    #: Where the clock comes from: `{"BACKEND": "dotted.path", "OPTIONS": {...}}`.
    CLOCK: _Setting[dict[str, Any]] = _Setting(
        {"BACKEND": "wagtail_triggers.core.clock.DatabaseClock"}, dict
    )
    #: The sender of mails; falls back to `DEFAULT_FROM_EMAIL`.
    FROM_EMAIL = _Setting("", str)
    #: Where answers to mails go; empty: to the sender.
    REPLY_TO = _Setting("", str)
    #: The sender's postal address, which every marketing mail must show (CAN-SPAM, CASL).
    POSTAL_ADDRESS = _Setting("", str)
    #: Public address of the shop, for links in messages; falls back to `WAGTAILADMIN_BASE_URL`.
    BASE_URL = _Setting("", str)
    #: A cart that was not touched for this many minutes counts as abandoned.
    CART_IDLE_MINUTES = _Setting(60, int)
    #: Seeds the keyed hash of suppressed addresses. Never change it without keeping the old value
    #: behind the new one: a list, newest first. Falls back to `SECRET_KEY` and its fallbacks.
    HASH_KEYS: _Setting[list[str]] = _Setting([], list)
    #: How a worker is told of new work: "thread" (after commit, from a background thread),
    #: "inline" (after commit, in the caller) or "off" (the periodic tick finds it).
    NUDGE = _Setting("thread", str)
    #: Rows that one batch claims.
    BATCH_SIZE = _Setting(200, int)
    #: How long a sender may hold a message, in seconds. Must exceed a channel's hard timeout + 10.
    LEASE_SECONDS = _Setting(90, int)
    #: Who is asked about carts, orders, prices and stock just before a message leaves:
    #: `{"BACKEND": "dotted.path", "OPTIONS": {...}}`; empty: what events said is believed.
    SHOP: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: How fast marketing that is overdue leaves after an outage, through each channel: a number and
    #: a unit ("s", "min", "h", "day"); empty for no limit.
    CATCH_UP_RATE = _Setting("600/min", str)
    #: How many times a run, an event or a message may fail before it is parked.
    MAX_TRIES = _Setting(3, int)
    #: Overdue runs and messages that are let go in a minute, once a journey or a site goes on.
    RESUME_PER_MINUTE = _Setting(600, int)
    #: Whom to mail when a journey has paused itself; empty: the admin's start page says it.
    ALERT_EMAILS: _Setting[list[str]] = _Setting([], list)
    #: Endpoints that journeys may call, by the name that editors choose:
    #: `{"erp": {"URL": "https://…", "SECRET": "whsec_…"}}`.
    WEBHOOKS: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: Where coupons are made: `{"BACKEND": "dotted.path", "OPTIONS": {...}}`; empty: nowhere.
    COUPONS: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: Hosts (`"erp.internal"`) and networks (`"10.1.0.0/16"`) that webhooks may reach although they
    #: are not public; plain http and any port are allowed there too.
    EGRESS_ALLOW: _Setting[list[str]] = _Setting([], list)
    #: Dotted path of a function that gets the request and says whether the visitor's cookie may be
    #: set; empty: yes, unless the browser asks not to be tracked.
    VISITOR_CONSENT = _Setting("", str)
    #: Events and requests that one API token may make in a minute.
    API_PER_MINUTE = _Setting(6_000, int)
    #: Systems that send events with a Standard Webhooks signature, by name:
    #: `{"erp": {"SECRET": "whsec_…"}}`; a list of secrets while one is replaced.
    SOURCES: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: Origins of storefronts elsewhere that may send what their visitors do:
    #: `["https://store.example"]`. Pages of this project always may.
    STOREFRONT_ORIGINS: _Setting[list[str]] = _Setting([], list)
    #: Whether the middleware records each page that a visitor opens, without JavaScript.
    PAGE_VIEWS = _Setting(False, bool)
    #: What orders, shipping and payments of django-oscar are called in your project; for the
    #: adapter `wagtail_triggers.integrations.oscar`.
    OSCAR: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: Currency, statuses and addresses of a Salesman shop; for the adapter
    #: `wagtail_triggers.integrations.salesman`.
    SALESMAN: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: Saleor instances that may install the app, and the keys that encrypt their tokens; for the
    #: adapter `wagtail_triggers.integrations.saleor`.
    SALEOR: _Setting[dict[str, Any]] = _Setting({}, dict)
    #: Where test messages may go besides the address of whoever sends them: addresses
    #: (`"qa@example.com"`) and whole domains (`"*@example.com"`).
    TEST_ADDRESSES: _Setting[list[str]] = _Setting([], list)
    #: Test messages that one user may send within an hour.
    TESTS_PER_HOUR = _Setting(20, int)
    #: How long rows are kept, by table: a number of days, a timedelta, or None for ever. What is
    #: not named keeps its default.
    RETENTION: _Setting[dict[str, Any]] = _Setting({}, dict)

    @property
    def from_email(self) -> str:
        """The sender of mails, with the fallback applied."""
        return str(self.FROM_EMAIL or django_settings.DEFAULT_FROM_EMAIL)

    @property
    def base_url(self) -> str:
        """The shop's public address without a trailing slash, or "" where none is set."""
        url = self.BASE_URL or getattr(django_settings, "WAGTAILADMIN_BASE_URL", "") or ""
        return str(url).rstrip("/")

    @property
    def hash_keys(self) -> list[str]:
        """Keys for the suppression hash, newest first; never empty."""
        fallbacks = getattr(django_settings, "SECRET_KEY_FALLBACKS", [])
        return [str(key) for key in (self.HASH_KEYS or [django_settings.SECRET_KEY, *fallbacks])]

    @property
    def lease(self) -> timedelta:
        """How long a sender may hold a message."""
        return timedelta(seconds=self.LEASE_SECONDS)


settings: Final = Settings()


def load_backend(spec: Any, *, setting: str) -> Any:
    """Build the object that a `{"BACKEND": …, "OPTIONS": {…}}` setting names.

    Args:
        spec: The setting's value.
        setting: The setting's name, for errors.

    Raises:
        ConfigurationError: The value has another shape, or the class cannot be imported.
    """
    if not isinstance(spec, Mapping) or "BACKEND" not in spec:
        raise ConfigurationError(
            f'{setting} must look like {{"BACKEND": "dotted.path.Class", "OPTIONS": {{}}}}.'
        )
    try:
        factory = import_string(spec["BACKEND"])
    except ImportError as error:
        raise ConfigurationError(
            f"{setting} names {spec['BACKEND']!r}, which cannot be imported: {error}. "
            "Check the spelling and that the package is installed."
        ) from error
    return factory(**spec.get("OPTIONS", {}))


def beat_schedule(*, tick_seconds: float = 5.0) -> dict[str, dict[str, Any]]:
    """Entries for Celery's `beat_schedule`: the tick, the reaper and retention.

    Args:
        tick_seconds: How often due work is looked for, in seconds. Nudges make most work start
            earlier; this bounds the delay when a nudge was lost.

    Returns:
        A mapping to merge into your own schedule:
        `CELERY_BEAT_SCHEDULE = {**beat_schedule(), ...}`.
    """
    return {
        "wagtail-triggers-tick": {
            "task": TASK_TICK,
            "schedule": tick_seconds,
            "options": {"queue": QUEUES[TASK_TICK], "expires": 60},
        },
        "wagtail-triggers-reap": {
            "task": TASK_REAP,
            "schedule": 30.0,
            "options": {"queue": QUEUES[TASK_REAP], "expires": 60},
        },
        # Not once a day: a beat that is restarted each night counts its day anew each time.
        "wagtail-triggers-retention": {
            "task": TASK_RETENTION,
            "schedule": 600.0,
            "options": {"queue": QUEUES[TASK_RETENTION], "expires": 300},
        },
    }
