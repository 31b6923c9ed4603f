"""The form of a bundle, version 1: what stands in the file, and nothing else may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from ...exceptions import BundleError
from ..graph import Graph
from ..problems import InvalidGraph, did_you_mean
from .fields import TEXTS, is_stream, longest
from .uploaded_json import MAX_BYTES, read_strict

FORMAT: Final = "wagtail-triggers-journey"
VERSION: Final = 1

#: A language as Django names it, in lower case: "en", "zh-hans", "pt-br".
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$", max_length=35)]
Slug = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
TopicName = Annotated[str, Field(min_length=1, max_length=128)]
ByLanguage = Annotated[
    Mapping[Language, Annotated[str, Field(min_length=1, max_length=1000)]], Field(min_length=1)
]


def _uuid(value: str) -> str:
    try:
        if str(UUID(value)) == value:
            return value
    except ValueError:
        pass
    raise ValueError(_("This must be a UUID, such as 6c5931fc-9504-4abf-8f7f-1dbab87184a1."))


Key = Annotated[str, Field(max_length=36), AfterValidator(_uuid)]


class _Part(BaseModel):
    """A part of a bundle: exact types, no key that is not known."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class About(_Part):
    """What the gallery of recipes tells, by language. A file without it is no recipe."""

    title: ByLanguage
    summary: ByLanguage
    category: Slug
    #: What stands first in its category: the lowest.
    order: Annotated[int, Field(ge=0, le=10_000)] = 100


class TopicPart(_Part):
    """A topic that templates name, so that it can be made where there is none.

    `name` is a text, or one by language: a topic has but one, in the language of the shop.
    """

    slug: Slug
    name: TopicName | Annotated[Mapping[Language, TopicName], Field(min_length=1)]
    consent: Literal["opt_in", "soft"] = "opt_in"
    description: Annotated[str, Field(max_length=2000)] = ""

    def name_in(self, language: str) -> str:
        """What it is called in a language, or in the nearest that there is."""
        return self.name if isinstance(self.name, str) else in_language(self.name, language)


class TranslationPart(_Part):
    """A template in one language: its texts, and what it does not share with the others.

    `texts` are the other keys of the object in the file; a text that is left out is empty.
    """

    texts: Mapping[str, Any]
    message_class: Literal["marketing", "transactional"] | None = None
    topic: str | None = None
    event: str | None = None


class TemplatePart(_Part):
    """A template in all its languages. `topic` is a slug, or "" for none."""

    key: Key
    message_class: Literal["marketing", "transactional"]
    topic: Annotated[str, Field(max_length=64)] = ""
    event: Annotated[str, Field(max_length=64)] = ""
    translations: Annotated[Mapping[Language, TranslationPart], Field(min_length=1, max_length=60)]

    @field_validator("translations", mode="before")
    @classmethod
    def _apart(cls, value: object) -> object:
        """Take the texts of each language apart from the rest, and check them."""
        if not isinstance(value, dict):
            return value
        return {language: _translation(one) for language, one in value.items()}

    def spoken(self, language: str) -> str:
        """Return the language in which it can be told: the wished one, English, or any."""
        return next((one for one in (language, "en") if one in self.translations),
                    min(self.translations))  # fmt: skip

    def message_class_in(self, language: str) -> str:
        """What kind of message the translation is."""
        return self.translations[language].message_class or self.message_class

    def topic_in(self, language: str) -> str:
        """The slug of the translation's topic, or ""."""
        own = self.translations[language].topic
        return self.topic if own is None else own

    def event_in(self, language: str) -> str:
        """The event that the translation is written for, or ""."""
        own = self.translations[language].event
        return self.event if own is None else own


class JourneyPart(_Part):
    """The journey itself."""

    uid: Key
    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    priority: Annotated[int, Field(ge=-32_768, le=32_767)] = 0
    graph: Mapping[str, Any]

    @field_validator("graph")
    @classmethod
    def _is_graph(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if value:  # a draft may be empty still
            Graph.from_json(value)
        return value


class Bundle(_Part):
    """One journey with the templates that it sends, and what both name."""

    format: Literal["wagtail-triggers-journey"]
    version: Literal[1]
    about: About | None = None
    journey: JourneyPart
    templates: Annotated[tuple[TemplatePart, ...], Field(max_length=300)] = ()
    topics: Annotated[tuple[TopicPart, ...], Field(max_length=100)] = ()

    @field_validator("templates", "topics", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        # JSON has no tuples, and strict validation takes nothing else for one.
        return tuple(value) if isinstance(value, list) else value

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of a template, sorted."""
        return tuple(sorted({name for part in self.templates for name in part.translations}))

    @property
    def topics_by_slug(self) -> Mapping[str, TopicPart]:
        """The topics that the file describes."""
        return MappingProxyType({topic.slug: topic for topic in self.topics})


def read_bundle(data: bytes) -> Bundle:
    """Read a file.

    Raises:
        BundleError: It is no bundle, or one that cannot be used; the message says where and why.
    """
    document = read_strict(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BundleError(
            _("This is no journey that was exported: its “format” is not “%(format)s”.")
            % {"format": FORMAT}
        )
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        message = _(
            "The file is of version %(version)d, and this installation reads version %(ours)d. "
            "Update wagtail_triggers here."
        )
        raise BundleError(message % {"version": version, "ours": VERSION})
    try:
        bundle = Bundle.model_validate(document)
    except ValidationError as error:
        raise BundleError("\n".join(_faults(error))) from None
    _check_doubles(bundle)
    return bundle


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Return the text in a language, else in English, else in any."""
    code = language.lower()
    for wanted in (code, code.partition("-")[0], "en"):
        if wanted in texts:
            return texts[wanted]
    return texts[min(texts)]


def written(document: Mapping[str, Any]) -> str:
    """Return the text of a bundle's file: keys sorted, indented, letters as they are.

    Raises:
        BundleError: It would be larger than what is read.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    if len(text.encode()) >= MAX_BYTES:
        raise BundleError(
            _("The journey with its templates has over %(n)d KiB. Export it in smaller journeys.")
            % {"n": MAX_BYTES // 1024}
        )
    return f"{text}\n"


def _translation(data: object) -> object:
    if not isinstance(data, dict):
        return data
    fields = set(TranslationPart.model_fields) - {"texts"}
    texts = {name: _text(name, data[name]) for name in TEXTS if name in data}
    for name in data:
        if name not in texts and name not in fields:
            known = sorted({*TEXTS, *fields})
            raise ValueError(_("There is no such key here: “%(key)s”.") % {"key": name[:64]}
                             + did_you_mean(name, known))  # fmt: skip
    if not texts.get("name"):
        raise ValueError(_("“%(key)s” is missing. Fill it in.") % {"key": "name"})
    return {"texts": texts, **{name: data[name] for name in fields if name in data}}


def _text(name: str, value: object) -> object:
    if is_stream(name):
        if isinstance(value, list):
            return value
        raise ValueError(_("“%(key)s” must be a list of blocks.") % {"key": name})
    if not isinstance(value, str):
        raise ValueError(_("“%(key)s” must be a text.") % {"key": name})
    if len(value) > longest(name):
        message = _("“%(key)s” may have %(n)d characters.")
        raise ValueError(message % {"key": name, "n": longest(name)})
    return value


def _faults(error: ValidationError) -> list[str]:
    """Say each fault with its place; pydantic's words, but for the commonest."""
    found = []
    for one in error.errors(include_url=False, include_input=False)[:20]:
        place = ".".join(str(part)[:64] for part in one["loc"])
        message = one["msg"].removeprefix("Value error, ")
        if isinstance(cause := one.get("ctx", {}).get("error"), InvalidGraph):
            found += [f"{place}: {problem}" for problem in cause.problems]
            continue
        if one["type"] == "extra_forbidden":
            message = _("There is no such key here. Remove it.")
        elif one["type"] == "missing":
            message = _("This is missing. Fill it in.")
        found.append(f"{place}: {message}")
    return found


def _check_doubles(bundle: Bundle) -> None:
    for place, names in (
        ("templates", [part.key for part in bundle.templates]),
        ("topics", [part.slug for part in bundle.topics]),
    ):
        for name in names:
            if names.count(name) > 1:
                message = _("%(place)s: “%(name)s” is there twice. Remove one of the two.")
                raise BundleError(message % {"place": place, "name": name})
