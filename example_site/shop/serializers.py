"""What an order keeps of an article: name, price, page and picture as they were."""

from __future__ import annotations

from rest_framework import serializers
from salesman.core.serializers import PriceField

from .models import ProductPage


class ProductSerializer(serializers.ModelSerializer[ProductPage]):
    name = serializers.CharField(read_only=True)
    price = PriceField(read_only=True)
    url = serializers.CharField(source="absolute_url", read_only=True)
    image_url = serializers.CharField(source="thumbnail_url", read_only=True)

    class Meta:
        model = ProductPage
        fields = ["id", "name", "code", "unit", "price", "url", "image_url"]
