"""Where a contact can be met."""

from __future__ import annotations

from collections.abc import Mapping

from ..conf import settings
from ..contacts.models import Contact

#: Which field of a contact holds the address for a channel.
ADDRESS_FIELDS: Mapping[str, str] = {"email": "email", "sms": "phone"}


def addresses(contact: Contact) -> dict[str, str]:
    """Return the contact's address for each channel that is set up and that they can be met on."""
    found = {
        channel: getattr(contact, ADDRESS_FIELDS[channel])
        for channel in settings.CHANNELS
        if channel in ADDRESS_FIELDS
    }
    return {channel: address for channel, address in found.items() if address}
