"""The endpoints that journeys may call: named in the settings, so that no editor sees a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..conf import settings
from ..exceptions import ConfigurationError
from .egress import Forbidden, parse
from .http import policy
from .standard_webhooks import key_of

_SETTING: Final = "WAGTAIL_TRIGGERS_WEBHOOKS"
_KEYS: Final = frozenset({"URL", "SECRET"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook goes, and what signs it."""

    name: str
    url: str
    secrets: tuple[str, ...]


def names() -> tuple[str, ...]:
    """The names that editors choose from."""
    return tuple(settings.WEBHOOKS)


def get_endpoint(name: str) -> Endpoint:
    """The endpoint of this name.

    Raises:
        ConfigurationError: There is none, or its entry is wrong; never quotes a secret.
    """
    if name not in settings.WEBHOOKS:
        known = ", ".join(sorted(settings.WEBHOOKS)) or "none"
        raise ConfigurationError(
            f"There is no webhook {name!r} (there is: {known}). Add it to {_SETTING} as "
            f'{name!r}: {{"URL": "https://…", "SECRET": "whsec_…"}}.'
        )
    entry = settings.WEBHOOKS[name]
    where = f"{_SETTING}[{name!r}]"
    if not isinstance(entry, Mapping) or not entry.get("URL") or set(entry) - _KEYS:
        raise ConfigurationError(f'{where} must be {{"URL": "https://…", "SECRET": "whsec_…"}}.')
    try:
        policy().judge_form(parse(entry["URL"]))
        secrets = _secrets(entry.get("SECRET"))
    except (Forbidden, ValueError) as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return Endpoint(name, entry["URL"], secrets)


def _secrets(value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else list(value or ())
    if not given or not all(isinstance(one, str) for one in given):
        raise ValueError("There is no SECRET, and unsigned calls are not made.")
    for one in given:
        key_of(one)
    return tuple(given)
