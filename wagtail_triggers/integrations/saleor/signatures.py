"""Whether a body is Saleor's: a detached JWS (RFC 7797, RS256) or a hex HMAC-SHA256 over the bytes.

The algorithm is ours to choose and never the header's, the key must be known, and what is not
proved is refused. Saleor's own SDK returns None for a forgery whose `kid` is unknown and trusts the
header's `alg`; its functions are not used here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any, Final

from jwt.api_jwk import PyJWKSet
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from .configuration import InstanceSettings
from .exceptions import Forged
from .keys import keys_of
from .models import Instance

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_DETACHED: Final = re.compile(r"[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+")
_LONGEST: Final = 4_096
_JWS: Final = PyJWS(algorithms=["RS256"])


def verify(body: bytes, signature: str, *, instance: Instance, known: InstanceSettings) -> None:
    """Return where the signature is good.

    Args:
        body: The raw bytes.
        signature: The header `Saleor-Signature`.
        instance: Who is said to have signed.
        known: Its settings.

    Raises:
        Forged: It is not.
        KeysUnavailable: It cannot be known now; the sender should come again.
    """
    signature = signature.strip()
    if _HEX.fullmatch(signature):
        _verify_hmac(body, signature, known.secrets)
    elif len(signature) <= _LONGEST and _DETACHED.fullmatch(signature):
        kid = _kid(signature)
        verify_jws(body, signature, keys_of(instance, known, kid=kid))
    else:
        raise Forged("There is no signature, or none that Saleor makes.")


def verify_jws(body: bytes, signature: str, keys: PyJWKSet) -> None:
    """Return where the detached JWS is good under one of these keys; raises Forged."""
    kid = _kid(signature)
    key = next((one for one in keys.keys if one.key_id == kid), None)
    if key is None or key.key_type != "RSA":
        raise Forged("The signature names a key that Saleor does not have.")
    try:
        _JWS.decode(signature, key=key.key, algorithms=["RS256"], detached_payload=body)
    except PyJWTError as error:
        raise Forged(f"The signature is not good: {type(error).__name__}.") from error


def _kid(signature: str) -> str:
    try:
        header: dict[str, Any] = _JWS.get_unverified_header(signature)
    except PyJWTError as error:
        raise Forged("The signature's header cannot be read.") from error
    kid = header.get("kid")
    # RFC 7797: the payload is detached and unencoded, and the header must say that it matters.
    if header.get("alg") != "RS256" or header.get("b64") is not False:
        raise Forged("The signature is of another kind than Saleor's.")
    if header.get("crit") != ["b64"] or not isinstance(kid, str) or not kid:
        raise Forged("The signature's header is not Saleor's.")
    return kid


def _verify_hmac(body: bytes, signature: str, secrets: Sequence[str]) -> None:
    for secret in secrets:
        expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(expected, signature):
            return
    raise Forged(
        "The signature is not good under any of WEBHOOK_SECRETS."
        if secrets
        else "The webhook has a secret key, and WEBHOOK_SECRETS of this instance has none."
    )
