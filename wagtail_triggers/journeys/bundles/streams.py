"""The blocks of a body, as a bundle holds them: without ids, and without keys of this database.

What a block is made of says the block itself, so that a host's own kinds travel too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _
from wagtail.blocks import (
    Block,
    ChooserBlock,
    FieldBlock,
    ListBlock,
    RichTextBlock,
    StreamBlock,
    StructBlock,
)
from wagtail.utils.file import hash_filelike

from ...exceptions import BundleError
from ..problems import did_you_mean

#: By what a picture or a document is known in every database: what is in it.
HASH: Final = "file_hash"
_PAGE_LINK: Final = re.compile(r'<a\b[^<>]*\blinktype="[^"]*"[^<>]*>')
_ID: Final = re.compile(r'\bid="(\d+)"')

#: The path of a page on its shop by the page's id, or None.
PathOf = Callable[[int], str | None]


def packed(block: Block, value: Any, path_of: PathOf) -> Any:
    """Return what a bundle holds of a block's value.

    The value itself is asked, and not what is stored of it: where a setting was left out, that has
    no default yet.

    Args:
        block: The block that the value is of.
        value: Its value, as templates see it.
        path_of: Finds the path of a page that rich text links to.
    """
    if value is None:
        return None
    if isinstance(block, StreamBlock):
        return [
            {"type": child.block_type, "value": packed(child.block, child.value, path_of)}
            for child in value
        ]
    if isinstance(block, StructBlock):
        return {
            name: packed(child, value.get(name), path_of)
            for name, child in block.child_blocks.items()
        }
    if isinstance(block, ListBlock):
        return [packed(block.child_block, one, path_of) for one in value]
    if isinstance(block, ChooserBlock):
        return _named(value)
    raw = json.loads(json.dumps(block.get_prep_value(value), cls=DjangoJSONEncoder))
    if isinstance(block, RichTextBlock):
        return _PAGE_LINK.sub(lambda tag: _plain_link(tag[0], path_of), raw)
    return raw


def _named(chosen: Any) -> dict[str, str] | None:
    """A picture by its contents; anything else has no name beyond its database."""
    digest = getattr(chosen, HASH, None)
    if digest == "":  # not uploaded in the admin, and never asked for
        with chosen.open_file() as file:
            digest = hash_filelike(file)
    return {HASH: digest, "title": str(chosen)} if digest else None


def _plain_link(tag: str, path_of: PathOf) -> str:
    """A link to a page by its path; one to anything else leads nowhere elsewhere, and is none."""
    found = _ID.search(tag)
    path = path_of(int(found[1])) if found and 'linktype="page"' in tag else None
    return f'<a href="{path}">' if path else "<a>"


@dataclass(slots=True)
class Unpacker:
    """Turns what a bundle holds into what a StreamField stores.

    `missing` collects the titles of pictures that are not in this database, `kinds` the kinds of
    block that were met.
    """

    missing: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def unpack(self, block: Block, data: Any, place: str) -> Any:
        """Return what is stored.

        Args:
            block: The block that it is to be a value of.
            data: From the file, whatever it is.
            place: Where it stands, for messages.

        Raises:
            BundleError: It is no value of the block; the message says where and why.
        """
        if isinstance(block, StreamBlock):
            return [
                self._child(block, one, f"{place}.{number}")
                for number, one in enumerate(_of(list, data, place))
            ]
        if isinstance(block, StructBlock):
            return self._struct(block, _of(dict, data, place), place)
        if isinstance(block, ListBlock):
            return [
                self.unpack(block.child_block, one, f"{place}.{number}")
                for number, one in enumerate(_of(list, data, place))
            ]
        if isinstance(block, ChooserBlock):
            return self._chosen(block, data, place)
        return _leaf(block, data, place)

    def _child(self, block: StreamBlock, data: Any, place: str) -> dict[str, Any]:
        one = _of(dict, data, place)
        if set(one) != {"type", "value"}:
            raise BundleError(
                f"{place}: " + _("A block must have “type” and “value”, and no more.")
            )
        kind = one["type"]
        if not isinstance(kind, str) or kind not in block.child_blocks:
            message = _("There is no block “%(name)s” here.") % {"name": str(kind)[:64]}
            raise BundleError(f"{place}: {message}" + did_you_mean(kind, block.child_blocks))
        self.kinds.add(kind)
        value = self.unpack(block.child_blocks[kind], one["value"], f"{place}.{kind}")
        return {"type": kind, "value": value}

    def _struct(self, block: StructBlock, data: Mapping[str, Any], place: str) -> dict[str, Any]:
        for name in data:
            if name not in block.child_blocks:
                message = _("There is no setting “%(name)s” here.") % {"name": name[:64]}
                raise BundleError(f"{place}: {message}" + did_you_mean(name, block.child_blocks))
        return {
            name: self.unpack(block.child_blocks[name], value, f"{place}.{name}")
            for name, value in data.items()
        }

    def _chosen(self, block: ChooserBlock, data: Any, place: str) -> Any:
        if data is None:
            return None
        named = _of(dict, data, place)
        digest, title = named.get(HASH), named.get("title", "")
        if set(named) - {HASH, "title"} or not isinstance(digest, str) or not digest:
            message = _("A picture must be named by “%(hash)s” and “title”.") % {"hash": HASH}
            raise BundleError(f"{place}: {message}")
        model = block.model_class
        if any(one.name == HASH for one in model._meta.get_fields()):
            found = model._default_manager.filter(**{HASH: digest}).order_by("pk").first()
            if found is not None:
                return found.pk
        self.missing.append(str(title)[:255] or digest[:12])
        return None


def _of(kind: type[Any], data: Any, place: str) -> Any:
    if isinstance(data, kind):
        return data
    message = _("This must be a list.") if kind is list else _("This must be an object.")
    raise BundleError(f"{place}: {message}")


def _leaf(block: Block, data: Any, place: str) -> Any:
    """A value without blocks in it, if the block can read it."""
    if isinstance(block, RichTextBlock) and not isinstance(data, str):
        raise BundleError(f"{place}: " + _("This must be a text."))
    is_plain = data is None or isinstance(data, str | int | float)
    is_plain = is_plain or (isinstance(data, list) and all(isinstance(o, str | int) for o in data))
    if isinstance(block, FieldBlock) and not is_plain:
        raise BundleError(f"{place}: " + _("This must be a text or a number."))
    try:
        if isinstance(block, FieldBlock) and not isinstance(block, RichTextBlock):
            block.field.to_python(data)
        block.to_python(data)
    except (TypeError, ValueError, ValidationError) as error:
        raise BundleError(
            f"{place}: " + _("This cannot be read (%(why)s).") % {"why": error}
        ) from None
    return data
