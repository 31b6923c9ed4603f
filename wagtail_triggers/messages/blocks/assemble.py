"""Make one mail of its blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from ...exceptions import TemplateProblem
from ..liquid import check
from ..tokens import MAX_SOURCE_BYTES
from ..variables import Variable, VariableTree
from .base import PICKED, Mail, Piece

#: A section of the white card.
CARD: Final = (
    '<mj-section mj-class="card" css-class="wt-card" padding="0 8px"><mj-column>{}</mj-column>'
    "</mj-section>"
)


@dataclass(frozen=True, slots=True)
class BlockProblem:
    """What is wrong with one block.

    Attributes:
        index: Its place in the body, from 0; None for the body as a whole.
        label: The name of its kind.
        message: What is wrong and how to put it right.
    """

    index: int | None
    label: str
    message: str

    def __str__(self) -> str:
        if self.index is None:
            return self.message
        place = _("Block %(number)d (%(kind)s):") % {"number": self.index + 1, "kind": self.label}
        return f"{place} {self.message}"


class BlockBroken(TemplateProblem):
    """A block cannot be compiled.

    Attributes:
        problem: Which, and why.
    """

    def __init__(self, problem: BlockProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class _Sections:
    """Collects content into sections of the card."""

    parts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        if piece.sections:
            self.close()
            self.parts.append(piece.sections)
        elif piece.content:
            self.open.append(piece.content)

    def close(self) -> str:
        if self.open:
            self.parts.append(CARD.format("".join(self.open)))
            self.open = []
        return "".join(self.parts)


def joined(pieces: Iterable[Piece]) -> Piece:
    """Several pieces as one, in sections."""
    sections = _Sections()
    texts = []
    for piece in pieces:
        sections.add(piece)
        texts.append(piece.text)
    return Piece(sections=sections.close(), text=joined_text(texts))


def joined_text(texts: Iterable[str]) -> str:
    """Plain texts below each other, an empty line between."""
    return "\n\n".join(text for text in texts if text)


def compile_stream(body: Iterable[Any], mail: Mail) -> list[Piece]:
    """Compile the blocks of a stream.

    Raises:
        BlockBroken: One of them cannot be compiled.
    """
    pieces = []
    for index, child in enumerate(body):
        try:
            pieces.append(child.block.compile(child.value, mail))
        except TemplateProblem as error:
            label = str(child.block.label)
            raise BlockBroken(BlockProblem(index, label, str(error))) from error
    return pieces


def check_body(body: Any, variables: VariableTree, mail: Mail) -> list[BlockProblem]:
    """What is wrong with the Liquid of the blocks, found without rendering.

    Args:
        body: The value of the field.
        variables: What the text may use.
        mail: A mail that is compiled to be looked at only.
    """
    size = sum(len(str(one)) for one in body.get_prep_value())
    if size > MAX_SOURCE_BYTES:
        message = _("This is longer than %(limit)d kB. Shorten it.")
        return [BlockProblem(None, "", message % {"limit": MAX_SOURCE_BYTES // 1024})]
    variables = VariableTree({**variables.roots, PICKED: Variable("object", open=True)})
    found = []
    for index, child in enumerate(body):
        label = str(child.block.label)
        try:
            piece = child.block.compile(child.value, mail)
        except TemplateProblem as error:
            found.append(BlockProblem(index, label, str(error)))
            continue
        seen = set()
        for source in (mail.plain(piece.source), piece.text):
            for problem in check(source, variables=variables, field="body"):
                words = str(problem) if child.block_type == "html" else problem.message
                if problem.message not in seen:
                    found.append(BlockProblem(index, label, words))
                seen.add(problem.message)
    return found
