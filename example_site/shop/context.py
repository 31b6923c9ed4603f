"""What every page of the shop shows: shelves, cart."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from .carts import peek
from .models import CategoryPage, TextPage


def shop(request: HttpRequest) -> dict[str, Any]:
    """Return the shelves and the number of things in the cart."""
    if request.path.startswith(("/admin/", "/api/")) or not hasattr(request, "session"):
        return {}
    basket = peek(request)
    return {
        "shelves": CategoryPage.objects.live().in_menu().order_by("path"),
        "text_pages": TextPage.objects.live().order_by("path"),
        "cart_count": basket.quantity if basket else 0,
    }
