"""Saleor's public keys: fetched from the configured host, shared through the database.

They are fetched anew after ten minutes, or when a signature names a key that is not among them, but
then at most once a minute: whoever invents a `kid` must not make us ask all the time.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from jwt.api_jwk import PyJWKSet
from jwt.exceptions import PyJWTError

from ...core import clock
from ...core.http import Fate, request
from .configuration import InstanceSettings
from .exceptions import KeysUnavailable
from .models import Instance

FRESH: Final = timedelta(minutes=10)
#: Between two requests for keys of one instance.
PAUSE: Final = timedelta(minutes=1)
#: Old keys are still good for so long while Saleor cannot be asked.
STALE: Final = timedelta(hours=24)
_SECONDS: Final = 5.0


def keys_of(instance: Instance, known: InstanceSettings, *, kid: str = "") -> PyJWKSet:
    """The keys of an instance.

    Args:
        instance: Whose they are; its row is brought up to date.
        known: Its settings, which say where the keys are.
        kid: A key that must be among them, if it exists at all; "" for whatever there is.

    Raises:
        KeysUnavailable: They cannot be fetched just now.
    """
    moment = clock.now()
    have = _set(instance.jwks)
    missing = have is None or (bool(kid) and not _holds(have, kid))
    old = instance.jwks_at is None or moment - instance.jwks_at >= FRESH
    if not (missing or old):
        assert have is not None  # noqa: S101 - mypy
        return have
    if _may_ask(instance):
        fetched = _fetch(known)
        found = _set(fetched)
        if found is not None:
            instance.jwks, instance.jwks_at = fetched or {}, moment
            instance.save(update_fields=["jwks", "jwks_at"])
            return found
    # Also where the key is only unknown because nobody may ask now: refused, a delivery that a new
    # key signed would be lost, and one that nobody signed costs nothing by coming again.
    if missing or have is None:
        raise KeysUnavailable(f"{known.domain} has not told this key, and cannot be asked now.")
    if instance.jwks_at is None or moment - instance.jwks_at > STALE:
        raise KeysUnavailable(f"The keys of {known.domain} are too old, and no new ones came.")
    return have


def _may_ask(instance: Instance) -> bool:
    """Say whether it is our turn to ask; one process a minute gets it."""
    moment = clock.now()
    taken = Instance.objects.filter(
        Q(jwks_asked_at=None) | Q(jwks_asked_at__lte=moment - PAUSE), pk=instance.pk
    ).update(jwks_asked_at=moment)
    return bool(taken)


def _fetch(known: InstanceSettings) -> dict[str, Any] | None:
    reply = request("GET", known.jwks_url, total=_SECONDS)
    if reply.fate is not Fate.ACCEPTED:
        return None
    try:
        found = json.loads(reply.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and _set(found) is not None else None


def _set(found: Any) -> PyJWKSet | None:
    if not found:
        return None
    try:
        return PyJWKSet.from_dict(found)
    except (PyJWTError, ValueError, TypeError, AttributeError, KeyError):
        return None


def _holds(keys: PyJWKSet, kid: str) -> bool:
    return any(key.key_id == kid for key in keys.keys)
