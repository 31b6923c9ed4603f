"""`wagtail_triggers.middleware.VisitorMiddleware`: browsers are known again by a cookie.

Put it behind Django's AuthenticationMiddleware. Without it everything works but for visitors who
are not signed in and have given no address.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse

from .api import Who, track
from .conf import settings
from .core.visitors import COOKIE, MAX_AGE, _current, may_follow, new_visitor, visitor_of
from .exceptions import InvalidEvent

logger = logging.getLogger("wagtail_triggers.visitors")

_JOINED: Final = "triggers_joined"
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
        self._note(request, response)
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

    def _note(self, request: HttpRequest, response: HttpResponse) -> None:
        """Record the page, where the setting says so, and whose browser this is once they sign in.

        A fault of ours never breaks the page.
        """
        visitor = visitor_of(request)
        if not visitor or response.status_code >= 400:
            return
        joins = self._joins(request, visitor)
        viewed = settings.PAGE_VIEWS and self._is_page(request, response)
        if not (joins or viewed) or not may_follow(request):
            return
        who = _who(request, visitor)
        try:
            with transaction.atomic():
                if joins:
                    request.session[_JOINED] = joins
                    track("user_updated", contact=who)
                if viewed:
                    url = request.build_absolute_uri()[:2_000]
                    track("page_viewed", contact=who, payload={"url": url})
        except (InvalidEvent, DatabaseError):
            logger.exception("A visit could not be recorded; the page was shown all the same")

    @staticmethod
    def _joins(request: HttpRequest, visitor: str) -> str:
        """What the session has to remember where it has not yet told whose browser this is."""
        user = getattr(request, "user", None)
        session = getattr(request, "session", None)
        if user is None or not user.is_authenticated or session is None:
            return ""
        mark = f"{user.pk}:{visitor}"
        return mark if session.get(_JOINED) != mark else ""

    @classmethod
    def _is_page(cls, request: HttpRequest, response: HttpResponse) -> bool:
        html = response.headers.get("Content-Type", "").startswith("text/html")
        return request.method == "GET" and response.status_code == 200 and html

    @staticmethod
    def _is_asked_for(request: HttpRequest) -> bool:
        return any(kind in request.headers.get("Accept", "") for kind in _PAGES)


def _who(request: HttpRequest, visitor: str) -> Who:
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Who.of_user(user, cookie_id=visitor, signed_in=True)
    return Who(cookie_id=visitor)
