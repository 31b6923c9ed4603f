"""What the demo bar shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from wagtail_triggers.core import clock

from .inbox import numbers


def demo(request: HttpRequest) -> dict[str, Any]:
    """Return the time by the demo's clock and the number of mails."""
    if request.path.startswith(("/admin/", "/api/")):
        return {}
    return {"demo_on": True, "demo_now": clock.now(), "demo_mails": len(numbers())}
