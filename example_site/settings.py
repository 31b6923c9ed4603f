"""Settings of the shop. Everything that changes from run to run comes from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django

from wagtail_triggers.conf import QUEUES, beat_schedule

HERE = Path(__file__).resolve().parent
#: Whatever the shop writes lies here: database, pictures, mails, broker, logs.
VAR = Path(os.environ.get("EXAMPLE_SITE_VAR", HERE / "var"))
SHOP_URL = os.environ.get("EXAMPLE_SITE_URL", "http://127.0.0.1:8000").rstrip("/")

# The shop listens on the loopback interface alone and holds nothing but invented customers.
SECRET_KEY = os.environ.get(
    "EXAMPLE_SITE_SECRET_KEY", "a-demonstration-keeps-no-secrets-0123456789"
)
DEBUG = os.environ.get("EXAMPLE_SITE_DEBUG", "") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]

INSTALLED_APPS = [
    "example_site.shop",
    "example_site.demo",
    "wagtail_triggers",
    "salesman.core",
    "salesman.basket",
    "salesman.checkout",
    "salesman.orders",
    "rest_framework",
    "wagtail.contrib.settings",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "example_site.shop.visitors.VisitorMiddleware",
]

ROOT_URLCONF = "example_site.urls"
WSGI_APPLICATION = "example_site.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "example_site.shop.context.shop",
                "example_site.demo.context.demo",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "shop.sqlite3",
        # A deferred read-then-write fails at once with "database is locked", whatever the timeout.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
# What the migrations of django-salesman-plus were written with; our own apps name theirs.
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

LANGUAGE_CODE = "en-ie"
TIME_ZONE = "Europe/Dublin"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "media/"
MEDIA_ROOT = VAR / "media"

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "account:sign_in"
LOGIN_REDIRECT_URL = "account:orders"
LOGOUT_REDIRECT_URL = "/"

WAGTAIL_SITE_NAME = "Tern & Kettle"
WAGTAILADMIN_BASE_URL = SHOP_URL
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_WORKFLOW_ENABLED = True

# The shop's cart, checkout and orders: django-salesman-plus.
SALESMAN_PRODUCT_TYPES = {"shop.ProductPage": "example_site.shop.serializers.ProductSerializer"}
SALESMAN_BASKET_MODIFIERS = [
    "example_site.shop.modifiers.VoucherModifier",
    "example_site.shop.modifiers.DeliveryModifier",
]
SALESMAN_PAYMENT_METHODS = [
    "example_site.shop.payments.CardPayment",
    "example_site.shop.payments.InvoicePayment",
]
SALESMAN_PRICE_FORMATTER = "example_site.shop.prices.format_price"

# Mail goes to the sink on the loopback interface, and to nobody else.
SINK_HOST = "127.0.0.1"
SINK_PORT = int(os.environ.get("EXAMPLE_SITE_SMTP_PORT", "8025"))
SMTP = "django.core.mail.backends.smtp.EmailBackend"
if django.VERSION >= (6, 1):
    SINK = {"host": SINK_HOST, "port": SINK_PORT, "timeout": 10}
    MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": SINK}}
else:
    EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = SMTP, SINK_HOST, SINK_PORT, 10
DEFAULT_FROM_EMAIL = "Tern & Kettle <hello@tern-and-kettle.example>"

# wagtail_triggers, as any shop sets it up.
WAGTAIL_TRIGGERS_FROM_EMAIL = DEFAULT_FROM_EMAIL
WAGTAIL_TRIGGERS_POSTAL_ADDRESS = "7 Ferry Row, Ballyquay, Ireland"
WAGTAIL_TRIGGERS_BASE_URL = SHOP_URL
WAGTAIL_TRIGGERS_CART_IDLE_MINUTES = 60
# Asked just before a letter leaves: is the cart still there, is the price still the price?
WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "example_site.shop.truth.TeaShop"}
# Where the codes of a step "Make a coupon" are made.
WAGTAIL_TRIGGERS_COUPONS = {"BACKEND": "example_site.shop.vouchers.ShopVouchers"}
# Another system, told by a step "Call a webhook". Here it is a page of the demo, so that this very
# machine may be called; a real shop has an https address, and its secret in the environment.
WAGTAIL_TRIGGERS_WEBHOOKS = {
    "packing": {
        "URL": f"{SHOP_URL}/packing/receive/",
        "SECRET": "whsec_YS1kZW1vbnN0cmF0aW9uLWtlZXBzLW5vLXNlY3JldHM=",
    }
}
WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.1"]
# The demo alone: a clock that the bar at the top of every page moves on.
WAGTAIL_TRIGGERS_CLOCK = {"BACKEND": "example_site.clock.DemoClock", "OPTIONS": {}}

# Celery, with folders for a broker: nothing to install, and fast enough for a demonstration.
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(VAR / "broker" / "queue"),
    "data_folder_out": str(VAR / "broker" / "queue"),
    "control_folder": str(VAR / "broker" / "control"),
    "polling_interval": 0.05,
}
CELERY_BEAT_SCHEDULE = beat_schedule()
CELERY_TASK_ROUTES = {task: {"queue": queue} for task, queue in QUEUES.items()}
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# Beat sleeps no longer than this, so that Ctrl-C need not wait for its next tick.
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stream"], "level": "INFO"},
    "loggers": {name: {"level": "WARNING"} for name in ("django_tasks", "mail.log", "wagtail")},
}
