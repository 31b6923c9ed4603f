"""As whom a template is previewed: a made-up person, a contact, or whom a recorded event is about.

Nothing is written, and no permission is asked: whoever calls has done that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.utils.translation import gettext as _

from ..conf import settings
from ..contacts.facts import zone_of
from ..contacts.models import Contact
from ..core import clock
from ..core.sites import name_of
from ..events.models import Cart, Event
from ..events.types import EventType, event_types
from .branding import sender_of
from .models import Template
from .personas import PERSONAS, REGULAR, Persona
from .samples import sample_context


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the preview. At most one of contact and event is given; else it is the persona.

    Attributes:
        persona: Who is made up.
        contact: A person whom the shop knows.
        event: Something that was recorded, of the kind that the template is written for.
        names_person: Whether the person of the event may be shown; else the persona stands in.
    """

    persona: Persona = REGULAR
    contact: Contact | None = None
    event: Event | None = None
    names_person: bool = True

    @property
    def label(self) -> str:
        """Who it is, in words."""
        if self.event is not None:
            known = event_types.all().get(self.event.name)
            what = {"event": known.label if known else self.event.name, "key": self.event.key}
            return _("%(event)s %(key)s") % what
        return str(self.contact) if self.contact is not None else str(self.persona.label)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a preview is rendered from.

    Attributes:
        context: Plain data, as `freeze_context` wants it.
        language: The template's language.
        time_zone: The person's, an IANA name.
        made_up: What of it is made up although a real person was chosen: "cart", "order", "event".
    """

    context: dict[str, Any]
    language: str
    time_zone: str
    made_up: tuple[str, ...] = field(default=())


def language_of(template: Template) -> str:
    """The language of a template, saved or not."""
    if template.locale_id:
        return str(template.locale.language_code)
    return str(django_settings.LANGUAGE_CODE)


def read_by(template: Template, reader: Reader, *, image_url: str = "") -> Reading:
    """Return what the reader's copy is rendered from; at most four queries.

    Args:
        template: Any state of it.
        reader: Who reads it.
        image_url: What pictures of made-up products show; absolute.
    """
    site, language = template.site, language_of(template)
    context = sample_context(
        template.event,
        moment=clock.now(),
        language=language,
        site={"name": name_of(site), "url": settings.base_url or site.root_url},
        image_url=image_url,
        persona=reader.persona,
    )
    contact, event = _who(reader), reader.event
    zone = zone_of(contact.time_zone if contact else "", sender_of(site).time_zone).key
    if reader.contact is None and event is None:
        return Reading(context, language, zone)
    kind = event_types.all().get(template.event)
    if event is None and contact is not None:
        event = _latest(contact, template.event)
    if contact is not None:
        context["contact"] = contact.as_facts()
    made_up = _overlay(context, contact, event, kind)
    return Reading(context, language, zone, made_up)


def _who(reader: Reader) -> Contact | None:
    if reader.contact is not None:
        return reader.contact
    if reader.event is not None and reader.names_person:
        return reader.event.contact
    return None


def _latest(contact: Contact, name: str) -> Event | None:
    rows = Event.objects.filter(contact_id=contact.pk, site_id=contact.site_id)
    return (rows.filter(name=name) if name else rows.none()).order_by("-pk").first()


def _overlay(
    context: dict[str, Any], contact: Contact | None, event: Event | None, kind: EventType | None
) -> tuple[str, ...]:
    """Put what is known in the place of what is made up; returns what stays made up."""
    made_up = []
    payload: Mapping[str, Any] = event.payload if event is not None else {}
    if event is not None:
        context["event"] = payload
    elif kind is not None:
        made_up.append("event")
    if "order" in context:
        order = payload if kind is not None and kind.about == "order" else None
        order = order or _last_order(contact)
        context["order"] = order or context["order"]
        made_up += [] if order else ["order"]
    if "cart" in context:
        cart = _open_cart(contact, str(payload.get("cart_id") or ""))
        if cart is None and payload.get("lines") and kind is not None and kind.about == "cart":
            cart = dict(payload)
        context["cart"] = cart or context["cart"]
        made_up += [] if cart else ["cart"]
    return tuple(made_up)


def _last_order(contact: Contact | None) -> Mapping[str, Any] | None:
    event = _latest(contact, "order_placed") if contact is not None else None
    return event.payload if event is not None else None


def _open_cart(contact: Contact | None, cart_id: str) -> Mapping[str, Any] | None:
    if contact is None:
        return None
    rows = Cart.objects.filter(
        site_id=contact.site_id, contact_id=contact.pk, status=Cart.Status.OPEN
    )
    row = (rows.filter(cart_id=cart_id) if cart_id else rows).order_by("-updated_at").first()
    return row.payload if row is not None else None


def persona_named(identifier: str) -> Persona:
    """The persona with this identifier; the regular customer where there is none."""
    return PERSONAS.get(identifier, REGULAR)
