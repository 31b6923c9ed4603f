"""The first-party cookie by which a browser is known again before anybody signs in.

It holds 128 random bits and nothing else. Whether it may be set is the shop's to say, by
`WAGTAIL_TRIGGERS_VISITOR_CONSENT`; a browser that asks not to be tracked gets none.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest
from django.utils.module_loading import import_string

from ..conf import settings
from ..exceptions import ConfigurationError

COOKIE: Final = "triggers_visitor"
#: A year, as long as European authorities let such a cookie live (CNIL: 13 months).
MAX_AGE: Final = 365 * 86_400
VALUE: Final = re.compile(r"[0-9a-f]{32}")
#: What looks ahead and fetches without a person behind it.
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")
_ROBOT: Final = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|facebookexternalhit|preview|monitor|headless|python-|curl/"
    r"|wget|httpclient|http-client|okhttp|go-http|scanner|lighthouse|pingdom|uptime",
    re.IGNORECASE,
)

_current: Final[ContextVar[HttpRequest | None]] = ContextVar("triggers_request", default=None)


def visitor_of(request: HttpRequest | None) -> str:
    """The visitor behind a request, or "" where the browser has no cookie of ours."""
    value = request.COOKIES.get(COOKIE, "") if request is not None else ""
    made = getattr(request, "_triggers_visitor", "")
    return made or (value if VALUE.fullmatch(value) else "")


def current_request() -> HttpRequest | None:
    """The request that is being answered, for signals that carry none; None outside of one."""
    return _current.get()


def new_visitor() -> str:
    """A value for the cookie: 128 random bits."""
    return secrets.token_hex(16)


def may_follow(request: HttpRequest) -> bool:
    """Say whether this browser may be known again.

    Not where it sends Do-Not-Track or Global Privacy Control, where it is a robot or looks ahead,
    or where the shop's own answer is no.

    Raises:
        ConfigurationError: The setting names no callable.
    """
    if request.headers.get("DNT") == "1" or request.headers.get("Sec-GPC") == "1":
        return False
    return is_person(request) and _consents(request)


def is_person(request: HttpRequest) -> bool:
    """Say whether a request looks like somebody's own: no robot, no prefetch."""
    if any(
        "prefetch" in request.headers.get(name, "").lower()
        or "prerender" in request.headers.get(name, "").lower()
        or "preview" in request.headers.get(name, "").lower()
        for name in _AHEAD
    ):
        return False
    agent = request.headers.get("User-Agent", "")
    return bool(agent) and not _ROBOT.search(agent)


def _consents(request: HttpRequest) -> bool:
    path = settings.VISITOR_CONSENT
    if not path:
        return True
    try:
        asked = import_string(path)
    except ImportError as error:
        raise ConfigurationError(
            f"WAGTAIL_TRIGGERS_VISITOR_CONSENT names {path!r}, which cannot be imported: {error}."
        ) from error
    return bool(asked(request))
