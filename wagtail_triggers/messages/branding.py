"""Who writes: sender, brand and postal address of a site."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from typing import Any

from ..conf import settings
from ..core.sites import name_of
from .blocks.pictures import rendition_url
from .blocks.social import links_of
from .look import Brand
from .models import TriggersSettings
from .picture_field import picture

logger = logging.getLogger("wagtail_triggers.branding")


@dataclass(frozen=True, slots=True)
class Sender:
    """What a site's mails say of their sender.

    Attributes:
        from_email: "Name <address>".
        reply_to: An address, or "".
        name: The shop's name.
        url: The shop's address.
        postal_address: Where it can be reached by post.
        time_zone: Where people live whose own zone is not known; "" for the project's.
    """

    from_email: str
    reply_to: str
    name: str
    url: str
    postal_address: str
    time_zone: str


def sender_of(site: Any) -> Sender:
    """The sender of a Wagtail Site: its settings in the admin, else those of the project."""
    own = TriggersSettings.for_site(site)
    name = own.sender_name or name_of(site)
    given_name, address = parseaddr(own.sender_email or settings.from_email)
    return Sender(
        from_email=formataddr((own.sender_name or given_name or name, address)),
        reply_to=own.reply_to or settings.REPLY_TO,
        name=name,
        url=settings.base_url or site.root_url,
        postal_address=own.postal_address or settings.POSTAL_ADDRESS,
        time_zone=own.time_zone,
    )


def brand_of(site: Any) -> Brand:
    """How the mails of a Wagtail Site look; what compiling asks, and sending does not."""
    return brand_from(TriggersSettings.for_site(site))


def brand_from(own: TriggersSettings) -> Brand:
    """The look that these settings describe, saved or not."""
    site = own.site
    url = settings.base_url or site.root_url
    logo = picture(own.logo)
    logo_url = rendition_url(logo, f"max-{own.logo_width * 2}x400", url) if logo else ""
    return Brand(
        name=own.sender_name or name_of(site),
        postal_address=own.postal_address or settings.POSTAL_ADDRESS,
        logo_url=logo_url,
        logo_width=own.logo_width,
        colour=own.colour,
        url=url,
        footer=own.footer_text,
        link=own.link_colour,
        text=own.text_colour,
        card=own.card_colour,
        page=own.page_colour,
        font=own.font,
        radius=own.corner_radius,
        social=links_of(own.social_links),
        dark_link=own.dark_link_colour,
        dark_text=own.dark_text_colour,
        dark_card=own.dark_card_colour,
        dark_page=own.dark_page_colour,
    )
