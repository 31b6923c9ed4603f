"""What a kind of block is: fields that an editor fills in, and how a mail is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy as _

from ..look import Brand

#: Around the number of a hole. Private characters: nobody types them, and sources lose them.
OPEN: Final = "\ue0f0"
CLOSE: Final = "\ue0f1"

#: The name under which templates see what is looked up for each recipient.
PICKED: Final = "wt_picked"

TEXT = _("Text")
SHOP = _("Shop")
LAYOUT = _("Layout")
ADVANCED = _("Advanced")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one block becomes. All of it is Liquid.

    Attributes:
        content: Elements of an `mj-column`, such as `mj-text` and `mj-button`.
        sections: Whole `mj-section`s instead, where the block needs columns of its own.
        text: Plain text; "" where there is nothing to read.
    """

    content: str = ""
    sections: str = ""
    text: str = ""

    @property
    def source(self) -> str:
        """The HTML side of it, whichever was given."""
        return self.sections or self.content


@dataclass(frozen=True, slots=True)
class Hole:
    """HTML that is put into the mail once its MJML is compiled."""

    html: str
    trusted: bool


@dataclass(slots=True)
class Mail:
    """The mail that is being compiled: what a block may ask and leave.

    Attributes:
        brand: Who it is from, and how it looks.
        language: The language of the template.
        holes: The HTML that blocks have left with `html`.
        data: What must be looked up for each recipient, by the name under which templates see it.
    """

    brand: Brand
    language: str = "en"
    holes: list[Hole] = field(default_factory=list)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)

    def html(self, source: str, *, trusted: bool = False) -> str:
        """Keep HTML with Liquid from the MJML compiler, which has its own mind about it.

        Args:
            source: HTML with Liquid.
            trusted: Whether the block wrote it itself. What an editor wrote is sanitised.

        Returns:
            A mark to be put into an `mj-text` or an `mj-raw`; the HTML takes its place.
        """
        self.holes.append(Hole(source, trusted))
        return f"{OPEN}{len(self.holes) - 1}{CLOSE}"

    def look_up(self, request: dict[str, Any]) -> str:
        """Ask for something that is only known for each recipient, when the mail leaves.

        Args:
            request: Plain JSON: `{"products": [{"sku": …, "name": …}]}` or `{"recommender":
                "popular", "limit": 4}`.

        Returns:
            The Liquid path of the list that templates will see.
        """
        name = f"p{len(self.data) + 1}"
        self.data[name] = request
        return f"{PICKED}.{name}"

    def plain(self, sections: str) -> str:
        """MJML with its marks filled in, as far as it matters to a check of its Liquid."""
        return "".join(
            part if number % 2 == 0 else self.plain(self.holes[int(part)].html)
            for number, part in enumerate(split_marks(sections))
        )


def split_marks(sections: str) -> Iterator[str]:
    """Cut MJML at the marks of `Mail.html`: what stands between, and the numbers, in turns."""
    for number, part in enumerate(sections.split(OPEN)):
        if number == 0:
            yield part
            continue
        mark, _end, rest = part.partition(CLOSE)
        yield mark
        yield rest


def without_marks(source: str) -> str:
    """What an editor wrote, without characters that we use as marks."""
    return source.replace(OPEN, "").replace(CLOSE, "")


class MailBlock:
    """Mixed into a Wagtail block: `class Countdown(MailBlock, StructBlock)`.

    Its `Meta` says `label`, `icon`, `group`, `description` and `preview_value`, as every block's.
    """

    #: Stored with each block of this kind; never change it.
    identifier: ClassVar[str]
    #: Whether it may stand in a column, beside others.
    in_columns: ClassVar[bool] = True
    #: Whether it may stand in a conditional section.
    in_conditions: ClassVar[bool] = True

    def compile(self, value: Any, mail: Mail) -> Piece:
        """Make MJML and plain text.

        Args:
            value: What the editor filled in, cleaned.
            mail: The mail that it becomes a part of.

        Returns:
            The piece. Every piece of data that it names may be missing when it is rendered.

        Raises:
            TemplateProblem: It cannot be compiled; the message says what to change.
        """
        raise NotImplementedError
