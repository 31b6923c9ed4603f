"""A Django project for the tests: every Wagtail app that the admin needs, and ours.

`TRIGGERS_TEST_DB` chooses the database: `postgres` (the default, a server from a wheel that
`tests/conftest.py` starts), `sqlite` (a file with write-ahead log, so that threads share it) or
`mariadb` (the machine's own programs, in a temporary folder; for the smoke suite).
`TRIGGERS_TEST_DB_HOME` is where that server's socket, or that file, lives; the run sets it.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import django

SECRET_KEY = "only-for-tests-" + "x" * 50
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASE_KIND = os.environ.get("TRIGGERS_TEST_DB", "postgres")

INSTALLED_APPS = [
    "wagtail_triggers",
    "wagtail_triggers.integrations.saleor",
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
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
if DATABASE_KIND == "postgres":
    # From Django 6.1 on a check wants it, since Wagtail's search uses PostgreSQL's own fields.
    INSTALLED_APPS.append("django.contrib.postgres")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_HOME = os.environ.get("TRIGGERS_TEST_DB_HOME", tempfile.gettempdir())


def database(kind: str, home: str) -> dict[str, Any]:
    """The connection settings of one kind of database.

    Args:
        kind: "postgres" or "sqlite".
        home: The folder of PostgreSQL's socket, or of the SQLite file.

    Raises:
        ValueError: Any other kind.
    """
    if kind == "postgres":
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "triggers",
            "USER": "postgres",
            "HOST": home,
            "PORT": "5432",
        }
    if kind == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{home}/triggers.sqlite3",
            "TEST": {"NAME": f"{home}/test_triggers.sqlite3"},
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    if kind == "mariadb":
        _speak_mysql()
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": "triggers",
            "USER": "root",
            "HOST": f"{home}/mariadb.sock",
            "TEST": {"NAME": "test_triggers"},
            "OPTIONS": {"charset": "utf8mb4"},
        }
    raise ValueError(f"TRIGGERS_TEST_DB is {kind!r}; set it to 'postgres', 'sqlite' or 'mariadb'.")


def _speak_mysql() -> None:
    """Let PyMySQL, which needs no compiler, stand for mysqlclient."""
    import pymysql

    # What Django compares with the oldest mysqlclient that it takes.
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()


DATABASES = {"default": database(DATABASE_KIND, DATABASE_HOME)}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German"), ("ru", "Russian"), ("zh-hans", "Chinese")]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAIL_I18N_ENABLED = True
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = f"{tempfile.gettempdir()}/triggers-tests-static"
MEDIA_URL = "/media/"
MEDIA_ROOT = f"{tempfile.gettempdir()}/triggers-tests-media"

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": LOCMEM}}
else:
    EMAIL_BACKEND = LOCMEM
DEFAULT_FROM_EMAIL = "Test Shop <shop@shop.example>"

WAGTAIL_SITE_NAME = "Test Shop"
WAGTAILADMIN_BASE_URL = "https://shop.example"

CELERY_BROKER_URL = os.environ.get("TRIGGERS_TEST_BROKER", "memory://")
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_IGNORE_RESULT = True

WAGTAIL_TRIGGERS_POSTAL_ADDRESS = "Test Shop, 1 Sample Street, 10115 Berlin, Germany"

WAGTAIL_TRIGGERS_SALEOR = {
    # The shop that the captures in tests/saleor come from; nothing listens there.
    "INSTANCES": {"http://127.0.0.1:58000/graphql/": {"WEBHOOK_SECRETS": ["lab-secret"]}},
    "KEYS": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],
}
