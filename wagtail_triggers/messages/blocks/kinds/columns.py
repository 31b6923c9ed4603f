"""Blocks side by side."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup, ChoiceBlock, ListBlock, StructBlock

from ..assemble import compile_stream, joined_text
from ..base import LAYOUT, Mail, MailBlock, Piece
from ..registry import register_block

SHARES: Final = {
    "equal": None,
    "wide_first": (62, 38),
    "wide_last": (38, 62),
}
CHOICES = [
    ("equal", _("Equal")),
    ("wide_first", _("The first wider (of two)")),
    ("wide_last", _("The last wider (of two)")),
]


@register_block
class ColumnsBlock(MailBlock, StructBlock):
    """Two or three columns; below each other on a phone."""

    identifier = "columns"
    place = 10
    in_columns = False

    widths = ChoiceBlock(label=_("Widths"), choices=CHOICES, default="equal")

    class Meta:
        icon = "table"
        label = _("Columns")
        group = LAYOUT
        description = _("Two or three columns. On a phone they stand below each other.")
        preview_value = {
            "columns": [[("text", "<p>One side</p>")], [("text", "<p>The other side</p>")]],
            "widths": "equal",
        }
        form_layout = BlockGroup(children=["columns"], settings=["widths"])

    def __init__(self, local_blocks: Any = None, **options: Any) -> None:
        from ..stream import stream_of  # reads the registry that this module is registered in

        column = stream_of(lambda kind: kind.in_columns, label=_("Column"), required=False)
        columns = ListBlock(column, label=_("Columns"), min_num=2, max_num=3, default=[[], []])
        super().__init__([("columns", columns), *(local_blocks or [])], **options)

    def compile(self, value: Any, mail: Mail) -> Piece:
        """One section with a column each; nothing where all of them are empty."""
        pieces = [compile_stream(stream, mail) for stream in value.get("columns") or ()]
        if not any(piece.content for column in pieces for piece in column):
            return Piece()
        shares = SHARES.get(value.get("widths") or "equal") if len(pieces) == 2 else None
        columns = []
        for number, column in enumerate(pieces):
            width = f' width="{shares[number]}%"' if shares else ""
            content = "".join(piece.content for piece in column)
            columns.append(f'<mj-column{width} vertical-align="top">{content}</mj-column>')
        return Piece(
            sections=(
                '<mj-section mj-class="card" css-class="wt-card" padding="0 8px">'
                f"{''.join(columns)}</mj-section>"
            ),
            text=joined_text(piece.text for column in pieces for piece in column),
        )
