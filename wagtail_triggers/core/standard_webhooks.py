"""Signatures as the Standard Webhooks specification 1.0 has them (HMAC-SHA256, `v1`).

https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
#: Bytes that the specification wants of a secret.
SHORTEST: Final = 24
LONGEST: Final = 64


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
