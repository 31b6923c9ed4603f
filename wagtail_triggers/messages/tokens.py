"""Cut a Liquid source into text and tokens, in one linear pass.

python-liquid's own lexer is a regular expression that goes quadratic on unclosed and on
whitespace-stuffed tokens. This pass runs before it and refuses such sources, so that the lexer only
ever sees tokens that are closed, short and sane.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext as _

from ..exceptions import TemplateProblem

#: Longest source that an editor may write, in bytes (security.md T1).
MAX_SOURCE_BYTES: Final = 64 * 1024
#: Longest compiled source: an editor's body inside our layout with inlined styles.
MAX_COMPILED_BYTES: Final = 512 * 1024
#: No honest tag or output is longer.
MAX_TOKEN_CHARS: Final = 1_000
#: The lexer backtracks over runs of white space inside a token.
MAX_BLANKS: Final = 200

_OPEN: Final = re.compile(r"\{[{%]")
_BLANKS: Final = re.compile(rf"\s{{{MAX_BLANKS},}}")
_TAG_NAME: Final = re.compile(r"\{%-?\s*(#|\w+)")


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of a Liquid source.

    Attributes:
        kind: "text", "output" (`{{ … }}`) or "tag" (`{% … %}`).
        text: The stretch as it was written.
        start: Where it starts, as an index into the source.
        name: The tag's name; "" for text and output.
    """

    kind: Literal["text", "output", "tag"]
    text: str
    start: int
    name: str = ""


class SourceProblem(TemplateProblem):
    """The Liquid source cannot be read."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.line = line


def line_of(source: str, index: int) -> int:
    """The 1-based line on which the character at `index` stands."""
    return source.count("\n", 0, max(index, 0)) + 1


def scan(source: str) -> Iterator[Token]:
    """Yield the source's tokens in order; joined, their texts are the source again.

    Raises:
        SourceProblem: A token is not closed, too long, nameless, or stuffed with blanks.
    """
    position = 0
    while match := _OPEN.search(source, position):
        start = match.start()
        if start > position:
            yield Token("text", source[position:start], position)
        position = _end_of(source, start)
        text = source[start:position]
        if text[1] == "{":
            yield Token("output", text, start)
        else:
            yield Token("tag", text, start, _name_of(source, start))
    if position < len(source):
        yield Token("text", source[position:], position)


def _end_of(source: str, start: int) -> int:
    """Where the token that opens at `start` ends."""
    closing = "}}" if source[start + 1] == "{" else "%}"
    end = source.find(closing, start + 2, start + MAX_TOKEN_CHARS)
    line = line_of(source, start)
    if end == -1:
        opened = source[start : start + 20].split("\n")[0]
        raise SourceProblem(
            _("“%(opened)s” is not closed. Write “%(closing)s” after it.")
            % {"opened": opened, "closing": closing},
            line=line,
        )
    if _BLANKS.search(source, start, end):
        raise SourceProblem(
            _("There are more than %(count)d blanks in a row inside a tag. Remove them.")
            % {"count": MAX_BLANKS},
            line=line,
        )
    return end + 2


def _name_of(source: str, start: int) -> str:
    match = _TAG_NAME.match(source, start)
    if match is None:
        raise SourceProblem(
            _("A tag has no name. Write for example “{%% if contact.first_name %%}”.") % {},
            line=line_of(source, start),
        )
    return match[1]
