"""Who looks at the page: a first-party cookie for those who have not signed in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

COOKIE = "tk_visitor"
HALF_A_YEAR = 182 * 24 * 3600
_SHAPE = re.compile(r"[\w-]{22}")


class VisitorMiddleware:
    """Gives every visitor an id of our own, ``request.visitor``, and remembers it in a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = request.COOKIES.get(COOKIE, "")
        request.visitor = known if _SHAPE.fullmatch(known) else _new_id()  # type: ignore[attr-defined]
        response = self.get_response(request)
        visitor = visitor_of(request)
        if visitor != known:
            response.set_cookie(COOKIE, visitor, max_age=HALF_A_YEAR, httponly=True, samesite="Lax")
        return response


def _new_id() -> str:
    return secrets.token_urlsafe(16)


def visitor_of(request: HttpRequest) -> str:
    """Return the visitor's id; empty for a request that did not come through the middleware."""
    return getattr(request, "visitor", "")


def forget_visitor(request: HttpRequest) -> None:
    """Start a new visitor, so that the next person at this computer is not taken for the last."""
    request.visitor = _new_id()  # type: ignore[attr-defined]
