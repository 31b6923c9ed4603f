"""A tea."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.http import HttpRequest


class Tea(models.Model):
    name = models.CharField(max_length=100)
    code = models.CharField(max_length=20, unique=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    live = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name

    def get_price(self, request: HttpRequest) -> Decimal:
        return self.price

    def get_absolute_url(self) -> str:
        return f"/teas/{self.code}/"


def more(tea: Tea) -> dict[str, Any]:
    """What the shop knows of a tea beside its code, name and price."""
    return {"category": "Teas"}
