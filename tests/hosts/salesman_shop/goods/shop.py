"""What Salesman asks of a shop: a serializer of its products, and a way to pay."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework import serializers
from salesman.checkout.payment import PaymentMethod
from salesman.core.utils import get_salesman_model

from .models import Tea


class TeaSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tea
        fields = ("name", "code")


class Invoice(PaymentMethod):
    identifier = "invoice"
    label = "Invoice"

    def basket_payment(self, basket: Any, request: HttpRequest) -> str:
        order = get_salesman_model("Order").objects.create_from_basket(basket, request)
        basket.delete()
        return str(order.token)
