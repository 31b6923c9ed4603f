"""What a visitor does in the storefront, told by its pages: the beacon and the snippet.

Nobody has to sign anything here, so little is believed: a few kinds of event, about the visitor
behind a cookie, or the customer whose session it is. Names and addresses are not taken. Robots,
prefetches, and browsers that ask not to be tracked leave nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ..api import Who, track
from ..conf import settings
from ..core import clock
from ..core.strict_json import BadJson, loads
from ..core.visitors import VALUE, may_follow, visitor_of
from ..exceptions import InvalidEvent

#: Bytes of one beacon; browsers send up to 64 KiB.
MAX_BEACON: Final = 32 * 1024
#: Events of one beacon.
MOST: Final = 20
#: Events of one visitor in a minute; the rest is dropped.
PER_MINUTE: Final = 60
#: What pages may tell. Orders and registrations are the shop's to say, not a browser's.
TOLD: Final = frozenset(
    {"page_viewed", "product_viewed", "search_performed", "cart_updated", "checkout_started"}
)


@method_decorator(csrf_exempt, name="dispatch")
class BeaconView(View):
    """POST: events of a page. Answers 204 whatever becomes of them; a page has no use for more."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Record what may be recorded."""
        origin = _origin(request)
        if origin is None:
            return HttpResponse(status=403)
        body = request.read(MAX_BEACON + 1)
        if len(body) <= MAX_BEACON and may_follow(request):
            self._take(request, body)
        return _allowed(HttpResponse(status=204), origin)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a browser that asks whether a storefront elsewhere may send."""
        origin = _origin(request)
        return (
            HttpResponse(status=403) if not origin else _allowed(HttpResponse(status=204), origin)
        )

    def _take(self, request: HttpRequest, body: bytes) -> None:
        try:
            found = loads(body)
        except BadJson:
            return
        events = found.get("events") if isinstance(found, dict) else None
        who = _who(request, found)
        if not isinstance(events, list) or who is None:
            return
        for one in events[: _room(who, min(len(events), MOST))]:
            if isinstance(one, Mapping) and one.get("name") in TOLD:
                _record(one, who)


def _record(one: Mapping[str, Any], who: Who) -> None:
    payload = one.get("payload")
    key = one.get("key")
    try:
        track(
            str(one["name"]),
            contact=who,
            key=str(key)[:128] if isinstance(key, str | int) else "",
            payload=dict(payload) if isinstance(payload, Mapping) else {},
            source="storefront",
        )
    except InvalidEvent:
        return  # a page's fault, or somebody's play: there is nobody to tell


def _who(request: HttpRequest, found: Any) -> Who | None:
    """The customer of this session; else the visitor of a cookie, or of a storefront elsewhere."""
    visitor = visitor_of(request)
    if not visitor and _is_elsewhere(request) and isinstance(found, dict):
        named = found.get("visitor")
        visitor = named if isinstance(named, str) and VALUE.fullmatch(named) else ""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and not _is_elsewhere(request):
        return Who.of_user(user, cookie_id=visitor, signed_in=True)
    return Who(cookie_id=visitor) if visitor else None


def _room(who: Who, wanted: int) -> int:
    """How many events of this person still fit into the minute."""
    minute = int(clock.now().timestamp() // 60)
    name = f"triggers:beacon:{who.user_id or who.cookie_id}:{minute}"
    cache.add(name, 0, timeout=120)
    try:
        used = cache.incr(name, wanted)
    except ValueError:  # it fell out of the cache just now
        return wanted
    return max(0, min(wanted, PER_MINUTE - (used - wanted)))


def _is_elsewhere(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin", "")
    return bool(origin) and origin != f"{request.scheme}://{request.get_host()}"


def _origin(request: HttpRequest) -> str | None:
    """The storefront that sends; "" for our own pages, None where it may not."""
    if not _is_elsewhere(request):
        return "" if request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin" else None
    origin = request.headers["Origin"]
    return origin if origin in settings.STOREFRONT_ORIGINS else None


def _allowed(response: HttpResponse, origin: str) -> HttpResponse:
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Headers"] = "content-type"
        response["Access-Control-Max-Age"] = "86400"
        response["Vary"] = "Origin"
    return response
