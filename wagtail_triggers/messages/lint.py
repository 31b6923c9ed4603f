"""What stands in the way of publishing a template, found before it is published."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from .blocks.assemble import BlockProblem, check_body
from .blocks.base import Mail
from .branding import brand_of
from .liquid import check
from .models import Template
from .other_sources import check_others
from .preview import has_mail, preview
from .samples import variables_for

#: The fields that hold one line of Liquid each.
LINES = ("subject", "preheader")


def lint(template: Template) -> Iterator[tuple[str, str | BlockProblem]]:
    """Yield the field and the words of each problem; in the body, the block that has it.

    First what is missing, unknown tags, filters and variables; where there are none, the template
    is rendered with made-up data, which finds the rest.

    Args:
        template: With the form's values, saved or not.
    """
    found = False
    for field, problem in _read(template):
        found = True
        yield field, problem
    if not found:
        shown = preview(template)
        if shown.problem:
            yield shown.field, shown.block or _with_line(shown.problem, shown.line)


def _read(template: Template) -> Iterator[tuple[str, str | BlockProblem]]:
    """Problems that are found without rendering."""
    yield from _missing(template)
    variables, brand = variables_for(template.event), brand_of(template.site)
    for field in LINES:
        for problem in check(getattr(template, field), variables=variables, field=field):
            yield field, problem.message
    for fault in check_body(template.body, variables, Mail(brand)):
        yield "body", fault
    yield from check_others(template, variables, brand)


def _missing(template: Template) -> Iterator[tuple[str, str]]:
    """A mail has a subject and a body; a template without a mail has something else."""
    others = (template.sms_body, template.push_body, template.onsite_body)
    if not has_mail(template) and any(text.strip() for text in others):
        return
    if not template.subject.strip():
        yield "subject", _("A mail needs a subject. Write one.")
    if not len(template.body):
        yield "body", _("A mail needs a body. Add a block.")


def _with_line(problem: str, line: int) -> str:
    if not line:
        return problem
    return _("Line %(line)d: %(message)s") % {"line": line, "message": problem}
