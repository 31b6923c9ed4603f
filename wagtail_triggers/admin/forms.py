"""The forms in which journeys and templates are written. Drafts may be unfinished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.blocks import StreamBlockValidationError
from wagtail.models import Site

from ..consent.models import Topic
from ..core.sites import default_site_id
from ..events.types import event_types
from ..journeys.reading import problems_of
from ..messages.blocks.assemble import BlockProblem
from ..messages.lint import lint
from ..messages.measuring import measure_texts
from ..messages.models import MessageClass
from ..messages.short_texts import MEASURES
from ..messages.variables import DIGEST
from .liquid_widgets import MeasuredInput, MeasuredTextarea
from .permissions import policy_of
from .raw_mjml import RawMjmlForm
from .widgets import GraphTextarea

#: What a new journey begins with: the least that is a journey.
STARTER: Mapping[str, Any] = {
    "nodes": [
        {"id": "start", "kind": "entry", "settings": {"event": "order_placed"}},
        {"id": "end", "kind": "end", "settings": {}},
    ],
    "edges": [{"source": "start", "port": "next", "target": "end"}],
}


class SiteForm(WagtailAdminModelForm):
    """A form for what belongs to a site. Where there is but one, nobody is asked which."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.site_id is None:
            self.instance.site_id = default_site_id()
            self.initial["site"] = self.instance.site_id
        if "site" in self.fields:
            self._offer_own_sites(self.fields["site"])

    def _offer_own_sites(self, field: Any) -> None:
        """Offer the sites on which the writer may write; ask nobody where there is but one."""
        if self.for_user is not None:
            sites = policy_of(type(self.instance)).sites(self.for_user, ["add", "change"])
            if sites is not None:
                field.queryset = Site.objects.filter(pk__in=sites)
                if self.instance.pk is None and self.instance.site_id not in sites:
                    self.instance.site_id = min(sites, default=None)
                    self.initial["site"] = self.instance.site_id
        if field.queryset.count() == 1:
            del self.fields["site"]

    def chosen_site_id(self) -> int | None:
        """The site that the form's object will belong to."""
        site = self.cleaned_data.get("site") if self.is_bound else None
        chosen: int | None = site.pk if site is not None else self.instance.site_id
        return chosen


class JourneyForm(SiteForm):
    """A journey. A draft keeps a graph that is wrong; a publication does not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and not self.instance.graph:
            self.initial["graph"] = STARTER
        widget = self.fields["graph"].widget if "graph" in self.fields else None
        if isinstance(widget, GraphTextarea):
            widget.site_id = self.instance.site_id

    def clean(self) -> dict[str, Any]:
        """Name every problem of the graph, unless a draft is saved."""
        cleaned: dict[str, Any] = super().clean()
        if not self.is_deferred_validation and "graph" in cleaned:
            for problem in problems_of(cleaned["graph"], self.chosen_site_id()):
                if problem.severity == "error":
                    self.add_error("graph", str(problem))
        return cleaned


def _event_choices(present: str) -> list[tuple[str, Any]]:
    """Return the events by label; `present` too where its type is no longer registered."""
    known = {name: str(kind.label) for name, kind in event_types.all().items()}
    if present and present != DIGEST:
        known.setdefault(present, present)
    by_label = sorted(known.items(), key=lambda pair: pair[1])
    return [("", _("Any event")), (DIGEST, _("Digest of several messages")), *by_label]


class TemplateForm(RawMjmlForm, SiteForm):
    """A message template. A draft may hold anything; what is published must render."""

    event = forms.ChoiceField(label=_("Written for"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("event")
        if isinstance(field, forms.ChoiceField):
            field.choices = _event_choices(self.instance.event)
            field.help_text = self._meta.model._meta.get_field("event").help_text
        topics = self.fields.get("topic")
        if isinstance(topics, forms.ModelChoiceField):
            topics.queryset = Topic.objects.filter(site_id=self.instance.site_id)
        self._measure()

    def _measure(self) -> None:
        """Tell the fields how long their texts come out, as they are saved."""
        fields = [name for name in MEASURES if name in self.fields]
        texts = {name: str(getattr(self.instance, name)) for name in fields}
        if self.is_bound or self.instance.site_id is None or not any(texts.values()):
            return
        for name, measured in measure_texts(self.instance, texts).items():
            widget = self.fields[name].widget
            if isinstance(widget, MeasuredInput | MeasuredTextarea):
                widget.measured = measured

    def clean(self) -> dict[str, Any]:
        """Name every fault of the texts, unless a draft is saved."""
        cleaned: dict[str, Any] = super().clean()
        if self.is_deferred_validation:
            return cleaned
        if cleaned.get("message_class") == MessageClass.MARKETING and not cleaned.get("topic"):
            self.add_error(
                "topic",
                _(
                    "A marketing message needs a topic: without one nobody can have agreed to "
                    "it. Choose one, or add it under Triggers > Topics."
                ),
            )
        return cleaned

    def _post_clean(self) -> None:
        """Check the texts once the form's values are in the template: it is rendered for that."""
        super()._post_clean()
        if self.is_deferred_validation or self.errors:
            return
        at_blocks: dict[int, list[str]] = {}
        for field, problem in lint(self.instance):
            if isinstance(problem, BlockProblem) and problem.index is not None:
                at_blocks.setdefault(problem.index, []).append(problem.message)
            else:
                self.add_error(field, str(problem))
        if at_blocks:
            errors = {index: ValidationError(words) for index, words in at_blocks.items()}
            self.add_error("body", StreamBlockValidationError(block_errors=errors))
