"""Try a template out: compile and render it as it stands in a form, for somebody who reads it.

Nothing is stored. What the editor wrote is parsed and rendered in a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.utils import translation

from ..exceptions import TriggersError
from .blocks.assemble import BlockBroken, BlockProblem
from .blocks.base import PICKED, Mail
from .branding import brand_of
from .compile import Compiled, compile_blocks
from .isolation import Fault, Part, render_isolated
from .layout import Brand
from .liquid import freeze_context
from .models import MessageClass, Template
from .other_sources import Others, compile_others
from .picked import samples
from .readers import Reader, Reading, read_by
from .render import Rendered, one_line, safe_urls

#: Gmail cuts a mail that is larger.
MAX_MAIL_BYTES: Final = 102 * 1024
#: The template's field in which each source was written.
_FIELD_OF: Final[Mapping[str, str]] = {
    "subject": "subject",
    "preheader": "preheader",
    "html": "body",
    "text": "body",
    "sms": "sms_body",
    "push_title": "push_title",
    "push_body": "push_body",
    "push_url": "push_url",
    "onsite": "onsite_body",
}
_HTML: Final = frozenset({"html", "onsite"})


@dataclass(frozen=True, slots=True)
class Preview:
    """A rendered template, or why it cannot be rendered.

    Attributes:
        rendered: The mail; empty texts where the template has none.
        others: SMS, push and the note on pages, as `Others` names them.
        problem: What is wrong, for people; "" where nothing is.
        field: The part at fault, as the template's form calls it.
        line: The line at fault in what the editor wrote; 0 where it has but one, or none is known.
        block: The block at fault.
        seconds: How long rendering took.
        reading: What it was rendered from.
    """

    rendered: Rendered | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    field: str = ""
    line: int = 0
    block: BlockProblem | None = None
    seconds: float = 0.0
    reading: Reading | None = None

    @property
    def size(self) -> int:
        """Bytes of the HTML."""
        return len(self.rendered.html.encode()) if self.rendered else 0

    @property
    def milliseconds(self) -> float:
        """How long rendering took, as people read it."""
        return round(self.seconds * 1000, 1)


def preview(template: Template, *, reader: Reader | None = None, image_url: str = "") -> Preview:
    """Render an unsaved or saved template.

    Args:
        template: Any state of it; nothing is written.
        reader: Who reads it; the regular customer by default.
        image_url: What pictures of made-up products show; absolute.
    """
    reading = read_by(template, reader or Reader(), image_url=image_url)
    brand = brand_of(template.site)
    try:
        with translation.override(reading.language):
            mail, others = compiled_mail(template, brand), compile_others(template, brand)
        url = str(reading.context["site"]["url"])
        picked = {PICKED: samples(mail.data, url=url, image_url=image_url)}
        context = freeze_context({**reading.context, **picked})
    except BlockBroken as error:
        return Preview(problem=str(error), field="body", block=error.problem, reading=reading)
    except TriggersError as error:
        return Preview(problem=str(error), field="body", reading=reading)
    cooked = render_isolated(
        _parts(mail, others), context, language=reading.language, time_zone=reading.time_zone
    )
    if cooked.fault is not None:
        return _blamed(cooked.fault, template, brand, context, reading)
    texts = {name: cooked.texts.get(name, "") for name in _FIELD_OF}
    return Preview(
        Rendered(
            subject=one_line(texts["subject"]),
            preheader=one_line(texts["preheader"]),
            html=safe_urls(texts["html"]),
            text=texts["text"],
        ),
        others={name: _shown(name, texts[name]) for name in Others().parts()},
        seconds=cooked.seconds,
        reading=reading,
    )


def compiled_mail(template: Template, brand: Brand) -> Compiled:
    """Compile the mail as publishing does, in the language that is active; nothing is stored.

    Returns:
        Empty sources where the template has no mail.

    Raises:
        TemplateProblem: It cannot be compiled.
    """
    if not has_mail(template):
        return Compiled("", "", "", "")
    return compile_blocks(
        subject=template.subject,
        preheader=template.preheader,
        body=template.body,
        brand=brand,
        marketing=template.message_class == MessageClass.MARKETING,
    )


def has_mail(template: Template) -> bool:
    """Say whether anything of a mail was written."""
    return bool(template.subject.strip() or len(template.body))


def _parts(mail: Compiled, others: Others) -> list[Part]:
    sources = {
        "subject": mail.subject,
        "preheader": mail.preheader,
        "html": mail.html,
        "text": mail.text,
        **others.parts(),
    }
    return [(name, source, name in _HTML) for name, source in sources.items() if source]


def _shown(name: str, text: str) -> str:
    if name == "onsite":
        return safe_urls(text)
    return text.strip() if name == "sms" else one_line(text)


def _blamed(
    fault: Fault,
    template: Template,
    brand: Brand,
    context: Mapping[str, object],
    reading: Reading,
) -> Preview:
    """Say where a fault stands in what the editor wrote, not in what it was compiled to."""
    where = _FIELD_OF[fault.part]
    if where != "body":
        line = fault.line if where == "sms_body" else 0
        return Preview(problem=fault.message, field=where, line=line, reading=reading)
    for problem in _broken_blocks(template, brand, context, reading):
        return Preview(problem=str(problem), field=where, block=problem, reading=reading)
    return Preview(problem=fault.message, field=where, reading=reading)


def _broken_blocks(
    template: Template, brand: Brand, context: Mapping[str, object], reading: Reading
) -> list[BlockProblem]:
    """The first block that cannot be rendered by itself."""
    mail = Mail(brand, reading.language)
    for index, child in enumerate(template.body):
        piece = child.block.compile(child.value, mail)
        parts = [("block", mail.plain(piece.source), True), ("text", piece.text, False)]
        fault = render_isolated(
            parts, context, language=reading.language, time_zone=reading.time_zone
        ).fault
        if fault is not None:
            return [BlockProblem(index, str(child.block.label), fault.message)]
    return []
