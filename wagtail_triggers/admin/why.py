"""Why did she not get it? One person and one journey: what was decided, by which rule, when."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button

from ..contacts.models import Contact
from ..core import clock
from ..engine.explaining import Explanation, explain
from ..engine.forecast import forecast
from ..engine.models import Enrolment
from ..events.models import Event
from ..journeys.models import Journey
from ..messages.models import Message
from .answers import Answers
from .permissions import may_see_people, may_touch, may_view, visible

#: People that a search offers.
MOST_PEOPLE: Final = 20
#: Journeys that a person's page offers.
MOST_JOURNEYS: Final = 30


class WhyView(WagtailAdminTemplateMixin, TemplateView):
    """The answer, everything that it rests on, and what is planned for the next 30 days."""

    template_name = "wagtail_triggers/admin/why.html"
    page_title = _("Why?")
    header_icon = "help"
    http_method_names = ("get", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not see this person, or what runs did with them."""
        user = request.user
        if not (may_view(user, Enrolment) and may_touch(user, self.contact)):
            raise PermissionDenied
        if not may_touch(user, self.journey):
            raise PermissionDenied
        if self.contact.site_id != self.journey.site_id:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def contact(self) -> Contact:
        """The person."""
        return get_object_or_404(Contact, pk=self.kwargs["contact"])

    @cached_property
    def journey(self) -> Journey:
        """The journey."""
        return get_object_or_404(Journey, pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        """Return who and what."""
        return f"{self.contact} · {self.journey}"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {
                "url": reverse("triggers_journeys:inspect", args=[self.journey.pk]),
                "label": str(self.journey),
            },
            {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the answer in sentences."""
        moment = clock.now()
        user = self.request.user
        found: Explanation = explain(self.contact, self.journey, moment)
        answers = Answers(
            found.contact,
            self.journey,
            moment,
            sees_events=may_view(user, Event),
            sees_messages=may_view(user, Message),
        )
        return {
            **super().get_context_data(**kwargs),
            "person": found.contact,
            "journey": self.journey,
            "answer": answers.told(found.answer),
            "attempts": [answers.attempt(one) for one in found.attempts],
            "listens_for": answers.events(found.listens_for),
            "forecast": answers.forecast(forecast(found.contact, moment, journey=self.journey)),
        }


class PeopleView(WagtailAdminTemplateMixin, TemplateView):
    """From a journey: look for the person whom the question is about."""

    template_name = "wagtail_triggers/admin/why_people.html"
    page_title = _("Why did somebody not get it?")
    header_icon = "help"
    http_method_names = ("get", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not see people, or what runs did with them."""
        allowed = may_view(request.user, Enrolment) and may_see_people(request.user)
        if not allowed or not may_touch(request.user, self.journey):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def journey(self) -> Journey:
        """The journey."""
        return get_object_or_404(Journey, pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        """Return the journey's name."""
        return self.journey.name

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {
                "url": reverse("triggers_journeys:inspect", args=[self.journey.pk]),
                "label": str(self.journey),
            },
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the people that were looked for."""
        asked = self.request.GET.get("q", "").strip()[:200]
        people = search_people(self.request.user, asked, self.journey) if asked else []
        return {
            **super().get_context_data(**kwargs),
            "journey": self.journey,
            "q": asked,
            "people": [
                (one, reverse("triggers_journeys:why", args=[self.journey.pk, one.pk]))
                for one in people
            ],
        }


def search_people(user: Any, words: str, journey: Journey) -> list[Contact]:
    """Return people of the journey's site whom all of these words fit; at most a screenful."""
    rows = visible(user, Contact.objects.filter(site_id=journey.site_id, merged_into=None))
    for word in words.split()[:5]:
        rows = rows.filter(
            Q(email__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(phone__icontains=word)
        )
    return list(rows.order_by("-last_seen_at", "-pk")[:MOST_PEOPLE])


def questions(user: Any, contact: Contact) -> list[tuple[str, str]]:
    """Return the journeys about which "why?" can be asked for a person, with the page of each.

    Those that the person has met come first; what comes behind many others is found from its page.
    """
    if not (may_view(user, Enrolment) and may_view(user, Journey)):
        return []
    rows = visible(user, Journey.objects.filter(site_id=contact.site_id))
    met = Enrolment.objects.filter(journey=OuterRef("pk"), contact=contact)
    known = rows.filter(live_version__isnull=False).annotate(met=Exists(met))
    return [
        (str(row), reverse("triggers_journeys:why", args=[row.pk, contact.pk]))
        for row in known.order_by("-met", "name")[:MOST_JOURNEYS]
    ]


def why_buttons(user: Any, journey: Journey) -> list[Button]:
    """Return "Why not?" for a journey that was ever published, for those who may read answers."""
    if journey.live_version_id is None:
        return []
    if not (may_view(user, Enrolment) and may_see_people(user)):
        return []
    url = reverse("triggers_journeys:why_people", args=[journey.pk])
    return [Button(_("Why did somebody not get it?"), url=url, icon_name="help", priority=15)]


def why_urls() -> list[URLPattern]:
    """Return the URLs, for those of the journeys."""
    return [
        path("<int:pk>/why/", PeopleView.as_view(), name="why_people"),
        path("<int:pk>/why/<int:contact>/", WhyView.as_view(), name="why"),
    ]
