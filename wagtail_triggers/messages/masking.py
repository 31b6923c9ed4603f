"""Hide Liquid from HTML and MJML compilers, and bring it back unharmed.

HTML parsers move `{% for %}` out of tables and escape `>` in conditions. So every token is replaced
by a mask before compiling: a comment between tags, which a parser leaves where it stands, and a
private word within attributes. After compiling, the masks must be the same ones in the same order;
otherwise the template is refused rather than repaired.
"""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from ..exceptions import TemplateProblem
from .tokens import SourceProblem, Token, line_of, scan

#: ASCII letters: mrml writes everything else in an attribute as an escape of its own.
_WORD: Final = r"wtLQ(\d+)QL"
_BARE_MASK: Final = re.compile(_WORD)
_COMMENT_MASK: Final = re.compile(f"<!--{_WORD}-->")
_MASK: Final = re.compile(f"<!--{_WORD}-->|{_WORD}")
_FALSE_TOKEN: Final = re.compile(r"\{(?=[{%])")
#: What moves the scanner through HTML: comments, tags, quotes, ends.
_MARK: Final = re.compile(r"<!--|-->|<(?=[a-zA-Z/!])|[\"'>]")
_ATTRIBUTE: Final = re.compile(r"([\w:-]+)\s*=\s*$")
#: Within an attribute these would carry markup out of it, or put markup into it.
_NOT_IN_ATTRIBUTES: Final = frozenset({"capture", "endcapture"})


class MaskBroken(TemplateProblem):
    """Compiling the template moved or lost a Liquid tag."""


class Masker:
    """The masked tokens of one template, in the order in which they must come out."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []

    def mask_html(self, source: str) -> str:
        """Mask HTML (or MJML) with Liquid in it. Comments, and tokens within them, are dropped.

        Raises:
            SourceProblem: A token stands where none may: outside the quotes of an attribute, in a
                style, or a `capture` in an attribute.
        """
        source = _BARE_MASK.sub("", source)
        where = _Position()
        parts = []
        for token in scan(source):
            if token.kind == "text":
                parts.append(where.pass_over(token.text))
            elif not where.in_comment:
                where.refuse_unless_allowed(token, source)
                parts.append(self._mask(token, comment=not where.in_tag))
        return "".join(parts)

    def mask_text(self, source: str) -> str:
        """Mask a plain text with Liquid in it; nothing else of it is changed."""
        source = _BARE_MASK.sub("", source)
        return "".join(
            token.text if token.kind == "text" else self._mask(token, comment=False)
            for token in scan(source)
        )

    def _mask(self, token: Token, *, comment: bool) -> str:
        mask = f"wtLQ{len(self.tokens)}QL"
        self.tokens.append(token)
        return f"<!--{mask}-->" if comment else mask

    def unmask(self, compiled: str) -> str:
        """Put the tokens back.

        Raises:
            MaskBroken: Tokens were lost, doubled or moved.
        """
        found = [_number(match) for match in _MASK.finditer(compiled)]
        if found != list(range(len(self.tokens))):
            raise self._broken(found)
        return _MASK.sub(lambda match: self.tokens[_number(match)].text, compiled)

    def unmask_text(self, compiled: str) -> str:
        """Put the tokens of a text version back.

        Text lacks most attributes, so their tokens are left out; and a link's address comes after
        its words, so outputs may change places.

        Raises:
            MaskBroken: Tags were moved, or tokens doubled.
        """
        found = [_number(match) for match in _MASK.finditer(compiled)]
        tags = [index for index in found if self.tokens[index].kind == "tag"]
        if len(found) != len(set(found)) or tags != sorted(tags):
            raise self._broken(found)
        return _MASK.sub(lambda match: self.tokens[_number(match)].text, compiled)

    def is_tag(self, mask: str) -> bool:
        """Whether a bare mask stands for a tag, which prints nothing."""
        match = _BARE_MASK.fullmatch(mask)
        return match is not None and self.tokens[int(match[1])].kind == "tag"

    def _broken(self, found: list[int]) -> MaskBroken:
        at_fault = next(
            (
                index
                for index in range(len(self.tokens))
                if index >= len(found) or found[index] != index
            ),
            len(self.tokens) - 1,
        )
        return MaskBroken(
            _(
                "“%(token)s” stands where HTML does not allow it, or where it is removed. Put it "
                "into a text, around whole elements or table rows, or into a quoted attribute."
            )
            % {"token": self.tokens[at_fault].text}
        )


def _number(match: re.Match[str]) -> int:
    return int(match[1] or match[2])


def bare(html: str) -> str:
    """Masks that are comments, as plain words: for converters that drop comments."""
    return _COMMENT_MASK.sub(r"wtLQ\1QL", html)


def part_braces(html: str) -> str:
    """Keep what only looks like Liquid, such as `&#123;&#123;` in a body, from becoming it."""
    return _FALSE_TOKEN.sub("&#123;", html)


def starts_with_mask(value: str) -> bool:
    """Whether an attribute's value begins with a token."""
    return _BARE_MASK.match(value) is not None


def split_masks(text: str) -> list[str]:
    """A text cut into masks and what stands between them."""
    return [part for part in re.split(r"(wtLQ\d+QL)", text) if part]


class _Position:
    """Where in HTML a scanner stands: in text, in a comment, in a tag, in a quoted value."""

    def __init__(self) -> None:
        self.in_comment = False
        self.in_tag = False
        self.quote = ""
        self.attribute = ""
        self._tag_text = ""

    def pass_over(self, text: str) -> str:
        """Move over a stretch without tokens.

        Returns:
            The stretch without comments.
        """
        kept: list[str] = []
        start = 0
        for match in _MARK.finditer(text):
            mark = match[0]
            if self.in_comment:
                if mark == "-->":
                    self.in_comment = False
                    start = match.end()
            elif mark == "<!--" and not self.in_tag:
                kept.append(text[start : match.start()])
                self.in_comment = True
            else:
                self._meet(mark, text, match.start())
        if not self.in_comment:
            kept.append(text[start:])
            if self.in_tag and not self.quote:
                self._tag_text = (self._tag_text + text[start:])[-80:]
        return "".join(kept)

    def _meet(self, mark: str, text: str, index: int) -> None:
        if not self.in_tag:
            if mark == "<":
                self.in_tag, self._tag_text = True, ""
        elif self.quote:
            if mark == self.quote:
                self.quote, self._tag_text = "", ""
        elif mark in "\"'":
            before = _ATTRIBUTE.search((self._tag_text + text[:index])[-80:])
            self.quote = mark
            self.attribute = before[1].lower() if before else ""
        elif mark in {">", "-->"}:
            self.in_tag = False

    def refuse_unless_allowed(self, token: Token, source: str) -> None:
        """Refuse a token that could not be masked safely here."""
        if not self.in_tag:
            return
        if not self.quote:
            message = _(
                "“%(token)s” stands inside an HTML tag without quotes. Write it into a quoted "
                'attribute, such as href="…".'
            )
        elif self.attribute == "style":
            message = _("“%(token)s” stands in a style. Styles cannot hold Liquid.")
        elif token.name in _NOT_IN_ATTRIBUTES:
            message = _("“%(token)s” stands in an attribute. Move it before the element.")
        else:
            return
        raise SourceProblem(message % {"token": token.text}, line=line_of(source, token.start))
