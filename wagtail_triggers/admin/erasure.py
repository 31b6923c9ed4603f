"""Erasing a person by hand: a page that says what will happen, and does it when it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log

from ..contacts import erasures
from ..contacts.erasing import traces
from ..contacts.models import Contact, Erasure
from ..engine.models import Enrolment
from ..messages.models import Message
from . import access
from .contact_addresses import addresses
from .erasing import ERASE
from .permissions import may_touch

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: How long a request goes on with it itself; workers do the rest.
SECONDS: Final = 5.0
#: In the log, where a name would stand.
NAMELESS: Final = _("Erased person")


@dataclass(frozen=True, slots=True)
class Line:
    """What will become of the rows of one table."""

    label: StrOrPromise
    count: str
    deleted: bool


def may_erase(user: Any, contact: Contact) -> bool:
    """Say whether `user` may erase this person; nobody erases whom they cannot see."""
    return access.has(user, "erase_contact", contact.site_id) and may_touch(user, contact)


def is_being_erased(contact: Contact) -> bool:
    """Say whether somebody has asked for it and it is not done yet."""
    waiting = Erasure.objects.filter(done_at=None, site_id=contact.site_id)
    return any(contact.pk in ids for ids in waiting.values_list("contacts", flat=True)[:1_000])


class EraseView(WagtailAdminTemplateMixin, TemplateView):
    """GET says what will happen, POST does it."""

    template_name = "wagtail_triggers/admin/erase.html"
    page_title = _("Erase")
    header_icon = "bin"
    http_method_names = ("get", "post", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not erase this person."""
        if not may_erase(request.user, self.contact):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def contact(self) -> Contact:
        """The person that is meant; one who was found to be another stands for that one."""
        row = get_object_or_404(Contact, pk=self.kwargs["pk"], erased_at=None)
        return row.merged_into or row

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Erase, log who did it (and not to whom), and say whether all is done."""
        contact = self.contact
        done = erasures.carry_out(erasures.request_contact(contact).pk, seconds=SECONDS)
        contact.refresh_from_db()
        data = {"erasure": str(done.public_id)}
        log(contact, ERASE, user=request.user, title=str(NAMELESS), data=data)
        if done.done_at is not None:
            messages.success(request, _t("The person was erased."))
        elif done.stopped_at is not None:
            text = _t(
                "Nothing is sent to the person any more. What is known of them is being erased; "
                "it takes a moment."
            )
            messages.success(request, text)
        else:
            text = _t("The erasure has begun and could not go on; it is tried again in a minute.")
            messages.warning(request, text)
        return redirect(reverse("triggers_contacts:index"))

    def get_page_subtitle(self) -> str:
        """Return the person's name."""
        return str(self.contact)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        back = reverse("triggers_contacts:inspect", args=[self.contact.pk])
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_contacts:index"), "label": _("Contacts")},
            {"url": back, "label": str(self.contact)},
            {"url": "", "label": self.get_page_title(), "sublabel": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what will happen, in numbers."""
        contact = self.contact
        found = erasures.outlook([contact.pk], contact.site_id)
        runs = Enrolment.objects.filter(contact_id__in=found.contacts, state__in=Enrolment.ALIVE)
        waiting = Message.objects.filter(contact_id__in=found.contacts).exclude(
            state__in=(*Message.TERMINAL, Message.State.SENDING)
        )
        return {
            **super().get_context_data(**kwargs),
            "contact": contact,
            "others": len(found.contacts) - 1,
            "runs": runs.count(),
            "waiting": waiting.count(),
            "addresses": sorted(set(addresses(contact).values())),
            "lines": _lines(found.rows),
            "back": reverse("triggers_contacts:inspect", args=[contact.pk]),
        }


def _lines(rows: dict[str, int]) -> list[Line]:
    """What becomes of each table, the fullest first."""
    models = {trace.name: trace.model for trace in traces()}
    kept = {trace.name for trace in traces() if trace.blank is not None} | {"contact"}
    for name in ("contact", "identity"):
        models[name] = apps.get_model("wagtail_triggers", name)
    return [
        Line(
            capfirst(models[name]._meta.verbose_name_plural or name),
            f"{count}+" if count >= erasures.LOOKED_AT else str(count),
            deleted=name not in kept,
        )
        for name, count in sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    ]
