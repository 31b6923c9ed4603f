"""From an editor's SMS, push and on-site texts to the sources that are frozen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from ..exceptions import TemplateProblem
from .blocks.kinds.text import rich_html
from .layout import Brand
from .liquid import check
from .masking import Masker, part_braces
from .sanitise import clean_html
from .tokens import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .models import Template
    from .variables import VariableTree

#: The template's fields, in the order in which they are shown.
FIELDS: Final = ("sms_body", "push_title", "push_body", "push_url", "onsite_body")
_ADDRESSES: Final = ("https://", "http://", "/", "{{")


@dataclass(frozen=True, slots=True)
class Others:
    """Sources, by the field of `OtherSources`; "" where the template has no such text."""

    sms: str = ""
    push_title: str = ""
    push_body: str = ""
    push_url: str = ""
    onsite: str = ""

    def parts(self) -> dict[str, str]:
        """By name."""
        return asdict(self)


def compile_others(template: Template, brand: Brand) -> Others:
    """Compile the texts that are no mail.

    Raises:
        TemplateProblem: A text cannot be compiled; the message says what to change.
    """
    return Others(
        sms=template.sms_body.replace("\r\n", "\n").strip(),
        push_title=template.push_title.strip(),
        push_body=template.push_body.replace("\r\n", "\n").strip(),
        push_url=template.push_url.strip(),
        onsite=_note(template.onsite_body, brand),
    )


def _note(stored: str, brand: Brand) -> str:
    """Rich text as sanitised HTML; nothing where it holds no word."""
    html = rich_html(stored)
    masker = Masker()
    cleaned = clean_html(masker.mask_html(html), base_url=brand.url)
    if not cleaned.strip() or cleaned.replace("<p>", "").replace("</p>", "").strip() == "":
        return ""
    return masker.unmask(part_braces(cleaned))


def check_others(
    template: Template, variables: VariableTree, brand: Brand
) -> Iterator[tuple[str, str]]:
    """Yield field and words of what is wrong with these texts, found without rendering."""
    for field in ("sms_body", "push_title", "push_body", "push_url"):
        source = getattr(template, field)
        for problem in check(source, variables=variables, field=field):
            yield field, str(problem) if "\n" in source.strip() else problem.message
    try:
        for problem in check(
            _note(template.onsite_body, brand), variables=variables, field="onsite_body"
        ):
            yield "onsite_body", problem.message
    except TemplateProblem as error:
        yield "onsite_body", str(error)
    if template.push_title.strip() and not template.push_body.strip():
        yield "push_body", _("A push notification needs a text below its title. Write one.")
    if template.push_body.strip() and not template.push_title.strip():
        yield "push_title", _("A push notification needs a title. Write one.")
    url = template.push_url.strip()
    if url and not url.startswith(_ADDRESSES) and not _begins_with_tag(url):
        yield (
            "push_url",
            _("“%(url)s” leads nowhere. Write it whole, with https://, or from / on.")
            % {"url": url[:80]},
        )


def _begins_with_tag(source: str) -> bool:
    first = next(scan(source), None)
    return first is not None and first.kind != "text"
