"""Who writes: sender, brand and postal address of a site."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from typing import Any

from ..conf import settings
from ..core.sites import name_of
from .layout import Brand
from .models import TriggersSettings


@dataclass(frozen=True, slots=True)
class Sender:
    """What a site's mails say of their sender.

    Attributes:
        from_email: "Name <address>".
        reply_to: An address, or "".
        brand: What the layout shows.
        time_zone: Where people live whose own zone is not known; "" for the project's.
    """

    from_email: str
    reply_to: str
    brand: Brand
    time_zone: str


def sender_of(site: Any) -> Sender:
    """The sender of a Wagtail Site: its settings in the admin, else those of the project."""
    own = TriggersSettings.for_site(site)
    name = own.sender_name or name_of(site)
    given_name, address = parseaddr(own.sender_email or settings.from_email)
    brand = Brand(
        name=name,
        postal_address=own.postal_address or settings.POSTAL_ADDRESS,
        logo_url=own.logo_url,
        colour=own.colour,
        url=settings.base_url or site.root_url,
    )
    return Sender(
        from_email=formataddr((own.sender_name or given_name or name, address)),
        reply_to=own.reply_to or settings.REPLY_TO,
        brand=brand,
        time_zone=own.time_zone,
    )
