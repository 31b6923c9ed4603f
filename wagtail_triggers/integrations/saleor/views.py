"""What Saleor calls: the manifest, the hand-over of the token, and the webhook."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ...core.strict_json import MAX_BYTES, BadJson, loads
from ...exceptions import ConfigurationError
from .configuration import Configuration, InstanceSettings, configuration
from .exceptions import Forged, KeysUnavailable, SaleorUnavailable
from .install import InstallationRefused, install
from .intake import TooOld, take
from .models import Instance
from .signatures import verify
from .subscriptions import manifest

logger = logging.getLogger("wagtail_triggers.saleor")

#: Larger ones are not even hashed. What lies between this and 1 MiB is verified and kept as a stub.
_MOST: Final = 4 * MAX_BYTES
_TOKEN_BODY: Final = 16 * 1024


class ManifestView(View):
    """GET: what Saleor reads to install the app."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with the manifest."""
        config = configuration()
        if not config.base_url:
            return _words(503, "The project has no public address: set WAGTAIL_TRIGGERS_BASE_URL.")
        return JsonResponse(manifest(config))


@method_decorator(csrf_exempt, name="dispatch")
class RegisterView(View):
    """POST: Saleor hands us a token. It is tried at the configured address before it is kept."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the token."""
        config = configuration()
        known = _instance_settings(request, config)
        if known is None:
            return _words(
                403,
                "This Saleor is not among INSTANCES of WAGTAIL_TRIGGERS_SALEOR. Add its GraphQL "
                "address there.",
            )
        try:
            token = _token(request)
        except BadJson as error:
            return _words(400, str(error))
        try:
            install(known, token)
        except InstallationRefused as error:
            return _words(403, str(error))
        except (SaleorUnavailable, KeysUnavailable, DatabaseError) as error:
            logger.warning("%s could not be installed now: %s", known.domain, error)
            return _words(503, "Saleor or our database did not answer. Try again.")
        except ConfigurationError:
            logger.exception("%s could not be installed", known.domain)
            return _words(503, "Our settings are wrong; the log says what.")
        return JsonResponse({"success": True})


@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """POST: one delivery. What may pass answers 503: Saleor never repeats after 3xx or 4xx."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Verify, store and answer."""
        try:
            return self._take(request)
        except (DatabaseError, KeysUnavailable, ConfigurationError) as error:
            logger.exception("A delivery of Saleor was sent away to come again")
            return _words(503, f"Not now: {type(error).__name__}.")

    def _take(self, request: HttpRequest) -> HttpResponse:
        known = _instance_settings(request, configuration())
        if known is None:
            return _words(403, "This Saleor is not among INSTANCES of WAGTAIL_TRIGGERS_SALEOR.")
        instance = Instance.objects.filter(api_url=known.api_url, removed_at=None).first()
        if instance is None:
            # While the app is being installed its first webhooks can overtake the token.
            return _words(503, "The app is not installed from this Saleor yet.")
        body = _read(request, _MOST)
        if body is None:
            return _words(413, "The body is too large.")
        try:
            signature = request.headers.get("Saleor-Signature", "")
            verify(body, signature, instance=instance, known=known)
            outcome = take(body, instance=instance, known=known)
        except Forged as error:
            logger.warning("A forged delivery of %s was refused: %s", known.domain, error)
            return _words(401, str(error))
        except TooOld as error:
            return _words(400, str(error))
        return JsonResponse({"outcome": str(outcome)})


def _instance_settings(request: HttpRequest, config: Configuration) -> InstanceSettings | None:
    return config.instance(request.headers.get("Saleor-Api-Url", ""))


def _read(request: HttpRequest, most: int) -> bytes | None:
    """The raw body, or None where it is larger than `most`, whatever its header says."""
    try:
        if int(request.headers.get("Content-Length") or 0) > most:
            return None
    except ValueError:
        return None
    body: bytes = request.read(most + 1)
    return body if len(body) <= most else None


def _token(request: HttpRequest) -> str:
    body = _read(request, _TOKEN_BODY)
    if body is None:
        raise BadJson("The body is too large for a token.")
    found: Any = loads(body)
    token = found.get("auth_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not 0 < len(token) <= 4_096 or not token.isprintable():
        raise BadJson('The body must be {"auth_token": "…"}.')
    return token


def _words(status: int, words: str) -> HttpResponse:
    return JsonResponse({"error": words}, status=status)
