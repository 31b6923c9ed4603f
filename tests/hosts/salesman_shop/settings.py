"""Salesman as its documentation sets it up, with Wagtail and wagtail_triggers beside it."""

from __future__ import annotations

import django

SECRET_KEY = "only-for-tests-" + "x" * 50
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.hosts.salesman_shop.urls"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

INSTALLED_APPS = [
    "wagtail_triggers",
    "wagtail_triggers.integrations.salesman",
    "tests.hosts.salesman_shop.goods",
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
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "wagtail_triggers.middleware.VisitorMiddleware",
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
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "ATOMIC_REQUESTS": True,
    }
}
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": LOCMEM}}
else:
    EMAIL_BACKEND = LOCMEM

SALESMAN_PRODUCT_TYPES = {"goods.Tea": "tests.hosts.salesman_shop.goods.shop.TeaSerializer"}
SALESMAN_PAYMENT_METHODS = ["tests.hosts.salesman_shop.goods.shop.Invoice"]

WAGTAIL_SITE_NAME = "Teas"
WAGTAILADMIN_BASE_URL = "https://teas.example"
WAGTAIL_TRIGGERS_NUDGE = "off"
WAGTAIL_TRIGGERS_SALESMAN = {
    "CURRENCY": "EUR",
    "PRODUCT": "tests.hosts.salesman_shop.goods.models.more",
    "CART_URL": "/cart/",
    "ORDER_URL": "/orders/{ref}/?token={token}",
}
WAGTAIL_TRIGGERS_SHOP = {"BACKEND": "wagtail_triggers.integrations.salesman.shop.SalesmanShop"}
