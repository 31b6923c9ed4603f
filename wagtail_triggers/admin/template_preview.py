"""Whose copy of a template Wagtail's preview panel shows: chosen there, kept in the session.

What was chosen is a name only. Whether its owner may see that person or event is asked anew each
time the preview is drawn.
"""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import Media
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.side_panels import PreviewSidePanel
from wagtail.snippets.views.snippets import (
    CreateView,
    EditView,
    PreviewOnCreateView,
    PreviewOnEditView,
)

from ..contacts.models import Contact
from ..core.sites import default_site_id
from ..events.models import Event
from ..events.types import event_types
from ..messages.models import Template
from ..messages.personas import PERSONAS, REGULAR
from ..messages.readers import Reader, persona_named
from . import access
from .permissions import may_view, policy_of, visible

SESSION_KEY: Final = "triggers_read_by"
#: Templates for which a session remembers a choice.
_REMEMBERED: Final = 20
_FOUND: Final = 12
_NEW: Final = 0


def reader_of(request: HttpRequest, template: Template) -> Reader:
    """Return as whom a template is shown; the regular customer where the choice no longer holds.

    Args:
        request: Of whoever looks at the preview.
        template: As the form has it.
    """
    chosen = request.session.get(SESSION_KEY, {}).get(str(template.pk or _NEW), "")
    return _reader(request.user, template, str(chosen)) or Reader()


def _reader(user: Any, template: Template, chosen: str) -> Reader | None:
    """The reader behind a choice; None where there is none, or `user` may not see it."""
    kind, _colon, value = chosen.partition(":")
    if kind == "persona":
        return Reader(persona=persona_named(value)) if value in PERSONAS else None
    if not value.isdecimal() or len(value) > 18:
        return None
    if kind == "contact":
        contact = _people(user, template).filter(pk=int(value)).first()
        return Reader(contact=contact) if contact is not None else None
    if kind == "event":
        event = _events(user, template).filter(pk=int(value)).first()
        seen = may_view(user, Contact)
        return Reader(event=event, names_person=seen) if event is not None else None
    return None


def _people(user: Any, template: Template) -> QuerySet[Contact]:
    if not may_view(user, Contact):
        return Contact.objects.none()
    rows = visible(user, Contact.objects.filter(merged_into__isnull=True))
    return rows.filter(site_id=template.site_id or default_site_id())


def _events(user: Any, template: Template) -> QuerySet[Event]:
    """Recorded events of the kind that the template is written for; of any kind where it is not."""
    if not may_view(user, Event):
        return Event.objects.none()
    rows = visible(user, Event.objects.filter(site_id=template.site_id or default_site_id()))
    return rows.filter(name=template.event) if template.event else rows


def may_preview(user: Any, template: Template) -> bool:
    """Say whether `user` may write this template, or a new one: so they may preview it."""
    policy = policy_of(Template)
    if template.pk is None:
        return policy.user_has_permission(user, "add")
    return policy.user_has_permission_for_instance(user, "change", template)


class _OfTemplate(View):
    """Finds the template, and refuses whoever may not preview it."""

    template: Template

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not preview the template."""
        pk = kwargs.get("pk")
        self.template = get_object_or_404(Template, pk=pk) if pk else Template()
        if not may_preview(request.user, self.template):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class ReadByView(_OfTemplate):
    """Remembers as whom a template is to be shown."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int = _NEW) -> JsonResponse:
        """Take a choice such as "persona:guest" or "contact:12"."""
        chosen = request.POST.get("reader", "")
        self.template.event = request.POST.get("event", self.template.event)[:64]
        reader = _reader(request.user, self.template, chosen)
        if reader is None:
            problem = _("There is nobody like that, or you may not see them. Choose again.")
            return JsonResponse({"problem": problem}, status=400)
        kept = {k: v for k, v in request.session.get(SESSION_KEY, {}).items() if k != str(pk)}
        kept = dict(list(kept.items())[-_REMEMBERED + 1 :])
        request.session[SESSION_KEY] = {**kept, str(pk): chosen}
        return JsonResponse({"label": reader.label})


class ReadersView(_OfTemplate):
    """Finds contacts and recorded events to preview a template with."""

    http_method_names = ("get",)

    def get(self, request: HttpRequest, pk: int = _NEW) -> JsonResponse:
        """Answer with the newest that match `q`; `kind` is "contact" or "event"."""
        words = request.GET.get("q", "").strip()[:100]
        self.template.event = request.GET.get("event", self.template.event)[:64]
        if request.GET.get("kind") == "event":
            if not may_view(request.user, Event):
                raise PermissionDenied
            return JsonResponse({"found": self._found_events(request.user, words)})
        if not may_view(request.user, Contact):
            raise PermissionDenied
        return JsonResponse({"found": self._found_people(request.user, words)})

    def _found_people(self, user: Any, words: str) -> list[dict[str, str]]:
        rows = _people(user, self.template)
        for word in words.split()[:4]:
            rows = rows.filter(
                Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
                | Q(email__icontains=word)
            )
        return [
            {"reader": f"contact:{row.pk}", "label": str(row), "hint": row.email}
            for row in rows.order_by("-pk")[:_FOUND]
        ]

    def _found_events(self, user: Any, words: str) -> list[dict[str, str]]:
        rows = _events(user, self.template)
        seen = may_view(user, Contact)
        if words:
            matches = Q(key__icontains=words)
            if seen:
                matches |= Q(contact__email__icontains=words)
            rows = rows.filter(matches)
        return [
            {
                "reader": f"event:{row.pk}",
                "label": Reader(event=row).label,
                "hint": _hint(row, seen),
            }
            for row in rows.select_related("contact").order_by("-pk")[:_FOUND]
        ]


def _hint(row: Event, seen: bool) -> str:
    moment = timezone.localtime(row.occurred_at)
    when = f"{date_format(moment, 'SHORT_DATE_FORMAT')} {date_format(moment, 'TIME_FORMAT')}"
    return f"{row.contact} · {when}" if seen and row.contact is not None else when


class ReaderPanel(PreviewSidePanel):
    """Wagtail's preview panel, with the choice of who reads."""

    template_name = "wagtail_triggers/admin/template_preview_panel.html"

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        """Add who can be chosen, and where that is said."""
        context: dict[str, Any] = super().get_context_data(parent_context)
        template, user = self.object, self.request.user
        reader = reader_of(self.request, template)
        args = [template.pk] if template.pk else []
        suffix = "" if args else "_new"
        known = event_types.all().get(template.event)
        context |= {
            "reader": reader,
            "is_persona": reader.contact is None and reader.event is None,
            "personas": PERSONAS.values(),
            "regular": REGULAR,
            "may_view_contacts": may_view(user, Contact),
            "may_view_events": may_view(user, Event),
            "event_label": known.label if known else "",
            "read_by_url": reverse(f"triggers_templates:read_by{suffix}", args=args),
            "test_url": self._test_url(),
            "readers_url": reverse(f"triggers_templates:readers{suffix}", args=args),
        }
        return context

    def _test_url(self) -> str:
        """Where tests are sent from; "" where the user may not, or there is nothing saved yet."""
        template, user = self.object, self.request.user
        if not template.pk or not access.has(user, "send_test", template.site_id):
            return ""
        return reverse("triggers_templates:test_send", args=[template.pk])

    @property
    def media(self) -> Media:
        """The script that asks and tells."""
        return Media(js=[versioned_static("wagtail_triggers/admin/reader.js")])


class _WithReaders:
    """Puts our panel in the place of Wagtail's."""

    request: HttpRequest

    def get_side_panels(self) -> Any:
        """Return Wagtail's panels, the preview with the choice of who reads."""
        panels = super().get_side_panels()  # type: ignore[misc]
        for place, panel in enumerate(panels):
            if type(panel) is PreviewSidePanel:
                panels[place] = ReaderPanel(
                    panel.object, self.request, preview_url=panel.preview_url
                )
        return panels


class TemplateEditView(_WithReaders, EditView):
    """The page on which a template is written."""


class TemplateCreateView(_WithReaders, CreateView):
    """The page on which a new template is written."""


class TemplatePreviewOnEditView(PreviewOnEditView):
    """Draws the preview for whoever was chosen."""

    def get_extra_request_attrs(self) -> dict[str, Any]:
        """Hand on the reader, once it is known that the user may see them."""
        attributes: dict[str, Any] = super().get_extra_request_attrs()
        return attributes | {"triggers_reader": reader_of(self.request, self.object)}


class TemplatePreviewOnCreateView(PreviewOnCreateView):
    """Draws the preview of a new template for whoever was chosen."""

    def get_extra_request_attrs(self) -> dict[str, Any]:
        """Hand on the reader, once it is known that the user may see them."""
        attributes: dict[str, Any] = super().get_extra_request_attrs()
        return attributes | {"triggers_reader": reader_of(self.request, self.object)}


def preview_urls() -> list[URLPattern]:
    """Return where readers are chosen and looked for."""
    return [
        path("read-by/", ReadByView.as_view(), name="read_by_new"),
        path("readers/", ReadersView.as_view(), name="readers_new"),
        path("<int:pk>/read-by/", ReadByView.as_view(), name="read_by"),
        path("<int:pk>/readers/", ReadersView.as_view(), name="readers"),
    ]
