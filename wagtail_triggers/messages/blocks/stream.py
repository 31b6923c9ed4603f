"""Streams of blocks, from the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wagtail.blocks import StreamBlock

from .base import ADVANCED, LAYOUT, SHOP, TEXT, MailBlock
from .registry import kinds

_GROUPS = (TEXT, SHOP, LAYOUT, ADVANCED)


def stream_of(wanted: Callable[[type[MailBlock]], bool], **options: Any) -> StreamBlock:
    """A stream of the kinds that are wanted, those of one group together."""
    blocks: list[tuple[str, Any]] = [
        (name, kind()) for name, kind in kinds.all().items() if wanted(kind)
    ]
    blocks.sort(key=lambda pair: _place(pair[1]))
    return StreamBlock(blocks, **options)


def body_block() -> StreamBlock:
    """The stream of a whole mail."""
    return stream_of(lambda kind: True)


def _place(block: Any) -> tuple[int, int]:
    group = block.meta.group
    place = _GROUPS.index(group) if group in _GROUPS else len(_GROUPS)
    return place, getattr(block, "place", 100)
