"""Contacts: who they are, what they agreed to, and everything that happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, NumberColumn
from wagtail.admin.widgets.button import Button

from ..consent.addresses import canonical, hashes
from ..consent.models import Subscription, Suppression, Topic
from ..contacts.models import Contact
from .columns import MINOR, MomentColumn, RecordTitleColumn, WrappingColumn
from .contact_addresses import addresses
from .erasure import EraseView, is_being_erased, may_erase
from .permissions import view_permission
from .records import RecordIndexView, RecordInspectView, RecordViewSet
from .timeline import Timeline
from .why import questions

#: Facts with a line of their own on the page; the rest is declared by the host.
SHOWN_FACTS = (
    "email",
    "phone",
    "language",
    "time_zone",
    "birthday",
    "orders_count",
    "spent",
    "last_order_at",
    "last_seen_at",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address said of a topic. `tone` is the colour in which it is shown."""

    channel: str
    topic: str
    state: str
    tone: str
    since: datetime | None = None


def answers(contact: Contact, known: Mapping[str, str]) -> list[Answer]:
    """Return what each address said of each topic of the site. Two queries."""
    compared = {channel: canonical(channel, address) for channel, address in known.items()}
    said = {
        (row.channel, row.topic_id): row
        for row in Subscription.objects.filter(
            site_id=contact.site_id, address__in=compared.values()
        )
        if compared.get(row.channel) == row.address
    }
    topics = Topic.objects.filter(site_id=contact.site_id).order_by("name") if known else ()
    return [
        _answer(channel, topic, said.get((channel, topic.pk)))
        for channel in known
        for topic in topics
    ]


def _answer(channel: str, topic: Topic, row: Subscription | None) -> Answer:
    if row is None:
        enough = topic.consent == Topic.Consent.SOFT
        state = _t("did not object") if enough else _t("never answered")
        return Answer(channel, topic.name, state, "neutral")
    tone = "positive" if row.state == Subscription.State.SUBSCRIBED else "critical"
    return Answer(channel, topic.name, row.get_state_display(), tone, row.changed_at)


def suppressions(contact: Contact, known: Mapping[str, str]) -> list[Suppression]:
    """Return what stops messages to the contact's addresses. One query, none without address."""
    stopped = {(channel, one) for channel in known for one in hashes(channel, known[channel])}
    if not stopped:
        return []
    rows = Suppression.objects.filter(
        site_id=contact.site_id, address_hash__in={one for _channel, one in stopped}
    )
    return [row for row in rows if (row.channel, row.address_hash) in stopped]


class ContactIndexView(RecordIndexView):
    """Everybody who is known; those found to be somebody else are listed as that person only."""

    def get_base_queryset(self) -> QuerySet[Contact]:
        """Return the contacts that stand for themselves."""
        rows: QuerySet[Contact] = super().get_base_queryset()
        return rows.filter(merged_into__isnull=True, erased_at__isnull=True)


class ContactInspectView(RecordInspectView):
    """One person."""

    @property
    def header_more_buttons(self) -> list[Button]:
        """Return the way to have the person erased, for those who may."""
        contact: Contact = self.object
        if contact.erased_at is not None or not may_erase(self.request.user, contact):
            return []
        url = reverse("triggers_contacts:erase", args=[contact.pk])
        return [Button(_("Erase"), url=url, icon_name="bin", priority=90)]

    def get_record_context(self) -> dict[str, Any]:
        """Return identities, facts, consent and one page of the timeline."""
        contact: Contact = self.object
        known = addresses(contact)
        before = self.request.GET.get("before", "")
        return {
            "identities": contact.identities.order_by("kind", "value"),
            "facts": self._facts(contact),
            "declared": sorted(contact.facts.items()),
            "answers": answers(contact, known),
            "suppressions": suppressions(contact, known),
            "timeline": Timeline(contact, self.request.user).page(before),
            "is_newest_page": not before,
            "is_being_erased": is_being_erased(contact),
            "questions": questions(self.request.user, contact),
        }

    def _facts(self, contact: Contact) -> list[tuple[str, Any, bool]]:
        """Return label, value and whether the value is a moment, of each fact that is known."""
        found = []
        for name in SHOWN_FACTS:
            value = getattr(contact, name)
            if name == "spent":
                value = f"{contact.spent} {contact.currency}".strip()
            if value not in ("", None):
                label = capfirst(str(label_for_field(name, Contact)))
                found.append((label, value, isinstance(value, datetime)))
        return found


class ContactViewSet(RecordViewSet):
    """Triggers > Contacts."""

    model = Contact
    icon = "user"
    url_prefix = "triggers/contacts"
    url_namespace = "triggers_contacts"
    index_view_class = ContactIndexView
    inspect_view_class = ContactInspectView
    inspect_template_name = "wagtail_triggers/admin/contact.html"
    search_fields = ("first_name", "last_name", "email", "phone")
    list_filter = ("language",)
    list_display = (
        RecordTitleColumn(
            "name", "triggers_contacts:inspect", label=_("Contact"), accessor=str, width="30%"
        ),
        WrappingColumn("email", label=_("Email"), sort_key="email"),
        Column("language", label=_("Language"), classname=MINOR),
        NumberColumn("orders_count", label=_("Orders"), sort_key="orders_count", classname=MINOR),
        MomentColumn(
            "last_seen_at", label=_("Last seen"), sort_key="last_seen_at", classname=MINOR
        ),
    )

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Return the permissions to look and to erase."""
        erase = Q(content_type__app_label="wagtail_triggers", codename="erase_contact")
        looking = view_permission(self.model).values("pk")
        return Permission.objects.filter(Q(pk__in=looking) | erase)

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the record's URLs, and the one that erases."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/erase/", EraseView.as_view(), name="erase"),
        ]
