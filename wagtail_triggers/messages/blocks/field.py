"""Fields that hold blocks, without a word of them in migrations."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.db import models
from wagtail.blocks import StreamBlock
from wagtail.fields import StreamField


class _UnlistedField(StreamField):
    """A StreamField whose blocks are looked up at first use and are not part of migrations."""

    def __init__(self, *_block_types: Any, **options: Any) -> None:
        super().__init__([], **options)
        self._stream_block: StreamBlock | None = None

    @abstractmethod
    def make(self) -> tuple[StreamBlock, bool]:
        """The stream, and whether it will stay as it is."""

    @property
    def stream_block(self) -> StreamBlock:
        """The blocks that an editor can choose from."""
        if self._stream_block is None:
            block, stays = self.make()
            block.set_meta_options(self.block_opts)
            if not stays:  # somebody looks while Django starts: hosts have not registered theirs
                return block
            self._stream_block = block
        return self._stream_block

    def deconstruct(self) -> Any:
        """Without the blocks."""
        return models.Field.deconstruct(self)


class BodyField(_UnlistedField):
    """A mail's body, of the blocks in the registry.

    They are looked up when every host has registered its own. A host's own kind of block, or ours
    in a new release, needs no migration.
    """

    def make(self) -> tuple[StreamBlock, bool]:
        """Every kind of block."""
        from .registry import kinds
        from .stream import body_block  # kinds of block may need models

        return body_block(), kinds.is_closed


class LinksField(_UnlistedField):
    """Links to a shop's pages on social networks."""

    def make(self) -> tuple[StreamBlock, bool]:
        """One kind of block: a link."""
        from .social import links_block

        return links_block(), True
