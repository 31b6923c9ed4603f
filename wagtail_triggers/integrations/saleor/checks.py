"""System checks of the adapter: `wagtail_triggers_saleor.E001` and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.urls import NoReverseMatch, reverse

from ...exceptions import ConfigurationError
from .configuration import SETTING, configuration
from .vault import ring

_LABEL = "wagtail_triggers_saleor"


def connect() -> None:
    """Register the checks. Called once, while Django starts."""
    checks.register(check_settings)


def check_settings(**_kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Whether Saleor could install us."""
    try:
        config = configuration()
    except ConfigurationError as error:
        return [checks.Error(str(error), hint=f"Correct {SETTING}.", id=f"{_LABEL}.E001")]
    if not config.instances:
        return [
            checks.Warning(
                "No Saleor may install the app.",
                hint=f'Add its GraphQL address to {SETTING}["INSTANCES"].',
                id=f"{_LABEL}.W001",
            )
        ]
    found: list[checks.CheckMessage] = []
    try:
        ring()
    except ConfigurationError as error:
        found.append(
            checks.Error(str(error), hint="Tokens are only kept encrypted.", id=f"{_LABEL}.E002")
        )
    if not config.base_url.startswith("https://"):
        found.append(
            checks.Warning(
                "Saleor has no https address to reach this project at.",
                hint=f'Set WAGTAIL_TRIGGERS_BASE_URL, or "BASE_URL" in {SETTING}.',
                id=f"{_LABEL}.W002",
            )
        )
    try:
        reverse("wagtail_triggers_saleor:webhook")
    except NoReverseMatch:
        found.append(
            checks.Error(
                "The adapter's addresses are not in the URLconf.",
                hint='Add path("triggers/saleor/", '
                'include("wagtail_triggers.integrations.saleor.urls")).',
                id=f"{_LABEL}.E003",
            )
        )
    return found
