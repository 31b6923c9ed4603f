"""Making, replacing and knowing tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, F, Q, Value, When

from ..conf import settings
from ..core import clock, sites
from ..exceptions import ConfigurationError
from .models import ApiToken, Scope

#: So that scanners of leaked secrets can know ours.
PREFIX: Final = "wtt_"
#: How long the old secret goes on working where one is replaced.
GRACE: Final = timedelta(days=7)


def create(
    name: str,
    scopes: Iterable[str],
    *,
    site: object = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token; the secret is returned here and never again.

    Raises:
        ValueError: A scope does not exist, or there is none.
    """
    wanted = sorted(set(scopes))
    unknown = [one for one in wanted if one not in Scope.values]
    if unknown or not wanted:
        raise ValueError(
            f"{', '.join(unknown) or 'No scope'} is no scope. Choose from "
            f"{', '.join(Scope.values)}."
        )
    prefix = secrets.token_hex(6)
    secret = f"{PREFIX}{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiToken.objects.create(
        site_id=sites.site_id(site),
        name=name[:100],
        prefix=prefix,
        digest=_digest(secret),
        scopes=wanted,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    return row, secret


def rotate(row: ApiToken, *, grace: timedelta = GRACE) -> tuple[ApiToken, str]:
    """Make a second token with the same rights; the first one ends after `grace`."""
    fresh, secret = create(row.name, row.scopes, site=row.site_id)
    ends = clock.now() + grace
    if row.expires_at is None or row.expires_at > ends:
        row.expires_at = ends
        row.save(update_fields=["expires_at"])
    return fresh, secret


def find(secret: str) -> ApiToken | None:
    """The token of this secret, or None; whether it has ended is looked at too."""
    prefix, _, rest = secret.removeprefix(PREFIX).partition("_")
    if not secret.startswith(PREFIX) or not rest or "\x00" in secret or len(secret) > 200:
        return None
    row = ApiToken.objects.filter(prefix=prefix[:16]).first()
    if row is None or not hmac.compare_digest(row.digest, _digest(secret)):
        return None
    return row if row.expires_at is None or row.expires_at > clock.now() else None


def limit() -> int:
    """Events or requests that one token may make in a minute.

    Raises:
        ConfigurationError: The setting is no positive number.
    """
    if settings.API_PER_MINUTE < 1:
        raise ConfigurationError("WAGTAIL_TRIGGERS_API_PER_MINUTE must be 1 or more.")
    return settings.API_PER_MINUTE


def take(row: ApiToken, count: int) -> float:
    """Count `count` against the token's limit of this minute, in one statement.

    Returns:
        0 where it fits; else seconds until the next minute, and nothing is counted.
    """
    moment = clock.now()
    minute = int(moment.timestamp() // 60)
    fits = ~Q(counted_minute=minute) | Q(counted__lte=limit() - count)
    taken = (
        ApiToken.objects.filter(fits, pk=row.pk)
        .filter(Q(pk=row.pk) if count <= limit() else Q(pk__isnull=True))
        .update(
            counted=Case(
                When(counted_minute=minute, then=F("counted") + count), default=Value(count)
            ),
            counted_minute=minute,
            last_used_at=moment,
        )
    )
    return 0.0 if taken else 60 - moment.timestamp() % 60


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
