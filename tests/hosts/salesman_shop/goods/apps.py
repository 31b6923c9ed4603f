"""The host's own app."""

from django.apps import AppConfig


class GoodsConfig(AppConfig):
    name = "tests.hosts.salesman_shop.goods"
    label = "goods"
    default_auto_field = "django.db.models.BigAutoField"
