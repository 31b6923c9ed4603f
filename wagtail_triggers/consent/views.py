"""The public unsubscribe page and the one-click POST of RFC 8058."""

from __future__ import annotations

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..core.sites import name_of
from .models import LinkToken
from .subscriptions import unsubscribe_by_link


@method_decorator([never_cache, csrf_exempt, transaction.non_atomic_requests], name="dispatch")
class UnsubscribeView(View):
    """GET shows a page with a button and changes nothing; POST unsubscribes.

    No log-in and no CSRF token: the random token in the address is the authority (RFC 8058
    section 3.1 wants a POST without cookies to work). Mail scanners follow links with GET.
    """

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show what would be stopped."""
        return self._page(request, self._link(token), done="")

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Stop it, before answering."""
        link = self._link(token)
        everything = request.POST.get("scope") == "everything"
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        unsubscribe_by_link(
            link, everything=everything, source="one-click" if one_click else "unsubscribe page"
        )
        if one_click:
            return HttpResponse("OK", content_type="text/plain")
        done = "everything" if everything or link.topic is None else "topic"
        return self._page(request, link, done=done)

    @staticmethod
    def _link(token: str) -> LinkToken:
        # PostgreSQL takes no NUL, not even to say that nothing is equal to it.
        rows = LinkToken.objects.select_related("topic", "site").filter(token=token)
        link = None if "\x00" in token else rows.first()
        if link is None:
            raise Http404
        return link

    @staticmethod
    def _page(request: HttpRequest, link: LinkToken, *, done: str) -> HttpResponse:
        response = render(
            request,
            "wagtail_triggers/public/unsubscribe.html",
            {"link": link, "done": done, "site_name": name_of(link.site)},
        )
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response
