"""The inbox page and the clock of the demonstration."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from wagtail_triggers.conf import TASK_TICK
from wagtail_triggers.core.queue import nudge

from .inbox import mail, mails, numbers
from .models import ClockOffset

SKIPS = {
    "hour": (timedelta(hours=1), "an hour"),
    "day": (timedelta(days=1), "a day"),
    "three-days": (timedelta(days=3), "three days"),
}
#: No script, no form, no plug-in; links open beside the inbox.
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
CSP = (
    f"sandbox {SANDBOX}; default-src 'none'; img-src * data:; style-src 'unsafe-inline'; "
    "base-uri 'self'"
)


@never_cache
@require_GET
def inbox(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """List what the sink has kept, with one mail open."""
    chosen = mail(number) if number else None
    if number and chosen is None:
        raise Http404("No such mail.")
    everything = mails()
    shown = chosen or (everything[0] if everything else None)
    view = request.GET.get("view", "")
    if shown and view not in ("html", "text", "headers"):
        view = "html" if shown.html else "text"
    context = {
        "mails": everything,
        "shown": shown,
        "chosen": chosen,
        "view": view,
        "sandbox": SANDBOX,
        "views": [("html", "As it looks"), ("text", "Plain text"), ("headers", "Headers")],
    }
    return render(request, "demo/inbox.html", context)


@require_GET
@xframe_options_sameorigin
def html(request: HttpRequest, number: int) -> HttpResponse:
    """Return the HTML of a mail, for a frame in which nothing can run."""
    found = mail(number)
    if found is None:
        raise Http404("No such mail.")
    response = HttpResponse(f'<base target="_blank">{found.html}' if found.html else "")
    response["Content-Security-Policy"] = CSP
    return response


@never_cache
@require_GET
def count(request: HttpRequest) -> JsonResponse:
    """Return how many mails there are."""
    return JsonResponse({"mails": len(numbers())})


@require_POST
def skip(request: HttpRequest) -> HttpResponse:
    """Move the demo's clock on, and wake the worker."""
    by, words = SKIPS.get(request.POST.get("by", ""), (None, ""))
    if by is not None:
        ClockOffset.skip(by)
        nudge(TASK_TICK)
        messages.success(request, f"The clock has moved on by {words}.")
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return redirect(target if safe else "/")
