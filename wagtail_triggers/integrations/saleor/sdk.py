"""Saleor's own Python SDK on our store: its abstract classes, so that its helpers work with ours.

Needs `saleor-sdk-python`. Its functions that check signatures are not to be used (they return None
for a forgery whose key is unknown): `verify_webhook_signature` here raises instead, and pins RS256.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async  # Django brings it
from django.db import connections
from jwt.api_jwk import PyJWKSet
from saleor_sdk.marina.client import AbstractSaleorClient
from saleor_sdk.marina.config import AbstractSaleorConfigProvider, SaleorConfigData
from saleor_sdk.marina.exceptions import (
    ConfigDoesNotExistException,
    InvalidSaleorDomain,
    Unauthorized,
)
from saleor_sdk.marina.jwks import AbstractJWKSClient, AbstractJWKSProvider
from saleor_sdk.schemas.manifest import Manifest

from ...core import clock
from ...core.http import Fate, request
from .client import app_id
from .configuration import InstanceSettings, configuration
from .exceptions import Forged, KeysUnavailable
from .install import keep
from .keys import keys_of
from .models import Instance
from .signatures import verify_jws
from .subscriptions import manifest
from .vault import seal, unseal

T = TypeVar("T")


async def _in_thread(call: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Run a call that waits, with a database connection of its own that is closed afterwards."""

    def carried_out() -> T:
        try:
            return call(*args, **kwargs)
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()

    return await sync_to_async(carried_out, thread_sensitive=True)()


def _known(domain: str) -> InstanceSettings:
    """The instance of a domain; raises InvalidSaleorDomain where the settings name none."""
    for one in configuration().instances.values():
        if one.domain == domain:
            return one
    raise InvalidSaleorDomain(
        f"{domain} is not among INSTANCES of WAGTAIL_TRIGGERS_SALEOR. Add its GraphQL address."
    )


def sdk_manifest() -> Manifest:
    """Our manifest as the SDK's own model."""
    return Manifest.model_validate(manifest(configuration()))


class TriggersSaleorClient(AbstractSaleorClient):
    """Asks the configured instance which app a token belongs to."""

    def __init__(self, saleor_domain: str) -> None:
        self.known = _known(saleor_domain)

    async def get_app_id(self, auth_token: str) -> str | None:
        """The app's id, or None where the instance does not know the token."""
        return await asyncio.to_thread(app_id, self.known.api_url, auth_token)


class TriggersConfigProvider(AbstractSaleorConfigProvider):
    """The token store, with tokens encrypted in the database."""

    async def get_by_saleor_domain(self, saleor_domain: str) -> SaleorConfigData:
        """The token of a domain; raises ConfigDoesNotExistException."""
        return await _in_thread(self._get, domain=saleor_domain)

    async def get_by_saleor_app_id(self, saleor_domain: str) -> SaleorConfigData:
        """The token of an app's id, which is what the SDK's parameter means here."""
        return await _in_thread(self._get, app_id=saleor_domain)

    async def create_or_update(
        self, auth_token: str, saleor_domain: str, saleor_app_id: str
    ) -> SaleorConfigData:
        """Keep a token; raises InvalidSaleorDomain where the settings do not name the domain."""
        known = _known(saleor_domain)
        await _in_thread(keep, known, seal(auth_token), saleor_app_id)
        return SaleorConfigData(saleor_domain, saleor_app_id, auth_token)

    def _get(self, **lookup: str) -> SaleorConfigData:
        found = Instance.objects.filter(removed_at=None, **lookup).first()
        if found is None:
            raise ConfigDoesNotExistException("This Saleor has not installed the app.")
        return SaleorConfigData(found.domain, found.app_id, unseal(found.token))


class TriggersJWKSClient(AbstractJWKSClient):
    """Fetches the keys of an instance from where the settings say."""

    def __init__(self, saleor_domain: str) -> None:
        self.known = _known(saleor_domain)

    async def fetch_jwks(self) -> str:
        """The keys as JSON; raises KeysUnavailable."""
        reply = await asyncio.to_thread(request, "GET", self.known.jwks_url)
        if reply.fate is not Fate.ACCEPTED:
            raise KeysUnavailable(f"{self.known.jwks_url} did not answer: {reply.detail}")
        return reply.body.decode()


class TriggersJWKSProvider(AbstractJWKSProvider):
    """Keys by issuer (the GraphQL address), kept in the database.

    An issuer that the settings do not name has no keys, whatever an unverified token says of it.
    """

    def __init__(self, jwks_service: AbstractJWKSClient | None = None) -> None:
        # The SDK's constructor is abstract; each issuer's own settings say where its keys are.
        self.jwks_service = jwks_service

    async def get(self, issuer: str, force_refresh: bool = False) -> PyJWKSet:
        """The keys; raises Unauthorized for an unknown issuer, KeysUnavailable where none come."""
        return await _in_thread(self._get, issuer, force_refresh)

    async def set(self, issuer: str, jwks: str) -> None:
        """Keep keys that were fetched elsewhere."""
        await _in_thread(self._set, issuer, json.loads(jwks))

    def _get(self, issuer: str, force_refresh: bool) -> PyJWKSet:
        instance, known = _installed(issuer)
        if force_refresh:
            instance.jwks_at = None
        return keys_of(instance, known)

    def _set(self, issuer: str, jwks: object) -> None:
        instance, _settings = _installed(issuer)
        Instance.objects.filter(pk=instance.pk).update(jwks=jwks, jwks_at=clock.now())


async def verify_webhook_signature(
    payload: bytes,
    jws: str,
    issuer: str,
    jwks_provider: AbstractJWKSProvider,
    force_refresh: bool = False,
) -> None:
    """The SDK's function of this name without its hole; returns where the signature is good.

    Raises:
        Unauthorized: It is not, or its key is unknown also among fresh keys.
    """
    keys = await jwks_provider.get(issuer=issuer, force_refresh=force_refresh)
    try:
        verify_jws(payload, jws, keys)
    except Forged as error:
        if force_refresh:
            raise Unauthorized(str(error)) from error
        await verify_webhook_signature(payload, jws, issuer, jwks_provider, force_refresh=True)


def _installed(issuer: str) -> tuple[Instance, InstanceSettings]:
    known = configuration().instance(issuer)
    found = Instance.objects.filter(api_url=known.api_url).first() if known else None
    if known is None or found is None:
        raise Unauthorized("This issuer is no Saleor of ours.")
    return found, known
