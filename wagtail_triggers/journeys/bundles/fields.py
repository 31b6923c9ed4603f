"""Which fields of a template and of a journey travel in a bundle, and which stay at home.

`tests/integration/test_bundles.py` fails when a model gets a field that stands in no list here.
"""

from __future__ import annotations

from typing import Final

from django.db.models import CharField
from wagtail.blocks import StreamBlock
from wagtail.fields import StreamField

from ...messages.models import Template
from .uploaded_json import MAX_TEXT

#: Of a template, mostly the same in all languages: told once, and again where one differs.
SHARED: Final = ("message_class", "topic", "event")
#: Of a template, in each language.
TEXTS: Final = (
    "name",
    "subject",
    "preheader",
    "body",
    "sms_body",
    "push_title",
    "push_body",
    "push_url",
    "onsite_body",
)
#: Of a template: where it stands in this database, and what has become of it here.
TEMPLATE_STAYS: Final = frozenset(
    {
        "expire_at",
        "expired",
        "first_published_at",
        "follow",
        "go_live_at",
        "has_unpublished_changes",
        "id",
        "last_published_at",
        "latest_revision",
        "live",
        "live_revision",
        "live_version",
        "locale",
        "locked",
        "locked_at",
        "locked_by",
        "publish_problem",
        "site",
        "translation_key",
    }
)

#: Of a journey.
JOURNEY: Final = ("uid", "name", "description", "priority", "graph")
JOURNEY_STAYS: Final = frozenset(
    {
        "expire_at",
        "expired",
        "first_published_at",
        "go_live_at",
        "has_unpublished_changes",
        "id",
        "last_published_at",
        "latest_revision",
        "live",
        "live_revision",
        "live_version",
        "locked",
        "locked_at",
        "locked_by",
        "pause_reason",
        "paused_at",
        "publish_problem",
        "resumed_at",
        "site",
        "state",
    }
)


def is_stream(name: str) -> bool:
    """Say whether a text of a template is made of blocks."""
    return isinstance(Template._meta.get_field(name), StreamField)


def stream_block(name: str) -> StreamBlock:
    """Return the blocks that a text of a template is made of."""
    field = Template._meta.get_field(name)
    assert isinstance(field, StreamField)  # noqa: S101 - see `is_stream`
    return field.stream_block


def longest(name: str) -> int:
    """How many characters a text of a template may have."""
    field = Template._meta.get_field(name)
    limit = field.max_length if isinstance(field, CharField) else None
    return limit or MAX_TEXT
