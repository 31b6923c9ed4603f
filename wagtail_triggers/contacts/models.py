"""Contact and Identity: one row per person and one per thing that tells who somebody is."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class Contact(models.Model):
    """A person whom the shop knows, signed in or not."""

    wagtail_reference_index_ignore = True

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", verbose_name=_("site")
    )
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    #: Set once this contact was found to be the same person as another one.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    #: Where mail goes. Not an identity: two contacts may give the same address.
    email = models.EmailField(_("email"), max_length=320, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    last_order_at = models.DateTimeField(_("last order"), null=True, blank=True)
    orders_count = models.PositiveIntegerField(_("orders"), default=0)
    spent = models.DecimalField(_("spent"), max_digits=14, decimal_places=2, default=Decimal(0))
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    #: Labels that journeys and editors put on people; sorted, each once.
    tags = models.JSONField(_("tags"), default=list, blank=True)
    score = models.PositiveIntegerField(_("score"), default=0)
    #: Declared facts of the host, by name.
    facts = models.JSONField(_("facts"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    #: When each fact last changed (ISO 8601), so that an older event never overwrites a newer one.
    facts_at = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    #: When the person was erased. The row stays, with nothing in it that tells who it was: runs and
    #: messages that statistics count point to it.
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = (models.Index(fields=["site", "email"], name="triggers_contact_email"),)
        permissions = (("erase_contact", "Can erase people"),)

    def __str__(self) -> str:
        if self.erased_at is not None:
            return str(_("Erased person"))
        return self.name or self.email or self.phone or str(_("Anonymous visitor"))

    @property
    def name(self) -> str:
        """First and last name, or ""."""
        return f"{self.first_name} {self.last_name}".strip()

    def as_facts(self) -> dict[str, Any]:
        """Everything that conditions and templates may see of this person, as plain data."""
        return {
            **self.facts,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "language": self.language,
            "time_zone": self.time_zone,
            "birthday": self.birthday,
            "last_seen_at": self.last_seen_at,
            "last_order_at": self.last_order_at,
            "orders_count": self.orders_count,
            "spent": self.spent,
            "currency": self.currency,
            "tags": list(self.tags),
            "score": self.score,
        }


class Identity(models.Model):
    """One thing that tells who somebody is: a user id, a cookie, an address."""

    wagtail_reference_index_ignore = True

    class Kind(models.TextChoices):
        """What the value is. The order is the order of trust."""

        USER_ID = "user_id", _("user id")
        EXTERNAL_ID = "external_id", _("external id")
        EMAIL = "email", _("email")
        PHONE = "phone", _("phone")
        COOKIE_ID = "cookie_id", _("cookie")

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    value = models.CharField(max_length=320)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identities")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = (
            models.UniqueConstraint(fields=["site", "kind", "value"], name="triggers_identity"),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class Erasure(models.Model):
    """Somebody's wish to be forgotten: the queue of erasures, and the proof of what was done.

    Who it was about is known until it is done, and not afterwards.
    """

    wagtail_reference_index_ignore = True

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    #: Of whom it is, as `Who.as_json` wrote it; emptied with the rest.
    who = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    #: Ids of the contacts, once they are found; those that had been merged into one are all here.
    contacts = models.JSONField(default=list)
    requested_at = models.DateTimeField(_("asked for"))
    #: From when on nothing can happen to the person any more.
    stopped_at = models.DateTimeField(null=True)
    #: When a worker should look at it; NULL once it is done.
    due_at = models.DateTimeField(null=True, db_index=True)
    done_at = models.DateTimeField(_("done"), null=True)
    #: How far each table has been worked through: the last primary key.
    reached = models.JSONField(default=dict)
    #: Rows that were emptied or deleted, by table.
    removed = models.JSONField(_("removed"), default=dict)
    #: What kept it from being done, without personal data; it is tried again all the same.
    problem = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return f"{self.public_id} {self.requested_at:%Y-%m-%d}"
