"""Raw bodies are kept for 30 days: longer than the 14 for which Saleor repeats a delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ...core.retention import Table, register_table
from .models import Delivery


def _all(rows: QuerySet[Any], before: datetime) -> QuerySet[Any]:
    return rows


def connect() -> None:
    """Register the table. Called once, while Django starts."""
    register_table(
        Table(name="saleor_deliveries", model=Delivery, time="received_at", days=30, may_go=_all)
    )
