"""Write a journey with its templates as one file. Nothing of any person is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import swapper
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from ...consent.models import Topic
from ...messages.models import Template
from ..models import Journey
from .fields import TEXTS, is_stream
from .schema import FORMAT, VERSION, written
from .streams import packed


def export(journey: Journey, *, published: bool = False) -> str:
    """Return the text of the file.

    The same journey always gives the same bytes; so does one that was imported from them.

    Args:
        journey: A saved journey.
        published: As it is in force, instead of as it was last saved.

    Raises:
        BundleError: It is too large for one file.
    """
    plan = _as_wanted(journey, published)
    graph = plan.graph or {}
    if published and journey.live_version is not None:
        graph = journey.live_version.graph
    rows = templates_named(graph, journey.site_id)
    templates = {key: [_as_wanted(one, published) for one in found] for key, found in rows.items()}
    topics = {one.topic for found in templates.values() for one in found if one.topic is not None}
    document = {
        "format": FORMAT,
        "version": VERSION,
        "journey": {
            "uid": str(journey.uid),
            "name": plan.name,
            "description": plan.description,
            "priority": plan.priority,
            "graph": graph,
        },
        "templates": [_template(key, found) for key, found in templates.items()],
        "topics": [_topic(topic) for topic in sorted(topics, key=lambda topic: topic.slug)],
    }
    return written(document)


def file_name(journey: Journey) -> str:
    """Return a name for the file: plain letters, so that it can do no harm anywhere."""
    return f"{slugify(journey.name)[:60] or 'journey'}.json"


def packed_texts(template: Template) -> dict[str, Any]:
    """Return the texts of one translation; those that are empty are left out."""
    texts: dict[str, Any] = {}
    for name in TEXTS:
        value = getattr(template, name)
        if is_stream(name):
            value = packed(value.stream_block, value, _path_of)
        if value:
            texts[name] = value
    return texts


def _as_wanted(row: Any, published: bool) -> Any:
    """A draftable row as it is live, or as it was last saved."""
    if published and row.live:
        return row
    return row.get_latest_revision_as_object()


def templates_named(graph: Mapping[str, Any], site_id: int) -> Mapping[str, list[Template]]:
    """Return the templates of a site that steps name, in all their languages, by their key.

    Keys come in the order in which the graph names them first; languages are sorted.
    """
    wanted = list(dict.fromkeys(one for one in _strings(graph) if len(one) == 36))
    found = (
        Template.objects.filter(site_id=site_id, translation_key__in=_keys(wanted))
        .select_related("locale", "topic", "latest_revision")
        .order_by("locale__language_code")
    )
    by_key: dict[str, list[Template]] = {}
    for row in found:
        by_key.setdefault(str(row.translation_key), []).append(row)
    return {key: by_key[key] for key in wanted if key in by_key}


def _keys(texts: Iterable[str]) -> list[str]:
    field = Template._meta.get_field("translation_key")
    keys = []
    for text in texts:
        with suppress(ValidationError):  # a text of this length that is no key
            keys.append(str(field.to_python(text)))
    return keys


def _strings(value: Any) -> Iterator[str]:
    """Every text within JSON: any of them may name a template, also in a step of a host's own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name in sorted(value):
            yield from _strings(value[name])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)


def _template(key: str, rows: list[Template]) -> dict[str, Any]:
    first = _shared(rows[0])
    return {
        "key": key,
        **first,
        "translations": {
            row.locale.language_code.lower(): {
                **packed_texts(row),
                **{name: value for name, value in _shared(row).items() if value != first[name]},
            }
            for row in rows
        },
    }


def _shared(row: Template) -> dict[str, str]:
    return {
        "message_class": row.message_class,
        "topic": row.topic.slug if row.topic is not None else "",
        "event": row.event,
    }


def _topic(topic: Topic) -> dict[str, str]:
    return {
        "slug": topic.slug,
        "name": topic.name,
        "consent": topic.consent,
        "description": topic.description,
    }


def _path_of(pk: int) -> str | None:
    page = swapper.load_model("wagtailcore", "Page")._default_manager.filter(pk=pk).first()
    parts = page.get_url_parts() if page is not None else None
    return parts[2] if parts else None
