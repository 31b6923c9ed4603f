"""`wagtail_triggers.middleware.VisitorMiddleware`: browsers are known again by a cookie.

Put it behind Django's AuthenticationMiddleware. Without it everything works but for visitors who
are not signed in and have given no address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from .core.visitors import COOKIE, MAX_AGE, _current, may_follow, new_visitor, visitor_of

#: Only pages that a person looks at make a visitor; pictures and scripts do not.
_PAGES: Final = ("text/html",)


class VisitorMiddleware:
    """Makes the request known to our signal mappings, and sets the cookie where it may be set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; a first visit has its visitor already while it is answered."""
        fresh = not visitor_of(request) and self._is_asked_for(request) and may_follow(request)
        if fresh:
            request._triggers_visitor = new_visitor()  # type: ignore[attr-defined]
        token = _current.set(request)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        if fresh and response.status_code < 400:
            response.set_cookie(
                COOKIE,
                visitor_of(request),
                max_age=MAX_AGE,
                secure=request.is_secure(),
                httponly=True,
                samesite="Lax",
            )
        return response

    @staticmethod
    def _is_asked_for(request: HttpRequest) -> bool:
        return any(kind in request.headers.get("Accept", "") for kind in _PAGES)
