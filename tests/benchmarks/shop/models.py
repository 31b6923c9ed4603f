"""What a checkout writes. Managers are annotated because the type checker has another project."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Customer(models.Model):
    """Somebody with an account."""

    objects: ClassVar[models.Manager[Customer]]

    first_name = models.CharField(max_length=64)
    last_name = models.CharField(max_length=64)
    email = models.EmailField(unique=True)

    def __str__(self) -> str:
        return self.email


class Order(models.Model):
    """A placed order."""

    objects: ClassVar[models.Manager[Order]]
    lines: RelatedManager[OrderLine]

    number = models.CharField(max_length=32)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    placed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One article of an order."""

    objects: ClassVar[models.Manager[OrderLine]]

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=128)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """How an order was paid."""

    objects: ClassVar[models.Manager[Payment]]

    order = models.ForeignKey(Order, null=True, on_delete=models.CASCADE)
    method = models.CharField(max_length=32)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    paid_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.method} {self.amount}"


class Receipt(models.Model):
    """Who was written to, as wagtail-birdsong notes it."""

    objects: ClassVar[models.Manager[Receipt]]

    contact = models.BigIntegerField()
    sent_date = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.contact}"
