"""Keyed hashes of addresses: what is left of a person who must never be written to again."""

from __future__ import annotations

import hashlib
import hmac

from ..conf import settings
from ..contacts.identities import normalise


def canonical(channel: str, address: str) -> str:
    """The address as it is compared: e-mail and phone normalised, anything else trimmed."""
    kind = {"email": "email", "sms": "phone"}.get(channel, "external_id")
    return normalise(kind, address)


def hashes(channel: str, address: str) -> list[str]:
    """HMAC-SHA256 of the canonical address under every key that is in use, newest first."""
    text = f"{channel}\0{canonical(channel, address)}".encode()
    return [hmac.new(key.encode(), text, hashlib.sha256).hexdigest() for key in settings.hash_keys]


def current_hash(channel: str, address: str) -> str:
    """The hash under the newest key: the one that is stored."""
    return hashes(channel, address)[0]
