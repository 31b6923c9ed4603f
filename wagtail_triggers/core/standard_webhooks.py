"""Signatures as the Standard Webhooks specification 1.0 has them (HMAC-SHA256, `v1`).

https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
#: Bytes that the specification wants of a secret.
SHORTEST: Final = 24
LONGEST: Final = 64
#: Seconds that a request may be old, or ahead, as the specification recommends.
TOLERANCE: Final = 300


def key_of(secret: str) -> bytes:
    """The key that a secret stands for.

    Args:
        secret: "whsec_" and 24 to 64 bytes in base64.

    Raises:
        ValueError: It is something else. The secret is not quoted.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(
            'A secret is "whsec_" and 24 to 64 random bytes in base64. Make one with: '
            "python -c \"import base64, os; print('whsec_' + "
            'base64.b64encode(os.urandom(32)).decode())"'
        )
    return key


class BadSignature(ValueError):
    """The request is not from who it says it is from."""


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the id of a request whose signature is good.

    Args:
        secrets: Live secrets; one that fits is enough.
        headers: The request's, by any case of their names.
        body: The raw bytes.
        now: The time; a request may be five minutes old, or ahead.

    Raises:
        BadSignature: It is not good, or too old.
        ValueError: A secret is none.
    """
    named = {name.lower(): value for name, value in headers.items()}
    name, stamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not name or len(name) > 128 or not stamp.isascii() or not stamp.isdecimal():
        raise BadSignature("The headers webhook-id and webhook-timestamp are wanted.")
    if len(stamp) > 12 or abs(now.timestamp() - int(stamp)) > TOLERANCE:
        raise BadSignature("webhook-timestamp is more than five minutes off.")
    signed = f"{name}.{stamp}.".encode() + body
    given = [
        one.removeprefix("v1,").encode()
        for one in named.get("webhook-signature", "").split(" ")
        if one.startswith("v1,")
    ]
    for secret in secrets:
        mac = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
        if any(hmac.compare_digest(base64.b64encode(mac), one) for one in given):
            return name
    raise BadSignature("webhook-signature is not good.")


def headers(secrets: Sequence[str], name: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt.

    Args:
        secrets: Live secrets, newest first: while one is replaced, both sign.
        name: The message's id: the same in every attempt.
        at: When this attempt is made; aware.
        body: The bytes that are sent.

    Raises:
        ValueError: A secret is none.
    """
    moment = int(at.timestamp())
    signed = f"{name}.{moment}.".encode() + body
    signatures = (
        base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    )
    return {
        "webhook-id": name,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
