"""System checks of the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks

from ...exceptions import ConfigurationError
from .configuration import SETTING, configuration

_LABEL = "wagtail_triggers_salesman"


def connect() -> None:
    """Register the check. Called once, while Django starts."""
    checks.register(check_settings)


def check_settings(**_kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Whether the setting can be read."""
    try:
        configuration()
    except ConfigurationError as error:
        return [checks.Error(str(error), hint=f"Correct {SETTING}.", id=f"{_LABEL}.E001")]
    return []
