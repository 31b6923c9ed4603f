"""Taking over a token: only if the configured Saleor knows it, as the app that it belongs to."""

from __future__ import annotations

from django.db import transaction

from ...core import clock
from .client import app_id
from .configuration import InstanceSettings
from .exceptions import SaleorError
from .keys import keys_of
from .models import Instance
from .vault import seal


class InstallationRefused(SaleorError):
    """The token is not one of this Saleor."""


def install(known: InstanceSettings, token: str) -> Instance:
    """Keep the token of an instance, once the instance itself says whose it is.

    Args:
        known: The instance, from the settings; a request's word is not enough.
        token: What was handed over.

    Raises:
        InstallationRefused: The instance does not know the token.
        SaleorUnavailable: It does not answer.
        KeysUnavailable: It has no public keys.
        ConfigurationError: There is no key to encrypt the token with.
    """
    found = app_id(known.api_url, token)
    if found is None:
        raise InstallationRefused(
            f"{known.domain} does not know this token. Start the installation from its dashboard."
        )
    sealed = seal(token)
    instance = keep(known, sealed, found)
    keys_of(instance, known)
    return instance


@transaction.atomic
def keep(known: InstanceSettings, sealed: str, app: str) -> Instance:
    """Write the row of an instance, new or known; its old token is replaced."""
    instance, _created = Instance.objects.update_or_create(
        api_url=known.api_url,
        defaults={
            "domain": known.domain,
            "app_id": app,
            "token": sealed,
            "installed_at": clock.now(),
            "removed_at": None,
            "jwks_asked_at": None,
        },
    )
    return instance
