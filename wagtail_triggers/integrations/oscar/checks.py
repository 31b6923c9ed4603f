"""System checks of the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings as django_settings
from django.core import checks

from ...exceptions import ConfigurationError
from .words import DEFAULTS, SETTING, words

_LABEL = "wagtail_triggers_oscar"
_MIDDLEWARE = "wagtail_triggers.middleware.VisitorMiddleware"


def connect() -> None:
    """Register the checks. Called once, while Django starts."""
    checks.register(check_settings)


def check_settings(**_kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Whether the setting can be read, and guests are known again."""
    found: list[checks.CheckMessage] = []
    try:
        for kind in DEFAULTS:
            words(kind)
    except ConfigurationError as error:
        found.append(checks.Error(str(error), hint=f"Correct {SETTING}.", id=f"{_LABEL}.E001"))
    if _MIDDLEWARE not in django_settings.MIDDLEWARE:
        found.append(
            checks.Warning(
                "Baskets of guests cannot be told apart until a checkout has an address.",
                hint=f'Add "{_MIDDLEWARE}" to MIDDLEWARE, behind the authentication\'s.',
                id=f"{_LABEL}.W001",
            )
        )
    return found
