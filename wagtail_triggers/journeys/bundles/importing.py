"""Make drafts of what is in a bundle: all of it, or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ...consent.models import Topic
from ...exceptions import BundleError
from ...messages.models import Template
from ..models import Journey
from .survey import Choice, Survey, TemplateOutlook

R = TypeVar("R", Template, Journey)

#: Where a name must be told from one that is taken, there are not that many.
_MOST_NUMBERS = 1000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has made.

    Attributes:
        journey: The journey, a draft.
        templates: The templates in all their languages, drafts.
        topics: The topics that were missing.
    """

    journey: Journey
    templates: tuple[Template, ...]
    topics: tuple[Topic, ...]


def install(
    survey: Survey,
    *,
    choices: Mapping[str, Choice] | None = None,
    by: Any = None,
    name: str = "",
    description: str = "",
) -> Imported:
    """Make the journey and its templates, as drafts, in one transaction.

    Args:
        survey: The bundle, seen from the site into which it goes.
        choices: What becomes of templates that are there already, by key; those that are not named
            are used as they are if they have the same texts, and copied otherwise.
        by: The user who imports, for the history; None in a command.
        name: What the journey is called, instead of as in the file.
        description: What it is for, likewise.

    Raises:
        BundleError: It cannot be imported. Nothing was changed.
    """
    try:
        with transaction.atomic():
            return _Import(survey, choices or {}, by).done(name, description)
    except IntegrityError as error:
        raise BundleError(
            _("Somebody else has imported the same at this moment. Look what there is now.")
        ) from error


class _Import:
    def __init__(self, survey: Survey, choices: Mapping[str, Choice], by: Any) -> None:
        self.survey = survey
        self.choices = choices
        self.by = by
        self.topics = dict(survey.topics)
        #: The key of each template in the file, and that which it has here.
        self.keys: dict[str, str] = {}

    def done(self, name: str, description: str) -> Imported:
        made = tuple(self._topic(slug) for slug in (one.slug for one in self.survey.new_topics))
        templates = tuple(row for one in self.survey.templates for row in self._template(one))
        return Imported(self._journey(name, description), templates, made)

    def _topic(self, slug: str) -> Topic:
        part = self.survey.bundle.topics_by_slug[slug]
        topic = Topic.objects.create(
            site=self.survey.site,
            slug=part.slug,
            name=part.name_in(self.survey.locales[0].language_code),
            consent=part.consent,
            description=part.description,
        )
        self.topics[slug] = topic
        return topic

    def _template(self, outlook: TemplateOutlook) -> list[Template]:
        part = outlook.part
        choice = self.choices.get(part.key, outlook.suggested)
        if outlook.exists and choice == "reuse":
            self.keys[part.key] = part.key
            return []
        taken = outlook.exists or outlook.is_foreign
        key = str(uuid.uuid4()) if taken else part.key
        self.keys[part.key] = key
        rows = []
        for landing in outlook.landings:
            language = landing.language
            row = Template(
                site=self.survey.site,
                locale=landing.locale,
                translation_key=key,
                live=False,
                message_class=part.message_class_in(language),
                topic=self.topics.get(part.topic_in(language)),
                event=part.event_in(language),
                **self.survey.bodies[part.key, language],
            )
            rows.append(self._saved(row))
        return rows

    def _journey(self, name: str, description: str) -> Journey:
        part, site = self.survey.bundle.journey, self.survey.site
        uid = str(uuid.uuid4()) if self.survey.journey_exists else part.uid
        graph = _renamed(part.graph, {**self.keys, part.uid: uid})
        journey = Journey(
            site=site,
            uid=uid,
            name=_free_name(name or part.name, site.pk),
            description=description or part.description,
            priority=part.priority,
            graph=graph,
            live=False,
        )
        return self._saved(journey)

    def _saved(self, row: R) -> R:
        row.save()
        # A draft may be unfinished, and full of what is not here yet.
        row.save_revision(user=self.by, log_action="wagtail.create", clean=False)
        return row


def _free_name(name: str, site_id: int) -> str:
    """Return a name that no journey of the site has: lists show nothing else of it."""
    taken = set(
        Journey.objects.filter(site_id=site_id, name__startswith=name[:200]).values_list(
            "name", flat=True
        )
    )
    numbered = (f"{name[:240]} ({number})" for number in range(2, _MOST_NUMBERS))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Put the keys that things have here in the place of those in the file, wherever they stand."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {name: _renamed(one, names) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(one, names) for one in value]
    return value
