"""Mails to send, and how to name a backend on each Django."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import django
from pytest_django.fixtures import Settings

from wagtail_triggers.messages.channels.base import Outgoing

SMTP = "django.core.mail.backends.smtp.EmailBackend"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
ANYMAIL = "anymail.backends.test.EmailBackend"

MAIL = Outgoing(
    address="ann@example.com",
    name="Ann Ä",
    subject="Grüße",
    html="<p>Hi 👋</p>",
    text="Hi\n.dot\n..two",
    from_email="Shop <shop@example.com>",
    reply_to="help@example.com",
    message_id="<1@example.com>",
    idempotency_key="1",
    tags=("welcome",),
    metadata={"journey": "7"},
)
MARKETING = replace(
    MAIL,
    marketing=True,
    headers=(
        ("List-Unsubscribe", "<https://shop.example/u/1>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ),
)


def use(settings: Settings, backend: str, **options: Any) -> None:
    """Name a backend as each Django wants it."""
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = backend
        for name, value in options.items():
            setattr(settings, f"EMAIL_{name.upper()}", value)
