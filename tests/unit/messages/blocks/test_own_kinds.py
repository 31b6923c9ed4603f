"""A host's kind of block is one class: no migration lists it."""

from __future__ import annotations

from typing import Any

import pytest
from wagtail.blocks import CharBlock, StructBlock

from wagtail_triggers.exceptions import RegistrationError
from wagtail_triggers.messages.blocks import Mail, MailBlock, Piece, escaped, plain, register_block
from wagtail_triggers.messages.blocks.assemble import compile_stream
from wagtail_triggers.messages.blocks.field import BodyField
from wagtail_triggers.messages.blocks.registry import kinds
from wagtail_triggers.messages.blocks.stream import body_block
from wagtail_triggers.messages.models import Template

from .letters import BRAND


class QuoteBlock(MailBlock, StructBlock):
    """As `docs/ADDING_BLOCKS.md` has it."""

    identifier = "acme_quote"
    words = CharBlock()

    class Meta:
        icon = "openquote"
        label = "Quote"
        group = "Ours"

    def compile(self, value: Any, mail: Mail) -> Piece:
        mark = mail.html(f"<blockquote>{escaped(value['words'])}</blockquote>", trusted=True)
        return Piece(content=f"<mj-text>{mark}</mj-text>", text=plain(value["words"]))


def test_registered_kind_can_be_chosen_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_entries", {**kinds.all(), "acme_quote": QuoteBlock})
    block = body_block()
    assert [str(group) for group, _blocks in block.grouped_child_blocks()][-1] == "Ours"
    assert "acme_quote" in block.child_blocks["condition"].child_blocks["then"].child_blocks
    column = block.child_blocks["columns"].child_blocks["columns"].child_block
    assert "acme_quote" in column.child_blocks
    body = block.normalize([("acme_quote", {"words": "Good {{ contact.name }}"})])
    (piece,) = compile_stream(body, Mail(BRAND))
    assert piece.text == "Good {{ contact.name }}"


def test_kind_that_comes_too_late_is_refused() -> None:
    with pytest.raises(RegistrationError, match="too late"):
        register_block(QuoteBlock)


def test_blocks_are_no_part_of_migrations() -> None:
    field = Template._meta.get_field("body")
    assert isinstance(field, BodyField)
    _name, _path, args, kwargs = field.deconstruct()
    assert list(args) == []
    assert "block_lookup" not in kwargs


def test_block_of_a_kind_that_is_gone_is_left_out_of_the_mail() -> None:
    stored = [{"type": "gone", "value": {"a": 1}, "id": "x"}, {"type": "text", "value": "<p>a</p>"}]
    body = Template(body=stored).body
    assert [one.block_type for one in body] == ["text"]
