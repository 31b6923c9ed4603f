"""A checkout that answers requests, with what happens recorded and without."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from os import getpid

from django.db import transaction
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from tests.benchmarks.shop.models import Customer, Order, OrderLine, Payment
from tests.benchmarks.shop.signals import order_placed

_numbers = count(1)
#: What a shop without us sends: a signal that nobody receives.
_unheard = Signal()


def _checkout(request: HttpRequest, told: Signal) -> HttpResponse:
    data = json.loads(request.body)
    customer = Customer.objects.get(pk=data["customer"])
    total = sum(
        (Decimal(price) * number for _sku, _name, number, price in data["lines"]), Decimal()
    )
    with transaction.atomic():
        order = Order.objects.create(
            number=f"W{getpid()}-{next(_numbers)}", customer=customer, total=total
        )
        for sku, name, number, price in data["lines"]:
            OrderLine.objects.create(
                order=order, sku=sku, name=name, quantity=number, unit_price=Decimal(price)
            )
        Payment.objects.create(order=order, method="card", amount=order.total)
        told.send(sender=Order, order=order)
    return JsonResponse({"number": order.number, "total": str(order.total)})


@csrf_exempt
def plain(request: HttpRequest) -> HttpResponse:
    """Place an order."""
    return _checkout(request, _unheard)


@csrf_exempt
def tracked(request: HttpRequest) -> HttpResponse:
    """Place an order of which a mapping in `triggers.py` hears."""
    return _checkout(request, order_placed)


urlpatterns = [
    path("plain/", plain),
    path("tracked/", tracked),
    path("", include("tests.urls")),
]
