"""The letters of one journey, in all their languages: what is still a draft, and publishing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from ..journeys.bundles.exporting import templates_named
from ..journeys.models import Journey
from ..journeys.problems import Problem
from ..journeys.reading import problems_of
from ..messages.lint import lint
from ..messages.models import MessageClass, Template
from .permissions import ANY_ACTION, policy_of
from .publication import publications

#: How many faults of one letter are told; its own page has all of them.
_FAULTS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A letter in one language."""

    template: Template
    state: str
    tone: str
    may_edit: bool

    @property
    def is_pending(self) -> bool:
        """Whether something of it is not published yet."""
        return not self.template.live or self.template.has_unpublished_changes


class LettersView(WagtailAdminTemplateMixin, TemplateView):
    """GET lists the letters, POST publishes those that are drafts."""

    page_title = _("Message templates")
    header_icon = "mail"
    template_name = "wagtail_triggers/admin/letters.html"
    http_method_names = ("get", "post", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not look at letters."""
        policy = policy_of(Template)
        if not policy.user_has_any_permission_for_instance(request.user, ANY_ACTION, self.journey):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def journey(self) -> Journey:
        """The journey, as it was last saved."""
        saved: Journey = get_object_or_404(
            Journey, pk=self.kwargs["pk"]
        ).get_latest_revision_as_object()
        return saved

    @cached_property
    def rows(self) -> Sequence[Row]:
        """Every letter that a step names, in the order of the steps."""
        named = templates_named(self.journey.graph or {}, self.journey.site_id)
        found = [row for rows in named.values() for row in rows]
        states = publications(found)
        policy = policy_of(Template)
        return [
            Row(
                row,
                *states[row.pk],
                may_edit=policy.user_has_permission_for_instance(self.request.user, "change", row),
            )
            for row in found
        ]

    @property
    def may_publish(self) -> bool:
        """Whether the reader may publish letters of this site."""
        policy = policy_of(Template)
        user = self.request.user
        return policy.user_has_permission_for_instance(user, "publish", self.journey)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Publish every draft that can be; name the others with what is wrong."""
        if not self.may_publish:
            raise PermissionDenied
        done = 0
        for row in self.rows:
            if row.is_pending:
                done += self._published(row.template)
        if done:
            text = ngettext("%(n)d message is published.", "%(n)d messages are published.", done)
            messages.success(request, text % {"n": done})
        return redirect(reverse("triggers_bundles:letters", args=[self.journey.pk]))

    def _published(self, template: Template) -> bool:
        revision = template.get_latest_revision()
        if template.locked or revision is None:
            return self._told(template, [_t("Somebody has locked it. Ask them to unlock it.")])
        draft = revision.as_object()
        faults = [str(message) for _field, message in lint(draft)]
        if draft.message_class == MessageClass.MARKETING and draft.topic_id is None:
            faults.append(_t("A marketing message needs a topic: nobody can have agreed to it."))
        if faults:
            return self._told(template, faults)
        revision.publish(user=self.request.user)
        template.refresh_from_db()
        if template.publish_problem:
            return self._told(template, template.publish_problem.splitlines())
        return True

    def _told(self, template: Template, faults: Sequence[str]) -> bool:
        place = {"name": template.name, "language": template.locale.get_display_name()}
        head = _t("“%(name)s” (%(language)s) is not published:") % place
        messages.error(self.request, f"{head} {' '.join(faults[:_FAULTS])}")
        return False

    def _problems(self) -> list[Problem]:
        """What stands in the way of publishing the journey."""
        found = problems_of(self.journey.graph or {}, self.journey.site_id)
        return [one for one in found if one.severity == "error"]

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {
                "url": reverse("triggers_journeys:edit", args=[self.journey.pk]),
                "label": self.journey.name,
            },
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the letters, what is left to do, and what stands in the journey's way."""
        policy = policy_of(Journey)
        pending = sum(row.is_pending for row in self.rows)
        return {
            **super().get_context_data(**kwargs),
            "journey": self.journey,
            "rows": self.rows,
            "pending": pending,
            "may_publish": self.may_publish,
            "may_edit": policy.user_has_permission_for_instance(
                self.request.user, "change", self.journey
            ),
            # That what is not published is not published is said by the table.
            "problems": [one for one in self._problems() if not pending or one.field != "template"],
        }
