"""The Django app of the benchmarks' shop."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class BenchShopConfig(AppConfig):
    """Has no migrations: its tables are synchronised."""

    name = "tests.benchmarks.shop"
    label = "bench_shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receiver."""
        import_module("tests.benchmarks.shop.mails")
