"""Fields that hold blocks, without a word of them in migrations."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.db import models
from django.utils.functional import cached_property
from wagtail.blocks import StreamBlock
from wagtail.fields import StreamField


class _UnlistedField(StreamField):
    """A StreamField whose blocks are looked up at first use and are not part of migrations."""

    def __init__(self, *_block_types: Any, **options: Any) -> None:
        super().__init__([], **options)

    @abstractmethod
    def make(self) -> StreamBlock:
        """The stream."""

    @cached_property
    def stream_block(self) -> StreamBlock:
        """The blocks that an editor can choose from."""
        block = self.make()
        block.set_meta_options(self.block_opts)
        return block

    def deconstruct(self) -> Any:
        """Without the blocks."""
        return models.Field.deconstruct(self)


class BodyField(_UnlistedField):
    """A mail's body, of the blocks in the registry.

    They are looked up when every host has registered its own. A host's own kind of block, or ours
    in a new release, needs no migration.
    """

    def make(self) -> StreamBlock:
        """Every kind of block."""
        from .stream import body_block  # kinds of block may need models

        return body_block()


class LinksField(_UnlistedField):
    """Links to a shop's pages on social networks."""

    def make(self) -> StreamBlock:
        """One kind of block: a link."""
        from .social import links_block  # the network's names need the registry of icons

        return links_block()
