"""Systems that send with a Standard Webhooks signature instead of a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..conf import settings
from ..core import clock, sites
from ..core.standard_webhooks import verify
from ..exceptions import ConfigurationError

_SETTING: Final = "WAGTAIL_TRIGGERS_SOURCES"
_KEYS: Final = frozenset({"SECRET", "SITE"})


class UnknownSource(LookupError):
    """The settings name no such system."""


def accept(name: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """Return the site and the request's id, where the signature is good.

    Raises:
        UnknownSource: There is no such system.
        BadSignature: It is not good.
        ConfigurationError: Its entry is wrong; no secret is quoted.
    """
    entry = settings.SOURCES.get(name)
    if entry is None:
        raise UnknownSource(name)
    where = f"{_SETTING}[{name!r}]"
    if not isinstance(entry, Mapping) or not entry.get("SECRET") or set(entry) - _KEYS:
        raise ConfigurationError(f'{where} must be {{"SECRET": "whsec_…"}}.')
    given = entry["SECRET"]
    secrets = [given] if isinstance(given, str) else list(given)
    site = sites.site_id(entry.get("SITE"))
    return site, verify(secrets, headers, body, clock.now())
