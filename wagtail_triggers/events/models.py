"""Event, the append-only outbox, and the projections that are asked at scale."""

from __future__ import annotations

import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """Something that happened. Inserted in the host's own transaction, routed by a worker.

    No foreign key is enforced: the INSERT of a checkout must not wait for a contact's lock.
    """

    wagtail_reference_index_ignore = True

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    site = models.ForeignKey(
        "wagtailcore.Site",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    name = models.CharField(_("event"), max_length=64)
    source = models.CharField(_("source"), max_length=32, default="shop")
    dedupe_key = models.CharField(max_length=200)
    #: Whether `who` has been looked up in full; until then `contact` is only a hint for guards.
    resolved = models.BooleanField(default=False)
    #: What the caller said of the person: `{"user_id": "7", "email": "…", "signed_in": true}`.
    who = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    contact = models.ForeignKey(
        "wagtail_triggers.Contact",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("contact"),
        db_index=False,
    )
    #: The object that the event is about, as the caller named it.
    key = models.CharField(_("key"), max_length=128, blank=True)
    #: Every object that the event knows of: `["cart:12", "order:77"]`.
    refs = models.JSONField(default=list)
    payload = models.JSONField(_("payload"), default=dict, encoder=DjangoJSONEncoder)
    occurred_at = models.DateTimeField(_("occurred"))
    recorded_at = models.DateTimeField(_("recorded"))
    #: NULL is the queue. A last-id cursor would miss transactions that commit late.
    routed_at = models.DateTimeField(_("routed"), null=True)
    depth = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    #: Why the event was set aside, for an editor to read; empty where all went well.
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = (
            models.UniqueConstraint(
                fields=["site", "source", "dedupe_key"], name="triggers_event_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["contact", "id"],
                name="triggers_event_unrouted",
                condition=models.Q(routed_at__isnull=True),
            ),
            models.Index(
                fields=["id"],
                name="triggers_event_unresolved",
                condition=models.Q(routed_at__isnull=True, resolved=False),
            ),
            models.Index(fields=["contact", "name", "id"], name="triggers_event_history"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.key}".strip()


class Cart(models.Model):
    """The last known state of a cart, projected from events."""

    wagtail_reference_index_ignore = True

    class Status(models.TextChoices):
        """What became of the cart."""

        OPEN = "open", _("open")
        EMPTY = "empty", _("emptied")
        ORDERED = "ordered", _("ordered")

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    cart_id = models.CharField(max_length=128)
    contact = models.ForeignKey(
        "wagtail_triggers.Contact", on_delete=models.CASCADE, related_name="+"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    items = models.PositiveIntegerField(default=0)
    total = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    #: `occurred_at` of the newest event about it.
    updated_at = models.DateTimeField()
    #: When it will count as abandoned; NULL when it is not waiting for that.
    abandon_at = models.DateTimeField(null=True)
    depth = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")
        constraints = (
            models.UniqueConstraint(fields=["site", "cart_id"], name="triggers_cart_once"),
        )
        indexes = (models.Index(fields=["abandon_at"], name="triggers_cart_abandon"),)

    def __str__(self) -> str:
        return self.cart_id


class Order(models.Model):
    """The last known state of an order, projected from events."""

    wagtail_reference_index_ignore = True

    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    order_id = models.CharField(max_length=128)
    number = models.CharField(max_length=128, blank=True)
    cart_id = models.CharField(max_length=128, blank=True)
    contact = models.ForeignKey(
        "wagtail_triggers.Contact", on_delete=models.CASCADE, related_name="+"
    )
    #: The last event that moved it: `placed`, `paid`, `shipped`, `delivered`, `cancelled` …
    status = models.CharField(max_length=16)
    total = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    placed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = (
            models.UniqueConstraint(fields=["site", "order_id"], name="triggers_order_once"),
        )
        indexes = (models.Index(fields=["contact", "placed_at"], name="triggers_order_contact"),)

    def __str__(self) -> str:
        return self.number or self.order_id


class OrderLine(models.Model):
    """A line of an order, with what segments and recommendations ask at scale."""

    wagtail_reference_index_ignore = True

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=128)
    name = models.CharField(max_length=255)
    category = models.CharField(max_length=255, blank=True)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=14, decimal_places=2, null=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = (
            models.UniqueConstraint(fields=["order", "position"], name="triggers_line_once"),
        )
        indexes = (models.Index(fields=["sku"], name="triggers_line_sku"),)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"


class MappingFault(models.Model):
    """A mapping in a host's `triggers.py` that failed: counted, so that somebody sees it."""

    wagtail_reference_index_ignore = True

    mapping = models.CharField(_("mapping"), max_length=200, unique=True)
    event = models.CharField(_("event"), max_length=64)
    error = models.TextField(_("last error"))
    count = models.PositiveIntegerField(_("count"), default=0)
    last_at = models.DateTimeField(_("last time"))

    class Meta:
        verbose_name = _("mapping fault")
        verbose_name_plural = _("mapping faults")

    def __str__(self) -> str:
        return f"{self.mapping} ({self.count})"
