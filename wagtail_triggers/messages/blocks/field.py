"""The field that holds a mail's blocks."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.functional import cached_property
from wagtail.blocks import StreamBlock
from wagtail.fields import StreamField


class BodyField(StreamField):
    """A StreamField whose blocks are those of the registry.

    They are looked up at first use, when every host has registered its own; and migrations do not
    list them, so that a host's own kind of block, or ours in a new release, needs none.
    """

    def __init__(self, *_block_types: Any, **options: Any) -> None:
        super().__init__([], **options)

    @cached_property
    def stream_block(self) -> StreamBlock:
        """The blocks that an editor can choose from."""
        from .stream import body_block  # kinds of block may need models

        block = body_block()
        block.set_meta_options(self.block_opts)
        return block

    def deconstruct(self) -> Any:
        """Without the blocks."""
        return models.Field.deconstruct(self)
