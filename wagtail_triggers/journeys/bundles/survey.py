"""What importing a bundle into a site would make, what is there already, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from wagtail.models import Locale, Site

from ...consent.models import Topic
from ...events.types import event_types
from ...exceptions import BundleError
from ...messages.blocks.kinds.mjml import MjmlBlock
from ...messages.models import Template
from ...messages.variables import DIGEST
from ..graph import Graph
from ..models import Journey
from ..problems import InvalidGraph, Problem
from ..surroundings import SiteSurroundings
from ..validate import validate
from .exporting import packed_texts
from .fields import is_stream, stream_block
from .schema import Bundle, TemplatePart, TopicPart
from .streams import Unpacker

#: What becomes of a template that is there already.
Choice = Literal["reuse", "copy"]


@dataclass(frozen=True, slots=True)
class Landing:
    """A translation of the file, and the locale in which it will stand."""

    language: str
    locale: Locale


@dataclass(frozen=True, slots=True)
class TemplateOutlook:
    """What would become of one template.

    Attributes:
        part: As the file has it.
        landings: The languages that are taken over.
        left_out: Languages of the file for which the site has no locale.
        exists: The site has it already.
        is_same: And with the very texts of the file.
        is_foreign: Another site of this installation has it, so that it gets a key of its own.
    """

    part: TemplatePart
    landings: tuple[Landing, ...]
    left_out: tuple[str, ...]
    exists: bool
    is_same: bool
    is_foreign: bool

    @property
    def name(self) -> str:
        """What it is called, in the first language that is taken over."""
        return str(self.part.translations[self.landings[0].language].texts["name"])

    @property
    def suggested(self) -> Choice:
        """To use what is there, if nothing is lost by it."""
        return "reuse" if self.is_same else "copy"


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the file names and that is not here, with what to do about it."""

    what: str
    fix: str


class _After(SiteSurroundings):
    """The site as it will be: with the templates of the file."""

    def __init__(self, site_id: int, bundle: Bundle, language: str) -> None:
        super().__init__(site_id)
        self._coming = {
            part.key: str(part.translations[part.spoken(language)].texts["name"])
            for part in bundle.templates
        }
        self._own = {bundle.journey.uid: bundle.journey.name}

    def template_exists(self, template: str) -> bool:
        """Those of the file count as published: they are to be, before the journey is."""
        return template in self._coming or super().template_exists(template)

    def lacks_languages(self, template: str) -> tuple[str, ...]:
        """Return none: what a bundle brings is looked at once it is here."""
        return ()

    def template_label(self, template: str) -> str:
        """As the file calls it, else as the site does."""
        return self._coming.get(template) or super().template_label(template)

    def journeys(self) -> Mapping[str, str]:
        """Those of the site, and the one of the file."""
        return {**super().journeys(), **self._own}


class Survey:
    """A bundle seen from one site. It changes nothing.

    Args:
        bundle: As it was read.
        site: Into which it is to go.
        makes_topics: Whether topics that are missing will be made.
        allows_mjml: Whether whoever imports may write raw MJML.
        language: In which the letters' names are told.

    Raises:
        BundleError: A body has a block that is not known here or cannot be read, or one that
            whoever imports may not write.
    """

    def __init__(
        self,
        bundle: Bundle,
        site: Site,
        *,
        makes_topics: bool = True,
        allows_mjml: bool = True,
        language: str = "en",
    ) -> None:
        self.bundle = bundle
        self.site = site
        self.makes_topics = makes_topics
        self.language = language
        self.unpacker = Unpacker()
        #: The texts of each template and language, as they are stored.
        self.bodies: Mapping[tuple[str, str], Mapping[str, Any]] = {
            (part.key, language): self._stored(part, language)
            for part in bundle.templates
            for language in part.translations
        }
        if not allows_mjml and MjmlBlock.identifier in self.unpacker.kinds:
            raise BundleError(
                _("A message in the file has a block of raw MJML, which you may not write. Ask "
                  "somebody who may to import it, or take the block out.")
            )  # fmt: skip

    @cached_property
    def surroundings(self) -> SiteSurroundings:
        """What steps and outline may ask, as it will be."""
        return _After(self.site.pk, self.bundle, self.language)

    def _stored(self, part: TemplatePart, language: str) -> Mapping[str, Any]:
        texts = dict(part.translations[language].texts)
        for name, value in texts.items():
            if is_stream(name):
                place = f"templates.{part.key}.{language}.{name}"
                texts[name] = self.unpacker.unpack(stream_block(name), value, place)
        return texts

    @cached_property
    def templates(self) -> tuple[TemplateOutlook, ...]:
        """What would become of each template."""
        keys = [part.key for part in self.bundle.templates]
        rows = Template.objects.filter(translation_key__in=keys)
        present: dict[str, list[Template]] = {}
        for row in rows.select_related("locale", "latest_revision"):
            present.setdefault(str(row.translation_key), []).append(row)
        parts = self.bundle.templates
        return tuple(self._outlook(part, present.get(part.key, [])) for part in parts)

    def _outlook(self, part: TemplatePart, rows: Sequence[Template]) -> TemplateOutlook:
        landings = landed(tuple(part.translations), self.locales)
        own = [row for row in rows if row.site_id == self.site.pk]
        return TemplateOutlook(
            part=part,
            landings=landings,
            left_out=tuple(sorted(set(part.translations) - {one.language for one in landings})),
            exists=bool(own),
            is_same=bool(own) and self._is_same(part, own, landings),
            is_foreign=len(own) < len(rows),
        )

    def _is_same(
        self, part: TemplatePart, rows: Sequence[Template], landings: Sequence[Landing]
    ) -> bool:
        there = {row.locale_id: row.get_latest_revision_as_object() for row in rows}
        return all(
            one.locale.pk in there
            and packed_texts(there[one.locale.pk]) == self._repacked(part, one.language)
            for one in landings
        )

    def _repacked(self, part: TemplatePart, language: str) -> Mapping[str, Any]:
        """The texts as they would be exported: what the file leaves out filled in."""
        texts = self.bodies[part.key, language]
        return packed_texts(Template(**texts))

    @cached_property
    def locales(self) -> tuple[Locale, ...]:
        """The active locales, the default one first."""
        default = Locale.get_default()
        others = Locale.objects.exclude(pk=default.pk).order_by("language_code")
        return (default, *others)

    @cached_property
    def topics(self) -> Mapping[str, Topic]:
        """The topics of the site that the file names, by slug."""
        rows = Topic.objects.filter(site=self.site, slug__in=self._slugs)
        return {topic.slug: topic for topic in rows}

    @cached_property
    def _slugs(self) -> tuple[str, ...]:
        found = {
            part.topic_in(language)
            for part in self.bundle.templates
            for language in part.translations
        }
        return tuple(sorted(found - {""}))

    @property
    def new_topics(self) -> tuple[TopicPart, ...]:
        """The topics that will be made: those that are missing, described, and allowed."""
        described = self.bundle.topics_by_slug
        wanted = [slug for slug in self._slugs if slug not in self.topics and slug in described]
        return tuple(described[slug] for slug in wanted) if self.makes_topics else ()

    @cached_property
    def journey_exists(self) -> bool:
        """Whether this very journey is in the database: then the import makes a second one."""
        return bool(Journey.objects.filter(uid=self.bundle.journey.uid).exists())

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the steps here: kinds, events, channels, facts that are not known."""
        try:
            graph = Graph.from_json(self.bundle.journey.graph or {})
        except InvalidGraph as fault:
            return fault.problems
        return validate(graph, self.surroundings)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What is not here, and what to do: nothing of it stands in the way of a draft."""
        found = [Missing(str(one), "") for one in self.problems if one.severity == "error"]
        return (*self._missing_topics(), *self._missing_events(), *found, *self._missing_pictures())

    def _missing_topics(self) -> list[Missing]:
        made = {topic.slug for topic in self.new_topics}
        fix = _(
            "Add it under Triggers > Topics, or ask somebody who may. Until then the messages on "
            "it have no topic, and cannot be published."
        )
        return [
            Missing(_("There is no topic “%(slug)s”.") % {"slug": slug}, fix)
            for slug in self._slugs
            if slug not in self.topics and slug not in made
        ]

    def _missing_events(self) -> list[Missing]:
        named = {
            part.event_in(language)
            for part in self.bundle.templates
            for language in part.translations
        }
        fix = _("The app of your shop that knows it is missing. Or choose another in the template.")
        return [
            Missing(_("A message is written for the event “%(name)s”.") % {"name": name}, fix)
            for name in sorted(named - {"", DIGEST})
            if name not in event_types
        ]

    def _missing_pictures(self) -> list[Missing]:
        return [_picture(title) for title in dict.fromkeys(self.unpacker.missing)]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The languages of the file that no locale takes, by their names."""
        codes = {code for one in self.templates for code in one.left_out}
        return tuple(language_name(code) for code in sorted(codes))

    @property
    def stand_ins(self) -> tuple[tuple[str, str], ...]:
        """Pairs of languages: texts in the first that will stand in the locale of the second."""
        found = {
            (one.language, one.locale.language_code)
            for outlook in self.templates
            for one in outlook.landings
            if _base(one.language) != _base(one.locale.language_code)
        }
        return tuple((language_name(a), language_name(b)) for a, b in sorted(found))


def landed(languages: Sequence[str], locales: Sequence[Locale]) -> tuple[Landing, ...]:
    """Say which language of a file goes into which locale.

    Each locale takes its own language, else a variant of it ("en" for "en-gb"). Where no locale
    finds one, the default locale takes English, or the first language that there is: a letter that
    is to be translated is better than none.

    Args:
        languages: Of the file; at least one.
        locales: Of the installation, the default one first.
    """
    found = []
    for locale in locales:
        code = locale.language_code.lower()
        if (match := _match(code, languages)) is not None:
            found.append(Landing(match, locale))
    if not found:
        found = [Landing("en" if "en" in languages else sorted(languages)[0], locales[0])]
    return tuple(found)


def _match(code: str, languages: Sequence[str]) -> str | None:
    if code in languages:
        return code
    if _base(code) in languages:
        return _base(code)
    # Simplified and traditional Chinese are no variants of each other to whoever reads them.
    near = [one for one in sorted(languages) if _base(one) == _base(code) and _base(one) != "zh"]
    if code in ("zh", "zh-cn", "zh-sg") and "zh-hans" in languages:
        return "zh-hans"
    return near[0] if near else None


def _base(code: str) -> str:
    return code.lower().partition("-")[0]


def language_name(code: str) -> str:
    """Return what a language is called in the reader's, or its code."""
    try:
        return _(str(get_language_info(code)["name_translated"]))
    except KeyError:
        return code


def _picture(title: str) -> Missing:
    return Missing(
        _("The picture “%(title)s” is not here.") % {"title": title},
        _("Upload it under Images, and choose it in the message."),
    )
