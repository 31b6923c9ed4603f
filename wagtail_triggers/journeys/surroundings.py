"""What there is around a journey on one site: events, facts, channels, templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q
from wagtail.models import Locale

from ..conf import settings
from ..contacts.known_facts import known_facts
from ..events.types import JOURNEY_REQUESTED, event_types
from ..exceptions import UnknownIdentifier
from ..messages.models import Template
from ..messages.other_bodies import MAIL, SOURCE_OF
from ..segments import membership
from .models import Journey


def _is_called(node: Mapping[str, Any]) -> bool:
    """Whether a node of a stored graph is an entry for calls."""
    settings = node.get("settings") or {}
    return node.get("kind") == "entry_called" or settings.get("event") == JOURNEY_REQUESTED


class SiteSurroundings:
    """Answers what validation and outline ask (`steps.base.Surroundings`) for one site.

    Answers are remembered: make one per request or publication. Templates cost one query.
    """

    def __init__(self, site_id: int | None) -> None:
        self.site_id = site_id

    def events(self) -> Mapping[str, str]:
        """Every registered event with its label."""
        return self._events

    def payload_schema(self, event: str) -> Mapping[str, Any] | None:
        """The JSON schema of the event's payload; None if there is no such event."""
        try:
            return event_types.get(event).payload.model_json_schema()
        except UnknownIdentifier:
            return None

    def objects_of(self, event: str) -> frozenset[str]:
        """The kinds of object that the event can refer to: "cart", "order" …"""
        if event not in event_types:
            return frozenset()
        return event_types.get(event).objects()

    def facts(self) -> Mapping[str, str]:
        """Every fact, built-in or declared, with its kind."""
        return known_facts()

    def channels(self) -> Mapping[str, str]:
        """Every channel that the settings name."""
        return {name: name for name in settings.CHANNELS}

    def template_exists(self, template: str) -> bool:
        """Say whether a template with this translation key is published on the site."""
        return template in self._templates and self._templates[template][1]

    def template_label(self, template: str) -> str:
        """The template's name; the key itself where there is no such template."""
        return self._templates.get(template, (template, False))[0]

    def lacks_text(self, template: str, channel: str) -> tuple[str, ...]:
        """Languages in which a published template has no text for a channel; one query a site."""
        source = SOURCE_OF.get(channel, MAIL)
        return tuple(
            language
            for language, written in self._written.get(template, {}).items()
            if source not in written
        )

    def template_languages(self, template: str) -> tuple[str, ...]:
        """Languages in which a template is published, by name; none where the site has but one."""
        names = self._languages
        written = self._written.get(template, {})
        return tuple(names.get(code, code) for code in written) if len(names) > 1 else ()

    def lacks_languages(self, template: str) -> tuple[str, ...]:
        """Languages of the site in which a published template has no text; one query a site."""
        written = self._written.get(template, {})
        if not written:
            return ()
        return tuple(name for code, name in self._languages.items() if code not in written)

    def segments(self) -> Mapping[str, str]:
        """Every segment of whoever keeps them."""
        return membership.labels()

    def journeys(self) -> Mapping[str, str]:
        """Every journey of the site, archived ones left out."""
        return {uid: name for uid, (name, _takes) in self._journeys.items()}

    def takes_calls(self, journey: str) -> bool:
        """Say whether the live version listens to calls."""
        return journey in self._journeys and self._journeys[journey][1]

    @cached_property
    def _languages(self) -> dict[str, str]:
        """The languages in which the site is written, by code."""
        return {row.language_code: row.get_display_name() or row.language_code
                for row in Locale.objects.order_by("pk")}  # fmt: skip

    @cached_property
    def _journeys(self) -> dict[str, tuple[str, bool]]:
        rows = Journey.objects.filter(site=self.site_id).exclude(state=Journey.State.ARCHIVED)
        return {
            str(uid): (name, any(_is_called(node) for node in (graph or {}).get("nodes", ())))
            for uid, name, graph in rows.values_list("uid", "name", "live_version__graph")
        }

    @cached_property
    def _events(self) -> dict[str, str]:
        return {name: str(kind.label) for name, kind in event_types.all().items()}

    @cached_property
    def _written(self) -> dict[str, dict[str, frozenset[str]]]:
        """By translation key and language: which texts the live version has."""
        sources = sorted({MAIL, *SOURCE_OF.values()})
        rows = Template.objects.filter(site=self.site_id, live_version__isnull=False).annotate(
            **{
                f"has_{one}": ExpressionWrapper(
                    ~Q(**{f"live_version__{one}": ""}), output_field=BooleanField()
                )
                for one in sources
            }
        )
        found: dict[str, dict[str, frozenset[str]]] = {}
        columns = [f"has_{one}" for one in sources]
        for key, language, *has in rows.values_list(
            "translation_key", "live_version__language", *columns
        ):
            written = frozenset(one for one, there in zip(sources, has, strict=True) if there)
            found.setdefault(str(key), {})[str(language)] = written
        return found

    @cached_property
    def _templates(self) -> dict[str, tuple[str, bool]]:
        """Name and whether it can be sent, by translation key; a published translation wins."""
        rows = Template.objects.filter(site=self.site_id).order_by("pk")
        found: dict[str, tuple[str, bool]] = {}
        for key, name, version in rows.values_list("translation_key", "name", "live_version"):
            known, live = found.get(str(key)), version is not None
            if known is None or (live and not known[1]):
                found[str(key)] = (name, live)
        return found
